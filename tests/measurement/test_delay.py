"""How late repairs come, told from those that have come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.errors import LabelError
from oversight.measurement.delay import FEWEST, LEAST, known_share

DAYS = st.floats(0, 4_000, allow_nan=False, allow_subnormal=False)  # no interpolation is exact between those


def drawn(count: int, *, mean: float, longest: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ages and lags of those of `count` risky changes whose repair has come: uniform ages, exponential lags."""
    random = np.random.default_rng(seed)
    ages, lags = random.uniform(0, longest, count), random.exponential(mean, count)
    return ages[lags <= ages], lags[lags <= ages]


@pytest.mark.parametrize("mean", [100.0, 400.0, 800.0])
def test_a_known_distribution_is_recovered_from_what_is_seen_of_it(mean):
    """From truncated draws the share by age is within .04 of the truth, where lags counted plainly are far off."""
    longest = 3_000.0
    ages, lags = drawn(20_000, mean=mean, longest=longest)
    moments = np.array([50.0, 200.0, 500.0, 1_000.0, 2_000.0])
    truth = (1 - np.exp(-moments / mean)) / (1 - np.exp(-longest / mean))
    assert known_share(ages, lags)(moments) == pytest.approx(truth, abs=0.04)
    if mean > 500:
        plain = (lags[:, None] <= moments).mean(axis=0)
        assert np.abs(plain - truth).max() > 0.08


@given(st.lists(st.tuples(DAYS, DAYS), min_size=FEWEST, max_size=60), st.lists(DAYS, min_size=1))
def test_a_share_rises_with_age_and_stays_a_share(pairs, moments):
    """Whatever was seen, shares lie between `LEAST` and 1 and never fall as a change grows older."""
    lags, ages = np.sort(np.array(pairs), axis=1).T
    shares = known_share(ages, lags)(np.sort(moments))
    assert ((shares >= LEAST) & (shares <= 1)).all()
    assert (np.diff(shares) >= -1e-12).all()  # interpolation rounds


@given(st.lists(DAYS, min_size=FEWEST, max_size=60))
def test_without_truncation_it_is_the_empirical_distribution(lags):
    """Where every change is older than any lag, the shares are the plain counts, up to the one added at risk."""
    values = np.sort(np.array(lags))
    estimate = known_share(np.full(values.size, 5_000.0), values)
    plain = np.searchsorted(values, estimate.lags, side="right") / values.size
    assert np.abs(estimate.shares - plain).max() <= 0.5
    assert known_share(np.full(4_000, 5_000.0), np.arange(4_000.0))([1_000.0, 3_000.0]) == pytest.approx(
        [0.25, 0.75], abs=0.001
    )


def test_the_order_of_rows_does_not_matter():
    """Shuffled rows give the same estimate."""
    ages, lags = drawn(500, mean=300, longest=2_000)
    order = np.random.default_rng(1).permutation(ages.size)
    assert known_share(ages, lags).shares.tolist() == known_share(ages[order], lags[order]).shares.tolist()


def test_a_few_lags_say_nothing():
    """Below ten lags every share is 1, and the estimate says why."""
    estimate = known_share([10.0] * 9, [1.0] * 9)
    assert estimate([0.0, 5.0, 100.0]).tolist() == [1.0, 1.0, 1.0]
    assert estimate.reason == "9 repairs are too few to tell how late they come"
    assert known_share([10.0] * 10, [1.0] * 10).reason is None


@pytest.mark.parametrize(("ages", "lags"), [([1.0], [2.0]), ([1.0], [-1.0]), ([1.0, 2.0], [1.0])])
def test_what_cannot_be_is_refused(ages, lags):
    """A repair that comes after today, a negative lag, and lengths that differ are errors of the caller."""
    with pytest.raises(LabelError):
        known_share(ages, lags)
