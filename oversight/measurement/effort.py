"""How much of the risk is found for how much reviewing, where reviewing costs lines read.

Effort is churn, lines added plus deleted (Kamei et al. 2013, doi:10.1109/TSE.2012.70). A reviewer walks down the
ranking; the curve of risky changes found against effort spent is the cost-effectiveness curve of Mende & Koschke
(2009, doi:10.1145/1540438.1540448). It is straight between distinct scores: tied changes, and the change that a
budget ends in, count in proportion, so that neither row order nor one large change makes a figure jump.

* recall@20%effort: share of the risky changes found for a fifth of the effort.
* effort@20%recall: share of the effort after which a fifth of them is found (lower is better).
* popt: 1 - (optimal - model) / (optimal - worst) over the areas under the curves, where optimal reviews by true
  defect density and worst the other way round: 1 is optimal, 0 is worst, about .5 is a random order.
* ifa: clean changes reviewed before the first risky one, "initial false alarms" (Huang, Xia & Lo 2019,
  doi:10.1007/s10664-018-9661-2).

Two things flatter here. Rankings by score per line put tiny changes first and win all but IFA without knowing
anything, so `smallest_first` has to stand beside any model. And a few giant changes carry most of the effort:
nobody reads 300,000 generated lines, so churn is capped (`CAP`); a change of no lines at all, a changed mode or
a binary file, still costs one.
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
    Statistic,
    as_floats,
    as_rows,
    as_sizes,
    check_share,
    ratio,
    undefined,
)
from oversight.measurement.metrics import Metric
from oversight.measurement.ranking import Ranking, before

CAP = 10_000.0
"""Lines above which a change costs no more: the size from which McIntosh & Kamei (2018,
doi:10.1109/TSE.2017.2693980) set changes aside as too large to be ordinary."""

_ROUNDING = 1e-9  # sums of weights in different orders differ by about n * 2.2e-16


def effort_of(churn: ArrayLike, *, cap: float = CAP) -> Floats:
    """Effort in lines, (n,), from churn in lines: at least 1, at most `cap`."""
    lines = as_sizes(churn, rows=np.asarray(churn).size, name="churn")
    return np.clip(lines, 1.0, cap)


def smallest_first(churn: ArrayLike) -> Floats:
    """The baseline scorer that knows only that small changes are quickly read: minus churn, (n,)."""
    return -as_sizes(churn, rows=np.asarray(churn).size, name="churn")


def lines_added(added: ArrayLike) -> Floats:
    """The baseline scorer LApredict (Zeng et al. 2021, doi:10.1145/3460319.3464819): lines added, (n,)."""
    return as_sizes(added, rows=np.asarray(added).size, name="added lines").copy()


def per_line(scores: ArrayLike, effort: ArrayLike) -> Floats:
    """Scores divided by effort, (n,): the ranking by predicted defect density of the effort-aware literature."""
    lines = _checked(effort)
    return as_floats(scores, rows=lines.size, name="scores") / lines


def _checked(effort: ArrayLike) -> Floats:
    lines = as_sizes(effort, rows=np.asarray(effort).size, name="effort")
    if not (lines > 0).all():
        raise LabelError("effort must be above zero", mend="pass churn through effort_of first")
    return lines


def _sized(bind: Callable[[Bools, Floats], Statistic], lines: Floats) -> Callable[[Bools, Floats], Statistic]:
    """`bind`, refusing rows that are not the ones whose effort was given."""

    def checked(labels: Bools, scores: Floats) -> Statistic:
        as_sizes(lines, rows=labels.size, name="effort")
        return bind(labels, scores)

    return checked


def recall_at_effort(share: float, effort: ArrayLike) -> Metric:
    """Share of the risky changes found for `share` (0, 1] of all effort; `effort` (n,) as of the rows measured."""
    check_share(share)
    lines = _checked(effort)

    def bind(labels: Bools, scores: Floats) -> Statistic:
        ranking = Ranking.of(labels, scores)

        def statistic(weights: Floats) -> Floats:
            risky = ranking.totals(weights)[0]
            spent = ranking.sums(weights, lines)
            budget = share * spent.sum(axis=1)
            part = np.clip(ratio(budget[:, None] - before(spent), spent), 0.0, 1.0)
            return ratio(np.nansum(risky * part, axis=1), risky.sum(axis=1))

        return statistic

    return Metric(f"recall@{100 * share:g}%effort", _sized(bind, lines))


def effort_at_recall(share: float, effort: ArrayLike) -> Metric:
    """Share of all effort spent when `share` (0, 1] of the risky changes is found. Lower is better."""
    check_share(share)
    lines = _checked(effort)

    def bind(labels: Bools, scores: Floats) -> Statistic:
        ranking = Ranking.of(labels, scores)

        def statistic(weights: Floats) -> Floats:
            risky = ranking.totals(weights)[0]
            spent = ranking.sums(weights, lines)
            wanted = share * risky.sum(axis=1)
            # Groups above the one that reaches the wanted recall are paid in full, that one in part, those below
            # not at all; a group without risky rows is paid if the recall is not reached before it.
            missing = wanted[:, None] - before(risky)
            inside = np.clip(ratio(missing, risky), 0.0, 1.0)
            part = np.where(risky > 0, inside, (missing > _ROUNDING * wanted[:, None]).astype(np.float64))
            share_spent = ratio(np.einsum("bg,bg->b", spent, part), spent.sum(axis=1))
            return np.where(wanted > 0, share_spent, np.nan)

        return statistic

    return Metric(f"effort@{100 * share:g}%recall", _sized(bind, lines), better=-1)


def popt(effort: ArrayLike) -> Metric:
    """Normalised area under the cost-effectiveness curve; see the module."""
    lines = _checked(effort)

    def bind(labels: Bools, scores: Floats) -> Statistic:
        density = labels / lines
        model = Ranking.of(labels, scores)
        optimal, worst = Ranking.of(labels, density), Ranking.of(labels, -density)

        def statistic(weights: Floats) -> Floats:
            best, least = _area(optimal, weights, lines), _area(worst, weights, lines)
            return 1.0 - ratio(best - _area(model, weights, lines), best - least)

        return statistic

    return Metric("popt", _sized(bind, lines))


def _area(ranking: Ranking, weights: Floats, lines: Floats) -> Floats:
    """Area under recall against effort, both as shares, by the trapezoid of each tied group: (B,)."""
    risky = ranking.totals(weights)[0]
    spent = ranking.sums(weights, lines)
    height = before(risky) + risky / 2.0
    return ratio(np.einsum("bg,bg->b", height, spent), risky.sum(axis=1) * spent.sum(axis=1))


def _bind_ifa(labels: Bools, scores: Floats) -> Statistic:
    ranking = Ranking.of(labels, scores)

    def statistic(weights: Floats) -> Floats:
        risky, every = ranking.totals(weights)
        clean = every - risky
        first = np.argmax(risky > 0, axis=1)
        row = np.arange(weights.shape[0])
        # In a random order of m clean and p risky rows, m / (p + 1) clean ones are expected before the first risky.
        tied = clean[row, first] / (risky[row, first] + 1.0)
        alarms = before(clean)[row, first] + tied
        return np.where(risky[row, first] > 0, alarms, np.nan)

    return statistic


initial_false_alarms = Metric("ifa", _bind_ifa, better=-1)
"""Clean changes before the first risky one, in expectation over the order of tied rows."""


@dataclass(frozen=True, slots=True)
class EffortReport:
    """The effort-aware figures of one ranking, on the same rows and the same capped effort."""

    recall_at_20_effort: Measured
    effort_at_20_recall: Measured
    popt: Measured
    initial_false_alarms: Measured


def effort_report(labels: ArrayLike, scores: ArrayLike, churn: ArrayLike, *, cap: float = CAP) -> EffortReport:
    """All four figures for a ranking by `scores` (n,) of changes of `churn` (n,) lines."""
    rows = as_rows(labels, scores)
    effort = effort_of(as_sizes(churn, rows=rows.n, name="churn"), cap=cap)
    reason = undefined(rows, both_classes=True)
    if reason is not None:
        nothing = Measured(None, reason, rows.n, rows.positives)
        return EffortReport(nothing, nothing, nothing, nothing)
    return EffortReport(
        recall_at_effort(0.2, effort)(rows.labels, rows.scores),
        effort_at_recall(0.2, effort)(rows.labels, rows.scores),
        popt(effort)(rows.labels, rows.scores),
        initial_false_alarms(rows.labels, rows.scores),
    )
