"""Inline review comments: each finding said once, where it is, for as long as it is there.

A comment knows by its mark which finding it is about, so that moved lines make no new one. One that is open is never
repeated; one whose finding has gone is said to be settled, and its thread resolved unless a person has answered; one
that a person resolved, or dismissed, is not brought up again.

Resolving takes `contents: write` of an Action's token, which nobody should give for that; writing to our own comment
does not. So the comment says first that it is settled, and the thread is resolved where the token may.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from oversight.reports import words
from oversight.reports.model import Status
from oversight_github.anchors import Anchor, Places
from oversight_github.client import Client, Forbidden, NotFound, Unprocessable
from oversight_github.markers import FindingMark, State, without_mark
from oversight_github.publish.model import INLINE, Outcome, Step, Target
from oversight_github.publish.remarks import HUNKS, Remark, Remarks
from oversight_github.publish.standing import Standing, Thread

OPEN = 30
"""How many comments of ours stand open on a pull request at most."""

_ANSWER = "<sub>Not a problem? Reply `/oversight dismiss <reason>`, and it is not brought up again.</sub>\n"
_GONE = "**Settled**: the review of `{head}` does not bring it up any more."
_DISMISSED = "**Settled**: a person dismissed it."
_RESOLVE = "mutation ($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { thread { id } } }"


@dataclass(frozen=True, slots=True)
class Inline:
    """What there is to say inline and what stands already.

    `dismissed` are fingerprints, and so are `tried`: those for which GitHub took no comment at this head before.
    """

    said: Remarks
    threads: Sequence[Thread]
    dismissed: Collection[str]
    tried: Collection[str]
    key: str


def publish_inline(api: Client, standing: Standing, target: Target, inline: Inline) -> tuple[Step, tuple[Remark, ...]]:
    """Settle what has gone and say what is new; the step, and the remarks that GitHub takes no comment for.

    Raises GitHubError and Superseded.
    """
    over = {thread.id: why for thread in inline.threads if (why := _over(thread, inline, target)) is not None}
    settled, resolved, unresolved = _settle(api, standing, inline.threads, over)
    fresh = _fresh(inline, [thread for thread in inline.threads if _stands(thread) and thread.id not in over])
    places = Places(inline.said.shown.change)
    anchored = [(remark, places.anchor(remark.path, remark.start, remark.end)) for remark in fresh]
    due = [(remark, anchor) for remark, anchor in anchored if anchor is not None and remark.id not in inline.tried]
    said, failed = _say(api, standing, target, inline.key, due) if due else (set(), set())
    sent = {remark.id for remark, _ in due} - failed
    told = f"{len(sent - said)} posted, {settled} settled, {words.counted(resolved, 'thread')} resolved"
    if unresolved:
        told += f", {words.counted(unresolved, 'thread')} not resolved, which takes contents: write"
    outcome = Outcome.DONE if sent - said or settled or resolved else Outcome.UNCHANGED
    return Step(INLINE, outcome, told), tuple(remark for remark in fresh if remark.id not in sent)


def _stands(thread: Thread) -> bool:
    return thread.mark.state is State.OPEN and not thread.resolved


def _over(thread: Thread, inline: Inline, target: Target) -> str | None:
    """Return why a thread that stands is to be settled, None where it is not.

    Only a report that has seen the whole change and the thread's file can tell that a finding has gone.
    """
    if not _stands(thread):
        return None
    if thread.mark.id in inline.dismissed:
        return _DISMISSED
    report = inline.said.shown
    unseen = {part.path for part in report.coverage.skipped}
    if not target.whole or report.status is not Status.SCORED or thread.path in unseen:
        return None
    return None if thread.mark.id in inline.said.present else _GONE.format(head=target.head[:12])


def _settle(api: Client, standing: Standing, threads: Sequence[Thread], over: dict[str, str]) -> tuple[int, int, int]:
    """Say of comments that they are settled, and resolve threads that are; how many of each, and how many were not."""
    leftover = [t for t in threads if t.mark.state is State.SETTLED and not t.resolved]
    due = [thread for thread in threads if thread.id in over]
    closable = [t for t in (*leftover, *due) if not t.answered and t.resolvable]
    unresolved = sum(not t.answered and not t.resolvable for t in due)
    if due or closable:
        standing.check()
    for thread in due:
        body = f"{replace(thread.mark, state=State.SETTLED)}{over[thread.id]}\n\n{without_mark(thread.body)}"
        api.patch(api.here("pulls", "comments", thread.comment), {"body": body})
    resolved = 0
    for thread in closable:
        try:
            api.graphql(_RESOLVE, {"thread": thread.id})
        except (Forbidden, NotFound):
            return len(due), resolved, unresolved + len(closable) - resolved
        resolved += 1
    return len(due), resolved, unresolved


def _fresh(inline: Inline, standing: Sequence[Thread]) -> list[Remark]:
    """Return what no comment says yet, as far as there is room; nothing where nothing calls for a reader."""
    report = inline.said.shown
    if not report.flagged and report.status is Status.SCORED:
        return []
    # What a person resolved stays closed, though it is still in the change.
    covered = {thread.mark.id for thread in inline.threads if thread.mark.state is State.OPEN}
    hunks = HUNKS - sum(thread.mark.id in inline.said.hunks for thread in standing)
    new = [remark for remark in inline.said.all if remark.path and remark.id not in covered]
    findings = [remark for remark in new if not remark.of_hunk]
    risky = [remark for remark in new if remark.of_hunk][: max(hunks, 0)]
    return [*findings, *risky][: max(OPEN - len(standing), 0)]


def _say(
    api: Client, standing: Standing, target: Target, key: str, due: Sequence[tuple[Remark, Anchor]]
) -> tuple[set[str], set[str]]:
    """Post comments, those on lines as one review; fingerprints of what stood there already, and of what GitHub took
    nowhere.
    """
    standing.check()
    # Another job on the same head may have been quicker: what is left for it is the time of one request.
    there = {thread.mark.id for thread in standing.threads() if thread.mark.state is State.OPEN}
    left = [pair for pair in due if pair[0].id not in there]
    on_lines = [pair for pair in left if not pair[1].whole_file]
    alone = [pair for pair in left if pair[1].whole_file]
    if on_lines:
        comments = [{**anchor.fields(), "body": body_of(key, remark)} for remark, anchor in on_lines]
        review = {"commit_id": target.head, "event": "COMMENT", "comments": comments}
        try:
            api.post(api.here("pulls", standing.number, "reviews"), review)
        except Unprocessable:  # for one line that is not in GitHub's diff it takes none of them
            alone = [*on_lines, *alone]
    failed = {remark.id for remark, anchor in alone if not _say_one(api, standing, target, key, remark, anchor)}
    return {remark.id for remark, _ in due} & there, failed


def _say_one(api: Client, standing: Standing, target: Target, key: str, remark: Remark, anchor: Anchor) -> bool:
    """Post one comment, on its lines or else on its file; whether GitHub took it."""
    path = api.here("pulls", standing.number, "comments")
    for place in dict.fromkeys((anchor, Anchor(anchor.path))):
        try:
            api.post(path, {"commit_id": target.head, "body": body_of(key, remark), **place.fields()})
        except Unprocessable:
            continue
        return True
    return False


def body_of(key: str, remark: Remark) -> str:
    """Return the Markdown of a comment, mark included."""
    return f"{FindingMark(key, remark.id)}{remark.as_markdown()}\n\n{_ANSWER}"
