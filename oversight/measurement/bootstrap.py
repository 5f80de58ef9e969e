"""Percentile bootstrap on row weights: a resample is how often each row was drawn, not a copy of the rows.

Sorting happens once when a metric is bound; a resample costs a few passes over the rows. One resample is applied
to every series under comparison, which is what makes differences and ratios between them precise. Everything is
deterministic by seed, and independent of how many resamples are computed at a time.

Intervals are percentile intervals (Efron & Tibshirani 1993, chapter 13). Resamples in which a statistic is
undefined (a rare class not drawn at all) are counted; above `UNDEFINED_ALLOWED` of them there is no interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oversight.errors import LabelError
from oversight.measurement.arrays import Floats, Indices, Statistic

RESAMPLES = 2_000
UNDEFINED_ALLOWED = 0.01
_CHUNK_CELLS = 400_000  # rows times resamples at a time: 3 MB of weights, small enough for the cache


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its bootstrap interval.

    `value` is the statistic on the rows themselves. `low`, `high` bound the interval at `level`, `error` is the
    bootstrap standard error; these three and only these are None where `reason` says why there is none.
    `undefined` of the `resamples` had no value.
    """

    value: float | None
    low: float | None
    high: float | None
    error: float | None
    level: float
    resamples: int
    undefined: int
    reason: str | None

    def excludes(self, number: float) -> bool:
        """Whether there is an interval and `number` lies outside of it."""
        return self.low is not None and self.high is not None and not self.low <= number <= self.high


def row_weights(
    rows: int,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> Iterator[Floats]:
    """Bootstrap weights in chunks (b, rows) until `resamples` have come.

    Whole groups are drawn with replacement, as many as there are, rows being groups of their own unless `groups`
    (rows,) says which belong together. With `strata` (rows,) the drawing is done inside each stratum, whose number
    of groups then stays fixed; a group must lie in one stratum (`LabelError`).
    """
    members = _codes(groups, rows, "groups")
    strata_of = _strata_of_groups(members, _codes(strata, rows, "strata") if strata is not None else None)
    pools = [np.flatnonzero(strata_of == stratum) for stratum in np.unique(strata_of)]
    generator = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_CELLS // max(rows, 1))
    whole = groups is None
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        counts = np.stack([_counts(generator, pools, strata_of.size) for _ in range(size)])
        yield counts if whole else counts[:, members]


def _counts(generator: np.random.Generator, pools: Sequence[NDArray[np.intp]], groups: int) -> Floats:
    drawn = [pool[generator.integers(0, pool.size, pool.size)] for pool in pools]
    chosen = drawn[0] if len(drawn) == 1 else np.concatenate(drawn) if drawn else np.zeros(0, dtype=np.int64)
    return np.bincount(chosen, minlength=groups).astype(np.float64)


def _codes(keys: ArrayLike | None, rows: int, name: str) -> Indices:
    if keys is None:
        return np.arange(rows, dtype=np.int64)
    array = np.asarray(keys)
    if array.shape != (rows,):
        raise LabelError(f"{name} has shape {array.shape} beside {rows} rows", mend=f"pass one of {name} for each row")
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def _strata_of_groups(members: Indices, strata: Indices | None) -> Indices:
    groups = int(members.max()) + 1 if members.size else 0
    if strata is None:
        return np.zeros(groups, dtype=np.int64)
    owner = np.zeros(groups, dtype=np.int64)
    owner[members] = strata
    if not (owner[members] == strata).all():
        raise LabelError("a group lies in more than one stratum", mend="make strata from whole groups")
    return owner


def summarise(value: float | None, draws: Floats, *, level: float = 0.95) -> Estimate:
    """The estimate `value` with the percentile interval of its bootstrap `draws` (B,), NaN where undefined."""
    defined = draws[~np.isnan(draws)]
    missing = int(draws.size - defined.size)
    reason = None
    if value is None or np.isnan(value):
        value, reason = None, "the statistic is undefined on the rows themselves"
    elif draws.size == 0 or missing > UNDEFINED_ALLOWED * draws.size:
        reason = f"undefined in {missing} of {draws.size} resamples: too few rows of one class"
    if reason is not None:
        return Estimate(value, None, None, None, level, int(draws.size), missing, reason)
    low, high = np.quantile(defined, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    error = float(defined.std(ddof=1)) if defined.size > 1 else 0.0
    return Estimate(value, float(low), float(high), error, level, int(draws.size), missing, None)


def interval(
    statistic: Statistic,
    rows: int,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Interval of one statistic of `rows` rows. Arguments as for `row_weights`."""
    if rows == 0:
        return summarise(None, np.zeros(0), level=level)
    chunks = row_weights(rows, seed=seed, resamples=resamples, groups=groups, strata=strata)
    draws = np.concatenate([statistic(weights) for weights in chunks])
    return summarise(_plain(statistic, rows), draws, level=level)


def paired_difference(
    first: Statistic,
    second: Statistic,
    rows: int,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Interval of first - second, both on the same resample each time. Arguments as for `row_weights`."""
    return interval(
        lambda weights: first(weights) - second(weights),
        rows,
        seed=seed,
        resamples=resamples,
        groups=groups,
        strata=strata,
        level=level,
    )


def _plain(statistic: Statistic, rows: int) -> float:
    return float(statistic(np.ones((1, rows)))[0])


@dataclass(frozen=True, slots=True)
class Draws:
    """K series over S seeds: `values` (K,) are means over seeds on the rows themselves, `by_seed` (K, S) the same
    a seed, `resampled` (B, K) the means in each bootstrap resample, all series of one row on the same resample.
    """

    values: Floats
    by_seed: Floats
    resampled: Floats


def hierarchical(
    series: Sequence[Sequence[Statistic]],
    rows: int,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    groups: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> Draws:
    """Bootstrap over seeds and groups of rows, crossed: `series` holds K series of S statistics, one a seed.

    Each resample draws S seeds and, independently, the groups, and applies both to every series: the mean over
    the drawn seeds of the statistic on the drawn rows. Resampling both ways at once errs to the wide side, by at
    most the variance that seeds and rows share (Owen 2007, doi:10.1214/07-AOAS122).
    """
    seeds = len(series[0]) if series else 0
    if seeds == 0 or any(len(statistics) != seeds for statistics in series):
        raise LabelError("every series needs one statistic a seed", mend="run all of them with the same seeds")
    # A generator of its own, so that the rows drawn do not depend on how many seeds there are.
    generator = np.random.default_rng([seed, seeds])
    resampled = []
    for weights in row_weights(rows, seed=seed, resamples=resamples, groups=groups, strata=strata):
        drawn = generator.multinomial(seeds, np.full(seeds, 1.0 / seeds), size=weights.shape[0]) / seeds
        resampled.append(np.stack([_mean_over_seeds(one, weights, drawn) for one in series], axis=1))
    by_seed = np.array([[_plain(statistic, rows) for statistic in one] for one in series])
    return Draws(by_seed.mean(axis=1), by_seed, np.concatenate(resampled))


def _mean_over_seeds(statistics: Sequence[Statistic], weights: Floats, drawn: Floats) -> Floats:
    """Mean of S statistics weighted by how often each seed was drawn, `drawn` (b, S): (b,)."""
    if all(statistic is statistics[0] for statistic in statistics):
        return statistics[0](weights)
    total = np.zeros(weights.shape[0])
    for statistic, share in zip(statistics, drawn.T, strict=True):
        chosen = share > 0
        total[chosen] += share[chosen] * statistic(weights[chosen])
    return total


def time_blocks(times: ArrayLike, *, blocks: int = 50) -> Indices:
    """Groups (n,) of rows that follow each other in time, `blocks` of equal size up to ties: changes of one week
    share authors, branches and fashions, and are not independent draws.
    """
    values = np.asarray(times, dtype=np.float64)
    if blocks < 1:
        raise LabelError(f"{blocks} blocks make no sense", mend="ask for at least one block")
    _, tied, sizes = np.unique(values, return_inverse=True, return_counts=True)
    first = np.cumsum(sizes) - sizes
    numbers: Indices = (first * blocks // max(values.size, 1)).astype(np.int64)[tied]
    return numbers
