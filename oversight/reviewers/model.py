"""What reviewers say: opinions, and the weak label that a panel joins them into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from oversight.changes.model import Change
from oversight.history.model import Context


class Severity(StrEnum):
    """How grave a finding is; "high" and above set `flagged`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a change: a path as in `FileChange.path`, and lines, both inclusive.

    `side` is "new", or "old" where the lines are deleted ones; None for `start` means the file as a whole.
    """

    path: str
    start: int | None = None
    end: int | None = None
    side: str = "new"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One reviewer's word on one change. `risk` None means that it abstains, which is not "safe".

    A fault is not an opinion: reviewers raise, and the panel keeps faults apart. `principle` names the
    principle concerned, with its severity, where the reviewer works by a constitution.
    """

    reviewer: str
    risk: float | None
    reason: str
    lines: tuple[Place, ...] = ()
    principle: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A reviewer that failed on a change: neither an opinion nor an abstention."""

    reviewer: str
    message: str


@dataclass(frozen=True, slots=True)
class WeakLabel:
    """What the weak reviewers say together. `risk` is P(risky); `agreement` in [0, 1]."""

    change_id: str
    risk: float
    agreement: float
    opinions: tuple[Opinion, ...] = ()
    faults: tuple[Fault, ...] = ()


class Reviewer(Protocol):
    """A weak supervisor. `review` gives no opinion at all, one, or one per principle that fires."""

    name: str

    def review(self, change: Change, context: Context) -> tuple[Opinion, ...]:
        """Say what this reviewer thinks of `change`; raise if it cannot."""
        ...
