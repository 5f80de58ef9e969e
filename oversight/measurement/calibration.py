"""Are the probabilities right? Bins of equal mass, their intervals, and one number. Nothing is fitted here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Indices, Measured, Rows, as_rows, undefined
from oversight.measurement.intervals import Interval, wilson

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of the reliability table: `count` rows with predictions from `low` to `high`.

    `predicted` is their mean probability, `observed` the share of risky rows among them and `interval` the 95 %
    Wilson interval of that share.
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
    biased upwards: a perfect model on n rows and b bins shows about sqrt(2 b p (1 - p) / (pi n)).
    Without a value in `error`, `bins` is empty.
    """

    bins: tuple[ReliabilityBin, ...]
    error: Measured


def reliability(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS) -> Reliability:
    """Reliability of `probabilities` (n,) in [0, 1] against `labels` (n,), in at most `bins` bins.

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
    numbers = _bin_numbers(rows, bins)
    table = tuple(_bin(rows, numbers == number) for number in np.unique(numbers))
    error = sum(entry.count * abs(entry.predicted - entry.observed) for entry in table) / rows.n
    return Reliability(table, Measured(float(error), None, rows.n, rows.positives))


def expected_calibration_error(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = BINS) -> Measured:
    """ECE alone; see `Reliability`."""
    return reliability(labels, probabilities, bins=bins).error


def _bin_numbers(rows: Rows, bins: int) -> Indices:
    _, tied, sizes = np.unique(rows.scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2.0
    numbers: Indices = np.floor(middle / rows.n * bins).astype(np.int64)[tied]
    return numbers


def _bin(rows: Rows, inside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ReliabilityBin:
    scores, risky = rows.scores[inside], int(rows.labels[inside].sum())
    count = int(scores.size)
    return ReliabilityBin(
        count=count,
        low=float(scores.min()),
        high=float(scores.max()),
        predicted=float(scores.mean()),
        observed=risky / count,
        interval=wilson(risky, count),
    )
