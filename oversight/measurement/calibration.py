"""Are the probabilities right? Bins of equal mass, their intervals, and one number. Nothing is fitted here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Bools, Floats, Indices, Measured, Rows, as_rows, as_sizes, undefined
from oversight.measurement.intervals import Interval, wilson

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of the reliability table: `count` rows with predictions from `low` to `high`.

    `predicted` is their mean probability, `observed` the share of risky rows among them and `interval` the 95 %
    Wilson interval of that share; both weighted where rows have weights, and the interval then of Kish's effective
    number of rows (1965, section 8.2).
    """

    count: int
    low: float
    high: float
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability table, lowest probabilities first, and the calibration error over it.

    `error` is ECE, the mean over rows of |predicted - observed| of their bin (Naeini, Cooper & Hauskrecht 2015,
    doi:10.1609/aaai.v29i1.9602), on bins of equal mass (Nguyen & O'Connor 2015, doi:10.18653/v1/D15-1182). It is
    biased upwards: a perfect model on n rows and b bins shows about sqrt(2 b p (1 - p) / (pi n)). Where rows have
    weights, mass and means are theirs.
    Without a value in `error`, `bins` is empty.
    """

    bins: tuple[ReliabilityBin, ...]
    error: Measured


def reliability(
    labels: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS, weights: ArrayLike | None = None
) -> Reliability:
    """Reliability of `probabilities` (n,) in [0, 1] against `labels` (n,), in at most `bins` bins.

    `weights` (n,) above 0 say how many rows each stands for; one each unless they are given.

    Rows with the same probability share a bin, chosen by the middle of their ranks, so bins are of equal mass up
    to ties and fewer than `bins` where ties swallow some.
    """
    if bins < 1:
        raise LabelError(f"{bins} bins make no sense", mend="ask for at least one bin")
    rows = as_rows(labels, probabilities)
    reason = undefined(rows, both_classes=False)
    if reason is not None:
        return Reliability((), Measured(None, reason, rows.n, rows.positives))
    if not ((rows.scores >= 0) & (rows.scores <= 1)).all():
        raise LabelError("calibration is of probabilities from 0 to 1", mend="calibrate the scores first")
    sizes = np.ones(rows.n) if weights is None else as_sizes(weights, rows=rows.n, name="weights")
    if not (sizes > 0).all():
        raise LabelError("a row weighs nothing", mend="leave it out")
    numbers = _bin_numbers(rows, sizes, bins)
    inside = [numbers == number for number in np.unique(numbers)]
    table = tuple(_bin(rows, sizes, one) for one in inside)
    masses = [float(sizes[one].sum()) for one in inside]
    distances = [abs(entry.predicted - entry.observed) for entry in table]
    error = sum(mass * distance for mass, distance in zip(masses, distances, strict=True)) / sum(masses)
    return Reliability(table, Measured(float(error), None, rows.n, rows.positives))


def expected_calibration_error(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS) -> Measured:
    """ECE alone; see `Reliability`."""
    return reliability(labels, probabilities, bins=bins).error


def _bin_numbers(rows: Rows, weights: Floats, bins: int) -> Indices:
    _, tied = np.unique(rows.scores, return_inverse=True)
    sizes = np.bincount(tied, weights=weights)
    middle = np.cumsum(sizes) - sizes / 2.0
    numbers: Indices = np.floor(middle / weights.sum() * bins).astype(np.int64)[tied]
    return numbers


def _bin(rows: Rows, weights: Floats, inside: Bools) -> ReliabilityBin:
    scores, sizes = rows.scores[inside], weights[inside]
    mass = float(sizes.sum())
    risky = min(float(sizes @ rows.labels[inside]), mass)
    per_row = mass / float(sizes @ sizes)  # of the effective size, so that rows of equal weight count as rows
    return ReliabilityBin(
        count=int(scores.size),
        low=float(scores.min()),
        high=float(scores.max()),
        predicted=float(scores.mean()) if (sizes == sizes[0]).all() else float(sizes @ scores / mass),
        observed=risky / mass,
        interval=wilson(risky * per_row, mass * per_row),
    )
