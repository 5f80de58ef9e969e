"""The scale that profiles are placed on: quantiles of a repository's own changes, column by column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.float32]
"""(K, B + 1): the edges of B bins for each of K numbers, ascending, finite, as signed logarithms."""


def quantile_edges(profiles: NDArray[np.float32], bins: int) -> Edges:
    """Return the edges (K, bins + 1) that cut each column of `profiles` (N, K) into parts of equal mass.

    NaN is unknown and counts for nothing; a column that is never known gets zeros. Quantiles are interpolated
    between the logarithms of two neighbours (type 7 of Hyndman and Fan 1996, as in `numpy.nanquantile`, which goes
    column by column in Python where anything is unknown and takes a hundred times as long).
    """
    columns = np.arange(profiles.shape[1])
    if not profiles.shape[0]:
        return np.zeros((columns.size, bins + 1), dtype=np.float32)
    largest = np.finfo(np.float32).max
    ranked = np.sort(np.clip(profiles, -largest, largest), axis=0)  # what is unknown comes last
    known = profiles.shape[0] - np.isnan(profiles).sum(axis=0)
    place = np.linspace(0, 1, bins + 1)[:, None] * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(known - 1, 0))
    # The logarithm keeps the order, so that it can wait until few numbers are left.
    low, high = signed_log(ranked[below, columns]), signed_log(ranked[above, columns])
    edges = _between(low, high, place - below).astype(np.float32)
    return np.ascontiguousarray(np.where(known > 0, np.maximum.accumulate(edges, axis=0), 0).T, dtype=np.float32)


def signed_log(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signed logarithm: counts of lines and of past repairs span four orders of magnitude."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _between(low: NDArray[np.float32], high: NDArray[np.float32], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate from the nearer end, so that a share of 1 gives `high` itself."""
    width = high - low
    return np.where(share < 0.5, low + width * share, high - width * (1 - share))
