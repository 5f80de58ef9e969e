"""A merged pull request: as which commit the head that people judged came into the history."""

from __future__ import annotations

from datetime import timedelta

from oversight.audit.verdict import Record
from oversight_github.verdicts.dismissals import about
from oversight_github.verdicts.landings import landings
from oversight_github.verdicts.pulls import Pulls
from oversight_server.handlers.desk import Desk, number_of, repository_of
from oversight_server.handlers.ledger import LedgerPlace
from oversight_server.queue.model import Done, Job

_WATCHED = timedelta(days=365)


def perform(job: Job, desk: Desk) -> Done:
    """Put on record how the judged head of a pull request landed, where it did as one commit."""
    repository = repository_of(job)
    place = LedgerPlace(desk.services.ledger, repository)
    held = place.read()
    said = about(held.verdicts, repository, number_of(job))
    if not said:
        return Done("nothing to record")
    with desk.services.github.client(job.installation, repository) as api:
        record = Record(tuple(said), held.landings)
        place.append(landings(api, Pulls(api, desk.services.options.wishes.app), record, (), desk.now() - _WATCHED))
    return Done("recorded")
