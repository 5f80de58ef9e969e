"""What an audit found and what it missed: totals and recall, from what was picked for its risk and what was drawn.

Changes fall into those that were picked (certain to be seen) and the others, of which some were drawn at random, each
with a known propensity. In both a part may not have been judged yet, and who judges may err. In each the number of
risky changes is the weighted share of risky verdicts times the size (Hajek 1971), with Kish's effective sample size
(1965, section 8.2) n* = (sum w)^2 / sum w^2, over 1 - m/N since N is finite (Korn & Graubard 1998), inside of an
interval of binomial tails, which stay right where risky changes are rare and few are drawn. Of the tails
"mid-p" covers what it says most nearly without falling far below: score intervals (Wilson) do where few are drawn of
something rare, and exact ones are wider than need be.

Verdicts of somebody who calls risky a share `sensitivity` of what is, and safe a share `specificity` of what is not,
are corrected: share = (called + specificity - 1) / (sensitivity + specificity - 1) (Rogan & Gladen 1978,
doi:10.1093/oxfordjournals.aje.a112510), and so are the ends of the interval (Reiczigel, Foldi & Ozsvari 2010,
doi:10.1017/S0950268810000385). `benchmarks/AUDIT.md` shows how often these intervals cover the truth.

`mean` is the same for values between 0 and 1 and changes without number, of which those judged are a sample: of all
that lies between 0 and 1 what is 0 or 1 spreads most, so that the tails are wide enough for whatever is between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Floats
from oversight.measurement.beta import Tail, binomial_interval
from oversight.measurement.intervals import Interval, interval_of_share


@dataclass(frozen=True, slots=True)
class Auditor:
    """How often people call risky what is (`sensitivity`), and safe what is not risky (`specificity`); 1 is never
    wrong.

    `LabelError` for rates that tell nothing apart: their sum must be above 1.
    """

    sensitivity: float = 1.0
    specificity: float = 1.0

    def __post_init__(self) -> None:
        rates = (self.sensitivity, self.specificity)
        if not all(0.0 <= rate <= 1.0 for rate in rates) or sum(rates) <= 1.0:
            raise LabelError(
                "an auditor of these rates is no better than chance",
                mend="give a sensitivity and a specificity from 0 to 1 whose sum is above 1",
            )

    @property
    def perfect(self) -> bool:
        """Whether every verdict is right."""
        return self.sensitivity == self.specificity == 1.0

    def true(self, share: float) -> float:
        """Return the share of risky changes where `share` were called so."""
        corrected = (share + self.specificity - 1.0) / (self.sensitivity + self.specificity - 1.0)
        return min(max(corrected, 0.0), 1.0)

    def right(self, called: int, judged: int) -> float:
        """Return how many of `called` changes, of `judged` ones, are risky as they were called."""
        wrong = (1.0 - self.specificity) * (1.0 - self.true(called / judged)) * judged if judged else 0.0
        return max(called - wrong, 0.0)


PERFECT = Auditor()


@dataclass(frozen=True, slots=True)
class Weighted:
    """An estimate with its interval, or why there is none; `reviewed` verdicts went into it."""

    value: float | None
    interval: Interval | None
    reviewed: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Total:
    """How many of `size` changes are risky, with an interval, from `judged` verdicts.

    `value` is None where there are changes and none was judged; the interval is then all that is possible.
    """

    value: float | None
    interval: Interval
    size: int
    judged: int


@dataclass(frozen=True, slots=True)
class Mean:
    """A weighted mean with its interval, and how many changes of equal weight would tell as much: `effective`."""

    value: float
    interval: Interval
    effective: float


def effective_size(weights: Floats) -> float:
    """Return Kish's number of changes of equal weight that tell as much; 0 of none."""
    return float(weights.sum() ** 2 / (weights @ weights)) if weights.size else 0.0


def mean(values: ArrayLike, weights: ArrayLike, *, tail: Tail = "mid-p", level: float = 0.95) -> Mean:
    """Return the mean of `values` (m,) in [0, 1], or booleans, of changes that stand for `weights` (m,) others each."""
    found, sizes = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if found.ndim != 1 or sizes.shape != found.shape or not found.size or not (sizes > 0).all():
        raise LabelError("a value has no weight", mend="pass at least one value, and a weight above 0 for each")
    value, effective = min(float(sizes @ found / sizes.sum()), 1.0), effective_size(sizes)
    return Mean(value, binomial_interval(value * effective, effective, tail=tail, level=level), effective)


def total(
    called: ArrayLike,
    propensity: ArrayLike,
    size: int,
    *,
    auditor: Auditor = PERFECT,
    tail: Tail = "mid-p",
    level: float = 0.95,
) -> Total:
    """Return how many of `size` changes are risky.

    `called` (m,) is whether each judged one was called risky; `propensity` (m,) in (0, 1] is the probability with which
    it was to be seen, or anything in proportion to it.
    """
    risky, chance = np.asarray(called, dtype=np.bool_), np.asarray(propensity, dtype=np.float64)
    if risky.ndim != 1 or chance.shape != risky.shape or not ((chance > 0) & (chance <= 1)).all():
        raise LabelError("a judged change has no propensity", mend="pass one in (0, 1] for each verdict")
    judged, found = int(risky.size), int(risky.sum())
    if judged > size:
        raise LabelError(f"{judged} of {size} changes were judged", mend="pass the number of all changes")
    if judged == 0:
        return Total(None if size else 0.0, (0.0, float(size)), size, 0)
    if judged == size and auditor.perfect:
        return Total(float(found), (float(found), float(found)), size, judged)
    weights = 1.0 / chance
    share = float(weights @ risky / weights.sum())
    effective = effective_size(weights)
    if auditor.perfect:
        effective /= 1.0 - judged / size
    bounds = binomial_interval(share * effective, effective, tail=tail, level=level)
    value, low, high = (auditor.true(one) * size for one in (share, *bounds))
    if auditor.perfect:  # what was seen is there, and what was seen to be safe is not risky
        low, high = max(low, float(found)), min(high, float(size - judged + found))
        value = min(max(value, low), high)
    return Total(value, (min(low, value), max(high, value)), size, judged)


def together(first: Total, second: Total) -> Total:
    """Return the total of two groups of changes. The interval is wider than it need be, unless one number is known."""
    value = None if first.value is None or second.value is None else first.value + second.value
    low, high = first.interval[0] + second.interval[0], first.interval[1] + second.interval[1]
    return Total(value, (low, high), first.size + second.size, first.judged + second.judged)


def beyond(others: Total, found: float) -> Total:
    """Return what is left of the risky changes when those that were `found` are taken away: what nobody knows of.

    Of people who err these are not all that they call risky (`Auditor.right`).
    """
    low, high = (max(bound - found, 0.0) for bound in others.interval)
    value = None if others.value is None else min(max(others.value - found, low), high)
    return Total(value, (low, high), others.size, others.judged)


def recall(picked: Total, others: Total) -> Weighted:
    """Return the share of the risky changes that are among those picked, with an interval (`interval_of_share`)."""
    judged = picked.judged + others.judged
    if picked.value is None or others.value is None:
        return Weighted(None, None, judged, "of one of the two groups no change was judged")
    if picked.value + others.value <= 0:
        return Weighted(None, None, judged, "no judged change is risky")
    low, high = interval_of_share(picked.value, picked.interval, others.value, others.interval)
    return Weighted(picked.value / (picked.value + others.value), (low, high), judged, None)
