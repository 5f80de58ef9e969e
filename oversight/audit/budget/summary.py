"""All that verdicts tell of a period: the outcome of the budget, the figures of the reviews, PGR. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from oversight.audit.budget.outcome import Considered, Outcome, by_provenance, outcome
from oversight.audit.budget.standing import standing
from oversight.audit.figures import FEWEST, Figures, Labelled, Sample, Share, figures, labelled, share
from oversight.audit.verdict import Selection, Verdict
from oversight.measurement.audited import Auditor, effective_size
from oversight.measurement.intervals import Interval
from oversight.measurement.pgr import recover
from oversight.reports.words import counted

Predictions = Mapping[str, Mapping[int, tuple[float, float, float]]]
"""What weak reviewer, student and ceiling say of a commit, by commit and seed."""

_NO_OPINIONS = (
    "the store holds what the student says, and no opinions of a weak reviewer and of a ceiling: give --predictions of "
    '"oversight pgr"'
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """PGR against the verdicts with its interval, or a reason, and AUROC of the three; of `n` judged changes."""

    pgr: float | None
    interval: Interval | None
    reason: str | None
    weak: float | None = None
    student: float | None = None
    ceiling: float | None = None
    n: int = 0
    positives: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """All that is known of a period.

    `outcomes` are what the budget brought by provenance. `blind` is the share of verdicts, of those on changes that had
    a risk, whose authors had not seen it. `labelled` are the changes that `figures` are of, by their commits.
    """

    outcome: Outcome
    outcomes: Mapping[str, Outcome]
    figures: Figures
    blind: Share
    labelled: tuple[Labelled, ...]
    recovered: Recovered


def summary(
    population: Sequence[Considered],
    verdicts: Sequence[Verdict],
    landed: Mapping[str, str],
    auditor: Auditor,
    predictions: Predictions | None = None,
) -> Summary:
    """Return what `verdicts` tell; `landed` are the commits that heads became."""
    known = {landed.get(one.commit, one.commit): one for one in population}
    of_commits = [replace(one, change_id=landed.get(one.change_id, one.change_id)) for one in verdicts]
    said = [_as_designed(one, known.get(one.change_id)) for one in of_commits]
    sample = standing(population, landed) if population else None
    told, reached = figures(said, sample), outcome(population, auditor)
    changes = labelled(said, sample)
    if not population:  # what the Action flagged and drew by itself tells of recall as well
        recall = told.recall
        reached = replace(reached, recall=Share(recall.value, recall.interval, recall.reviewed, recall.reason))
    return Summary(
        outcome=reached,
        outcomes=by_provenance(population, auditor),
        figures=told,
        blind=_blind(of_commits, known),
        labelled=tuple(changes),
        recovered=_recovered(changes, sample, predictions),
    )


def _as_designed(verdict: Verdict, known: Considered | None) -> Verdict:
    """Return the verdict, which is on a commit, with what was known of that, also where it was given blind, and the
    chance that it had in the end: who was drawn may have got a place later.
    """
    if known is None:
        return verdict
    chosen = known.selection if known.selection in (Selection.FLAGGED, Selection.RANDOM) else Selection.REQUEST
    chance = None if chosen is Selection.REQUEST else known.propensity
    shown = replace(verdict.shown, selection=chosen, propensity=chance, flagged=known.flagged)
    if shown.risk is None:
        shown = replace(shown, risk=known.risk, percentile=known.percentile, model=known.model)
    return replace(verdict, shown=shown)


def _blind(verdicts: Sequence[Verdict], known: Mapping[str, Considered]) -> Share:
    told = [(one.shown, known.get(one.change_id)) for one in verdicts]
    seen = [shown.blind for shown, change in told if change is not None and change.risk is not None]
    return share(seen, ("verdict", "on changes of the queue with a risk"))


def _recovered(changes: Sequence[Labelled], sample: Sample | None, predictions: Predictions | None) -> Recovered:
    """Return PGR of all changes, each judged one counting as often as it stands for; who has a place is the student's
    own choice, which tells little of how it orders the rest.
    """
    if predictions is None:
        return Recovered(None, None, _NO_OPINIONS)
    rows = sorted(
        (one for one in changes if one.weight is not None and one.change_id in predictions),
        key=lambda one: one.change_id,
    )
    positives = sum(one.risky for one in rows)
    why = _too_few(rows) or (None if sample is None else sample.unseen)
    seeds = sorted(set.intersection(*(set(predictions[one.change_id]) for one in rows))) if rows else []
    if why is None and not seeds:
        why = "the predictions share no seed"
    if why is not None:
        return Recovered(None, None, why, n=len(rows), positives=positives)
    table = np.array([[predictions[one.change_id][seed] for one in rows] for seed in seeds])  # (seeds, changes, 3)
    found = recover(
        [one.risky for one in rows],
        weak=table[:, :, 0],
        student=table[:, :, 1],
        ceiling=table[:, :, 2],
        weights=[one.weight or 0.0 for one in rows],
        strata=[_drawn(one) for one in rows],
    )
    values = (found.weak.value, found.student.value, found.ceiling.value)
    return Recovered(found.pgr, found.interval, found.reason, *values, found.n, found.positives, found.warnings)


def _too_few(rows: Sequence[Labelled]) -> str | None:
    """Return why PGR cannot be told from judged changes: too few of a kind, also by Kish's number of them, or among
    those that were drawn, which stand for most: with a handful of risky ones there, 95 % intervals covered 86 to 91 %
    (`benchmarks/AUDIT.md`).
    """
    kinds = {kind: [one for one in rows if one.risky is (kind == "risky")] for kind in ("risky", "safe")}
    risky, safe = kinds.values()
    told = f"{counted(len(risky), 'risky change')} and {counted(len(safe), 'safe one')} with predictions"
    needed = f"and {FEWEST} of each are needed"
    if min(len(risky), len(safe)) < FEWEST:
        return f"{told}, {needed}"
    if any(map(_drawn, rows)):
        for kind, found in kinds.items():
            drawn = sum(map(_drawn, found))
            if drawn < FEWEST:
                return f"{told}, but {drawn} {kind} of those that were drawn, which stand for most, {needed}"
    sizes = [effective_size(np.array([one.weight for one in found], dtype=np.float64)) for found in kinds.values()]
    if round(min(sizes), 6) < FEWEST:
        return f"{told} tell as much as {sizes[0]:.1f} and {sizes[1]:.1f} of equal weight, {needed}"
    return None


def _drawn(one: Labelled) -> bool:
    return one.shown.selection is Selection.RANDOM
