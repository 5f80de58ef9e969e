"""Effort-aware figures, worked by hand on three changes of 10, 30 and 60 lines."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from oversight.errors import LabelError
from oversight.measurement.effort import (
    effort_at_recall,
    effort_of,
    effort_report,
    initial_false_alarms,
    lines_added,
    per_line,
    popt,
    recall_at_effort,
    smallest_first,
)

LABELS = [1, 0, 1]
SCORES = [3, 2, 1]
LINES = [10, 30, 60]


def test_recall_at_effort_stops_where_the_lines_run_out():
    """Twenty lines hold the first risky change; seventy hold it and half of the last one."""
    assert recall_at_effort(0.2, LINES)(LABELS, SCORES).value == pytest.approx(0.5)
    assert recall_at_effort(0.7, LINES)(LABELS, SCORES).value == pytest.approx(0.75)


def test_effort_at_recall_is_the_same_curve_read_the_other_way():
    """Two fifths of the first risky change cost four lines, one and a half risky changes seventy."""
    assert effort_at_recall(0.2, LINES)(LABELS, SCORES).value == pytest.approx(0.04)
    assert effort_at_recall(0.75, LINES)(LABELS, SCORES).value == pytest.approx(0.7)


def test_recall_that_is_reached_exactly_costs_nothing_more():
    """The clean change that follows the first risky one need not be read for half of the recall."""
    assert effort_at_recall(0.5, LINES)(LABELS, SCORES).value == pytest.approx(0.1)


def test_popt_places_the_area_between_worst_and_optimal():
    """Areas .625 for the model, .775 for the optimal and .225 for the worst order."""
    assert popt(LINES)(LABELS, SCORES).value == pytest.approx(1 - (0.775 - 0.625) / (0.775 - 0.225))
    assert popt(LINES)(LABELS, per_line(LABELS, LINES)).value == pytest.approx(1.0)
    assert popt(LINES)(LABELS, -per_line(LABELS, LINES)).value == pytest.approx(0.0)


def test_false_alarms_are_counted_up_to_the_first_risky_change():
    """Two clean ones come first; among four tied rows with one risky, one and a half are expected to."""
    assert initial_false_alarms([1, 0, 0], [1, 2, 3]).value == 2
    assert initial_false_alarms([1, 0, 0, 0], [7, 7, 7, 7]).value == 1.5
    assert initial_false_alarms([1, 0, 0], [3, 2, 1]).value == 0


def test_tied_false_alarms_are_the_mean_over_all_orders():
    """Shuffling tied rows many times and counting comes to the same."""
    generator = np.random.default_rng(0)
    tied = np.array([1, 1, 0, 0, 0, 0, 0])
    counted = [int(np.argmax(generator.permutation(tied))) for _ in range(20_000)]
    assert initial_false_alarms(tied, np.ones(7)).require() == pytest.approx(np.mean(counted), abs=0.05)


def test_a_constant_scorer_is_on_the_diagonal():
    """A fifth of the effort finds a fifth of the risk, whatever the sizes."""
    report = effort_report([1, 0, 0, 1, 0], np.zeros(5), [5, 50, 500, 20, 1])
    assert report.recall_at_20_effort.value == pytest.approx(0.2)
    assert report.effort_at_20_recall.value == pytest.approx(0.2)


def test_effort_is_capped_and_never_free():
    """A change of no lines costs one, a vast one no more than the cap."""
    assert effort_of([0, 7, 2_000_000]).tolist() == [1, 7, 10_000]
    assert effort_of([50], cap=20).tolist() == [20]


def test_baseline_scorers_know_size_alone():
    """Smallest first, most lines added, and scores by line."""
    assert smallest_first([3, 1]).tolist() == [-3, -1]
    assert lines_added([3, 1]).tolist() == [3, 1]
    assert per_line([6, 6], [3, 1]).tolist() == [2, 6]


def test_smallest_first_looks_good_without_knowing_anything():
    """Where risk has nothing to do with size it finds nearly all of it for little effort: why it must be shown."""
    generator = np.random.default_rng(1)
    churn = np.exp(generator.normal(4, 2, size=4000)).round()
    labels = generator.random(4000) < 0.1
    blind = effort_report(labels, generator.random(4000), churn)
    small = effort_report(labels, smallest_first(churn), churn)
    assert small.recall_at_20_effort.require() > 0.7 > 0.3 > blind.recall_at_20_effort.require()


@pytest.mark.parametrize(
    ("labels", "scores", "reason"),
    [([0, 0], [1, 2], "no row is risky"), ([1, 0], [1, math.nan], "1 of 2 rows have no score"), ([], [], "no rows")],
)
def test_degenerate_rows_have_a_reason(labels, scores, reason):
    """All four figures are undefined together."""
    report = effort_report(labels, scores, np.ones(len(labels)))
    for figure in (report.recall_at_20_effort, report.effort_at_20_recall, report.popt, report.initial_false_alarms):
        assert (figure.value, figure.reason) == (None, reason)


def test_contradictions_are_errors():
    """Churn of other rows, negative churn, free lines and impossible shares."""
    with pytest.raises(LabelError):
        effort_report([1, 0], [1, 2], [1, 2, 3])
    with pytest.raises(LabelError):
        popt([1, 2, 3])([1, 0], [1, 2])
    with pytest.raises(LabelError):
        effort_of([-1])
    with pytest.raises(LabelError):
        popt([0, 1])
    with pytest.raises(LabelError):
        recall_at_effort(0, [1])
    with pytest.raises(LabelError):
        effort_at_recall(2, [1])


@given(st.data())
def test_the_two_readings_of_the_curve_agree(data):
    """The recall that an effort buys costs that effort, or less where the curve was flat."""
    size = data.draw(st.integers(2, 20))
    labels = data.draw(arrays.arrays(np.bool_, size))
    labels[0], labels[-1] = True, False
    scores = data.draw(arrays.arrays(np.int64, size, elements=st.integers(0, 5)))
    lines = data.draw(arrays.arrays(np.int64, size, elements=st.integers(1, 100)))
    recall = recall_at_effort(0.2, lines)(labels, scores).require()
    if recall > 1e-6:
        assert effort_at_recall(recall, lines)(labels, scores).require() <= 0.2 + 1e-9


@given(st.data())
def test_no_order_is_better_than_optimal_or_worse_than_the_worst(data):
    """Popt stays between 0 and 1 whatever the ranking."""
    size = data.draw(st.integers(2, 20))
    labels = data.draw(arrays.arrays(np.bool_, size))
    labels[0], labels[-1] = True, False
    scores = data.draw(arrays.arrays(np.int64, size, elements=st.integers(0, 5)))
    lines = data.draw(arrays.arrays(np.int64, size, elements=st.integers(1, 100)))
    assert -1e-9 <= popt(lines)(labels, scores).require() <= 1 + 1e-9
