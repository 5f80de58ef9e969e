"""Checks: the button that runs them once more, and those that give a verdict.

GitHub hands check runs of an App to that App alone, and lets nobody run them again who may not write; buttons anybody
who can read may press, so there the right to write is asked for. A verdict is of what the check run told, which it
keeps in marks that only the App could write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from oversight.audit.verdict import Decision, Record, Source, Verdict, in_order
from oversight.reports.escape import markdown
from oversight_github.client import Client, GitHubError, NotFound
from oversight_github.events import CheckRun, CheckSuite
from oversight_github.publish.checks import BUTTONS, number_in
from oversight_github.verdicts.answers import text_at
from oversight_github.verdicts.gather import Gatherer
from oversight_github.verdicts.pulls import Pulls
from oversight_github.verdicts.said import BUTTON
from oversight_server.handlers.comments import current, following
from oversight_server.handlers.desk import Asked, Desk, gone, number_of, repository_of
from oversight_server.handlers.ledger import LedgerPlace
from oversight_server.queue.model import Chore, Done, Job, Kind, Review, Task

_DECISIONS = {button["identifier"]: Decision(button["identifier"]) for button in BUTTONS}
_LONGEST = 65_535  # characters of a summary
_SHOWN = 60


def tasks(event: CheckRun | CheckSuite, asked: Asked, known: Callable[[str, str], Sequence[int]]) -> tuple[Task, ...]:
    """Return what an event of a check asks for. `known` tells which pull requests of a repository ever had a head."""
    repository, installation = asked.repository, asked.installation
    if repository is None or installation is None or asked.person is None:
        return ()
    about = number_in(event.external_id) if isinstance(event, CheckRun) else None
    if event.action == "rerequested":
        numbers = [about] if about is not None else event.pulls or known(repository, event.head_sha)
        return tuple(
            Review(repository, installation, number, event.head_sha, cause=asked.delivery) for number in numbers
        )
    if not isinstance(event, CheckRun) or event.button not in _DECISIONS or about is None:
        return ()
    told = {"run": event.id, "button": event.button, "who": asked.person, "at": asked.at.isoformat()}
    return (Chore(Kind.BUTTON, asked.delivery, installation, repository, about, told),)


def perform(job: Job, desk: Desk) -> Done:
    """Put the verdict of a button on the ledger, and say so in the check run."""
    repository, number, told = repository_of(job), number_of(job), job.arguments
    place = LedgerPlace(desk.services.ledger, repository)
    with desk.services.github.client(job.installation, repository) as api:
        try:
            run, pull = api.get(api.here("check-runs", told["run"])), current(api, number)
        except NotFound:
            if not gone(job, desk):
                raise
            return Done("gone")
        verdict = _verdict(job, run, api, desk.services.options.wishes.app)
        if verdict is None:
            return Done("refused")
        if not _said(place.about(number), verdict):
            place.append([verdict])
        _receipt(api, run, verdict)
    again = place.clears_something(number) and pull.head_sha == verdict.change_id
    return Done("recorded", then=following(job, pull, desk, again=again))


def _verdict(job: Job, run: Any, api: Client, app: str | None) -> Verdict | None:
    """Return the verdict, None where who pressed may give none, or the check run tells of nothing to judge."""
    number, who = number_of(job), str(job.arguments["who"])
    pulls = Pulls(api, app)
    gatherer = Gatherer(api, Record(), pulls)
    if gatherer.why_not(who) is not None or pulls.pull(number) is None:
        return None
    # Marks are dated by GitHub's clock, and deliveries by ours.
    moment = datetime.fromisoformat(job.arguments["at"]) + timedelta(seconds=api.ahead or 0.0)
    seen = pulls.told_by(run, number, moment)
    if seen is None or number_in(text_at(run, "external_id")) != number:
        return None
    return Verdict(
        change_id=seen.head,
        who=who,
        decision=_DECISIONS[job.arguments["button"]],
        note="",
        # Not as corrected: done again, it is the same verdict.
        decided_at=datetime.fromisoformat(job.arguments["at"]),
        shown=seen.shown,
        source=Source(BUTTON, job.repository, number, int(job.arguments["run"])),
        own=gatherer.owns(number, who),
    )


def _said(on_record: Iterable[Verdict], verdict: Verdict) -> bool:
    """Whether a button says again what the same person said last of this head: pressed twice, it is one verdict.

    It is another one where a flag was shown that was not before: that it is cleared is news.
    """
    here = [one for one in on_record if (one.who, one.change_id, one.finding) == (verdict.who, verdict.change_id, None)]
    last = next(reversed(in_order(here)), None)
    if last is None or last.decision is not verdict.decision:
        return False
    return bool(last.shown.flagged) or not verdict.shown.flagged


def _receipt(api: Client, run: Any, verdict: Verdict) -> None:
    """Say in the check run what was recorded; once, and where there is room."""
    effect = "" if verdict.counts else ", which has no effect, since it is the author's own"
    line = f"\n\nRecorded: {verdict.decision.value}, by {markdown(verdict.who, _SHOWN)}{effect}."
    output = {name: text_at(run, "output", name) for name in ("title", "summary", "text")}
    if line in output["summary"] or len(output["summary"]) + len(line) > _LONGEST:
        return
    output["summary"] += line
    try:
        api.patch(api.here("check-runs", verdict.source.id or 0), {"output": {k: v for k, v in output.items() if v}})
    except GitHubError:
        return  # the verdict is on record, and a review that comes of it says so too
