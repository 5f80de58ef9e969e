"""The events that carry verdicts, on one page: what the Action does on them.

    issue_comment, pull_request_review_comment   the command in that comment
    pull_request, labeled                        the labels of that pull request
    schedule, workflow_dispatch                  everything since `LOOK_BACK`, how judged heads landed, and the summary

Events that were missed, or whose token could not write, are made up for by the next scheduled run. Nobody is answered
in words: a reaction says that a command was recorded (+1), that it was heard and changes nothing (eyes), or that it was
not understood or not allowed (confused); the log says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from oversight.audit.verdict import Landing, Record, Verdict
from oversight.errors import OversightError
from oversight.reports.escape import terminal
from oversight_github import commands
from oversight_github.client import Client, Forbidden, GitHubError
from oversight_github.events import Comment, Event, Manual, PullRequestEvent, Scheduled
from oversight_github.verdicts.asking import asked
from oversight_github.verdicts.dismissals import about, cleared, clears, dismissed
from oversight_github.verdicts.gather import Gathered, Gatherer
from oversight_github.verdicts.landings import landings
from oversight_github.verdicts.places import Entry, Place, place_of
from oversight_github.verdicts.pulls import Pulls
from oversight_github.verdicts.recovery import recovery
from oversight_github.verdicts.said import COMMENT, LABELS, PARTS, Refusal

LOOK_BACK = timedelta(days=35)
"""How far back a scheduled run reads: one a month is enough, and one a week may fail several times."""

_LANDING = timedelta(days=90)  # how long a judged pull request is watched for being merged
_RECORDED, _HEARD, _REFUSED = "+1", "eyes", "confused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event. `added` was put on record; `log` has a line for everything, safe to be printed.

    `summary` is Markdown, empty where there is nothing to tell. `review`: the pull request of which somebody who may
    has asked for another review. `failure`: why a scheduled run could not record what it found, which is to fail it.
    """

    added: tuple[Entry, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    log: tuple[str, ...] = ()
    summary: str = ""
    review: int | None = None
    failure: OversightError | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What people have said that a review of a pull request has to mind.

    `dismissed` are the reasons by fingerprint of findings that are not wanted, `of_head` those of them that people saw
    at this very head; `cleared` is the verdict that clears the flag of this very head. `problem` says why nothing is
    known, in which case nothing is dismissed.
    """

    dismissed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    of_head: frozenset[str] = frozenset()
    cleared: Verdict | None = None
    problem: str | None = None


def carries_verdicts(event: Event) -> bool:
    """Whether an event is one that `handle` has something to do for."""
    match event:
        case Comment():
            # Most comments are conversation: what holds no command now costs no request.
            return event.on_pull and event.action in ("created", "edited") and commands.parse(event.body) is not None
        case PullRequestEvent():
            return event.action == "labeled" and (event.label or "").lower() in LABELS
        case Manual() | Scheduled():
            return True
        case _:
            return False


def handle(
    event: Event,
    client: Client,
    *,
    where: str | Place | None = None,
    repository: Path | None = None,
    now: datetime | None = None,
    app: str | None = None,
) -> Outcome:
    """Record what an event says, and for a scheduled one all that was said; nothing where it carries no verdicts.

    `where` is the place that verdicts are kept in or its name (`places.place_of`), `repository` is a checkout with the
    history, for PGR; `app` is the App whose check runs alone are ours (`Pulls`). Raises GitHubError, LabelError where
    the place holds anything else than verdicts, and OutputError.
    """
    if not carries_verdicts(event):
        return Outcome()
    place = place_of(where, client)
    if isinstance(event, Manual | Scheduled):
        return _gather_all(client, place, repository, now or datetime.now(UTC))
    gatherer = Gatherer(client, place.read(), Pulls(client, app))
    if isinstance(event, Comment):
        if not event.inline and gatherer.wants_review(event.id):
            return Outcome(log=tuple(_react(client, COMMENT, event.id, _HEARD)), review=event.number)
        found = gatherer.comment(event.id, inline=event.inline)
    else:
        found = gatherer.labels(event.pull.number) if isinstance(event, PullRequestEvent) else Gathered()
    return _recorded(client, place, found)


def heard(client: Client, number: int, head: str, *, where: str | Place | None = None, app: str | None = None) -> Heard:
    """Return what people have said of a pull request with this head, as far as it is on record. Never raises.

    What clears is asked after: it counts as long as GitHub bears it out (`Gatherer.confirms`). `where` and `app` are as
    of `handle`.
    """
    try:
        place = place_of(where, client)
        record = place.read()
        gatherer = Gatherer(client, Record(), Pulls(client, app))
        said = [
            one
            for one in about(record.verdicts, client.repository, number)
            if not (clears(one) and (one.finding is not None or one.change_id == head))
            or gatherer.confirms(one, head, ours=place.ours)
        ]
    except OversightError as error:
        return Heard(problem=f"verdicts could not be read, so nothing counts as dismissed: {error}")
    of_head = dismissed([one for one in said if one.change_id == head], client.repository, number)
    return Heard(
        dismissed(said, client.repository, number),
        frozenset(of_head),
        cleared(said, client.repository, number, head),
    )


def _recorded(client: Client, place: Place, found: Gathered) -> Outcome:
    """Put on record what one event says, and let whoever said it know."""
    log = list(map(str, found.refusals))
    try:
        added = place.append(found.verdicts)
    except Forbidden as error:
        # As with a fork's token: no reason to fail somebody's pull request.
        return Outcome((), found.refusals, (*log, f"not recorded, the next scheduled run will: {error}"))
    for refusal in found.refusals:
        log += _react(client, refusal.kind, refusal.id, _REFUSED)
    return Outcome(tuple(added), found.refusals, (*log, *acknowledge(client, added)))


def _gather_all(client: Client, place: Place, repository: Path | None, now: datetime) -> Outcome:
    from oversight.audit.figures import figures  # numpy, which no other event needs
    from oversight_github.verdicts.summary import Told, render

    record = place.read()
    pulls = Pulls(client)
    found = Gatherer(client, record, pulls).since(now - LOOK_BACK)
    landed = landings(client, pulls, record, found.verdicts, now - _LANDING)
    whole = Record((*record.verdicts, *found.verdicts), (*record.landings, *landed))
    told = Told(
        fresh=len(found.verdicts),
        refused=len(found.refusals),
        figures=figures(whole.verdicts),
        recovery=recovery(whole, repository),
        asked=asked(client, pulls, whole.verdicts, now - LOOK_BACK),
    )
    outcome = Outcome((), found.refusals, tuple(map(str, found.refusals)), render(told))
    try:
        added = place.append([*found.verdicts, *landed])
    except OversightError as error:  # what was measured is told all the same
        return replace(outcome, failure=error)
    return replace(outcome, added=tuple(added), log=(*outcome.log, *acknowledge(client, added)))


def acknowledge(client: Client, added: Iterable[Entry]) -> list[str]:
    """React to what is on record, and return the lines for the log; the same reaction twice is one."""
    log = []
    for entry in added:
        if isinstance(entry, Landing):
            log.append(f"#{entry.number} landed as {entry.commit}")
            continue
        source = entry.source
        log.append(f"recorded: #{source.number}, {entry.decision.value} by {terminal(entry.who, 60)}")
        if source.id is not None:
            log += _react(client, source.kind, source.id, _RECORDED if entry.counts else _HEARD)
    return log


def _react(client: Client, kind: str, identity: int, reaction: str) -> Sequence[str]:
    """React to a comment, and return a line for the log where that could not be done."""
    if kind not in PARTS:
        return ()
    try:
        client.post(client.here(PARTS[kind], "comments", identity, "reactions"), {"content": reaction})
    except GitHubError as error:
        return (f"no reaction to {kind} {identity}: {error}",)
    return ()
