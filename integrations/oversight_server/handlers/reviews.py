"""A review: is it still wanted, what does it say, what did people say, tell GitHub, keep the report.

GitHub is asked for the head of the pull request before the review, and again right before every write: a report is only
ever posted to the head that it is about. Killed at any point, a review begins again, finds what is there already, and
writes what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from oversight.errors import OversightError, UnscoredError
from oversight.reports import RiskReport
from oversight.reports.as_json import as_dict
from oversight_github.client import Client, GitHubError, NotFound
from oversight_github.code.unscored import unscored
from oversight_github.events import Pull
from oversight_github.publish import Outcome, Published, Target, publish
from oversight_github.publish.model import CHECK_RUN, SUMMARY
from oversight_github.verdicts import heard
from oversight_github.verdicts.minding import minded
from oversight_server.handlers.comments import current
from oversight_server.handlers.desk import Desk, gone, number_of, repository_of
from oversight_server.handlers.ledger import LedgerPlace
from oversight_server.queue.model import Done, Job, Review, State

_TOLD = (Outcome.DONE, Outcome.UNCHANGED)


class NotYetError(OversightError):
    """GitHub tells of a pull request what was true before; it has said something newer already."""

    def __init__(self) -> None:
        super().__init__("GitHub does not know yet of the head that it sent", mend="it will in a moment")


def perform(job: Job, desk: Desk) -> Done:
    """Review a head of a pull request, if it still is its head."""
    repository = repository_of(job)
    with desk.services.github.client(job.installation, repository) as api:
        try:
            pull = current(api, number_of(job))
        except NotFound:
            if not gone(job, desk):
                raise
            return Done("gone", State.CANCELLED)
        if (over := _over(job, pull, desk)) is not None:
            return over
        began = time.monotonic()
        report = _reviewed(job, pull, desk)
        if not desk.running():
            return Done("superseded", State.SUPERSEDED)
        report, posted = _post(job, report, pull, api, desk)
        # Somebody may have pushed or closed it meanwhile.
        if _nothing_told(posted) and (over := _over(job, current(api, pull.number), desk)) is not None:
            return over
    _raise_for(posted)
    if not desk.running():
        return Done("superseded", State.SUPERSEDED)
    _keep(job, report, desk)
    desk.services.metrics.reviewed(report.status.value, time.monotonic() - began)
    return Done("reviewed", base=pull.base_ref)


def give_up(job: Job, desk: Desk) -> Done:
    """Say on GitHub that a review was given up: a check that is missing, or an older one that is green, would pass."""
    repository, told = repository_of(job), job.arguments
    newest = next(iter(desk.reviews(repository, number_of(job), told["head"])), None)
    if newest is None or (newest.id, newest.state) != (told["review"], State.DEAD):
        return Done("not wanted")
    with desk.services.github.client(job.installation, repository) as api:
        try:
            pull = current(api, number_of(job))
        except NotFound:
            if not gone(job, desk):
                raise
            return Done("gone", State.CANCELLED)
        if (pull.state, pull.head_sha) != ("open", told["head"]):
            return Done("cancelled", State.CANCELLED)
        why = UnscoredError(f"the review was given up: {told['why']}", mend="comment `/oversight review` to try again")
        report, posted = _post(job, unscored(why, pull.head_sha, repository, None), pull, api, desk)
    _raise_for(posted)
    _keep(job, report, desk)
    return Done("given up")


def _over(job: Job, pull: Pull, desk: Desk) -> Done | None:
    """Return how a review ends that is wanted no more, None where it is. Raises NotYetError."""
    if pull.updated_at is not None and job.seen_at is not None and pull.updated_at < job.seen_at and not desk.last:
        raise NotYetError
    if pull.state != "open" or (pull.draft and not desk.services.options.drafts):
        return Done("cancelled", State.CANCELLED)
    if pull.head_sha == job.head:
        return None
    # Whether or not its own delivery ever arrives.
    seen, base = pull.updated_at, pull.base_ref
    newer = Review(repository_of(job), job.installation, pull.number, pull.head_sha, seen, base=base)
    return Done("superseded", State.SUPERSEDED, then=(newer,))


def _reviewed(job: Job, pull: Pull, desk: Desk) -> RiskReport:
    """Return the report; one that says that nothing could be read, where that is so or nothing else is left to try."""
    try:
        return desk.services.reviews.pull(pull, repository=repository_of(job), installation=job.installation)
    except UnscoredError as error:
        return unscored(error, pull.head_sha, repository_of(job), None)
    except OversightError as error:
        if not desk.last or isinstance(error, GitHubError):
            raise
        return unscored(error, pull.head_sha, repository_of(job), None)


def _post(job: Job, report: RiskReport, pull: Pull, api: Client, desk: Desk) -> tuple[RiskReport, Published]:
    """Post what is left of a report once people were heard, and return both."""
    place = LedgerPlace(desk.services.ledger, repository_of(job))
    wishes = desk.services.options.wishes
    said = heard(api, pull.number, pull.head_sha, where=place, app=wishes.app)
    report, dismissed = minded(report, said)
    target = Target(pull.head_sha, pull.number, whole=True, base=pull.base_ref)

    def clock() -> datetime:
        return desk.now() + timedelta(seconds=api.ahead or 0.0)

    return report, publish(report, target, api, wishes, dismissed, clock=clock)


def _nothing_told(posted: Published) -> bool:
    return not any(step.outcome in _TOLD for step in posted.steps if step.what in (CHECK_RUN, SUMMARY))


def _keep(job: Job, report: RiskReport, desk: Desk) -> None:
    told: Mapping[str, Any] = as_dict(report)
    desk.services.ledger.add_report(
        told, source="webhook", repository=repository_of(job), number=job.number, at=desk.now()
    )


def _raise_for(posted: Published) -> None:
    """Raise what kept a step from being written; a want of rights only where nothing tells of the verdict."""
    for step in posted.failed:
        raise step.error or OversightError(str(step), mend="see the server's log")
    refused = [step.error for step in posted.steps if step.error is not None]
    if refused and _nothing_told(posted):
        raise refused[0]
