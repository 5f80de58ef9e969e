"""Commands in comments, and labels that are verdicts: heard from people with write access, put on the ledger.

Only which comment it is goes through the queue. What it says, who wrote it and whether they may is asked of GitHub when
the job's turn comes, so that a comment that was deleted since, or edited by others, says nothing. Whether who made or
edited it may write is asked before all of that.
"""

from __future__ import annotations

from typing import Any

from oversight.audit.verdict import Record, Verdict
from oversight_github import commands
from oversight_github.client import Client, NotFound
from oversight_github.events import Comment, Event, Pull, PullRequestEvent, parse
from oversight_github.verdicts import carries_verdicts, handle
from oversight_github.verdicts.gather import Gatherer
from oversight_github.verdicts.handle import acknowledge
from oversight_github.verdicts.said import COMMENT, INLINE, LABEL, LABELS
from oversight_server.handlers.desk import Asked, Desk, gone, number_of, repository_of
from oversight_server.handlers.ledger import LedgerPlace
from oversight_server.queue.model import Chore, Done, Job, Kind, Review, Task


def tasks(event: Comment, asked: Asked) -> tuple[Task, ...]:
    """Return what a comment asks for: to be heard, where a person gives a command in it. No I/O."""
    if asked.installation is None or asked.person is None or not carries_verdicts(event):
        return ()
    if commands.parse(event.body) is None:
        return ()
    told = {"id": event.id, "inline": event.inline, "who": asked.person}
    return (Chore(Kind.COMMENT, asked.delivery, asked.installation, asked.repository, event.number, told),)


def perform(job: Job, desk: Desk) -> Done:
    """Hear a comment, or the labels of a pull request."""
    repository, number = repository_of(job), number_of(job)
    place = LedgerPlace(desk.services.ledger, repository)
    with desk.services.github.client(job.installation, repository) as api:
        # First, and without a word: a storm of comments by people who may not write costs a request for each, and
        # nothing of what GitHub lets us write.
        who = job.arguments.get("who")
        if who is not None and Gatherer(api, Record()).why_not(who) is not None:
            return Done("refused")
        try:
            pull = current(api, number)
        except NotFound:
            if not gone(job, desk):
                raise
            return Done("gone")
        event = _event(job, pull)
        outcome = handle(event, api, where=place, app=desk.services.options.wishes.app)
        if outcome.refusals and job.kind is Kind.COMMENT:
            return Done("refused")
        said = _on_record(place, job)
        if not outcome.added:
            # Who was killed between the record and the receipt still owes it.
            acknowledge(api, said)
    matters = outcome.review is not None or (bool(said) and place.clears_something(number))
    return Done("recorded", then=following(job, pull, desk, again=matters))


def following(job: Job, pull: Pull, desk: Desk, *, again: bool) -> tuple[Task, ...]:
    """Return the review that is due after people were heard on a pull request: `again`, or since it has another base
    than its review, of which no delivery has told.
    """
    if pull.state != "open":
        return ()
    repository, cause = repository_of(job), job.cause if again else None
    if not again and desk.base_of(repository, pull.number, pull.head_sha) in (None, pull.base_ref):
        return ()
    base, seen = pull.base_ref, pull.updated_at
    return (Review(repository, job.installation, pull.number, pull.head_sha, seen, cause=cause, base=base),)


def current(api: Client, number: int) -> Pull:
    """Return a pull request as it is now. Raises GitHubError, EventError."""
    return pull_of(api.get(api.here("pulls", number)))


def pull_of(answer: Any) -> Pull:
    """Return a pull request as GitHub describes it. Raises EventError."""
    event = parse("pull_request", {"action": "asked", "pull_request": answer})
    if not isinstance(event, PullRequestEvent):
        raise TypeError("a pull request is parsed as one")
    return event.pull


def _event(job: Job, pull: Pull) -> Event:
    """Return the event again, with nothing but what says where to ask."""
    if job.kind is Kind.LABELS:
        return PullRequestEvent("labeled", pull, label=next(iter(LABELS)))
    told = job.arguments
    # It held a command when it was delivered; which one it holds is asked.
    return Comment("created", told["id"], pull.number, True, "/oversight", None, "NONE", None, bool(told["inline"]))


def _on_record(place: LedgerPlace, job: Job) -> list[Verdict]:
    said = place.about(number_of(job))
    if job.kind is Kind.LABELS:
        return [one for one in said if one.source.kind == LABEL]
    kind = INLINE if job.arguments["inline"] else COMMENT
    return [one for one in said if (one.source.kind, one.source.id) == (kind, job.arguments["id"])]
