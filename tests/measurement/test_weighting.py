"""Estimates from verdicts that were gathered where suspicion pointed."""

import numpy as np
import pytest

from oversight.errors import LabelError
from oversight.measurement.weighting import Weighted, prevalence, recall

NAN = float("nan")


def reviewed(risky: np.ndarray, suspected: np.ndarray, slice_rate: float, generator: np.random.Generator):
    """All suspected changes and a random slice of the others are reviewed."""
    propensity = np.where(suspected, 1.0, slice_rate)
    verdicts = np.where(generator.random(risky.size) < propensity, risky.astype(float), NAN)
    return verdicts, propensity


def covers(found: Weighted, truth: float) -> bool:
    """Whether there is an interval and it holds the truth."""
    return found.interval is not None and found.interval[0] - 1e-12 <= truth <= found.interval[1] + 1e-12


def test_a_verdict_from_a_slice_of_a_tenth_counts_ten_times():
    """Two suspected changes are risky; one miss in a slice of 2 of 20 stands for ten: recall 2 / 12."""
    suspected = np.arange(24) < 4
    verdicts = np.array([1, 1, 0, 0, 1, 0] + [NAN] * 18)
    propensity = np.where(suspected, 1.0, 0.1)
    found = recall(suspected, verdicts, propensity)
    assert found.value == pytest.approx(2 / 12)
    assert found.reviewed == 6
    assert prevalence(suspected, verdicts, propensity).value == pytest.approx(12 / 24)


def test_the_two_estimators_differ_by_what_is_known_of_the_domain():
    """Weights of 10 on 3 rows make 30 of a domain of 20: Horvitz-Thompson says 10 misses, Hajek 20 / 3."""
    suspected = np.arange(24) < 4
    verdicts = np.array([1, 1, 0, 0, 1, 0, 0] + [NAN] * 17)
    propensity = np.where(suspected, 1.0, 0.1)
    thompson = recall(suspected, verdicts, propensity, estimator="horvitz-thompson")
    assert thompson.value == pytest.approx(2 / 12)
    assert recall(suspected, verdicts, propensity).value == pytest.approx(2 / (2 + 20 / 3))


def test_a_slice_without_a_miss_is_not_proof_of_perfect_recall():
    """Fifty catches and no miss among 100 of 10,000: some 370 misses are possible, so recall may be .12."""
    suspected = np.arange(10_050) < 50
    verdicts = np.full(10_050, NAN)
    verdicts[:50], verdicts[50:150] = 1, 0
    found = recall(suspected, verdicts, np.where(suspected, 1.0, 0.01))
    assert found.value == 1.0
    assert found.interval is not None
    assert found.interval[0] == pytest.approx(50 / (50 + 366), abs=0.005)
    assert found.interval[1] == 1.0


def test_a_population_reviewed_whole_is_known_exactly():
    """No sampling, no interval."""
    found = recall([1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 1])
    assert (found.value, found.interval) == (0.5, (0.5, 0.5))
    assert prevalence([1, 1, 0, 0], [1, 0, 1, 0], np.ones(4)).interval == (0.5, 0.5)


def test_taken_at_face_value_the_verdicts_flatter():
    """The naive share of risky verdicts that were suspected is far above the recall; the weighted one is near."""
    generator = np.random.default_rng(3)
    risky = generator.random(40_000) < 0.05
    suspected = generator.random(40_000) < np.where(risky, 0.5, 0.08)
    truth = suspected[risky].mean()
    verdicts, propensity = reviewed(risky, suspected, 0.05, generator)
    naive = suspected[verdicts == 1].mean()
    found = recall(suspected, verdicts, propensity)
    assert naive > truth + 0.3
    assert found.value == pytest.approx(truth, abs=0.06)


@pytest.mark.parametrize("estimator", ["hajek", "horvitz-thompson"])
@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_intervals_cover_the_truth(estimator, rate):
    """About 95 of 100 intervals hold the true recall and the true prevalence, few misses or many."""
    generator = np.random.default_rng(8)
    held = {"recall": 0, "prevalence": 0}
    for _ in range(200):
        risky = generator.random(4000) < 0.06
        suspected = generator.random(4000) < np.where(risky, 0.6, 0.1)
        verdicts, propensity = reviewed(risky, suspected, rate, generator)
        found = recall(suspected, verdicts, propensity, estimator=estimator)
        held["recall"] += covers(found, suspected[risky].mean())
        held["prevalence"] += covers(prevalence(suspected, verdicts, propensity, estimator=estimator), risky.mean())
    assert held["recall"] >= 182
    assert held["prevalence"] >= 182


def test_unequal_chances_inside_suspicion_are_weighted_too():
    """Where the more suspicious are reviewed more often, the estimate is still centred on the truth."""
    generator = np.random.default_rng(9)
    found, truths, held = [], [], 0
    for _ in range(200):
        score = generator.random(3000)
        risky = generator.random(3000) < 0.02 + 0.2 * score**2
        suspected = score > 0.7
        propensity = np.where(suspected, score**3, 0.4)
        verdicts = np.where(generator.random(3000) < propensity, risky.astype(float), NAN)
        estimate = recall(suspected, verdicts, propensity)
        truths.append(suspected[risky].mean())
        found.append(estimate.value)
        held += covers(estimate, truths[-1])
    assert np.mean(found) == pytest.approx(np.mean(truths), abs=0.01)
    assert held >= 182


def test_what_cannot_be_estimated_has_a_reason():
    """No verdicts, none outside suspicion, or none that is risky."""
    assert recall([1, 0], [NAN, NAN], [1, 1]).reason == "no verdicts"
    assert "random slice" in str(recall([1, 0], [1, NAN], [1, 0]).reason)
    assert "suspected" in str(prevalence([1, 0], [NAN, 0], [1, 1]).reason)
    found = recall([1, 0], [0, 0], [1, 1])
    assert (found.value, found.interval, found.reason) == (None, None, "no reviewed change is risky")
    assert prevalence([1, 0], [0, 0], [1, 1]).value == 0


def test_a_monitor_that_suspects_nothing_has_a_recall_of_zero():
    """An empty domain is known exactly."""
    found = recall(np.zeros(10), [1, 0, 0, 0, 0] + [NAN] * 5, np.full(10, 0.5))
    assert (found.value, found.interval) == (0.0, (0.0, 0.0))


def test_contradictions_are_errors():
    """Verdicts that are neither 0 nor 1, reviews that had no chance, lengths that differ."""
    for suspected, verdicts, propensity in (
        ([1, 0], [2, 0], [1, 1]),
        ([1, 0], [1, 0], [0, 1]),
        ([1, 0], [1, 0], [NAN, 1]),
        ([1, 0], [1, 0, 1], [1, 1]),
    ):
        with pytest.raises(LabelError):
            recall(suspected, verdicts, propensity)
