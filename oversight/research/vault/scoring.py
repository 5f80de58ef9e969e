"""Predictions against labels: the paired comparison that the ladder goes by, and recovery with its intervals.

The error of a difference is that of DeLong's placements (1988, doi:10.2307/2531595), summed by block of time
(Obuchowski 1997, doi:10.2307/2533958): quick, and without the noise of a bootstrap. Draws are the same in both halves,
so that the ladder's error is that of the rows; recovery resamples rows and draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oversight.measurement.bootstrap import Draws, hierarchical
from oversight.measurement.metrics import auroc
from oversight.measurement.pgr import Recovery, mean_of, recovery_of
from oversight.research.model import Floats
from oversight.research.vault.gold import SERIES, Flags, Ground

Predictions = Mapping[str, Floats]
"""P(risky) by ground, (K draws, T test changes)."""

RIVALS = ("default", "human_only", "naive")
"""What every student is compared with, in pairs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second in AUROC, a mean over grounds and draws, and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Scale:
    """AUROC of the weak reviewer and the gap up to the ceiling over some rows, as means over the grounds."""

    weak: float
    gap: float

    def pgr(self, score: float) -> float:
        """Return what an AUROC recovers of the gap."""
        return (score - self.weak) / self.gap


def scale_of(grounds: Sequence[Ground], rows: Mapping[str, Flags]) -> Scale:
    """Return the ends of PGR on `rows` (T,) of each ground."""
    weak, ceiling = (mean_auroc(grounds, series_of(grounds, name), rows) for name in ("weak", "ceiling"))
    return Scale(weak, ceiling - weak)


def series_of(grounds: Sequence[Ground], name: str) -> dict[str, Floats]:
    """Return one of the series that are kept of every ground."""
    return {ground.name: ground.series[name] for ground in grounds}


def mean_auroc(grounds: Sequence[Ground], scores: Predictions, rows: Mapping[str, Flags]) -> float:
    """Return AUROC on `rows` (T,) of each ground, a mean over draws and grounds."""
    areas = [
        np.mean([placements(ground.labels[chosen], run[chosen])[0] for run in scores[ground.name]])
        for ground in grounds
        for chosen in (rows[ground.name],)
    ]
    return float(np.mean(areas))


def compare(
    grounds: Sequence[Ground], first: Predictions, second: Predictions, rows: Mapping[str, Flags]
) -> Difference:
    """Compare two predictions on the same `rows` (T,) of each ground."""
    values, variances = [], []
    for ground in grounds:
        chosen = rows[ground.name]
        labels, blocks = ground.labels[chosen], ground.blocks[chosen]
        value, influence = 0.0, np.zeros(labels.size)
        for sign, scores in ((1.0, first), (-1.0, second)):
            runs = scores[ground.name]
            for run in runs:
                area, placed = placements(labels, run[chosen])
                value += sign * area / len(runs)
                influence += sign * placed / len(runs)
        sums = np.bincount(blocks, influence)[np.unique(blocks)]
        values.append(value)
        variances.append(float(np.sum(sums**2)) * sums.size / (sums.size - 1))
    return Difference(float(np.mean(values)), float(np.sqrt(np.sum(variances))) / len(values))


def placements(labels: Flags, scores: Floats) -> tuple[float, Floats]:
    """Return AUROC of scores (n,), and what each row adds to its error (n,): sums to 0 in each class."""
    risky, clean = np.sort(scores[labels]), np.sort(scores[~labels])
    placed = np.empty(labels.size)
    placed[labels] = _below(clean, scores[labels])
    placed[~labels] = 1 - _below(risky, scores[~labels])
    area = float(placed[labels].mean())
    placed -= area
    placed[labels] /= risky.size
    placed[~labels] /= clean.size
    return area, placed


def _below(ordered: Floats, values: Floats) -> Floats:
    """Return the share of `ordered` (m,) that lies below each of the values; ties count half."""
    both = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    shares: Floats = both / (2.0 * ordered.size)
    return shares


def recoveries(
    grounds: Sequence[Ground], students: Mapping[str, Predictions], rows: Mapping[str, Flags], *, resamples: int
) -> dict[str, Recovery]:
    """Return PGR of each of `students`, and of each of `RIVALS` itself, by name, on `rows` (T,) of each ground: ratios
    of means over the grounds, with differences to each of `RIVALS`. All are on the same resamples.
    """
    names = (*SERIES, *students)
    draws = mean_of([_drawn(ground, students, rows[ground.name], resamples) for ground in grounds])
    chosen = [(ground, rows[ground.name]) for ground in grounds]

    def of(student: str) -> Recovery:
        picked = [names.index(name) for name in ("weak", student, "ceiling", *RIVALS)]
        return recovery_of(
            Draws(draws.values[picked], draws.by_seed[picked], draws.resampled[:, picked]),
            RIVALS,
            n=sum(int(taken.sum()) for _, taken in chosen),
            positives=sum(int(ground.labels[taken].sum()) for ground, taken in chosen),
            seeds=min(ground.shape[0] for ground in grounds),
            groups=min(np.unique(ground.blocks[taken]).size for ground, taken in chosen),
        )

    return {name: of(name) for name in (*students, *RIVALS)}


def _drawn(ground: Ground, students: Mapping[str, Predictions], rows: Flags, resamples: int) -> Draws:
    """Return the bootstrap of every series of a ground, and then of every student."""
    labels, blocks = ground.labels[rows], ground.blocks[rows]
    series = [*(ground.series[name] for name in SERIES), *(one[ground.name] for one in students.values())]
    statistics = [[auroc.bind(labels, run[rows]) for run in runs] for runs in series]
    return hierarchical(statistics, labels.size, seed=0, resamples=resamples, groups=blocks)
