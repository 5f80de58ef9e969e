"""From a delivery to what is to be done, and how it is done; a file for each family of events.

    tasks(event, origin, …)       what a delivery asks for; no I/O but the question which pull requests have a head
    perform(job, services, …)     a job is done; it raises what can be tried again

    pulls.py           pull_request: reviews, their end, verdicts by label
    reviews.py         a review, from the question whether it is still wanted to the record of it
    checks.py          check_suite, check_run: once more, and the buttons Safe, Risky and Unsure
    comments.py        issue_comment, pull_request_review_comment: commands; verdicts that labels carry
    landings.py        a merged pull request: as which commit the head landed
    installations.py   installation, installation_repositories: what was kept is deleted
    repositories.py    repository: what was kept follows to its new name, or is deleted
    reconciling.py     nobody's event: what GitHub says now, against what deliveries have told
    ledger.py          the store as the place that verdicts are kept in

A push leads to nothing: a branch with a pull request has its synchronize, and what a review reads of the base it
fetches when it begins. Jobs are done from the start as often as it takes, and each looks before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from oversight_github.events import (
    CheckRun,
    CheckSuite,
    Comment,
    Event,
    Installation,
    InstallationRepositories,
    PullRequestEvent,
    RepositoryEvent,
)
from oversight_server.handlers import (
    checks,
    comments,
    installations,
    landings,
    pulls,
    reconciling,
    repositories,
    reviews,
)
from oversight_server.handlers.desk import Asked, Desk
from oversight_server.queue.model import Done, Job, Kind, Task

__all__ = ["EVENTS", "Asked", "Desk", "perform", "tasks"]

EVENTS = frozenset(
    {
        "check_run",
        "check_suite",
        "installation",
        "installation_repositories",
        "issue_comment",
        "pull_request",
        "pull_request_review_comment",
        "repository",
    }
)
"""The events that may lead to something."""

_PERFORM: Mapping[Kind, Callable[[Job, Desk], Done]] = {
    Kind.REVIEW: reviews.perform,
    Kind.COMMENT: comments.perform,
    Kind.LABELS: comments.perform,
    Kind.BUTTON: checks.perform,
    Kind.LANDING: landings.perform,
    Kind.FORGET: installations.perform,
    Kind.RENAME: repositories.perform,
    Kind.RECONCILE: reconciling.perform,
    Kind.GIVE_UP: reviews.give_up,
}


def tasks(event: Event, asked: Asked, known: Callable[[str, str], Sequence[int]]) -> tuple[Task, ...]:
    """Return what a delivery asks for. `known` tells the pull requests of a repository that ever had a head."""
    match event:
        case Installation() | InstallationRepositories():
            return installations.tasks(event, asked)
        case _ if asked.repository is None or asked.installation is None:
            return ()  # from a webhook without an App, which can do nothing there
        case PullRequestEvent():
            return pulls.tasks(event, asked)
        case CheckRun() | CheckSuite():
            return checks.tasks(event, asked, known)
        case RepositoryEvent():
            return repositories.tasks(event, asked)
        case Comment():
            return comments.tasks(event, asked)
        case _:
            return ()


def perform(job: Job, desk: Desk) -> Done:
    """Do a job and return what came of it. Raises OversightError for what may go better later."""
    return _PERFORM[job.kind](job, desk)
