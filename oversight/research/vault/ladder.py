"""When a vault says that the best so far is beaten, and what it then tells: the Ladder (Blum & Hardt 2015).

    best      =  on the whole open half: PGR above the best by more than the margin
             and on the rows of this query: the paired difference above its standard error, so many times over

The first bounds how often "best" can be said at all, whatever is asked: each time takes a margin of the open half. The
second is what a lucky guess has to pass, on rows that are others each time, and it grows with every best that was told:
answers are what leaks, and steps that are luck come cheap and many. The ladder begins at the hand-chosen
default, so that nobody can begin low and read labels off the steps upward.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oversight.research.vault.gold import Flags, Ground
from oversight.research.vault.policy import Policy
from oversight.research.vault.scoring import Predictions, compare, mean_auroc, scale_of


@dataclass(frozen=True, slots=True)
class Step:
    """Whether the best was beaten, and the rounded PGR of what was asked, which is told only then."""

    beaten: bool
    score: float


class Ladder:
    """Compares predictions for the grounds of one study; knows no query and keeps nothing."""

    def __init__(self, grounds: Sequence[Ground], policy: Policy) -> None:
        self._grounds, self._policy = grounds, policy
        self._open: Mapping[str, Flags] = {ground.name: ground.open for ground in grounds}
        self._scale = scale_of(grounds, self._open)

    @property
    def gap(self) -> float:
        """AUROC of the ceiling less that of the weak reviewer, over the open half."""
        return self._scale.gap

    @property
    def values(self) -> int:
        """How many different scores can be told, from that of the weak reviewer to that of a perfect order."""
        return max(1, math.floor(self._scale.pgr(1.0) / self._policy.rounding) + 1)

    def score(self, predictions: Predictions) -> float:
        """Return PGR over the open half, in steps of the policy's rounding."""
        return self._rounded(self._pgr(predictions))

    def step(self, predictions: Predictions, best: Predictions, query: int, bests: int) -> Step:
        """Compare predictions with the best so far, the `bests`-th, on this query's rows and on the whole open half."""
        rows = {ground.name: ground.shown(query, self._policy.shown) for ground in self._grounds}
        found = compare(self._grounds, predictions, best, rows)
        reached = self._pgr(predictions)
        gained = reached - self._pgr(best)
        wanted = self._policy.errors * (1 + self._policy.steeper * bests) * found.error
        beaten = gained > self._policy.margin and found.value > max(wanted, 0.0)
        return Step(beaten, self._rounded(reached))

    def _pgr(self, predictions: Predictions) -> float:
        return self._scale.pgr(mean_auroc(self._grounds, predictions, self._open))

    def _rounded(self, score: float) -> float:
        step = self._policy.rounding
        return round(round(score / step) * step, 10) + 0.0


def told(queries: int, bests: int, values: int) -> float:
    """Return how many bits of the labels so many answers can hold at most: which of the queries were best, what score
    each of those was told, one of so many values, and that of the default, which comes with the first answer.
    """
    scores = bests + (queries > 0)
    return math.log2(queries + 1) + math.log2(math.comb(queries, bests)) + scores * math.log2(values)
