"""All that verdicts tell of a period: the outcome of the budget, the figures of the reviews, PGR. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from oversight.audit.budget.outcome import Considered, Outcome, by_provenance, outcome
from oversight.audit.figures import FEWEST, Figures, Labelled, Share, figures, labelled, share
from oversight.audit.verdict import Selection, Verdict, to_gold
from oversight.measurement.audited import Auditor
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
    gold = {label.change_id: label.risky for label in to_gold(verdicts, landed)}
    told, reached = figures(said), outcome(population, auditor)
    if not population:  # what the Action flagged and drew by itself tells of recall as well
        recall = told.recall
        reached = replace(reached, recall=Share(recall.value, recall.interval, recall.reviewed, recall.reason))
    return Summary(
        outcome=reached,
        outcomes=by_provenance(population, auditor),
        figures=told,
        blind=_blind(of_commits, known),
        labelled=tuple(labelled(said)),
        recovered=_recovered(gold, predictions),
    )


def _as_designed(verdict: Verdict, known: Considered | None) -> Verdict:
    """Return the verdict, which is on a commit, with what was known of that, also where it was given blind, and the
    chance that it had in the end: who was drawn may have got a place later.
    """
    if known is None:
        return verdict
    chosen = known.selection if known.selection in (Selection.FLAGGED, Selection.RANDOM) else Selection.REQUEST
    chance = None if chosen is Selection.REQUEST else known.propensity
    shown = replace(verdict.shown, selection=chosen, propensity=chance)
    if shown.risk is None:
        shown = replace(shown, flagged=known.flagged, risk=known.risk, percentile=known.percentile, model=known.model)
    return replace(verdict, shown=shown)


def _blind(verdicts: Sequence[Verdict], known: Mapping[str, Considered]) -> Share:
    told = [(one.shown, known.get(one.change_id)) for one in verdicts]
    seen = [shown.blind for shown, change in told if change is not None and change.risk is not None]
    return share(seen, ("verdict", "on changes of the queue with a risk"))


def _recovered(gold: Mapping[str, bool], predictions: Predictions | None) -> Recovered:
    if predictions is None:
        return Recovered(None, None, _NO_OPINIONS)
    commits = sorted(gold.keys() & predictions.keys())
    positives = sum(gold[commit] for commit in commits)
    if min(positives, len(commits) - positives) < FEWEST:
        safe = counted(len(commits) - positives, "safe one")
        why = f"{counted(positives, 'risky change')} and {safe} with predictions, and {FEWEST} of each are needed"
        return Recovered(None, None, why, n=len(commits), positives=positives)
    seeds = sorted(set.intersection(*(set(predictions[commit]) for commit in commits)))
    if not seeds:
        return Recovered(None, None, "the predictions share no seed", n=len(commits), positives=positives)
    table = np.array([[predictions[commit][seed] for commit in commits] for seed in seeds])  # (seeds, changes, 3)
    found = recover(
        [gold[commit] for commit in commits], weak=table[:, :, 0], student=table[:, :, 1], ceiling=table[:, :, 2]
    )
    values = (found.weak.value, found.student.value, found.ceiling.value)
    return Recovered(found.pgr, found.interval, found.reason, *values, found.n, found.positives, found.warnings)
