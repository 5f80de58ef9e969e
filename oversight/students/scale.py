"""The scale that profiles are placed on: quantiles of a repository's own changes, column by column.

A scale moves on with the history: it is taken from the RECENT changes before a block of BLOCK, in a review, in a scored
history and in training alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.float32]
"""(K, B + 1): the edges of B bins for each of K numbers, ascending, finite, as signed logarithms."""

RECENT = 300
"""How many of a repository's changes before one its percentile is taken among, and a scale is taken from."""

BLOCK = 100
"""How many changes that follow each other share a scale."""

ENOUGH = 100
"""With fewer changes than this before one, the model's own scale and its reference quantiles stand in."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Which scale each change is placed on: `edges` has S of them, (K, B + 1) each, `of` a number by change."""

    edges: tuple[Edges, ...] = ()
    of: Mapping[str, int] = field(default_factory=dict)

    def names(self, changes: Iterable[str]) -> bool:
        """Return whether there is a scale for every one of `changes`."""
        return all(change in self.of for change in changes)

    def __add__(self, other: Scales) -> Scales:
        """Return the scales of both, of changes that are not in both."""
        shifted = {change: number + len(self.edges) for change, number in other.of.items()}
        return Scales(self.edges + other.edges, {**self.of, **shifted})


def moving_scales(changes: Sequence[str], profiles: NDArray[np.float32], bins: int) -> Scales:
    """Return the scales of a repository's `changes` (N,) with `profiles` (N, K), in order of time.

    The first block has none before it: it is placed among the first RECENT, as no review would be.
    """
    starts = range(0, len(profiles), BLOCK)
    edges = tuple(quantile_edges(profiles[max(0, start - RECENT) : start or RECENT], bins) for start in starts)
    return Scales(edges, {change: row // BLOCK for row, change in enumerate(changes)})


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
