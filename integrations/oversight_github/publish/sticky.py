"""The one summary comment of a pull request: found by its mark and its author, and changed in place.

Quiet by default: it is made where something calls for a reader, and from then on it tells what is. Two runs at once
may both make one: the oldest stays, and whoever sees two of ours deletes the newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from oversight.reports import words
from oversight.reports.escape import code, terminal
from oversight.reports.markdown import LIMIT, Link, render
from oversight.reports.model import RiskReport, Status
from oversight_github.client import Client, NotFound
from oversight_github.publish.model import SUMMARY, Comment, Outcome, Step, Wishes
from oversight_github.publish.remarks import Remark, Remarks
from oversight_github.publish.standing import Standing, Summary
from oversight_github.shown import dated

_PLACES = 5
_PATH = 200
_ANSWERS = (
    "Who has write access and no part in the change may answer in a comment: `/oversight safe` or `/oversight risky`"
)
_DISMISS = ", or `/oversight dismiss <reason>` where the flag is not wanted"


def publish_summary(
    api: Client, standing: Standing, there: list[Summary], wish: Comment, body: str, report: RiskReport
) -> Step:
    """Bring the summary into the state that the report asks for; `there` are those that stand. Raises GitHubError."""
    if not there and wish is Comment.AUTO and not report.flagged and report.status is Status.SCORED:
        return Step(SUMMARY, Outcome.SKIPPED, "nothing calls for a reader")
    if not there:
        standing.check()
        api.post(api.here("issues", standing.number, "comments"), {"body": body})
        # Another run may have looked before this one wrote.
        there = standing.summaries()
        _settle(api, standing, there, body)
        return Step(SUMMARY, Outcome.DONE, "created")
    changed = _settle(api, standing, there, body)
    return Step(SUMMARY, Outcome.DONE if changed else Outcome.UNCHANGED, "updated" if changed else "says so already")


def body_of(mark: str, name: str, said: Remarks, unplaced: Sequence[Remark], link: Link | None) -> str:
    """Return the summary's Markdown below its marks, within GitHub's limit.

    The review's name is told where people gave it one, since there may be others.
    """
    mark += f"{code(name, _PATH)}\n\n" if name != Wishes().name else ""
    foot = []
    if said.dismissed:
        foot.append(f"Not listed: {words.counted(said.dismissed, 'finding')} that people dismissed.")
    if unplaced:
        places = ", ".join(
            code(words.place(terminal(one.path, _PATH), one.start, one.end)) for one in unplaced[:_PLACES]
        )
        more = f" and {words.counted(len(unplaced) - _PLACES, 'more place')}" if len(unplaced) > _PLACES else ""
        foot.append(f"GitHub takes no comment at {places}{more}, so it is said here alone.")
    by_verdict = _DISMISS if said.shown.flagged and said.shown.status is Status.SCORED else ""
    foot.append(f"{_ANSWERS}{by_verdict}.")
    tail = "".join(f"\n<sub>{line}</sub>\n" for line in foot)
    room = LIMIT - len(mark.encode("utf-8")) - len(tail.encode("utf-8"))
    return f"{mark}{render(said.shown, limit=room, link=link)}{tail}"


def _settle(api: Client, standing: Standing, there: list[Summary], body: str) -> bool:
    """Let the oldest summary say `body` and delete the others; whether anything had to be done."""
    if not there:  # what was just written is not listed yet
        return False
    oldest, *newer = there
    changed = _plain(oldest.body) != _plain(dated(body, oldest.written))
    if changed or newer:
        standing.check()
    if changed:
        api.patch(api.here("issues", "comments", oldest.id), {"body": body})
    for summary in newer:
        with suppress(NotFound):  # the other run was quicker
            api.delete(api.here("issues", "comments", summary.id))
    return changed or bool(newer)


def _plain(body: str) -> str:
    """Return a body without what GitHub may change of it when it stores it."""
    return body.replace("\r\n", "\n").strip()
