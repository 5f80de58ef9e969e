"""Resampling: what is drawn, that it repeats, and that its intervals cover."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from oversight.errors import LabelError
from oversight.measurement import bootstrap
from oversight.measurement.bootstrap import (
    hierarchical,
    interval,
    paired_difference,
    row_weights,
    summarise,
    time_blocks,
)
from oversight.measurement.metrics import auroc


def drawn(rows: int, **options: object) -> np.ndarray:
    """All weights as one matrix (resamples, rows)."""
    return np.concatenate(list(row_weights(rows, seed=3, **options)))  # type: ignore[arg-type]


def mean_of(values: np.ndarray):
    """The weighted mean as a statistic."""
    return lambda weights: weights @ values / weights.sum(axis=1)


def scored(separation: float, size: int, generator: np.random.Generator, base: float = 0.3):
    """Labels, and normal scores whose true AUROC is Phi(separation / sqrt 2)."""
    labels = generator.random(size) < base
    return labels, separation * labels + generator.normal(size=size)


def test_a_resample_draws_as_many_rows_as_there_are():
    """Weights are counts that sum to n, one on average."""
    weights = drawn(50, resamples=400)
    assert weights.shape == (400, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.25)


def test_groups_are_drawn_whole():
    """Rows of one group always have the same weight, and as many groups are drawn as there are."""
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    weights = drawn(6, resamples=200, groups=groups)
    assert (weights[:, groups == "a"] == weights[:, [0]]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_strata_keep_their_size():
    """Every resample has as many risky rows as there are."""
    labels = np.arange(40) < 3
    weights = drawn(40, resamples=200, strata=labels)
    assert (weights[:, labels].sum(axis=1) == 3).all()
    assert (weights.sum(axis=1) == 40).all()


def test_a_group_lies_in_one_stratum():
    """Otherwise it could not be drawn whole."""
    with pytest.raises(LabelError, match="stratum"):
        drawn(4, groups=[0, 0, 1, 1], strata=[0, 1, 1, 1])
    assert (drawn(4, groups=[0, 0, 1, 1], strata=[5, 5, 7, 7]) == 1).all()


def test_groups_of_other_rows_are_an_error():
    """Lengths must agree."""
    with pytest.raises(LabelError):
        drawn(4, groups=[0, 1])


def test_the_same_seed_gives_the_same_interval_whatever_the_chunks(monkeypatch):
    """How much is computed at a time cannot matter."""
    labels, scores = scored(1.0, 300, np.random.default_rng(0))
    runs = [auroc.bind(labels, scores), auroc.bind(labels, scores**3)]
    first = interval(runs[0], 300, seed=7, resamples=100)
    crossed = hierarchical([runs, runs], 300, seed=7, resamples=100)
    monkeypatch.setattr(bootstrap, "_CHUNK_CELLS", 1000)
    assert interval(runs[0], 300, seed=7, resamples=100) == first
    assert (hierarchical([runs, runs], 300, seed=7, resamples=100).resampled == crossed.resampled).all()
    assert interval(runs[0], 300, seed=8, resamples=100) != first


def test_the_interval_of_a_mean_is_the_known_one():
    """1.96 standard errors either way, and the standard error itself."""
    values = np.random.default_rng(2).normal(size=400)
    found = interval(mean_of(values), 400, seed=0, resamples=4000)
    error = values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(error, rel=0.05)
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error
    )


def test_a_statistic_minus_itself_is_zero_in_every_resample():
    """Both sides of a paired difference see the same rows."""
    labels, scores = scored(1.0, 200, np.random.default_rng(0))
    statistic = auroc.bind(labels, scores)
    found = paired_difference(statistic, statistic, 200, seed=0, resamples=50)
    assert (found.value, found.low, found.high, found.error) == (0, 0, 0, 0)


def test_pairing_makes_a_difference_precise():
    """Two scorers that share most of their noise differ by more than the paired noise, not than the unpaired one."""
    generator = np.random.default_rng(4)
    labels, shared = scored(0.6, 800, generator)
    better = shared + 0.25 * labels
    first, second = auroc.bind(labels, better), auroc.bind(labels, shared)
    difference = paired_difference(first, second, 800, seed=0, resamples=500)
    alone = interval(first, 800, seed=0, resamples=500)
    assert difference.excludes(0.0)
    assert difference.error is not None
    assert alone.error is not None
    assert difference.error < alone.error / 4


def test_rare_classes_leave_a_reason_instead_of_an_interval():
    """One risky row is missing from a third of the resamples; stratified by label it never is."""
    labels = np.arange(30) == 4
    statistic = auroc.bind(labels, np.linspace(0, 1, 30))
    found = interval(statistic, 30, seed=0, resamples=300)
    assert (found.low, found.high, found.error) == (None, None, None)
    assert found.value is not None
    assert found.undefined > 60
    assert "too few" in str(found.reason)
    assert not found.excludes(5.0)
    assert interval(statistic, 30, seed=0, resamples=300, strata=labels).reason is None


def test_an_undefined_statistic_has_no_estimate():
    """Neither a value nor an interval."""
    found = summarise(math.nan, np.full(10, math.nan))
    assert (found.value, found.low) == (None, None)
    assert interval(mean_of(np.zeros(0)), 0, seed=0, resamples=10).value is None


def test_every_series_has_every_seed():
    """Series of other seeds cannot be compared in pairs."""
    with pytest.raises(LabelError):
        hierarchical([[mean_of(np.ones(3))], []], 3, seed=0)
    with pytest.raises(LabelError):
        hierarchical([], 3, seed=0)


def test_seeds_are_resampled_with_the_rows():
    """Where only seeds differ, the spread is that of the mean over drawn seeds; where nothing differs there is none."""
    runs = [mean_of(np.full(20, float(value))) for value in range(6)]
    draws = hierarchical([runs, [runs[0]] * 6], 20, seed=0, resamples=4000)
    assert draws.values.tolist() == [2.5, 0.0]
    assert draws.by_seed[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert draws.resampled[:, 0].std() == pytest.approx(np.arange(6).std() / math.sqrt(6), rel=0.05)
    assert (draws.resampled[:, 1] == 0).all()


def test_all_series_see_the_same_resample():
    """The same series twice is the same column twice."""
    labels, scores = scored(0.5, 150, np.random.default_rng(9))
    runs = [auroc.bind(labels, scores), auroc.bind(labels, -scores), auroc.bind(labels, scores**2)]
    draws = hierarchical([runs, list(runs)], 150, seed=1, resamples=60)
    assert (draws.resampled[:, 0] == draws.resampled[:, 1]).all()


def test_intervals_of_auroc_cover_the_truth():
    """About 95 of 100 intervals hold the true AUROC."""
    generator = np.random.default_rng(11)
    truth = NormalDist().cdf(0.8 / math.sqrt(2))
    held = 0
    for seed in range(200):
        labels, scores = scored(0.8, 200, generator)
        held += not interval(auroc.bind(labels, scores), 200, seed=seed, resamples=400).excludes(truth)
    assert 0.90 <= held / 200 <= 0.99


def test_intervals_that_ignore_groups_are_too_narrow():
    """Where rows of a group share their noise, drawing groups covers the truth and drawing rows does not."""
    generator = np.random.default_rng(12)
    held = {"rows": 0, "groups": 0}
    groups = np.repeat(np.arange(40), 10)
    for seed in range(100):
        values = generator.normal(size=40)[groups] + 0.3 * generator.normal(size=400)
        for name, keys in (("rows", None), ("groups", groups)):
            held[name] += not interval(mean_of(values), 400, seed=seed, resamples=200, groups=keys).excludes(0.0)
    assert held["groups"] >= 88
    assert held["rows"] <= 60


def test_time_blocks_follow_each_other():
    """Blocks are of equal size up to ties, in order of time, and tied rows share one."""
    assert time_blocks([30, 10, 20, 40], blocks=2).tolist() == [1, 0, 0, 1]
    assert time_blocks([1, 2, 2, 2], blocks=4).tolist() == [0, 1, 1, 1]
    assert np.bincount(time_blocks(np.arange(100), blocks=10)).tolist() == [10] * 10
    with pytest.raises(LabelError):
        time_blocks([1], blocks=0)
