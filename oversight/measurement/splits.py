"""Splits that do not look into the future.

The protocol is fixed: of the changes in order of time the oldest 35 % train the weak reviewer, the next 35 % the
student, the next 20 % test, and the newest 10 % are dropped because too little time has passed for people to have
found what is wrong with them. Every label that training sees is as it was known at the end of its window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Bools, Floats, Indices, as_labels

SHARES = (0.35, 0.35, 0.20, 0.10)
"""weak-train, student-train, test, dropped: shares of the changes in order of time."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Row numbers of each window in order of time, and the moments that divide them.

    Every time in a window is before every time in the next. `straddling` rows are in no window: they belong to a
    group that an earlier window holds. `student_from`, `test_from` and `dropped_from` are the times at which
    those windows begin; training for a window may use what was known strictly before the next begins.
    """

    weak_train: Indices
    student_train: Indices
    test: Indices
    dropped: Indices
    straddling: Indices
    student_from: float
    test_from: float
    dropped_from: float


def windows(times: ArrayLike, *, groups: ArrayLike | None = None) -> Windows:
    """Split rows by `times` (n,), Unix seconds, into the windows of the protocol.

    Rows of one moment stay together, so sizes are exact up to ties. `groups` (n,) are rows that must not meet
    across windows (the same patch picked twice): a group stays where it appears first and its later rows are left
    out, since moving them back would show the past its future. `LabelError` where a window would be empty.
    """
    moments = _finite(times, "times")
    total = moments.size
    if total < len(SHARES):
        raise LabelError(f"{total} changes are too few for four windows", mend="use a longer history")
    bounds = [_boundary(np.sort(moments), float(share) * total) for share in np.cumsum(SHARES[:-1])]
    number = np.searchsorted(bounds, moments, side="right")
    straddling = _straddling(number, groups)
    parts = [_chronological(np.flatnonzero((number == part) & ~straddling), moments) for part in range(4)]
    for part, name in zip(parts, ("weak-train", "student-train", "test", "newest"), strict=True):
        if part.size == 0:
            raise LabelError(f"the {name} window is empty", mend="use a longer history, with times that differ")
    weak_train, student_train, test, dropped = parts
    return Windows(
        weak_train=weak_train,
        student_train=student_train,
        test=test,
        dropped=dropped,
        straddling=_chronological(np.flatnonzero(straddling), moments),
        student_from=bounds[0],
        test_from=bounds[1],
        dropped_from=bounds[2],
    )


def _boundary(ordered: Floats, cut: float) -> float:
    """The first moment after the cut: rows of one moment go to the side on which most of them lie."""
    moment = ordered[min(round(cut), ordered.size - 1)]
    first, last = np.searchsorted(ordered, moment, side="left"), np.searchsorted(ordered, moment, side="right")
    if cut - first <= last - cut:
        return float(moment)
    return float(ordered[last]) if last < ordered.size else math.inf


def newest(times: ArrayLike, *, share: float) -> Bools:
    """The plain split of most published studies: True (n,) for the newest `share` of rows.

    Ties in time are broken by row order, as a stable sort does. Not for our own claims: labels are not censored.
    """
    moments = _finite(times, "times")
    chosen = np.zeros(moments.size, dtype=np.bool_)
    chosen[np.argsort(moments, kind="stable")[int((1.0 - share) * moments.size + 1e-9) :]] = True
    return chosen


def _finite(times: ArrayLike, name: str) -> Floats:
    moments = np.asarray(times, dtype=np.float64)
    if moments.ndim != 1 or not np.isfinite(moments).all():
        raise LabelError(f"{name} must be one finite number a change", mend="leave out changes without a time")
    return moments


def _straddling(number: Indices, groups: ArrayLike | None) -> Bools:
    if groups is None:
        return np.zeros(number.size, dtype=np.bool_)
    keys = np.asarray(groups)
    if keys.shape != number.shape:
        raise LabelError(f"groups have shape {keys.shape} beside {number.size} times", mend="pass one group a change")
    members = np.unique(keys, return_inverse=True)[1]
    first = np.full(int(members.max()) + 1, len(SHARES))
    np.minimum.at(first, members, number)
    later: Bools = number > first[members]
    return later


def _chronological(rows: Indices, moments: Floats) -> Indices:
    return rows[np.argsort(moments[rows], kind="stable")].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Known:
    """Labels as they stood at a cut-off: `risky` (n,), meaningful where `mature` (n,) is True."""

    risky: Bools
    mature: Bools


def known_at(labels: ArrayLike, times: ArrayLike, decided: ArrayLike, *, cutoff: float, waiting: float) -> Known:
    """What was known of each change at `cutoff`, and which labels were ripe by then.

    `labels` (n,) are today's; `decided` (n,) is when a risky change became known as risky (NaN for clean ones);
    all times are Unix seconds. Risky before the cut-off: risky and mature. Not known as risky, but older than
    `waiting` seconds: clean and mature, even where people found out later. Anything else is not mature.
    """
    risky_today = as_labels(labels)
    moments = _finite(times, "times")
    found = np.asarray(decided, dtype=np.float64)
    if moments.shape != risky_today.shape or found.shape != risky_today.shape:
        raise LabelError("labels, times and decision times differ in length", mend="pass one of each a change")
    if np.isnan(found[risky_today]).any():
        raise LabelError("a risky change has no time of decision", mend="give the date on which it became known")
    past = moments < cutoff
    risky = past & risky_today & (np.nan_to_num(found, nan=np.inf) < cutoff)
    mature = risky | (past & (moments + waiting <= cutoff))
    return Known(risky, mature)


def draw_human(rows: ArrayLike, count: int, *, seed: int) -> Indices:
    """`count` of the mature `rows`, drawn uniformly at random without replacement, in ascending order.

    With the same seed a smaller draw is part of every larger one, so that curves over `count` differ by what was
    added alone. `LabelError` where there are fewer rows than that.
    """
    pool = np.unique(np.asarray(rows, dtype=np.int64))
    if count < 1 or count > pool.size:
        raise LabelError(
            f"{count} human labels cannot be drawn from {pool.size} mature changes",
            mend="ask for at least 1 and no more than there are, or use a longer history",
        )
    return np.sort(np.random.default_rng(seed).permutation(pool)[:count])
