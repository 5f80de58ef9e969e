"""Metrics of a ranking or of probabilities, each written once for weighted rows.

A `Metric` binds labels and scores into a `Statistic` (weights in, values out), which the plain functions below
call with weights of one and `bootstrap` calls with thousands of resamples. Labels are 1 for risky; scores are
higher for riskier.

Ties are settled by expectation throughout: a tied group counts as if its rows were in random order (half a win
a tied pair in AUROC, an even share at a cut), so a constant scorer has an AUROC of .5 and finds k % of the risky
changes in k % of the changes, whatever order the rows arrive in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import (
    Bools,
    Floats,
    Measured,
    Rows,
    Statistic,
    as_floats,
    as_rows,
    as_sizes,
    check_share,
    ratio,
    undefined,
)
from oversight.measurement.ranking import Ranking, before

_SMALLEST = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Metric:
    """A named measure of scores against labels.

    `bind(labels, scores)` does the work that no weighting changes and returns the statistic.
    `both_classes`: undefined unless there are risky and clean rows. `probabilities`: scores must be in [0, 1].
    `better` is +1 where higher is better and -1 where lower is.
    """

    name: str
    bind: Callable[[Bools, Floats], Statistic]
    both_classes: bool = True
    probabilities: bool = False
    better: int = 1

    def check(self, rows: Rows) -> str | None:
        """Why the metric is undefined on these rows, or None. `LabelError` where scores are no probabilities."""
        reason = undefined(rows, both_classes=self.both_classes)
        if reason is None and self.probabilities and not ((rows.scores >= 0) & (rows.scores <= 1)).all():
            raise LabelError(f"{self.name} needs probabilities from 0 to 1", mend="calibrate the scores first")
        return reason

    def __call__(self, labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> Measured:
        """The metric on rows (n,), each counted `weights` (n,) times (once by default)."""
        rows = as_rows(labels, scores)
        reason = self.check(rows)
        if reason is not None:
            return Measured(None, reason, rows.n, rows.positives)
        given = np.ones(rows.n) if weights is None else as_sizes(weights, rows=rows.n, name="weights")
        value = float(self.bind(rows.labels, rows.scores)(given[None, :])[0])
        if np.isnan(value):
            return Measured(None, "the rows that carry weight do not determine it", rows.n, rows.positives)
        return Measured(value, None, rows.n, rows.positives)


def _bind_auroc(labels: Bools, scores: Floats) -> Statistic:
    # Each risky row wins against the clean weight below it and draws with the clean weight level with it. Looking
    # both up in one running sum over the clean rows costs half of what going through tied groups does.
    risky, clean = np.flatnonzero(labels), np.flatnonzero(~labels)
    clean = clean[np.argsort(scores[clean], kind="stable")]
    below = np.searchsorted(scores[clean], scores[risky], side="left")
    level = np.searchsorted(scores[clean], scores[risky], side="right")

    def statistic(weights: Floats) -> Floats:
        running = np.zeros((weights.shape[0], clean.size + 1))
        np.cumsum(weights[:, clean], axis=1, out=running[:, 1:])
        counted = weights[:, risky]
        wins = np.einsum("bp,bp->b", counted, running[:, below] + running[:, level]) / 2.0
        return ratio(wins, counted.sum(axis=1) * running[:, -1])

    return statistic


def _bind_average_precision(labels: Bools, scores: Floats) -> Statistic:
    ranking = Ranking.of(labels, scores)

    def statistic(weights: Floats) -> Floats:
        risky, every = ranking.totals(weights)
        found, seen = np.cumsum(risky, axis=1), np.cumsum(every, axis=1)
        all_risky = found[:, -1]
        precision = found / np.maximum(seen, _SMALLEST)
        return ratio(np.einsum("bg,bg->b", precision, risky), all_risky)

    return statistic


def _caught(ranking: Ranking, weights: Floats, share: float) -> tuple[Floats, Floats, Floats]:
    """Risky weight inside the top `share` of all weight, that budget, and all risky weight: each (B,)."""
    risky, every = ranking.totals(weights)
    budget = share * every.sum(axis=1)
    taken = np.clip(budget[:, None] - before(every), 0.0, every)
    caught = np.einsum("bg,bg->b", risky, taken / np.maximum(every, _SMALLEST))
    return caught, budget, risky.sum(axis=1)


def recall_at(share: float) -> Metric:
    """Share of the risky changes that the top `share` (0, 1] of all changes holds.

    The budget is `share` of the changes exactly; the tied group or the single row that it ends in counts in
    proportion, so that the value does not jump with the number of rows.
    """
    check_share(share)

    def bind(labels: Bools, scores: Floats) -> Statistic:
        ranking = Ranking.of(labels, scores)

        def statistic(weights: Floats) -> Floats:
            caught, _, risky = _caught(ranking, weights, share)
            return ratio(caught, risky)

        return statistic

    return Metric(f"recall@{100 * share:g}%", bind)


def precision_at(share: float) -> Metric:
    """Share of risky changes among the top `share` (0, 1] of all changes; the cut is shared as in `recall_at`."""
    check_share(share)

    def bind(labels: Bools, scores: Floats) -> Statistic:
        ranking = Ranking.of(labels, scores)

        def statistic(weights: Floats) -> Floats:
            caught, budget, _ = _caught(ranking, weights, share)
            return ratio(caught, budget)

        return statistic

    return Metric(f"precision@{100 * share:g}%", bind, both_classes=False)


def true_positives_at(false_positives: float) -> Metric:
    """True-positive rate where the false-positive rate is `false_positives` (0, 1]: the ROC curve, read off.

    Between groups the curve is a straight line, which is what sharing a tied group evenly amounts to.
    """
    check_share(false_positives)

    def bind(labels: Bools, scores: Floats) -> Statistic:
        ranking = Ranking.of(labels, scores)

        def statistic(weights: Floats) -> Floats:
            risky, every = ranking.totals(weights)
            clean = every - risky
            allowed = false_positives * clean.sum(axis=1)
            room = allowed[:, None] - before(clean)
            part = np.clip(room / np.maximum(clean, _SMALLEST), 0.0, 1.0)
            # A group without clean rows costs nothing: it is taken whole if it starts inside the allowance.
            part = np.where(clean > 0, part, (room >= 0).astype(np.float64))
            found = ratio(np.einsum("bg,bg->b", risky, part), risky.sum(axis=1))
            return np.where(allowed > 0, found, np.nan)

        return statistic

    return Metric(f"tpr@{100 * false_positives:g}%fpr", bind)


def accuracy_at(threshold: float) -> Metric:
    """Share of rows on the right side of `threshold`; a score equal to it predicts risky."""

    def bind(labels: Bools, scores: Floats) -> Statistic:
        return _mean(((scores >= threshold) == labels).astype(np.float64))

    return Metric("accuracy" if threshold == 0.5 else f"accuracy@{threshold:g}", bind, both_classes=False)


def _bind_brier(labels: Bools, scores: Floats) -> Statistic:
    return _mean((scores - labels) ** 2)


def _bind_log_loss(labels: Bools, scores: Floats) -> Statistic:
    # One sure and wrong prediction would make the mean infinite; 2.2e-16 is the least that 1 - p can resolve.
    likelihood = np.clip(np.where(labels, scores, 1.0 - scores), _SMALLEST, 1.0)
    return _mean(-np.log(likelihood))


def _mean(values: Floats) -> Statistic:
    def statistic(weights: Floats) -> Floats:
        return ratio(weights @ values, weights.sum(axis=1))

    return statistic


auroc = Metric("auroc", _bind_auroc)
"""P(a risky change scores above a clean one) + half of P(they tie): the Mann-Whitney U statistic over its maximum
(Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747)."""

average_precision = Metric("ap", _bind_average_precision)
"""Sum over thresholds of precision times the recall gained there, one threshold a distinct score: no interpolation
between points, which would flatter (Davis & Goadrich 2006, doi:10.1145/1143844.1143874)."""

accuracy = accuracy_at(0.5)
"""Share of rows where the score is on the right side of .5."""

brier = Metric("brier", _bind_brier, both_classes=False, probabilities=True, better=-1)
"""Mean squared distance of the probability from the outcome (Brier 1950)."""

log_loss = Metric("log_loss", _bind_log_loss, both_classes=False, probabilities=True, better=-1)
"""Mean negative log-likelihood in nats, probabilities of the outcome clipped at 2.2e-16."""

BUDGETS = (0.01, 0.02, 0.05, 0.10)
"""Review budgets, as shares of all changes, at which recall is reported."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (auroc, average_precision, *(recall_at(share) for share in BUDGETS), accuracy, brier, log_loss)
}
"""The metrics that evaluations report, by name."""


def misfit(weak: ArrayLike, student: ArrayLike) -> Measured:
    """Mean squared difference of the student's probabilities from the weak labels, (n,) each; needs no gold labels.

    For squared loss and a convex class of students it bounds from below what the student gains over its teacher
    (Charikar, Pabbaraju & Shiragur 2024, arXiv:2405.15116).
    """
    taught = np.asarray(weak, dtype=np.float64)
    learned = as_floats(student, rows=taught.size, name="student")
    if taught.size == 0:
        return Measured(None, "no rows", 0, 0)
    distance = float(np.mean((learned - taught) ** 2))
    if np.isnan(distance):
        return Measured(None, "a row has no weak label or no score", int(taught.size), 0)
    return Measured(distance, None, int(taught.size), 0)
