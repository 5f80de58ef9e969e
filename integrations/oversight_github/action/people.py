"""What people say of changes: put on record where an event carries it, minded where a pull request is reviewed.

Who may judge, and whose word counts, is decided in `oversight_github.verdicts`; the author of a change clears nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oversight.errors import OversightError
from oversight.reports import RiskReport
from oversight_github.action.job import Job
from oversight_github.action.outputs import target_in
from oversight_github.client import Forbidden
from oversight_github.events import Comment, Event, Manual, Pull, parse
from oversight_github.verdicts.handle import carries_verdicts, handle, heard
from oversight_github.verdicts.minding import minded

VARIABLE = "OVERSIGHT_VERDICTS"
"""Names the place that verdicts are kept in: a ref, or a file that the workflow uploads as an artifact."""


@dataclass(frozen=True, slots=True)
class Listened:
    """What is left to do after an event was listened to: which event to review, if any, and what failed."""

    review: Event | None
    failure: OversightError | None = None


def place(named: str | None, workspace: Path) -> str | None:
    """Return the place for verdicts as the workflow names it; a file is one of the workspace. Raises OutputError."""
    if not named or named.startswith("refs/"):
        return named or None
    return str(target_in(workspace, named))


def listen(job: Job, event: Event) -> Listened:
    """Put on record what an event says of changes.

    A comment leads to a review where it asks for one, or has said something new, which may change what stands on the
    pull request. By hand with a base or head, a review is what is wanted, and nothing is gathered.
    """
    by_hand = isinstance(event, Manual) and (job.inputs.base is not None or job.inputs.head is not None)
    afterwards: Event | None = None if isinstance(event, Comment) else event
    if by_hand or not carries_verdicts(event):
        return Listened(afterwards)
    try:
        outcome = handle(event, job.client, where=job.verdicts, repository=job.runner.workspace)
    except Forbidden as error:  # reviews need fewer rights than verdicts do
        job.outputs.warn(f"Verdicts are left out: {error.message} ({error.mend})")
        return Listened(afterwards)
    except OversightError as error:
        job.outputs.complain(error)
        return Listened(afterwards, error)
    for line in outcome.log:
        job.outputs.say(line)
    job.outputs.summarise(outcome.summary)
    if outcome.failure is not None:
        job.outputs.complain(outcome.failure)
    if isinstance(event, Comment) and (outcome.review is not None or outcome.added):
        afterwards = _pull_request(job, event.number)
    return Listened(afterwards, outcome.failure)


def mind(job: Job, report: RiskReport, pull: Pull) -> tuple[RiskReport, Mapping[str, str]]:
    """Return the report with the flag that is left by what people said, and the findings that they dismissed."""
    said = heard(job.client, pull.number, pull.head_sha, where=job.verdicts)
    if said.problem is not None:
        job.outputs.say(said.problem)
    return minded(report, said)


def _pull_request(job: Job, number: int) -> Event:
    """Return a pull request as it is now, as if it had an event of its own. Raises GitHubError, EventError."""
    now = job.client.get(job.client.here("pulls", number))
    repository = job.payload.get("repository")
    return parse("pull_request", {"action": "edited", "pull_request": now, "repository": repository})
