"""Binomial tails: held against scipy's, and between whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from oversight.measurement.beta import Tail, binomial_interval, incomplete_beta


def test_the_incomplete_beta_function_is_scipys():
    """Over eight powers of ten of both parameters, at both ends and near the middle."""
    rng = np.random.default_rng(0)
    for _ in range(2_000):
        a, b = 10 ** rng.uniform(-2, 5, 2)
        mean, deviation = a / (a + b), np.sqrt(a * b / (a + b) ** 3)
        for x in (rng.random(), min(max(mean + deviation * rng.normal(), 0.0), 1.0)):
            assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), abs=1e-8)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (1, 10), (3, 57), (10, 10), (2.5, 31.7)])
def test_exact_tails_are_quantiles_of_the_beta_distribution(successes: float, trials: float):
    """As Clopper and Pearson's are, also between whole numbers."""
    low, high = binomial_interval(successes, trials, tail="exact")
    failures = trials - successes
    assert low == pytest.approx(stats.beta.ppf(0.025, successes, failures + 1) if successes else 0.0, abs=1e-9)
    assert high == pytest.approx(stats.beta.ppf(0.975, successes + 1, failures) if failures else 1.0, abs=1e-9)


def test_mid_p_counts_half_of_what_was_seen():
    """At each end of the interval half of the probability of what was seen, and all of what is beyond, are 2.5 %."""
    low, high = binomial_interval(3, 40, tail="mid-p")
    assert stats.binom.sf(3, 40, low) + stats.binom.pmf(3, 40, low) / 2 == pytest.approx(0.025)
    assert stats.binom.cdf(2, 40, high) + stats.binom.pmf(3, 40, high) / 2 == pytest.approx(0.025)


@pytest.mark.parametrize("tail", ["exact", "mid-p", "jeffreys"])
def test_nothing_is_known_without_trials_and_an_end_that_was_seen_is_possible(tail: Tail):
    """None found leaves 0 in the interval, all found leaves 1, and both leave room for more."""
    assert binomial_interval(0, 0, tail=tail) == (0.0, 1.0)
    low, high = binomial_interval(0, 20, tail=tail)
    assert low == 0.0 < high < 0.25
    assert binomial_interval(20, 20, tail=tail) == (pytest.approx(1 - high), 1.0)


def test_exact_intervals_contain_those_by_mid_p():
    """Which are narrower, since they cover 95 % on average and not at least."""
    for successes in range(31):
        exact, middle = (binomial_interval(successes, 30, tail=tail) for tail in ("exact", "mid-p"))
        assert exact[0] <= middle[0] <= successes / 30 <= middle[1] <= exact[1]
