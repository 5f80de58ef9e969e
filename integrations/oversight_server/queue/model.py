"""What there is to do, as values. No I/O.

A `Task` is what a delivery asks for; a `Job` is a task on the books, with what became of it. Jobs name things by their
ids and hold no text of anybody's: what a comment says is asked of GitHub when its turn comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


class Kind(StrEnum):
    """What a job does."""

    REVIEW = "review"
    COMMENT = "comment"
    LABELS = "labels"
    BUTTON = "button"
    LANDING = "landing"
    FORGET = "forget"
    RENAME = "rename"
    RECONCILE = "reconcile"
    GIVE_UP = "give up"


class State(StrEnum):
    """Where a job stands. QUEUED: it waits for its turn, perhaps after a failure; DEAD: it failed too often."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    DEAD = "dead"


ACTIVE = (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Review:
    """A head of a pull request of "owner/name" is to be reviewed.

    `seen_at`: when GitHub said last that the pull request has this head, None where it did not tell. `cause`: the
    delivery by which a person asked for another review; None: once is enough. `changed`: the head is the same, and what
    it is compared with is not. `base`: the branch that it is to be merged into now, None where nobody has told.
    """

    repository: str
    installation: int
    number: int
    head: str
    seen_at: datetime | None = None
    cause: str | None = None
    changed: bool = False
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Reviews of a pull request are wanted no more, as of `seen_at`."""

    repository: str
    number: int
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chore:
    """Anything else. `cause` is the delivery that asked for it; of one delivery each kind of chore is done once."""

    kind: Kind
    cause: str
    installation: int
    repository: str | None = None
    number: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=_nothing)


Task: TypeAlias = Review | Cancel | Chore


@dataclass(frozen=True, slots=True)
class Job:
    """A task on the books.

    `place` is what only one job at a time works on: the repository, or the installation. `turn` counts how often it was
    put into the queue, `runs` how often it was begun in this turn, `tries` the failures that count. `head`, `model` and
    `attempt` are those of a review, and make its id; `base` is the branch that it was compared with, None until it is
    done. `waits_since`: since when it waits for nothing but GitHub, None where it does not.
    """

    id: str
    kind: Kind
    place: str
    installation: int
    created_at: datetime
    repository: str | None = None
    number: int | None = None
    head: str | None = None
    model: str | None = None
    attempt: int = 1
    cause: str | None = None
    seen_at: datetime | None = None
    arguments: Mapping[str, Any] = field(default_factory=_nothing)
    state: State = State.QUEUED
    turn: int = 1
    runs: int = 0
    tries: int = 0
    error: str | None = None
    base: str | None = None
    waits_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A job that is to be put into the queue, for this turn."""

    id: str
    turn: int
    place: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job, in a word for the metrics, and what is to be done next.

    `base` is the branch that a review compared with.
    """

    outcome: str
    state: State = State.DONE
    then: tuple[Task, ...] = ()
    base: str | None = None


def place_of(repository: str | None, installation: int) -> str:
    """Return what only one job at a time works on.

    >>> place_of("Octo/Repo", 5), place_of(None, 5)
    ('octo/repo', 'installation 5')
    """
    return repository.lower() if repository is not None else f"installation {installation}"


def review_id(repository: str, number: int, head: str, model: str, attempt: int) -> str:
    """Return the id of a review: for two deliveries about the same head it is the same.

    >>> review_id("Octo/Repo", 7, "a1b2", "model-4", 1)
    'review:octo/repo#7:a1b2:model-4:1'
    """
    return f"{Kind.REVIEW}:{repository.lower()}#{number}:{head}:{model}:{attempt}"
