"""Figures of `benchmarks.weak_to_strong`: PGR and paired differences, by repository and of means over several."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.student_rows import write_arrays
from benchmarks.weak_runs import WEAK, Cell, Site, say, truth_of
from oversight.experiment.choice import AUTO
from oversight.measurement.bootstrap import Draws, Estimate, hierarchical, interval, time_blocks
from oversight.measurement.metrics import auroc
from oversight.measurement.pgr import Recovery, mean_of, recovery_of

Floats: TypeAlias = NDArray[np.float64]
Figure: TypeAlias = dict[str, Any]

RESAMPLES = 1_000
RIVALS = ("naive", "human-only")
"""What every method is compared with, in pairs."""

_REFERENCES = ("weak", "ceiling", "human-only")


@dataclass(frozen=True)
class Drawn:
    """The bootstrap of one cell with one start and one weak reviewer: series by name, and counts for people."""

    names: tuple[str, ...]
    draws: Draws
    seconds: Mapping[str, float]
    n: int
    positives: int
    seeds: int

    def of(self, *names: str) -> Draws:
        """Return these series alone, in this order."""
        rows = [self.names.index(name) for name in names]
        draws = self.draws
        return Draws(draws.values[rows], draws.by_seed[rows], draws.resampled[:, rows])


class Measured:
    """What was trained, by repository: the cell with every method first, then those of the curve."""

    def __init__(self, sites: Mapping[str, Site], cells: Mapping[str, Sequence[Cell]]) -> None:
        self.sites, self.cells = sites, cells
        self.drawn = cache(self._drawn)

    def best(self, choosing: Sequence[str], count: int) -> tuple[str, ...]:
        """Return the methods with the highest mean over the choosing repositories, weak reviewers and starts."""
        cell = self.cells[choosing[0]][0]
        means = {
            name: float(
                np.mean(
                    [
                        self.drawn(repository, 0, start, weak).of(name).values[0]
                        for repository in choosing
                        for start in cell.starts
                        for weak in WEAK
                    ]
                )
            )
            for name in cell.names
            if name not in (*RIVALS, AUTO)
        }
        return tuple(sorted(means, key=lambda name: -means[name])[:count])

    def results(self, choosing: Sequence[str]) -> dict[str, Any]:
        """Return all figures as JSON."""
        found = {name: self._repository(name) for name in self.cells}
        return {"repositories": found, "means": self._means(choosing)}

    def _repository(self, name: str) -> dict[str, Any]:
        site, truth = self.sites[name], truth_of(self.sites[name])
        blocks = time_blocks(truth["times"])

        def peer(scores: Floats) -> Figure:
            statistic = auroc.bind(truth["labels"], scores)
            return told(interval(statistic, blocks.size, seed=0, resamples=RESAMPLES, groups=blocks))

        measured = [self._cell(name, number) for number in range(len(self.cells[name]))]
        return {
            "kind": site.source.kind,
            "revision": site.source.revision,
            "since": site.since,
            "n": int(blocks.size),
            "positives": int(truth["labels"].sum()),
            "peers": {"lines added": peer(truth["lines_added"]), "boosting on gold": peer(truth["boosting"])},
            "main": self.cells[name][0].human,
            "methods": measured[0],
            "cells": {str(cell.human): found for cell, found in zip(self.cells[name][1:], measured[1:], strict=True)},
        }

    def _cell(self, name: str, number: int) -> dict[str, Any]:
        """Return the figures of one cell, by start and weak reviewer."""
        cell = self.cells[name][number]
        found = {
            start: {weak: figures(self.drawn(name, number, start, weak), cell.names) for weak in WEAK}
            for start in cell.starts
        }
        say(f"{name}, {cell.human} labels: measured")
        return found

    def _means(self, choosing: Sequence[str]) -> dict[str, Any]:
        """Return figures of means over the repositories with trailers: those that were chosen on, the others, all. Of
        every method, and of the best with more seeds.
        """
        trailers = [name for name in self.cells if self.sites[name].source.kind == "trailers"]
        groups = {
            "choosing": [name for name in trailers if name in choosing],
            "confirming": [name for name in trailers if name not in choosing],
            "all": trailers,
        }
        means: dict[str, Any] = {}
        for group, names in groups.items():
            if not names:
                continue
            means[group] = {"repositories": {name: self.cells[name][0].human for name in names}}
            for number, kind in enumerate(("methods", "final")):
                cell = self.cells[names[0]][number]
                means[group][kind] = {
                    start: {
                        weak: figures(joined([self.drawn(name, number, start, weak) for name in names]), cell.names)
                        for weak in WEAK
                    }
                    for start in cell.starts
                }
        return means

    def _drawn(self, repository: str, number: int, start: str, weak: str) -> Drawn:
        site, cell = self.sites[repository], self.cells[repository][number]
        truth = truth_of(site)
        names = (*_REFERENCES, *cell.names)
        series, seconds = [], {}
        for name in names:
            place = (
                (start, "-") if name in ("ceiling", "human-only") else ("-", weak) if name == "weak" else (start, weak)
            )
            runs = [np.load(site.path(cell.human, *place, name, seed)) for seed in range(cell.seeds)]
            series.append(np.stack([run["scores"] for run in runs]).astype(np.float64))
            seconds[name] = float(np.mean([run["seconds"] for run in runs]))
        draws = _bootstrap(site, truth, series)
        return Drawn(names, draws, seconds, truth["labels"].size, int(truth["labels"].sum()), cell.seeds)


def _bootstrap(site: Site, truth: Mapping[str, NDArray[Any]], series: Sequence[Floats]) -> Draws:
    """Return the bootstrap of several series (S, T) of scores, kept by a hash of them."""
    digest = hashlib.sha256(truth["labels"].tobytes())
    for scores in series:
        digest.update(scores.tobytes())
    path = site.place.work / f"draws-{site.source.name}-{RESAMPLES}-{digest.hexdigest()[:16]}.npz"
    if not path.exists():
        blocks = time_blocks(truth["times"])
        statistics = [[auroc.bind(truth["labels"], run) for run in scores] for scores in series]
        draws = hierarchical(statistics, blocks.size, seed=0, resamples=RESAMPLES, groups=blocks)
        arrays = {"values": draws.values, "by_seed": draws.by_seed, "resampled": draws.resampled}
        write_arrays(path, arrays)
    with np.load(path) as kept:
        return Draws(kept["values"], kept["by_seed"], kept["resampled"])


def joined(parts: Sequence[Drawn]) -> Drawn:
    """Return the means over several repositories, each counting the same."""
    names = tuple(name for name in parts[0].names if all(name in part.names for part in parts))
    return Drawn(
        names,
        mean_of([part.of(*names) for part in parts]),
        {name: float(np.mean([part.seconds[name] for part in parts])) for name in names},
        sum(part.n for part in parts),
        sum(part.positives for part in parts),
        min(part.seeds for part in parts),
    )


def figures(drawn: Drawn, names: Sequence[str]) -> dict[str, Any]:
    """Return weak, ceiling, human-only, and every method with its PGR and its paired differences."""
    counts = {"n": drawn.n, "positives": drawn.positives, "seeds": drawn.seeds, "groups": 50}

    def recovery(name: str) -> Recovery:
        return recovery_of(drawn.of("weak", name, "ceiling", *RIVALS), RIVALS, **counts)

    base = recovery("human-only")
    return {
        "n": drawn.n,
        "positives": drawn.positives,
        "seeds": drawn.seeds,
        "weak": told(base.weak),
        "ceiling": told(base.ceiling),
        "gap": told(base.gap),
        "reason": base.reason,
        "methods": {name: _method(recovery(name), drawn.seconds[name]) for name in ("human-only", *names)},
    }


def _method(found: Recovery, seconds: float) -> Figure:
    low, high = found.interval or (None, None)
    return {
        "auroc": told(found.student),
        "pgr": {"value": found.pgr, "low": low, "high": high, "reason": found.reason},
        "over": {rival: told(estimate) for rival, estimate in found.differences.items()},
        "seconds": seconds,
    }


def told(estimate: Estimate) -> Figure:
    """Return an estimate as JSON."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "reason": estimate.reason}
