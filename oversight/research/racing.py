"""Screens that are broken off: what can no longer reach the bar is not trained to the end (racing, Maron & Moore 1994).

    screen ── draw 1 ── draw 2 ── … ── draw K        after each draw: what will all of them say?

Some draws are easier than others, for every configuration. So an experiment is compared with the hand-chosen default
on the draws that both have seen, and the rest is foretold from the default's. How far such forecasts miss is known from
the experiments that were screened to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oversight.research.references import REFERENCES
from oversight.research.study import Result

PROMISING = 2 / 3
"""Share of the newest screens that one has to reach for the vault to be asked."""

NEWEST = 30
"""Screens that one is compared with. A search soon proposes little but what is better than most of what it began with:
beside all screens nearly everything would be promising, and the vault's answers used up on it.
"""

_FEWEST = 8
"""Screens that ended, below which nobody knows how far forecasts miss."""

_DEVIATIONS = 2.0


@dataclass(frozen=True)
class Race:
    """What a screen runs against. `bar`: an AUROC; `pace`: the default's AUROC of each draw, (K,); `slack`: what is to
    be allowed for after so many draws, (K,). Without a pace or a slack all screens run to the end.
    """

    bar: float = 0.0
    pace: tuple[float, ...] = ()
    slack: tuple[float, ...] = ()

    def foretold(self, seen: Sequence[float]) -> float:
        """Return the mean over all draws, of which the first were `seen`: the mean itself, where all were."""
        if len(seen) >= len(self.pace):
            return float(np.mean(seen))
        return float(np.mean(self.pace) + np.mean(np.subtract(seen, self.pace[: len(seen)])))

    def lost(self, seen: Sequence[float]) -> bool:
        """Whether draws that were not seen yet can be expected to change nothing."""
        if not 0 < len(seen) < min(len(self.pace), len(self.slack) + 1):
            return False
        return self.foretold(seen) + self.slack[len(seen) - 1] < self.bar


def promising(results: Sequence[Result]) -> float:
    """Return the AUROC that the next screens have to reach; 0 before there are any."""
    screens = [one.screen.auroc for one in results if one.screen is not None]
    return float(np.quantile(screens[-NEWEST:], PROMISING)) if screens else 0.0


def race(results: Sequence[Result], bar: float) -> Race:
    """Return the race that results so far make of a bar."""
    screens = [one.screen for one in results if one.screen is not None and one.screen.whole and one.screen.by_draw]
    default = REFERENCES["default"].identity
    pace = next((one.screen.by_draw for one in results if one.screen and one.configuration.identity == default), ())
    others = [screen for screen in screens if screen.by_draw != pace and len(screen.by_draw) == len(pace)]
    if not pace or len(others) < _FEWEST:
        return Race(bar)
    plain = Race(bar, pace)
    missed = np.array(
        [[screen.auroc - plain.foretold(screen.by_draw[:seen]) for seen in range(1, len(pace))] for screen in others]
    )
    return Race(bar, pace, tuple((_DEVIATIONS * np.sqrt((missed**2).mean(axis=0))).tolist()))
