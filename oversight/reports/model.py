"""The report on one change. Unknown is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oversight.changes.model import Change
from oversight.history.model import Completeness
from oversight.reviewers.model import Severity


class Status(StrEnum):
    """Whether the change got a risk. `unscored` and `error` fail closed: never shown as safe."""

    SCORED = "scored"
    UNSCORED = "unscored"
    ERROR = "error"


class FlaggedBy(StrEnum):
    """What put the flag up."""

    BUDGET = "budget"
    PRINCIPLE = "principle"


@dataclass(frozen=True, slots=True)
class HunkRisk:
    """A hunk with its own risk (None where it could not be scored) and reasons in plain words.

    `start` and `end` are lines of the new file, both inclusive (`Hunk.span`). `weight` puts hunks of one report in the
    order in which they should be read, the greatest first, where that is another than the order of risks.
    """

    path: str
    start: int
    end: int
    risk: float | None
    reasons: tuple[str, ...]
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A principle that fires, anchored to a line of the new file (None: the file as a whole)."""

    principle: str
    severity: Severity
    path: str
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a part of one, that was not scored, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The receipt: what of the change was scored. Lines are changed lines (added and deleted);
    `lines_total` is None where a file could not be read, since nobody knows how many it has.
    """

    files_total: int
    files_scored: int
    lines_total: int | None
    lines_scored: int
    context: Completeness
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model spoke. `sha256` is that of its manifest, which names the sha256 of every file.

    `elsewhere`: its rates are those of other repositories, so that its percentile says more than its risk.
    """

    name: str
    version: str
    sha256: str
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Everything a face (text, JSON, Markdown, SARIF, rdjson) needs, and nothing else.

    `risk` is the calibrated probability that people will later repair or withdraw the change;
    `percentile` in [0, 100] places it among `reference`; `budget` is the percentage that was asked for.
    Principles may put the flag up; they never touch `risk`. `notes` are sentences for the reader, such as
    where the percentile comes from.
    """

    id: str
    change: Change
    status: Status
    risk: float | None
    percentile: float | None
    flagged: bool
    flagged_by: tuple[FlaggedBy, ...]
    budget: float
    hunks: tuple[HunkRisk, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    model: ModelInfo | None
    error: str | None = None
    notes: tuple[str, ...] = ()
