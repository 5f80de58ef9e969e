"""Prevalence and recall from verdicts that were gathered where suspicion pointed.

People review what a monitor suspects, plus a random slice of the rest. The verdicts over-represent risk and, taken
at face value, say that the monitor misses next to nothing. Every reviewed change is therefore weighted by the
inverse of the probability with which it was chosen (Horvitz & Thompson 1952, doi:10.1080/01621459.1952.10483446),
inside the two domains suspected and unsuspected, and the uncertainty of the few verdicts outside suspicion is
carried to the result: no miss found in a slice of 100 of 10,000 changes leaves room for some 370 misses, not for none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Bools, Floats
from oversight.measurement.intervals import Interval, interval_of_share, interval_of_sum, wilson

Estimator = Literal["hajek", "horvitz-thompson"]


@dataclass(frozen=True, slots=True)
class Weighted:
    """An estimate with its interval, or why there is none; `reviewed` verdicts went into it."""

    value: float | None
    interval: Interval | None
    reviewed: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Total:
    """Risky changes in one domain of `size` changes: estimate and interval, from `reviewed` verdicts."""

    value: float
    interval: Interval
    size: int
    reviewed: int


def prevalence(
    suspected: ArrayLike,
    verdicts: ArrayLike,
    propensity: ArrayLike,
    *,
    estimator: Estimator = "hajek",
    level: float = 0.95,
) -> Weighted:
    """Share of risky changes in a population of n.

    `suspected` (n,) is whether the monitor flagged the change; `verdicts` (n,) is 1 risky, 0 clean, NaN not
    reviewed; `propensity` (n,) the probability with which it was to be reviewed, above 0 wherever there is a
    verdict. "hajek" divides by the sum of the weights instead of the known size of the domain: a little bias for
    much less variance (Hajek 1971).
    """
    found = _domains(suspected, verdicts, propensity, estimator, level)
    if isinstance(found, Weighted):
        return found
    caught, missed = found
    size = caught.size + missed.size
    low, high = interval_of_sum(caught.value, caught.interval, missed.value, missed.interval)
    value = (caught.value + missed.value) / size
    return Weighted(value, (max(low / size, 0.0), min(high / size, 1.0)), caught.reviewed + missed.reviewed, None)


def recall(
    suspected: ArrayLike,
    verdicts: ArrayLike,
    propensity: ArrayLike,
    *,
    estimator: Estimator = "hajek",
    level: float = 0.95,
) -> Weighted:
    """Share of the risky changes that were suspected: caught / (caught + missed). Arguments as for `prevalence`.

    A ratio of estimates leans upwards by about recall (1 - recall)^2 / m where m misses were found.
    """
    found = _domains(suspected, verdicts, propensity, estimator, level)
    if isinstance(found, Weighted):
        return found
    caught, missed = found
    reviewed = caught.reviewed + missed.reviewed
    if caught.value + missed.value == 0:
        return Weighted(None, None, reviewed, "no reviewed change is risky")
    low, high = interval_of_share(caught.value, caught.interval, missed.value, missed.interval)
    return Weighted(caught.value / (caught.value + missed.value), (low, high), reviewed, None)


def _domains(
    suspected: ArrayLike, verdicts: ArrayLike, propensity: ArrayLike, estimator: Estimator, level: float
) -> Weighted | tuple[_Total, _Total]:
    flagged = np.asarray(suspected, dtype=np.bool_)
    given = np.asarray(verdicts, dtype=np.float64)
    chance = np.asarray(propensity, dtype=np.float64)
    if flagged.ndim != 1 or given.shape != flagged.shape or chance.shape != flagged.shape:
        raise LabelError("suspicion, verdicts and propensities differ in length", mend="pass one of each a change")
    reviewed = ~np.isnan(given)
    if not np.isin(given[reviewed], (0.0, 1.0)).all():
        raise LabelError("verdicts must be 0, 1 or NaN", mend="use NaN where no verdict was given")
    if not ((chance[reviewed] > 0) & (chance[reviewed] <= 1)).all():
        raise LabelError("a reviewed change has no propensity", mend="record the chance of review with each verdict")
    count = int(reviewed.sum())
    if count == 0:
        return Weighted(None, None, 0, "no verdicts")
    for inside, name in ((flagged, "suspected"), (~flagged, "unsuspected")):
        if inside.any() and not (inside & reviewed).any():
            return Weighted(None, None, count, f"no {name} change was reviewed: keep a random slice of them")
    return (
        _total(flagged, given, chance, reviewed, estimator, level),
        _total(~flagged, given, chance, reviewed, estimator, level),
    )


def _total(
    inside: Bools, verdicts: Floats, propensity: Floats, reviewed: Bools, estimator: Estimator, level: float
) -> _Total:
    size = int(inside.sum())
    rows = inside & reviewed
    count = int(rows.sum())
    if count == 0:
        return _Total(0.0, (0.0, 0.0), size, 0)
    weights, risky = 1.0 / propensity[rows], verdicts[rows]
    share = float(weights @ risky / weights.sum())
    value = share * size if estimator == "hajek" else float(weights @ risky)
    if count == size:
        return _Total(float(risky.sum()), (float(risky.sum()), float(risky.sum())), size, count)
    # Kish's effective sample size, and the finite population: a domain reviewed to 90 % is nearly known.
    effective = float(weights.sum() ** 2 / (weights @ weights)) / (1.0 - count / size)
    low, high = (bound * size for bound in wilson(share * effective, effective, level=level))
    at_least, at_most = float(risky.sum()), float(size - (count - risky.sum()))
    low, high = max(low, at_least), min(high, at_most)
    return _Total(value, (min(low, value), max(high, value)), size, count)
