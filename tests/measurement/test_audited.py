"""Totals and recall from an audit: worked by hand, and by the properties that they must have."""

from __future__ import annotations

import numpy as np
import pytest

from oversight.errors import LabelError
from oversight.measurement.audited import PERFECT, Auditor, Total, beyond, recall, together, total
from oversight.measurement.beta import binomial_interval


def test_what_was_judged_whole_is_known():
    """Without anybody who errs there is nothing to estimate."""
    assert total([True, False, True], [1.0, 1.0, 1.0], 3) == Total(2.0, (2.0, 2.0), 3, 3)
    assert total([], [], 0) == Total(0.0, (0.0, 0.0), 0, 0)


def test_what_nobody_judged_may_be_anything():
    """No value, and all that is possible."""
    assert total([], [], 7) == Total(None, (0.0, 7.0), 7, 0)


def test_a_slice_stands_for_all():
    """Two risky of 20 drawn from 200: 20, inside binomial tails of 20 / (1 - 1/10) trials."""
    found = total([True] * 2 + [False] * 18, [0.1] * 20, 200)
    low, high = binomial_interval(2 / 0.9, 20 / 0.9, tail="mid-p")
    assert found.value == pytest.approx(20)
    assert found.interval == pytest.approx((200 * low, 200 * high))


def test_each_verdict_counts_by_the_inverse_of_its_propensity():
    """One risky of ten at .5 and none of ten at .1: 2 of 120 by weight, not 1 of 20."""
    found = total([True] + [False] * 19, [0.5] * 10 + [0.1] * 10, 120)
    assert found.value == pytest.approx(2 / 120 * 120)


def test_the_interval_keeps_to_what_was_seen():
    """Five risky and ten safe of 20 leave five to fifteen... of which at least five, at most ten are risky."""
    low, high = total([True] * 5 + [False] * 10, [0.75] * 15, 20).interval
    assert 5 <= low < high <= 10


def test_known_error_rates_are_corrected():
    """Of 1,000 of which 100 are risky, 80 % and 2 % are called so: 98 calls mean 100 risky ones."""
    auditor = Auditor(0.8, 0.98)
    called = [True] * 98 + [False] * 902
    assert total(called, [1.0] * 1000, 1000, auditor=auditor).value == pytest.approx(100)
    low, high = total(called, [1.0] * 1000, 1000, auditor=auditor).interval
    assert low < 90 < 110 < high
    assert total([False] * 50, [1.0] * 50, 50, auditor=auditor).value == 0.0


@pytest.mark.parametrize("rates", [(0.5, 0.5), (1.2, 0.9), (0.9, -0.1)])
def test_rates_that_tell_nothing_apart_are_refused(rates: tuple[float, float]):
    """A coin is no auditor."""
    with pytest.raises(LabelError, match="no better than chance"):
        Auditor(*rates)


def test_arguments_that_contradict_each_other_are_refused():
    """More verdicts than changes, and verdicts without a chance."""
    with pytest.raises(LabelError):
        total([True, True], [1.0, 1.0], 1)
    with pytest.raises(LabelError):
        total([True], [0.0], 5)
    with pytest.raises(LabelError):
        total([True], [1.0, 1.0], 5)


def test_recall_follows_what_was_missed_where_what_was_caught_is_known():
    """Its ends are those of the missed."""
    told = recall(Total(8.0, (8.0, 8.0), 50, 50), Total(4.0, (1.0, 12.0), 500, 40))
    assert told.value == pytest.approx(8 / 12)
    assert told.interval == pytest.approx((8 / 20, 8 / 9))
    assert told.reviewed == 90


def test_a_slice_without_a_miss_is_not_proof_of_perfect_recall():
    """Fifty catches and no miss among 100 of 10,000: some 300 misses are possible, so recall may be .14."""
    told = recall(total([True] * 50, [1.0] * 50, 50), total([False] * 100, [0.01] * 100, 10_000))
    assert (told.value, told.reviewed) == (1.0, 150)
    assert told.interval == pytest.approx((50 / (50 + 294), 1.0), abs=0.005)


def test_unequal_chances_among_those_picked_are_weighted_too():
    """Where the more suspicious are seen more often, the estimate is still centred on the truth and covers it."""
    generator = np.random.default_rng(9)
    found, truths, held = [], [], 0
    for _ in range(100):
        score = generator.random(3000)
        risky = generator.random(3000) < 0.02 + 0.2 * score**2
        picked, chance = score > 0.7, np.where(score > 0.7, score**3, 0.4)
        seen = generator.random(3000) < chance
        groups = [total(risky[of & seen], chance[of & seen], int(of.sum())) for of in (picked, ~picked)]
        told, truth = recall(*groups), float(picked[risky].mean())
        assert told.value is not None
        assert told.interval is not None
        found.append(told.value)
        truths.append(truth)
        held += told.interval[0] <= truth <= told.interval[1]
    assert np.mean(found) == pytest.approx(np.mean(truths), abs=0.01)
    assert held >= 90


def test_recall_needs_something_risky_and_both_groups():
    """Else it says why there is none."""
    known, none = Total(0.0, (0.0, 0.0), 50, 50), Total(None, (0.0, 9.0), 9, 0)
    assert recall(known, Total(0.0, (0.0, 30.0), 500, 40)).reason == "no judged change is risky"
    assert recall(known, none).value is None


def test_groups_add_up_and_what_was_found_is_taken_away():
    """What nobody knows of is never less than nothing."""
    both = together(Total(3.0, (1.0, 9.0), 100, 10), Total(2.0, (2.0, 2.0), 4, 4))
    assert both == Total(5.0, (3.0, 11.0), 104, 14)
    assert beyond(both, 4) == Total(1.0, (0.0, 7.0), 104, 14)
    assert beyond(both, 20).interval == (0.0, 0.0)
    assert PERFECT.perfect
