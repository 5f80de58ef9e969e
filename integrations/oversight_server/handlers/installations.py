"""An App that is removed, suspended, or taken off repositories: what was kept of them is deleted.

Reports, clones, jobs and tokens go. Payloads are gone by then: they are deleted as soon as they are understood. What
people said of changes stays: the ledger is a chain of hashes, from which nothing can be taken without breaking it, and
it holds no code; it is what figures are computed from, and the operator's to delete as a whole.
"""

from __future__ import annotations

from oversight_github.events import Installation, InstallationRepositories
from oversight_server.handlers.desk import Asked, Desk
from oversight_server.queue.model import Chore, Done, Job, Kind, Task

_GONE = frozenset({"deleted", "suspend"})


def tasks(event: Installation | InstallationRepositories, asked: Asked) -> tuple[Task, ...]:
    """Return what an event of an installation asks for. No I/O."""
    if isinstance(event, Installation):
        if event.action not in _GONE:
            return ()
        told = {"repositories": list(event.repositories), "all": True}
    elif event.removed:
        told = {"repositories": list(event.removed), "all": False}
    else:
        return ()
    return (Chore(Kind.FORGET, asked.delivery, event.id, arguments=told),)


def perform(job: Job, desk: Desk) -> Done:
    """Delete what is kept of the repositories that an installation has lost."""
    services = desk.services
    gone = set(job.arguments["repositories"])
    if job.arguments["all"]:
        # GitHub does not always list them.
        gone.update(desk.repositories(job.installation))
    services.github.forget(job.installation)
    for repository in sorted(gone):
        services.reviews.forget(repository)
        services.ledger.forget(repository)
        # Last: who is killed before finds out of it which repositories are left.
        desk.strike(repository)
    return Done("forgotten")
