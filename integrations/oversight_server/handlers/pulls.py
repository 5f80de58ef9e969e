"""Pull requests: which of their events lead to a review, and which end those that wait. No I/O."""

from __future__ import annotations

from oversight_github.events import PullRequestEvent
from oversight_github.verdicts import carries_verdicts
from oversight_server.handlers.desk import Asked
from oversight_server.queue.model import Cancel, Chore, Kind, Review, Task

_NEW = frozenset({"opened", "synchronize", "reopened", "ready_for_review"})


def tasks(event: PullRequestEvent, asked: Asked) -> tuple[Task, ...]:
    """Return what an event of a pull request asks for."""
    pull, repository, installation = event.pull, asked.repository, asked.installation
    if repository is None or installation is None:
        return ()
    if event.action == "closed":
        cancel = Cancel(repository, pull.number, pull.updated_at)
        landing = Chore(Kind.LANDING, asked.delivery, installation, repository, pull.number)
        return (cancel, landing) if pull.merged else (cancel,)
    if carries_verdicts(event):
        return (Chore(Kind.LABELS, asked.delivery, installation, repository, pull.number),)
    if pull.state != "open":
        return ()
    if pull.draft and not asked.drafts:
        return (Cancel(repository, pull.number, pull.updated_at),) if event.action == "converted_to_draft" else ()
    if event.action in _NEW or event.base_changed:
        moved, base = event.base_changed, pull.base_ref
        return (Review(repository, installation, pull.number, pull.head_sha, pull.updated_at, None, moved, base),)
    return ()
