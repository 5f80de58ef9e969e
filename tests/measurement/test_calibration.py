"""Reliability tables and calibration error."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.errors import LabelError
from oversight.measurement.calibration import expected_calibration_error, reliability


def test_two_bins_by_hand():
    """Half of the rows are off by .4 and half by .1."""
    table = reliability([0, 1, 1, 1], [0.1, 0.1, 0.9, 0.9], bins=2)
    first, second = table.bins
    assert (first.count, first.low, first.high, first.predicted, first.observed) == (2, 0.1, 0.1, 0.1, 0.5)
    assert (second.count, second.observed) == (2, 1.0)
    assert second.interval == pytest.approx((0.3424, 1.0), abs=1e-4)
    assert table.error.value == pytest.approx(0.25)


def test_bins_have_equal_mass():
    """A hundred different probabilities fall into ten tens."""
    table = reliability(np.arange(100) % 2, np.arange(100) / 100)
    assert [entry.count for entry in table.bins] == [10] * 10


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.9])), min_size=1, max_size=40), st.randoms())
def test_tied_rows_share_a_bin_in_any_order(rows, random):
    """Shuffling rows changes nothing, and no probability lies in two bins."""
    labels, scores = zip(*rows, strict=True)
    table = reliability(labels, scores)
    random.shuffle(rows)
    assert reliability(*zip(*rows, strict=True)) == table
    assert sum(entry.count for entry in table.bins) == len(rows)
    for lower, upper in zip(table.bins, table.bins[1:], strict=False):
        assert lower.high < upper.low


def test_true_probabilities_are_calibrated_up_to_noise():
    """The error of a perfect model is what the docstring says noise makes of it, and shrinks with n."""
    generator = np.random.default_rng(0)
    probabilities = np.full(20_000, 0.2) + generator.normal(0, 1e-6, 20_000)
    labels = generator.random(20_000) < 0.2
    expected = math.sqrt(2 * 10 * 0.2 * 0.8 / (math.pi * 20_000))
    assert expected_calibration_error(labels, probabilities).require() == pytest.approx(expected, rel=0.6)


def test_a_constant_off_by_a_tenth_is_off_by_a_tenth():
    """One bin, and its distance from the base rate."""
    measured = expected_calibration_error([1, 0, 0, 0, 0], [0.3] * 5)
    assert measured.value == pytest.approx(0.1)


def test_nothing_to_calibrate_has_a_reason():
    """No rows and missing probabilities give no error and no bins."""
    assert reliability([], []).error.reason == "no rows"
    table = reliability([1, 0], [0.4, math.nan])
    assert (table.bins, table.error.value) == ((), None)


def test_one_class_can_be_calibrated():
    """A base rate of zero is a base rate."""
    assert expected_calibration_error([0, 0], [0.1, 0.1]).value == pytest.approx(0.1)


def test_margins_and_impossible_bins_are_errors():
    """Scores outside [0, 1] and no bins at all."""
    with pytest.raises(LabelError):
        reliability([1, 0], [1.5, 0.2])
    with pytest.raises(LabelError):
        reliability([1, 0], [0.5, 0.2], bins=0)


def test_a_row_that_stands_for_three_is_three_rows():
    """In bins, means and the error, but not in what is known: the interval is of Kish's number of rows."""
    generator = np.random.default_rng(3)
    labels, scores = generator.random(60) < 0.3, generator.random(60)
    sizes = generator.integers(1, 4, 60)
    told = reliability(labels, scores, bins=4, weights=sizes)
    many = reliability(np.repeat(labels, sizes), np.repeat(scores, sizes), bins=4)
    assert told.error.value == pytest.approx(many.error.value)
    assert [(one.low, one.high) for one in told.bins] == [(one.low, one.high) for one in many.bins]
    for one, other in zip(told.bins, many.bins, strict=True):
        assert (one.predicted, one.observed) == (pytest.approx(other.predicted), pytest.approx(other.observed))
        assert one.interval[0] < other.interval[0] < other.interval[1] < one.interval[1]
    assert sum(one.count for one in told.bins) == told.error.n == 60


def test_equal_weights_are_none():
    """To the last digit for ones; and no row may weigh nothing."""
    labels, scores = np.arange(50) % 3 == 0, np.linspace(0.0, 0.9, 50)
    plain = reliability(labels, scores, bins=3)
    assert reliability(labels, scores, bins=3, weights=np.ones(50)) == plain
    heavy = reliability(labels, scores, bins=3, weights=np.full(50, 25.7))
    assert [one.interval for one in heavy.bins] == [pytest.approx(one.interval) for one in plain.bins]
    with pytest.raises(LabelError):
        reliability([1, 0], [0.5, 0.2], weights=[1.0, 0.0])
