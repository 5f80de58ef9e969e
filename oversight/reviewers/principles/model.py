"""What a principle is: frozen values, as read from one data file each. No I/O, no matching."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from oversight.reviewers.model import Severity

RISK_BY_SEVERITY: dict[Severity, float | None] = {
    Severity.LOW: None,
    Severity.MEDIUM: 0.55,
    Severity.HIGH: 0.7,
    Severity.CRITICAL: 0.85,
}
"""The vote of a principle that fires, where its data file names none.

Low principles abstain: what they point at is worth a look, but says nothing about risk. The others are
priors, made to be corrected: a label model learns how reliable each principle is on a repository.
"""


class Side(StrEnum):
    """Which rows of a diff a detector reads."""

    ADDED = "added"
    DELETED = "deleted"


class Field(StrEnum):
    """What of a row a pattern reads.

    `code` is the row with comments and the contents of strings blanked, as far as its language has a
    grammar (else the row itself), in canonical spacing: blanks between two words only. `text` is the row as
    it stands, with runs of blanks squeezed to one.
    """

    CODE = "code"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression over the rows of one side."""

    side: Side
    field: Field
    regex: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed interval that a context measure must lie in; None is open. Unknown measures never do."""

    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """At least `at_least` nodes of one kind (a field of `EditCounts`) start on changed rows of one hunk."""

    side: Side
    what: str
    at_least: int


@dataclass(frozen=True, slots=True)
class Becomes:
    """A row that matches the detector's pattern is replaced, in the same run of changes, by one like this.

    `grows` and `shrinks` compare the groups called `number` of the two patterns.
    """

    field: Field
    regex: str
    grows: bool = False
    shrinks: bool = False


@dataclass(frozen=True, slots=True)
class Detector:
    """One way in which a principle can fire. Everything that is given must hold; see `schema` for the meaning.

    Exactly one of `pattern`, `message`, `queries`, `edits` finds places in rows; with none of them the detector
    is about the file as a whole.
    """

    paths: tuple[str, ...] = ()
    path: str | None = None
    languages: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    words: tuple[frozenset[str], ...] = ()
    contains: tuple[str, ...] = ()
    pattern: Pattern | None = None
    message: str | None = None
    side: Side = Side.ADDED
    queries: dict[str, str] = field(default_factory=dict)
    edits: Edits | None = None
    unless: str | None = None
    also: tuple[Pattern, ...] = ()
    without: str | None = None
    becomes: Becomes | None = None
    lost: bool = False
    entropy: float | None = None
    at_least: int = 1
    longer_than: int | None = None
    non_ascii: bool = False
    measures: tuple[tuple[str, Bounds], ...] = ()


@dataclass(frozen=True, slots=True)
class Principle:
    """One entry of the constitution: it fires where any of its detectors does."""

    id: str
    category: str
    severity: Severity
    sentence: str
    risk: float | None
    detectors: tuple[Detector, ...]
