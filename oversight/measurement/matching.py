"""Taking size out of the comparison: large changes are riskier, and a model that only learns that is worth nothing.

Risky and clean changes are paired by churn; on the pairs a ranking by size is at chance, and what a model scores
above .5 is what it knows beyond size.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Indices, Measured, as_labels, as_rows, as_sizes, undefined
from oversight.measurement.metrics import auroc

CALIPER = 0.1
"""Largest difference in log(1 + churn) inside a pair: a tenth of the size for all but the smallest changes."""


def size_matched(labels: ArrayLike, churn: ArrayLike, *, seed: int, caliper: float = CALIPER) -> Indices:
    """Pairs (m, 2) of row numbers, a risky and a clean change of nearly equal `churn` (n,), no row used twice.

    Risky changes take turns in an order shuffled by `seed` and each takes the nearest clean change that is left,
    one of the same distance being picked at random; those with none inside the `caliper` go unpaired.
    """
    risky = as_labels(labels)
    size = np.log1p(as_sizes(churn, rows=risky.size, name="churn"))
    generator = np.random.default_rng(seed)
    clean = generator.permutation(np.flatnonzero(~risky))
    clean = clean[np.argsort(size[clean], kind="stable")]
    lengths = size[clean].tolist()
    left, right = _Free(clean.size, step=-1), _Free(clean.size, step=1)
    pairs = []
    for row in generator.permutation(np.flatnonzero(risky)).tolist():
        wanted = float(size[row])
        at = int(np.searchsorted(size[clean], wanted))
        above, below = right.nearest(at), left.nearest(at - 1)
        gap_above = lengths[above] - wanted if above < clean.size else math.inf
        gap_below = wanted - lengths[below] if below >= 0 else math.inf
        chosen, gap = (above, gap_above) if gap_above <= gap_below else (below, gap_below)
        if gap <= caliper:
            left.take(chosen)
            right.take(chosen)
            pairs.append((row, int(clean[chosen])))
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


class _Free:
    """The nearest free place at or beyond a place in one direction, in near-constant time (union-find)."""

    def __init__(self, places: int, *, step: int) -> None:
        # Slot p + 1 stands for place p, so that -1 and `places`, which are never taken, have slots as well.
        self._next = list(range(places + 2))
        self._step = step

    def nearest(self, place: int) -> int:
        """`place` if free, otherwise the next free one; -1 or the number of places where there is none."""
        slot = place + 1
        trail = []
        while self._next[slot] != slot:
            trail.append(slot)
            slot = self._next[slot]
        for passed in trail:
            self._next[passed] = slot
        return slot - 1

    def take(self, place: int) -> None:
        self._next[place + 1] = place + 1 + self._step


def size_matched_auroc(
    labels: ArrayLike, scores: ArrayLike, churn: ArrayLike, *, seed: int = 0, caliper: float = CALIPER
) -> Measured:
    """AUROC among the rows that `size_matched` pairs: what the scores (n,) know beyond size."""
    rows = as_rows(labels, scores)
    reason = undefined(rows, both_classes=True)
    if reason is not None:
        return Measured(None, reason, rows.n, rows.positives)
    paired = size_matched(rows.labels, churn, seed=seed, caliper=caliper).ravel()
    if paired.size == 0:
        return Measured(None, "no risky change has a clean one of its size", rows.n, rows.positives)
    return auroc(rows.labels[paired], rows.scores[paired])


def size_strata(churn: ArrayLike, *, strata: int = 5) -> Indices:
    """Stratum (n,) of each change, 0 the smallest changes: `strata` of equal mass, equal sizes never divided."""
    if strata < 1:
        raise LabelError(f"{strata} strata make no sense", mend="ask for at least one")
    size = as_sizes(churn, rows=np.asarray(churn).size, name="churn")
    if size.size == 0:
        return np.zeros(0, dtype=np.int64)
    _, tied, counts = np.unique(size, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2.0
    numbers: Indices = np.floor(middle / size.size * strata).astype(np.int64)[tied]
    return numbers
