"""What every measure shares: the arrays it accepts, and the value it gives back.

Two kinds of trouble are kept apart throughout the package:

* rows that are well-formed but do not determine the number (none at all, one class only, a row without a
  score) give `Measured(None, reason)`;
* arguments that contradict each other (lengths that differ, labels other than 0 and 1, negative weights or
  sizes) are an error of the caller and raise `LabelError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oversight.errors import LabelError

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.int64]

Statistic: TypeAlias = Callable[[Floats], Floats]
"""Row weights (B, n) -> one value for each of the B weightings (B,), NaN where it is undefined.

Labels and scores are bound beforehand, so everything that does not depend on the weights (sorting above all)
is done once. Weights are the common currency of this package: ones give the plain metric, multinomial counts
a bootstrap resample, inverse propensities a weighted estimate.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number, or why there is none. Exactly one of `value` and `reason` is None.

    `n` counts the rows and `positives` the risky ones among them.
    """

    value: float | None
    reason: str | None
    n: int
    positives: int

    def require(self) -> float:
        """The value; `LabelError` with the reason where there is none."""
        if self.value is None:
            raise LabelError(
                f"the measure is undefined: {self.reason}", mend="measure more changes, with labels of both classes"
            )
        return self.value


@dataclass(frozen=True, slots=True)
class Rows:
    """Checked rows: `labels` (n,) True where risky, `scores` (n,) float64, higher is riskier, NaN where unscored."""

    labels: Bools
    scores: Floats

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.labels.size)

    @property
    def positives(self) -> int:
        """Number of risky rows."""
        return int(self.labels.sum())


def as_labels(labels: ArrayLike) -> Bools:
    """Labels as a boolean vector (n,). Accepts booleans and the numbers 0 and 1; `LabelError` for anything else."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise LabelError(f"labels must be one row a change, not of shape {array.shape}", mend="pass a flat vector")
    if array.dtype == np.bool_:
        return array
    if array.dtype.kind not in "iuf" and array.size:
        raise LabelError(f"labels must be 0 or 1, not {array.dtype}", mend="map labels to 0 (clean) and 1 (risky)")
    values = array.astype(np.float64)
    if not np.isin(values, (0.0, 1.0)).all():
        raise LabelError("labels must be 0 or 1", mend="leave out rows whose label is unknown")
    risky: Bools = values == 1.0
    return risky


def as_floats(values: ArrayLike, *, rows: int, name: str) -> Floats:
    """A float64 vector of `rows` entries; `LabelError` where the length differs. NaN passes through."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (rows,):
        raise LabelError(
            f"{name} has shape {array.shape} beside {rows} labels", mend=f"pass one value of {name} for each label"
        )
    return array


def as_sizes(values: ArrayLike, *, rows: int, name: str) -> Floats:
    """Like `as_floats`, for finite amounts that cannot be negative (churn, weights)."""
    array = as_floats(values, rows=rows, name=name)
    if not (np.isfinite(array) & (array >= 0)).all():
        raise LabelError(f"{name} must be finite and not negative", mend="leave out rows where it is unknown")
    return array


def as_rows(labels: ArrayLike, scores: ArrayLike) -> Rows:
    """Labels and scores checked against each other."""
    checked = as_labels(labels)
    return Rows(checked, as_floats(scores, rows=checked.size, name="scores"))


def undefined(rows: Rows, *, both_classes: bool) -> str | None:
    """Why no metric can be computed on these rows, or None where one can."""
    if rows.n == 0:
        return "no rows"
    missing = int(np.isnan(rows.scores).sum())
    if missing:
        return f"{missing} of {rows.n} rows have no score"
    if both_classes and rows.positives == 0:
        return "no row is risky"
    if both_classes and rows.positives == rows.n:
        return "every row is risky"
    return None


def check_share(share: float) -> None:
    """`LabelError` unless `share` lies in (0, 1]."""
    if not 0.0 < share <= 1.0:
        raise LabelError(f"a share of {share} makes no sense", mend="give a share above 0 and at most 1")


def weighted(statistic: Statistic, sizes: Floats) -> Statistic:
    """Return the statistic of rows that stand for `sizes` (n,) rows each."""
    return lambda weights: statistic(weights * sizes)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Element-wise quotient, NaN where the denominator is 0."""
    result = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result
