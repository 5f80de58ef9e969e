"""How soon a reader who takes hunks in some order comes upon one that a repair named: figures with paired intervals.

Hunks with equal scores come in no order: every figure is the exact mean over all orders of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from benchmarks.hunk_rows import Culprits
from benchmarks.student_figures import FEWEST, Figure, Resampled, difference, mean_over, told
from benchmarks.student_rows import Flags, Floats
from oversight.assessment import reading_weights
from oversight.features.facts import FACTS
from oversight.measurement.bootstrap import row_weights, summarise, time_blocks
from oversight.measurement.platt import logit

METRICS = ("recall@1", "recall@3", "reciprocal rank", "share read")
"""`recall@k`: share of changes with a guilty hunk among the first k. `share read`: of the changed lines of a change, up
to and with its first guilty hunk; the only one where less is better.
"""

PEER = "largest hunk first"
STUDENT = "student"
REPORTED = "as reported"
WITH_ODDS = "as reported, times the student's odds"

CODE = ", code first"
"""Ending of the orders that begin with files whose language has a grammar. A hunk of any other file is never guilty,
since blame is asked of code alone: to put it last is no merit, so these orders are compared among themselves.
"""

MANY = 10
"""Hunks from which a change belongs to the larger ones, in the figures by number of hunks."""

_RESAMPLES = 2_000

Ranking: TypeAlias = Callable[[Culprits], Floats]
"""A score of every hunk (H,); the greatest is read first."""

RANKINGS: Mapping[str, Ranking] = {
    STUDENT: lambda rows: rows.risk,
    REPORTED: lambda rows: -rows.reported,
    PEER: lambda rows: rows.added,
    "most changed lines first": lambda rows: rows.added + rows.deleted,
    "smallest hunk first": lambda rows: -rows.added,
    "in the order of the diff": lambda rows: -np.arange(rows.owner.size, dtype=np.float64),
    "at random": lambda rows: np.zeros(rows.owner.size),
    WITH_ODDS: lambda rows: reading_weights(rows.facts) + logit(rows.risk),
    "principles, then at random": lambda rows: rows.gravity,
    "principles, then the largest": lambda rows: then(rows.gravity, rows.added),
    "principles, then the student": lambda rows: then(rows.gravity, rows.risk),
    STUDENT + CODE: lambda rows: then(_parsed(rows), rows.risk),
    REPORTED + CODE: lambda rows: then(_parsed(rows), -rows.reported),
    PEER + CODE: lambda rows: then(_parsed(rows), rows.added),
}


def peer_of(name: str) -> str:
    """Return the order that another is compared with."""
    return PEER + CODE if name.endswith(CODE) else PEER


def _parsed(rows: Culprits) -> Floats:
    return rows.facts[:, FACTS.index("parsed")].astype(np.float64)


def then(first: Floats, second: Floats) -> Floats:
    """Return scores (H,) that order by `first` and, where that is equal, by `second`; equal where both are."""
    _, order = np.unique(np.stack((first, second), axis=1), axis=0, return_inverse=True)
    return order.ravel().astype(np.float64)


def measure(scores: Floats, guilty: Flags, lines: Floats) -> Floats:
    """Return `METRICS` (4,) of one change of H hunks, at least one of them guilty; `lines` (H,) are its changed lines.

    The first guilty hunk is one of the highest score that a guilty one has: n hunks have that score, m of them guilty,
    and a stand before them. In a random order of the n, the first j are all innocent with probability
    (n-m)/n · (n-m-1)/(n-1) ···, and any innocent one comes before all guilty ones with probability 1 / (m + 1).
    """
    top = scores[guilty].max()
    before, tied = scores > top, scores == top
    innocent, m = tied & ~guilty, int((tied & guilty).sum())
    steps = np.arange(int(innocent.sum()), dtype=np.float64)
    spared = np.concatenate(([1.0], np.cumprod((steps.size - steps) / (steps.size + m - steps)), [0.0]))
    place = int(before.sum()) + 1 + np.arange(spared.size - 1)
    chance = spared[:-1] - spared[1:]
    read = lines[before].sum() + lines[innocent].sum() / (m + 1) + lines[tied & guilty].mean()
    found = [chance[place <= most].sum() for most in (1, 3)]
    return np.array([*found, (chance / place).sum(), read / lines.sum()])


def measured(rows: Culprits, rankings: Mapping[str, Ranking] = RANKINGS) -> Floats:
    """Return `METRICS` of every change under every ranking, (C, R, 4)."""
    lines = rows.added + rows.deleted
    ends = np.searchsorted(rows.owner, np.arange(len(rows) + 1))
    values = np.zeros((len(rows), len(rankings), len(METRICS)))
    for column, ranking in enumerate(rankings.values()):
        scores = ranking(rows)
        for row, (start, end) in enumerate(pairwise(ends)):
            own = slice(start, end)
            values[row, column] = measure(scores[own], rows.guilty[own], lines[own])
    return values


def resample(rows: Culprits, values: Floats) -> dict[str, dict[str, Resampled]]:
    """Bootstrap blocks of time: means of `values` (C, R, 4) by metric and ranking, all on the same resamples."""
    blocks = time_blocks(rows.times)
    flat = values.reshape(len(rows), -1)
    draws = np.concatenate(
        [
            weights @ flat / weights.sum(axis=1, keepdims=True)
            for weights in row_weights(len(rows), seed=0, resamples=_RESAMPLES, groups=blocks)
        ]
    ).reshape(_RESAMPLES, *values.shape[1:])
    means = values.mean(axis=0)
    return {
        metric: {
            name: Resampled(float(means[column, number]), draws[:, column, number])
            for column, name in enumerate(RANKINGS)
        }
        for number, metric in enumerate(METRICS)
    }


def compared(resampled: Mapping[str, Sequence[Mapping[str, Resampled]]]) -> Figure:
    """Return the mean over repositories of every ranking and what it has over its peer, by metric."""
    figures: Figure = {}
    for metric, repositories in resampled.items():
        of_all = {name: mean for name in RANKINGS if (mean := mean_over(repositories, name)) is not None}
        figures[metric] = {
            "rankings": {name: told(summarise(mean.value, mean.draws)) for name, mean in of_all.items()},
            "over peer": {
                name: difference(mean, of_all[peer_of(name)]) for name, mean in of_all.items() if name != peer_of(name)
            },
        }
    return figures


def results(culprits: Mapping[str, Culprits], groups: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return all figures as JSON: by repository, and means over those of each group that have enough culprits."""
    repositories: dict[str, Any] = {}
    resampled: dict[str, dict[str, dict[str, Resampled]]] = {}
    for name, rows in culprits.items():
        repositories[name] = {"n": len(rows), "counts": rows.counts, "counted": len(rows) >= FEWEST}
        if not len(rows):
            continue
        values = measured(rows)
        resampled[name] = resample(rows, values)
        repositories[name] |= {
            "hunks": _quartiles(np.bincount(rows.owner)),
            "guilty": _quartiles(np.bincount(rows.owner, weights=rows.guilty)),
            "figures": compared({metric: [found] for metric, found in resampled[name].items()}),
            "by hunks": _by_hunks(rows, values),
        }
    means: dict[str, Any] = {}
    for group, members in groups.items():
        counted = [name for name in members if name in repositories and repositories[name]["counted"]]
        if counted:
            by_metric = {metric: [resampled[name][metric] for name in counted] for metric in METRICS}
            means[group] = {"repositories": counted, "figures": compared(by_metric)}
    return {"repositories": repositories, "means": means}


def _by_hunks(rows: Culprits, values: Floats) -> Figure:
    """Return plain means of changes with few hunks and with many."""
    many = np.bincount(rows.owner, minlength=len(rows)) >= MANY
    parts = {f"fewer than {MANY}": ~many, f"{MANY} and more": many}
    return {
        name: {
            "n": int(part.sum()),
            "figures": {
                ranking: dict(zip(METRICS, values[part, column].mean(axis=0).tolist(), strict=True))
                for column, ranking in enumerate(RANKINGS)
            }
            if part.any()
            else {},
        }
        for name, part in parts.items()
    }


def _quartiles(counts: Any) -> list[float]:
    return [float(quartile) for quartile in np.quantile(counts, (0.25, 0.5, 0.75))]
