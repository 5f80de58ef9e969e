"""What the dashboard shows, as frozen values. Unknown is None, never 0; nothing in it ranks people, or names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from oversight.audit.budget.beside import Beside
from oversight.audit.budget.outcome import Outcome
from oversight.audit.budget.summary import Summary
from oversight.audit.canaries.figures import Figures
from oversight.audit.canaries.runs import Run
from oversight.audit.store.overview import Passed
from oversight.audit.verdict import Selection
from oversight.experiment.runs import Run as Measured


class Group(StrEnum):
    """What became of a change: the rows that figures are of. A change is in one of them."""

    PICKED = "picked"
    """It had a place, and people say what it is."""
    DRAWN = "drawn"
    """It was drawn at random, and people say what it is."""
    KNOWN = "known"
    """People had said what it is before anybody was asked."""
    OWN = "own"
    """Nobody was asked about it, and people said what it is of their own accord."""
    ELSEWHERE = "elsewhere"
    """It was judged where the review stood, and was never considered for the queue."""
    EVEN = "even"
    """It was judged where the review stood, and people are even, or unsure."""
    WAITING = "waiting"
    """It is in the queue, and waits for a verdict, or for one more where people are even."""
    REST = "rest"
    """It was considered, and neither picked nor judged."""


JUDGED = (Group.PICKED, Group.DRAWN, Group.KNOWN, Group.OWN, Group.ELSEWHERE)
"""The groups whose changes have a label."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A way to rows: what they are, and the table and its section, None for all of it."""

    words: str
    table: str
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change, and how people voted on it as they think now. `risky` is what most of them say, None where nobody has
    said anything or they are even; `flagged`, `risk`, `percentile` and `model` are what a report said.
    """

    group: Group
    repository: str
    commit: str
    number: int | None
    title: str | None
    written: str
    considered_at: datetime | None
    selection: Selection | None
    propensity: float | None
    flagged: bool | None
    risk: float | None
    percentile: float | None
    model: str | None
    risky: bool | None
    votes: tuple[int, int, int]
    """Who say risky, safe, unsure."""
    weight: float | None = None
    """How many changes it stands for in calibration and precision, None for one that is in neither."""


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict, without its author. `counts`: it has any effect, as those of authors on their own changes have not.
    `asked`: it is on a change of the queue that had a risk, which it may have been given without having seen.
    """

    at: datetime
    repository: str
    commit: str
    decision: str
    blind: bool
    counts: bool
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Flock:
    """A run of canaries with its figures, the first of which are of all of them."""

    run: Run
    figures: tuple[Figures, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that one page tells, of one repository or of all (None), from `since` to `until`, as it was `at` a moment.

    `months` and `models` have the outcome by the month in which changes were considered, "2026-01", and by the sha256
    of the model, whose name and version `names` has as far as reports tell. `passed` are the changes that were not
    flagged and should have been. `flocks` are runs of canaries and `measured` those of PGR, oldest first;
    `beside` are models in the shadow, each beside the one in use; `predicted` the commits that PGR against the verdicts
    is of.
    """

    repository: str | None
    since: datetime | None
    until: datetime | None
    at: datetime
    summary: Summary
    months: Mapping[str, Outcome]
    models: Mapping[str, Outcome]
    names: Mapping[str, tuple[str, str]]
    changes: tuple[Change, ...]
    said: tuple[Said, ...]
    passed: tuple[Passed, ...]
    flocks: tuple[Flock, ...]
    measured: tuple[Measured, ...]
    beside: tuple[Beside, ...] = ()
    predicted: frozenset[str] = frozenset()

    def group(self, *groups: Group) -> tuple[Change, ...]:
        """Return the changes of these groups."""
        return tuple(one for one in self.changes if one.group in groups)


def month(moment: datetime | None) -> str | None:
    """Return the month of a moment, "2026-01" in UTC."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m}"
