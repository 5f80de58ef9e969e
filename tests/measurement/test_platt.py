"""Platt scaling: probabilities that are right on average and never reorder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.linear_model import LogisticRegression

from oversight.measurement.platt import Platt, fit_platt, logit, sigmoid

FLOATS = st.floats(-30, 30)


def test_it_finds_the_true_parameters() -> None:
    """On many labels drawn from a known sigmoid, slope and intercept come back."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, 40_000)
    labels = random.random(40_000) < sigmoid(0.7 * logits - 1.5)
    platt = fit_platt(logits, labels)
    assert platt.slope == pytest.approx(0.7, abs=0.03)
    assert platt.intercept == pytest.approx(-1.5, abs=0.05)


def test_it_agrees_with_an_independent_fit() -> None:
    """Without a penalty, logistic regression on the logits gives the same but for Platt's smoothing."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 1, 5_000)
    labels = random.random(5_000) < sigmoid(logits - 1)
    other = LogisticRegression(C=1e9, tol=1e-8).fit(logits[:, None], labels)
    platt = fit_platt(logits, labels)
    assert platt.slope == pytest.approx(float(other.coef_[0, 0]), abs=0.01)
    assert platt.intercept == pytest.approx(float(other.intercept_[0]), abs=0.01)


@given(arrays.arrays(np.float64, st.integers(0, 40), elements=FLOATS), st.data())
def test_it_is_finite_and_never_reorders(logits: np.ndarray, data: st.DataObject) -> None:
    """Any logits and labels, none and one class included, give a finite fit whose slope is positive."""
    labels = data.draw(arrays.arrays(np.bool_, logits.shape))
    platt = fit_platt(logits, labels)
    assert platt.slope > 0
    assert np.isfinite([platt.slope, platt.intercept]).all()
    assert ((platt(logits) >= 0) & (platt(logits) <= 1)).all()


def test_logits_that_point_the_wrong_way_are_flattened() -> None:
    """Where the logits order the labels backwards, the probability stays near the base rate."""
    platt = fit_platt(np.linspace(-3, 3, 60), np.arange(60) < 15)
    assert platt(np.linspace(-3, 3, 60)) == pytest.approx(np.full(60, 0.25), abs=0.06)


def test_weights_count_rows_more_than_once() -> None:
    """A row of weight two is the row twice."""
    logits, labels = np.array([-1.0, 0.0, 1.0, 2.0, -2.0]), np.array([0, 1, 0, 1, 0])
    twice = fit_platt(np.r_[logits, logits[:2]], np.r_[labels, labels[:2]])
    weighted = fit_platt(logits, labels, np.array([2.0, 2, 1, 1, 1]))
    assert weighted.slope == pytest.approx(twice.slope, rel=1e-6)
    assert weighted.intercept == pytest.approx(twice.intercept, rel=1e-6)


@given(st.floats(-20, 20), st.floats(0.1, 5), st.floats(-3, 3))
def test_the_inverse_undoes_it(value: float, slope: float, intercept: float) -> None:
    """Probabilities lead back to the logits, as far as 1e-6 from certainty allows."""
    platt = Platt(slope, intercept)
    if abs(slope * value + intercept) < 13:
        assert platt.inverse(platt(np.array(value))) == pytest.approx(value, abs=1e-3 / slope)


@given(st.floats(1e-6, 1 - 1e-6))
def test_logit_and_sigmoid_are_inverse(probability: float) -> None:
    """The one undoes the other."""
    assert sigmoid(logit(probability)) == pytest.approx(probability, rel=1e-6)
