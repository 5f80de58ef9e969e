"""Rows sorted once and grouped by tied score, so that any weighting of them is measured without sorting again.

Rows with equal scores form one group and are only ever counted as a whole or shared out evenly: the order in
which tied rows arrive cannot matter to anything built on this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oversight.measurement.arrays import Bools, Floats, Indices


@dataclass(frozen=True, slots=True)
class Ranking:
    """n rows in G groups of equal score, highest score first.

    `order` (n,) sorts the rows, `labels` (n,) float64 is 1.0 where the sorted row is risky, `starts` (G,) is
    where each group begins among the sorted rows.
    """

    order: Indices
    labels: Floats
    starts: Indices

    @classmethod
    def of(cls, labels: Bools, scores: Floats) -> Ranking:
        """Sort `scores` (n,), highest first. NaN must have been refused before."""
        order = np.argsort(-scores, kind="stable").astype(np.int64)
        ranked = scores[order]
        fresh = np.ones(ranked.size, dtype=np.bool_)
        fresh[1:] = ranked[1:] != ranked[:-1]
        return cls(order, labels[order].astype(np.float64), np.flatnonzero(fresh).astype(np.int64))

    def totals(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight of the risky rows and of all rows in each group, for weights (B, n): two arrays (B, G)."""
        ranked = weights[:, self.order]
        return self._grouped(ranked * self.labels), self._grouped(ranked)

    def sums(self, weights: Floats, amounts: Floats) -> Floats:
        """Weighted sum of `amounts` (n,), given in the original row order, in each group: (B, G)."""
        return self._grouped(weights[:, self.order] * amounts[self.order])

    def _grouped(self, ranked: Floats) -> Floats:
        if self.starts.size == ranked.shape[1]:
            return ranked
        return np.add.reduceat(ranked, self.starts, axis=1)


def before(totals: Floats) -> Floats:
    """For each group (B, G), what lies in the groups ranked above it."""
    reached = np.cumsum(totals, axis=1)
    return reached - totals
