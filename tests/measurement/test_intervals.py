"""Closed-form intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.errors import LabelError
from oversight.measurement.agreement import krippendorff_alpha
from oversight.measurement.intervals import interval_of_share, normal_quantile, wilson

NAN = math.nan


def test_wilson_by_hand():
    """Five of ten, and none of a hundred: z^2 / (n + z^2) = 3.8415 / 103.8415."""
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 100) == pytest.approx((0.0, 0.03699), abs=1e-5)


def test_no_trials_say_nothing():
    """The interval is everything."""
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 1000), st.integers(1, 1000), st.floats(0.5, 0.999))
def test_wilson_holds_the_proportion_and_stays_inside(successes, trials, level):
    """0 <= low <= proportion <= high <= 1, and both ends mirror under a swap of the classes."""
    successes = min(successes, trials)
    low, high = wilson(successes, trials, level=level)
    assert 0.0 <= low <= successes / trials <= high <= 1.0
    mirrored = wilson(trials - successes, trials, level=level)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_levels_lie_between_zero_and_one():
    """1.96 standard errors for .95; a level of 1 is refused."""
    assert normal_quantile(0.95) == pytest.approx(1.95996, abs=1e-5)
    with pytest.raises(LabelError):
        normal_quantile(1.0)


def test_a_known_amount_adds_nothing():
    """With one part known exactly the share has the bounds of the other part."""
    assert interval_of_share(50, (50, 50), 25, (10, 50)) == pytest.approx((50 / 100, 50 / 60))
    assert interval_of_share(50, (50, 50), 0, (0, 50)) == pytest.approx((0.5, 1.0))


def test_a_part_that_may_be_nothing_has_a_share_from_zero():
    """Neither bound leaves [0, 1]."""
    assert interval_of_share(0, (0, 10), 30, (20, 40)) == pytest.approx((0, 10 / 30))
    assert interval_of_share(0, (0, 0), 30, (20, 40)) == (0.0, 0.0)
    assert interval_of_share(5, (0, 10), 30, (20, 40))[0] == 0.0


@given(st.floats(1, 100), st.floats(0, 1), st.floats(0, 1), st.floats(0, 100), st.floats(0, 1), st.floats(0, 1))
def test_a_share_lies_inside_its_interval(part, down, up, rest, less, more):
    """Whatever the bounds of the parts."""
    low, high = interval_of_share(
        part, (part * (1 - down), part * (1 + up)), rest, (rest * (1 - less), rest * (1 + more) + more)
    )
    assert -1e-9 <= low <= part / (part + rest) + 1e-9
    assert part / (part + rest) - 1e-9 <= high <= 1 + 1e-9


def test_alpha_of_the_published_example():
    """Four observers, twelve units, missing values: .743 in Krippendorff's own computation."""
    ratings = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
    measured = krippendorff_alpha(ratings)
    assert measured.value == pytest.approx(0.743, abs=5e-4)
    assert measured.n == 11


def test_alpha_is_one_for_agreement_and_below_zero_for_its_opposite():
    """Two raters who always agree, and two who never do."""
    assert krippendorff_alpha([[0, 1, 0], [0, 1, 0]]).value == 1.0
    assert krippendorff_alpha([[0, 1, 0, 1], [1, 0, 1, 0]]).require() < 0


def test_alpha_needs_two_ratings_and_two_categories():
    """Without them there is a reason and no value."""
    assert krippendorff_alpha([[0, 1, NAN], [NAN, NAN, 1]]).reason == "no change has two ratings"
    assert krippendorff_alpha([[NAN, NAN]]).reason == "no change has two ratings"
    assert krippendorff_alpha([[1, 1], [1, 1]]).reason == "all ratings are the same"
    with pytest.raises(LabelError):
        krippendorff_alpha([1, 0])
