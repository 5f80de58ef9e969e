"""Splits that do not look into the future, and pairs of equal size."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.errors import LabelError
from oversight.measurement.matching import size_matched, size_matched_auroc, size_strata
from oversight.measurement.metrics import auroc
from oversight.measurement.splits import Windows, draw_human, known_at, newest, windows

NAN = float("nan")


def every(split: Windows) -> list[np.ndarray]:
    """The four windows and what is left out of them."""
    return [split.weak_train, split.student_train, split.test, split.dropped, split.straddling]


def test_the_protocol_on_a_hundred_changes():
    """35 | 35 | 20 | 10 in order of time, whatever the order of rows."""
    times = np.random.default_rng(0).permutation(100) * 60.0
    split = windows(times)
    assert [part.size for part in every(split)] == [35, 35, 20, 10, 0]
    assert times[split.weak_train].tolist() == [60.0 * step for step in range(35)]
    assert (split.student_from, split.test_from, split.dropped_from) == (35 * 60, 70 * 60, 90 * 60)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 25)), min_size=30, max_size=120))
def test_windows_go_forward_and_groups_never_straddle(rows):
    """Every row is in one place, every time before those of the next window, every group in one window."""
    times, groups = (np.array(column) for column in zip(*rows, strict=True))
    try:
        split = windows(times, groups=groups)
    except LabelError:
        return
    assert sorted(np.concatenate(every(split)).tolist()) == list(range(times.size))
    parts = every(split)[:4]
    for earlier, later in pairwise(parts):
        if earlier.size and later.size:
            assert times[earlier].max() < times[later].min()
    seen = [set(groups[part].tolist()) for part in parts]
    assert all(not seen[i] & seen[j] for i in range(4) for j in range(i))


def test_a_group_stays_where_it_appears_first():
    """A patch that is picked again later stays in the past, and its later copies are in no window."""
    groups = np.arange(20)
    groups[[12, 19]] = 2
    split = windows(np.arange(20), groups=groups)
    assert 2 in split.weak_train
    assert split.straddling.tolist() == [12, 19]


@pytest.mark.parametrize(("imported", "kept"), [(40, 40), (60, 60)])
def test_changes_of_one_moment_stay_together(imported, kept):
    """An import of many changes in one second is not cut in two, but lies where most of it lies."""
    times = np.concatenate([np.full(imported, 5.0), np.arange(100 - imported) + 6.0])
    assert windows(times).weak_train.size == kept
    late = np.concatenate([np.arange(36.0), np.full(20, 90.0), 100.0 + np.arange(44)])
    assert windows(late).weak_train.size == 35


@pytest.mark.parametrize("times", [[], [1, 2, 3], [7] * 50])
def test_too_little_history_is_an_error(times):
    """A window without changes is no split."""
    with pytest.raises(LabelError):
        windows(times)


def test_times_and_groups_must_fit():
    """Unknown times and groups of other rows are refused."""
    with pytest.raises(LabelError):
        windows([1.0, NAN] * 20)
    with pytest.raises(LabelError):
        windows(np.arange(20), groups=[1, 2])


def test_labels_are_as_they_were_at_the_cutoff():
    """Found before: risky. Found after: clean if old enough by then. Young and unfound: not ripe. Future: unknown."""
    labels = [1, 1, 1, 0, 0, 0]
    times = [10, 10, 90, 10, 90, 150]
    decided = [50, 120, 95, NAN, NAN, NAN]
    known = known_at(labels, times, decided, cutoff=100, waiting=30)
    assert known.risky.tolist() == [True, False, True, False, False, False]
    assert known.mature.tolist() == [True, True, True, True, False, False]


def test_nothing_decided_at_the_cutoff_is_known_before_it():
    """What becomes known at the moment of the cut-off is not yet known."""
    known = known_at([1], [10], [100], cutoff=100, waiting=1000)
    assert (known.risky.tolist(), known.mature.tolist()) == ([False], [False])


def test_a_risky_change_has_a_date_of_decision():
    """Without one it cannot be censored; lengths must agree as well."""
    with pytest.raises(LabelError, match="decision"):
        known_at([1], [10], [NAN], cutoff=100, waiting=10)
    with pytest.raises(LabelError):
        known_at([1, 0], [10], [50], cutoff=100, waiting=10)


def test_human_labels_are_drawn_uniformly():
    """Every mature change is as likely as any other, and none is drawn twice."""
    rows = np.arange(100, 120)
    counts = np.zeros(200)
    for seed in range(600):
        drawn = draw_human(rows, 5, seed=seed)
        assert np.unique(drawn).size == 5
        counts[drawn] += 1
    assert (counts[:100] == 0).all()
    assert counts[100:120] == pytest.approx(np.full(20, 150), abs=50)


def test_smaller_draws_are_part_of_larger_ones():
    """With one seed the curve over N grows by adding labels; row order does not matter."""
    rows = np.arange(50)
    small, large = draw_human(rows, 10, seed=4), draw_human(rows[::-1], 30, seed=4)
    assert set(small) < set(large)
    assert draw_human(rows, 10, seed=5).tolist() != small.tolist()


@pytest.mark.parametrize("count", [0, 4])
def test_no_more_can_be_drawn_than_there_are(count):
    """Nor nothing at all."""
    with pytest.raises(LabelError):
        draw_human([1, 2, 3], count, seed=0)


def test_the_newest_fifth():
    """The last rows in order of time, ties in the order of rows."""
    assert newest([5, 1, 3, 2, 4], share=0.2).tolist() == [True, False, False, False, False]
    assert newest([1, 1, 1, 1], share=0.25).tolist() == [False, False, False, True]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 400)), min_size=1, max_size=60), st.integers(0, 3))
def test_pairs_are_of_one_size_and_as_many_as_their_order_allows(rows, seed):
    """A risky and a clean change within a tenth of the size, each used once, and nobody left who could be paired."""
    labels, churn = (np.array(column) for column in zip(*rows, strict=True))
    pairs = size_matched(labels, churn, seed=seed)
    assert labels[pairs[:, 0]].all()
    assert not labels[pairs[:, 1]].any()
    assert np.unique(pairs).size == pairs.size
    assert (np.abs(np.diff(np.log1p(churn)[pairs], axis=1)) <= 0.1 + 1e-12).all()
    alone = np.setdiff1d(np.flatnonzero(labels), pairs)
    free = np.setdiff1d(np.flatnonzero(~labels), pairs)
    assert not (np.abs(np.log1p(churn)[alone][:, None] - np.log1p(churn)[free][None, :]) <= 0.1).any()


def test_a_risky_change_takes_the_nearest_clean_one():
    """100 lines are paired with 101, not with 95."""
    assert size_matched([0, 1, 0], [95, 100, 101], seed=0).tolist() == [[1, 2]]


def test_size_is_at_chance_among_equals():
    """A scorer that knows size alone is at .5 on the pairs; one that knows more keeps what it knows."""
    generator = np.random.default_rng(0)
    labels = generator.random(6000) < 0.15
    churn = np.exp(generator.normal(3, 1.2, 6000) + labels).round()
    signal = 0.5 * labels + generator.normal(size=6000)
    assert auroc(labels, churn).require() > 0.68
    assert size_matched_auroc(labels, churn, churn).require() == pytest.approx(0.5, abs=0.005)
    assert size_matched_auroc(labels, signal, churn).require() == pytest.approx(
        auroc(labels, signal).require(), abs=0.03
    )


def test_unmatchable_rows_have_a_reason():
    """Risky changes a hundred times the size of every clean one cannot be compared with them."""
    measured = size_matched_auroc([1, 0], [0.2, 0.1], [1000, 10])
    assert (measured.value, measured.reason) == (None, "no risky change has a clean one of its size")
    assert size_matched_auroc([0, 0], [1, 2], [3, 4]).reason == "no row is risky"


def test_strata_of_size():
    """Equal mass, smallest first, equal sizes together."""
    assert size_strata([9, 1, 5, 7], strata=2).tolist() == [1, 0, 0, 1]
    assert size_strata([3, 3, 3, 3], strata=2).tolist() == [1, 1, 1, 1]
    assert size_strata([]).size == 0
    with pytest.raises(LabelError):
        size_strata([1], strata=0)
