"""A repository that is called something else, belongs to somebody else, or is no more: what is kept follows, or goes.

Its clone goes in any case, and is made anew under the new name. Taken to somebody who has not installed the App, GitHub
tells of it as taken off the App (`installations.py`).
"""

from __future__ import annotations

from oversight_github.events import RepositoryEvent
from oversight_server.handlers.desk import Asked, Desk, repository_of
from oversight_server.queue.model import Chore, Done, Job, Kind, Task
from oversight_server.renaming import rename


def tasks(event: RepositoryEvent, asked: Asked) -> tuple[Task, ...]:
    """Return what an event of a repository asks for. No I/O."""
    if asked.repository is None or asked.installation is None:
        return ()
    if event.action == "deleted":
        told = {"repositories": [asked.repository], "all": False}
        return (Chore(Kind.FORGET, asked.delivery, asked.installation, arguments=told),)
    if event.before is None:
        return ()
    told = {"before": event.before}
    return (Chore(Kind.RENAME, asked.delivery, asked.installation, asked.repository, arguments=told),)


def perform(job: Job, desk: Desk) -> Done:
    """Let what is kept follow a repository to its new name."""
    services, before = desk.services, str(job.arguments["before"])
    rename(services.ledger.engine, before, repository_of(job))
    services.reviews.forget(before)
    services.ledger.forget(before)  # what could not follow, since it is there under the new name as well
    return Done("renamed")
