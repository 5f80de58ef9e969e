"""One change judged: read once, scored by the model, placed among others, put into a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oversight.changes.model import LEFT_OUT, Change, FileChange, LineKind
from oversight.changes.syntax import Allowance, HunkSummary, HunkSyntax, analyse
from oversight.config import Paths
from oversight.errors import ModelError, UnscoredError
from oversight.features import featurise
from oversight.features.facts import FACTS
from oversight.features.model import Example
from oversight.history.model import Completeness, Context
from oversight.history.readings import Reading
from oversight.neighbours import Neighbours, Standing, standing_alone
from oversight.reports.model import (
    Coverage,
    Finding,
    FlaggedBy,
    HunkRisk,
    ModelInfo,
    RiskReport,
    Skipped,
    Status,
)
from oversight.reports.reasons import change_reasons, hunk_reasons
from oversight.reviewers.model import Opinion, Place, Severity
from oversight.reviewers.principles import Principles
from oversight.students.scale import ENOUGH

if TYPE_CHECKING:
    from oversight.students.runtime import Model, Read

_FLAGGING = frozenset({Severity.HIGH, Severity.CRITICAL})
_ADDED = FACTS.index("lines_added")
_PARSED = FACTS.index("parsed")
_ACTS = [
    FACTS.index(f"{kind}_added")
    for kind in ("calls", "conditions", "loops", "handlers", "raises", "returns", "assignments")
]


@dataclass(frozen=True, slots=True)
class Examined:
    """What can be said of a change before the model speaks: the part that workers do in parallel.

    `syntax` has one tuple a file and in it one summary a hunk; the trees are gone by then.
    """

    change: Change
    context: Context
    syntax: tuple[tuple[HunkSummary, ...], ...]
    opinions: tuple[Opinion, ...]
    example: Example
    coverage: Coverage

    @property
    def flagged_by_principle(self) -> bool:
        """Whether a principle of high severity fires, whatever the model says."""
        return any(opinion.severity in _FLAGGING for opinion in self.opinions)


def keep_covered(change: Change, paths: Paths) -> Change:
    """Mark the files that the settings leave out as unread: they stay in the coverage receipt."""
    files = tuple(
        file if paths.covers(file.path) else replace(file, hunks=(), unread=LEFT_OUT) for file in change.files
    )
    return replace(change, files=files)


def examine(change: Change, context: Context, principles: Principles, *, named: bool = True) -> Examined:
    """Read a change once: syntax, principles, features and the coverage receipt.

    Principles and features share one analysis, and the trees of one file at a time are in memory. Whether hunks
    are `named` by their enclosing definitions makes a difference to reports alone.
    """
    analysed: list[tuple[HunkSyntax, ...]] = []
    opinions = principles.review(change, context, _settling(change, analysed, named=named))
    return Examined(
        change=change,
        context=context,
        syntax=tuple(tuple(hunk.summary(named=named) for hunk in hunks) for hunks in analysed),
        opinions=opinions,
        example=featurise(change, context, tuple(analysed)),
        coverage=_coverage(change, context.completeness),
    )


def _settling(change: Change, analysed: list[tuple[HunkSyntax, ...]], *, named: bool) -> Iterator[Sequence[HunkSyntax]]:
    """Yield the syntax of each file, and settle it before that of the next; all of it is in `analysed` afterwards."""
    allowance = Allowance()
    for file in change.files:
        hunks = analyse(file, allowance=allowance)
        analysed.append(hunks)
        yield hunks
        for hunk in hunks:
            hunk.settle(named=named)


def flags(percentile: float, budget: float, *, by_principle: bool) -> tuple[FlaggedBy, ...]:
    """Return what puts the flag up. A principle's flag is never waived by the model, nor the other way."""
    by_budget = (FlaggedBy.BUDGET,) if percentile >= 100.0 - budget else ()
    return by_budget + ((FlaggedBy.PRINCIPLE,) if by_principle else ())


def assess(examined: Examined, model: Model, neighbours: Neighbours | None, budget: float) -> RiskReport:
    """Let the model speak and put everything into one report; `neighbours` is None where the past is not known.

    A change of which nothing could be read is `unscored`: no risk, flagged, never shown as safe.
    """
    change, coverage = examined.change, examined.coverage
    said: Read | None = None
    standing: Standing | None = None
    reason: str | None = None
    try:
        said = read(examined, model)
        standing = _standing(said.reading, coverage.context, neighbours, model)
    except UnscoredError as error:
        reason = error.message
    by_principle = examined.flagged_by_principle
    flagged_by = (
        ((FlaggedBy.PRINCIPLE,) if by_principle else ())
        if standing is None
        else flags(standing.percentile, budget, by_principle=by_principle)
    )
    return RiskReport(
        id=change.id,
        change=change,
        status=Status.UNSCORED if standing is None else Status.SCORED,
        risk=None if standing is None else standing.risk,
        percentile=None if standing is None else standing.percentile,
        flagged=bool(flagged_by) or standing is None,
        flagged_by=flagged_by,
        budget=budget,
        hunks=_hunks(examined, None if standing is None else said),
        findings=_findings(change, examined.opinions),
        coverage=coverage,
        model=ModelInfo(model.info.name, model.info.version, model.info.sha256, elsewhere=model.shipped),
        error=reason,
        notes=_notes(examined, standing),
    )


def _standing(reading: Reading, completeness: Completeness, neighbours: Neighbours | None, model: Model) -> Standing:
    standing = (
        standing_alone(reading, completeness, model)
        if neighbours is None
        else neighbours.standing(reading, completeness, model)
    )
    if standing is None:
        raise UnscoredError("the model gave no number for this change", mend="run `oversight doctor`")
    return standing


def failed(change: Change, context: Context, error: str, budget: float) -> RiskReport:
    """Return the report on a change that broke the review: status `error`, flagged, never shown as safe."""
    seen = _coverage(change, context.completeness)
    coverage = replace(
        seen,
        files_scored=0,
        lines_scored=0,
        skipped=tuple(Skipped(file.path, "the review failed") for file in change.files),
    )
    return RiskReport(
        id=change.id, change=change, status=Status.ERROR, risk=None, percentile=None, flagged=True, flagged_by=(),
        budget=budget, hunks=(), findings=(), coverage=coverage, model=None, error=error,
    )  # fmt: skip


def read(examined: Examined, model: Model) -> Read:
    """Return what the model reads in one change; UnscoredError where it saw nothing or answered no number."""
    coverage = examined.coverage
    if coverage.files_total and not coverage.files_scored and _unread(examined.change):
        why = {file.unread for file in examined.change.files if file.unread is not None}
        because = f": {why.pop()}" if len(why) == 1 else ""
        raise UnscoredError(f"none of the changed files could be read{because}", mend="see the coverage receipt")
    return model.read([examined.example])[0]


def reading_of(change: Change, context: Context, principles: Principles, model: Model) -> Reading | None:
    """Return the reading of one change among many, None where it has none: one that fails does not stop the others."""
    try:
        return read(examine(change, context, principles, named=False), model).reading
    except ModelError:
        raise
    except Exception:  # reviewing that change itself says what is wrong with it
        return None


def _unread(change: Change) -> bool:
    return any(file.lost for file in change.files)


def _why_skipped(file: FileChange) -> str | None:
    if file.unread is not None:
        return file.unread
    if file.submodule:
        return "submodule: its content lives in another repository"
    if file.binary and not file.hunks:
        return "binary: no lines to read"
    return None


def _coverage(change: Change, completeness: Completeness) -> Coverage:
    skipped = tuple(Skipped(file.path, reason) for file in change.files if (reason := _why_skipped(file)) is not None)
    read = sum(len(hunk.lines) - hunk.count(LineKind.CONTEXT) for file in change.files for hunk in file.hunks)
    total = None if change.added is None else read
    files = len(change.files)
    return Coverage(files, files - len(skipped), total, read, completeness, skipped)


def _findings(change: Change, opinions: Sequence[Opinion]) -> tuple[Finding, ...]:
    order = list(Severity)
    files = {path: file for file in change.files for path in (file.old_path, file.path) if path is not None}
    found = [
        Finding(
            opinion.principle or opinion.reviewer,
            opinion.severity or Severity.LOW,
            place.path,
            _new_line(files.get(place.path), place),
            opinion.reason,
        )
        for opinion in opinions
        for place in opinion.lines or (Place(""),)
    ]
    return tuple(sorted(found, key=lambda finding: (-order.index(finding.severity), finding.path, finding.line or 0)))


def _new_line(file: FileChange | None, place: Place) -> int | None:
    """The line of the new file to look at: for deleted code, the line that now follows it."""
    if place.side == "new" or place.start is None or file is None:
        return place.start
    for hunk in file.hunks:
        following = max(hunk.new_start, 1)
        for line in hunk.lines:
            if line.old_number == place.start:
                return line.new_number or following
            if line.new_number is not None:
                following = line.new_number + 1
    return None


def reading_weights(facts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return by what H hunks should be read first (H,): log of (1 + lines added) x (1 + acts added).

    `facts` (H, F) are as in `Example`. Where repairs name the lines that were wrong, it is most often the hunk with the
    most code that does something; acts are what a grammar tells to be done: calls, assignments, conditions ... The
    model has no say: its risks are learned from whole changes, which say little about which of their hunks is to
    blame. Each hunk's weight comes from that hunk alone. Chosen on validation windows (`benchmarks/HUNKS.md`).
    """
    counts = facts.astype(np.float64)
    # Without a grammar the counts are guesses from words, which prose is full of.
    acts = counts[:, _ACTS].sum(axis=1) * counts[:, _PARSED]
    weights: NDArray[np.float64] = np.log1p(counts[:, _ADDED]) + np.log1p(acts)
    return weights


def _hunks(examined: Examined, said: Read | None) -> tuple[HunkRisk, ...]:
    count = examined.example.hunks
    risks: list[float | None] = [None] * count if said is None else [float(risk) for risk in said.hunk_risks]
    weights = reading_weights(examined.example.facts).tolist()
    hunks = []
    for (file_number, hunk_number), risk, weight in zip(examined.example.places.tolist(), risks, weights, strict=True):
        file = examined.change.files[file_number]
        hunk, syntax = file.hunks[hunk_number], examined.syntax[file_number][hunk_number]
        reasons = hunk_reasons(file, hunk, syntax, examined.opinions)
        start, end = hunk.span
        hunks.append(HunkRisk(file.path, start, end, risk, reasons, weight))
    return tuple(hunks)


def _notes(examined: Examined, standing: Standing | None) -> tuple[str, ...]:
    notes = list(change_reasons(examined.context))
    if standing is not None:
        notes.append(
            "The change was measured against the changes before it in this repository."
            if standing.own_scale
            else "The change was measured against those that the model learned from: too few came before it here."
        )
        notes.append(
            f"The percentile is taken among this repository's {standing.among} changes before this one."
            if standing.among >= ENOUGH
            else "The percentile comes from the model's reference quantiles: too few changes here to compare with."
        )
    if examined.context.completeness is not Completeness.FULL:
        notes.append(
            "History is incomplete here, so measures of the past are unknown: fetch all of it for a better estimate."
            if examined.context.completeness is Completeness.PARTIAL
            else "No history was available, so measures of the past are unknown."
        )
    return tuple(notes)
