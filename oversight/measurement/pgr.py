"""Performance gap recovered: how much of what gold labels would have bought did weak labels buy?

    PGR = (student - weak) / (ceiling - weak)                    (Burns et al. 2023, arXiv:2312.09390)

weak is the supervisor, student the strong model trained on its labels, ceiling the same model trained on gold
labels. The ratio is one of means over seeds, never clipped, and no seed is dropped. Where the interval of
ceiling - weak includes zero there is no gap to recover, and PGR is None rather than a large number that means
nothing. A high PGR can be made from a poor weak model or a poor ceiling: all of them are always reported, and the
paired difference to a student on the human labels alone beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Bools, Floats, Rows, Statistic, as_labels, as_sizes, weighted
from oversight.measurement.bootstrap import RESAMPLES, Draws, Estimate, hierarchical, summarise
from oversight.measurement.intervals import normal_quantile
from oversight.measurement.metrics import Metric, auroc

SMALL_GAP = 0.05
FEW_SEEDS = 5
FEW_GROUPS = 10
DISAGREEMENT = 2.0
"""Factor between the two standard errors above which a warning is due."""

_BLOCKS = 200  # left out in turn by the jackknife: enough for a standard error, and cheap


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a student recovered of the gap, on n test changes and a number of seeds.

    `weak`, `student`, `ceiling` and every entry of `others` are means over seeds with 95 % intervals; `gap` is
    ceiling - weak. `pgr` and `interval` are None exactly where `reason` says why. `standard_error` is that of PGR
    by the delta method, independent of the bootstrap: where the two tell different stories, `warnings` say so.
    `differences` are paired, student minus each of `others`, above zero where the student is
    better. `warnings` are sentences for people.
    """

    metric: str
    weak: Estimate
    student: Estimate
    ceiling: Estimate
    gap: Estimate
    pgr: float | None
    interval: tuple[float, float] | None
    standard_error: float | None
    n: int
    positives: int
    seeds: int
    groups: int
    reason: str | None
    others: Mapping[str, Estimate] = field(default_factory=dict)
    differences: Mapping[str, Estimate] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def recover(
    labels: ArrayLike,
    *,
    weak: ArrayLike,
    student: ArrayLike,
    ceiling: ArrayLike,
    others: Mapping[str, ArrayLike] | None = None,
    groups: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    metric: Metric = auroc,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Recovery:
    """PGR on gold `labels` (n,), from scores (S, n) of S seeds, or (n,) where a series is the same for all seeds.

    `others` are rivals of the student such as "naive" and "human_only", compared with it in pairs. `groups` (n,)
    are rows that are drawn together, and with `strata` (n,) each among its own. `weights` (n,) say how many rows each
    stands for, as of a sample in which not all had the same chance. The n rows and the S seeds are the same in every
    series. Metrics of which less is better work as well: both differences change their sign.
    """
    truth = as_labels(labels)
    rivals = dict(others or {})
    names = ("weak", "student", "ceiling", *rivals)
    scores = _aligned(names, (weak, student, ceiling, *rivals.values()), truth.size)
    seeds = scores[0].shape[0]
    count = truth.size if groups is None else int(np.unique(np.asarray(groups)).size)
    reason = _undefined(metric, truth, names, scores)
    if reason is None and count < 2:
        reason = "all rows lie in one group: there is nothing to resample"
    if reason is not None:
        return _nothing(metric, truth, seeds, count, list(rivals), reason)
    statistics = [_bind(metric, truth, runs) for runs in scores]
    if weights is not None:
        sizes = as_sizes(weights, rows=truth.size, name="weights")
        statistics = [_weighted(runs, sizes) for runs in statistics]
    draws = hierarchical(statistics, truth.size, seed=seed, resamples=resamples, groups=groups, strata=strata)
    covariance = _covariance(statistics, draws, truth.size, groups)
    return recovery_of(
        draws,
        list(rivals),
        n=int(truth.size),
        positives=int(truth.sum()),
        seeds=seeds,
        groups=count,
        metric=metric,
        covariance=covariance,
    )


def mean_of(repositories: Sequence[Draws]) -> Draws:
    """Return the draws of the means over several repositories, each counting the same, of the same series and number of
    resamples: what comes of them is a ratio of means, not a mean of ratios, which the smallest gap would rule.

    Rows and seeds are resampled in every repository by itself. The repositories are the same in each resample, so that
    nothing is said of others. `LabelError` for no repositories.
    """
    if not repositories:
        raise LabelError("there is no repository to take the mean of", mend="give at least one")
    values: Floats = np.mean([one.values for one in repositories], axis=0)
    resampled: Floats = np.mean([one.resampled for one in repositories], axis=0)
    return Draws(values, values[:, None], resampled)


def recovery_of(
    draws: Draws,
    rivals: Sequence[str],
    *,
    n: int,
    positives: int,
    seeds: int,
    groups: int,
    metric: Metric = auroc,
    covariance: Floats | None = None,
) -> Recovery:
    """Return what `draws` of weak, student, ceiling and `rivals`, in this order, say.

    `covariance` (3, 3) is that of the first three, for the delta method; without it there is no standard error.
    """
    gap = _of(draws, metric.better * _contrast(draws, 2, 0))
    why = _no_gap(gap)
    pgr, interval, error = None, None, None
    if why is None:
        pgr, interval = _ratio(draws)
        error = None if covariance is None else _delta_error(pgr, draws, covariance)
    return Recovery(
        metric=metric.name,
        weak=_of(draws, _one(draws, 0)),
        student=_of(draws, _one(draws, 1)),
        ceiling=_of(draws, _one(draws, 2)),
        gap=gap,
        pgr=pgr,
        interval=interval,
        standard_error=error,
        n=n,
        positives=positives,
        seeds=seeds,
        groups=groups,
        reason=why,
        others={name: _of(draws, _one(draws, 3 + k)) for k, name in enumerate(rivals)},
        differences={name: _of(draws, metric.better * _contrast(draws, 1, 3 + k)) for k, name in enumerate(rivals)},
        warnings=_warnings(gap, seeds, groups, why) + _disagreement(interval, error),
    )


def _aligned(names: Sequence[str], series: Sequence[ArrayLike], rows: int) -> list[Floats]:
    """Every series as (S, rows) with one S; a vector stands for all seeds."""
    arrays = [np.atleast_2d(np.asarray(values, dtype=np.float64)) for values in series]
    seeds = max(array.shape[0] for array in arrays)
    for name, array in zip(names, arrays, strict=True):
        if array.ndim != 2 or array.shape[1] != rows or array.shape[0] not in (1, seeds):
            raise LabelError(
                f"{name} has scores of shape {array.shape} beside {rows} labels and {seeds} seeds",
                mend="score every test change once a seed with every model",
            )
    return [np.broadcast_to(array, (seeds, rows)) for array in arrays]


def _undefined(metric: Metric, labels: Bools, names: Sequence[str], scores: Sequence[Floats]) -> str | None:
    for name, runs in zip(names, scores, strict=True):
        for run in runs:
            reason = metric.check(Rows(labels, run))
            if reason is not None:
                return f"{name}: {reason}" if np.isnan(run).any() else reason
    return None


def _bind(metric: Metric, labels: Bools, runs: Floats) -> list[Statistic]:
    if (runs == runs[0]).all():
        return [metric.bind(labels, runs[0])] * runs.shape[0]
    return [metric.bind(labels, run) for run in runs]


def _weighted(runs: Sequence[Statistic], sizes: Floats) -> list[Statistic]:
    """Return the statistics of rows that stand for so many each; one that is the same for all seeds stays one."""
    made = {id(run): weighted(run, sizes) for run in runs}
    return [made[id(run)] for run in runs]


def _of(draws: Draws, contrast: Floats) -> Estimate:
    return summarise(float(draws.values @ contrast), draws.resampled @ contrast)


def _one(draws: Draws, series: int) -> Floats:
    contrast: Floats = np.zeros(draws.values.size)
    contrast[series] = 1.0
    return contrast


def _contrast(draws: Draws, plus: int, minus: int) -> Floats:
    return _one(draws, plus) - _one(draws, minus)


def _no_gap(gap: Estimate) -> str | None:
    if gap.low is None or gap.high is None:
        return gap.reason
    if not gap.excludes(0.0):
        return f"the 95 % interval of ceiling - weak, [{gap.low:.3f}, {gap.high:.3f}], includes 0: no gap to recover"
    if gap.high < 0.0:
        return f"the ceiling is below the weak reviewer by {-gap.high:.3f} or more: gold labels bought nothing"
    return None


def _ratio(draws: Draws) -> tuple[float, tuple[float, float]]:
    weak, student, ceiling = draws.values[:3]
    gained = draws.resampled[:, 1] - draws.resampled[:, 0]
    gap = draws.resampled[:, 2] - draws.resampled[:, 0]
    defined = np.isfinite(gap) & (gap != 0)
    low, high = np.quantile(gained[defined] / gap[defined], [0.025, 0.975])
    return float((student - weak) / (ceiling - weak)), (float(low), float(high))


def _delta_error(pgr: float, draws: Draws, covariance: Floats) -> float:
    """sqrt(g' C g) with g the gradient of PGR by (weak, student, ceiling)."""
    gradient = np.array([pgr - 1.0, 1.0, -pgr]) / (draws.values[2] - draws.values[0])
    return float(np.sqrt(max(gradient @ covariance @ gradient, 0.0)))


def _covariance(statistics: Sequence[Sequence[Statistic]], draws: Draws, rows: int, groups: ArrayLike | None) -> Floats:
    """Covariance (3, 3) of the means of weak, student and ceiling: that of the rows by a grouped jackknife, plus
    that of the seeds. At most `_BLOCKS` blocks of whole groups are left out in turn.
    """
    keys = np.arange(rows) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    # A fixed shuffle: neighbours in time must not end up in one block unless they are one group.
    blocks = (np.random.default_rng(0).permutation(int(keys.max()) + 1) % _BLOCKS)[keys]
    present = np.unique(blocks)
    kept = (blocks != present[:, None]).astype(np.float64)
    left_out = np.stack([np.mean([run(kept) for run in one], axis=0) for one in statistics[:3]])
    centred = left_out - left_out.mean(axis=1, keepdims=True)
    of_rows = (present.size - 1) / present.size * centred @ centred.T
    seeds = draws.by_seed.shape[1]
    of_seeds = np.cov(draws.by_seed[:3]) / seeds if seeds > 1 else np.zeros((3, 3))
    total: Floats = of_rows + of_seeds
    return total


def _warnings(gap: Estimate, seeds: int, groups: int, reason: str | None) -> tuple[str, ...]:
    found = []
    if reason is None and gap.value is not None and gap.value < SMALL_GAP:
        found.append(f"the gap of {gap.value:.3f} is below {SMALL_GAP}: PGR is a ratio of small numbers")
    if seeds < FEW_SEEDS:
        found.append(f"{seeds} seed(s) only: training noise is not in the interval; use at least {FEW_SEEDS}")
    if 1 < groups < FEW_GROUPS:
        found.append(f"{groups} groups only: intervals from fewer than {FEW_GROUPS} are too narrow")
    if gap.undefined and gap.reason is None:
        found.append(f"{gap.undefined} of {gap.resamples} resamples had one class only and were left out")
    return tuple(found)


def _disagreement(interval: tuple[float, float] | None, error: float | None) -> tuple[str, ...]:
    if interval is None or error is None or error == 0.0:
        return ()
    ratio = (interval[1] - interval[0]) / (2.0 * normal_quantile(0.95)) / error
    if 1.0 / DISAGREEMENT <= ratio <= DISAGREEMENT:
        return ()
    return (f"the bootstrap's standard error is {ratio:.1f} times that of the delta method: trust neither",)


def _nothing(metric: Metric, labels: Bools, seeds: int, groups: int, rivals: Sequence[str], reason: str) -> Recovery:
    none = Estimate(None, None, None, None, 0.95, 0, 0, reason)
    return Recovery(
        metric=metric.name,
        weak=none,
        student=none,
        ceiling=none,
        gap=none,
        pgr=None,
        interval=None,
        standard_error=None,
        n=int(labels.size),
        positives=int(labels.sum()),
        seeds=seeds,
        groups=groups,
        reason=reason,
        others=dict.fromkeys(rivals, none),
        differences=dict.fromkeys(rivals, none),
        warnings=_warnings(none, seeds, groups, reason),
    )
