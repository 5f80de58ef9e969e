"""Metrics: worked by hand, against an independent implementation, and by their properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from oversight.errors import LabelError
from oversight.measurement.effort import initial_false_alarms, popt, recall_at_effort
from oversight.measurement.metrics import (
    METRICS,
    Metric,
    accuracy,
    auroc,
    average_precision,
    brier,
    log_loss,
    misfit,
    precision_at,
    recall_at,
    true_positives_at,
)

LABELS = [1, 0, 1, 0, 0]
SCORES = [0.9, 0.8, 0.8, 0.3, 0.1]

RANKED = [auroc, average_precision, recall_at(0.1), precision_at(0.3), true_positives_at(0.2), initial_false_alarms]


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels of both classes and scores with many ties."""
    size = draw(st.integers(2, 30))
    labels = draw(arrays.arrays(np.bool_, size))
    labels[0], labels[-1] = True, False
    return labels, draw(arrays.arrays(np.int64, size, elements=st.integers(0, 8))) / 8.0


def test_auroc_counts_wins_and_half_of_ties():
    """The risky .9 beats three clean rows, the risky .8 beats two and ties with one: 5.5 of 6 pairs."""
    assert auroc(LABELS, SCORES).value == pytest.approx(5.5 / 6)


def test_average_precision_takes_tied_rows_at_once():
    """Half of the recall comes at precision 1, the other half at the tied group's 2/3."""
    assert average_precision(LABELS, SCORES).value == pytest.approx((1 + 2 / 3) / 2)


def test_a_cut_through_a_tied_group_counts_in_proportion():
    """Two of five changes hold the first risky one and half of a tied pair."""
    assert recall_at(0.4)(LABELS, SCORES).value == pytest.approx(0.75)
    assert precision_at(0.4)(LABELS, SCORES).value == pytest.approx(0.75)


def test_a_budget_that_ends_inside_a_row_counts_it_in_proportion():
    """A tenth of five changes is half of the top one."""
    assert recall_at(0.1)(LABELS, SCORES).value == pytest.approx(0.25)
    assert precision_at(0.1)(LABELS, SCORES).value == pytest.approx(1.0)


def test_the_roc_curve_is_straight_inside_a_tied_group():
    """One false positive in three reaches the end of the tied pair, one in six its middle."""
    assert true_positives_at(1 / 3)(LABELS, SCORES).value == pytest.approx(1.0)
    assert true_positives_at(1 / 6)(LABELS, SCORES).value == pytest.approx(0.75)


def test_accuracy_brier_and_log_loss_by_hand():
    """Plain means over the five rows."""
    assert accuracy(LABELS, SCORES).value == pytest.approx(0.8)
    assert brier(LABELS, SCORES).value == pytest.approx((0.01 + 0.64 + 0.04 + 0.09 + 0.01) / 5)
    assert log_loss(LABELS, SCORES).value == pytest.approx(-math.log(0.9 * 0.2 * 0.8 * 0.7 * 0.9) / 5)


def test_a_sure_and_wrong_prediction_has_a_finite_log_loss():
    """Probabilities of the outcome are clipped at 2.2e-16."""
    assert log_loss([1, 0], [0.0, 0.0]).value == pytest.approx(-math.log(np.finfo(float).eps) / 2)


@pytest.mark.parametrize("constant", [0.0, 0.5, 1e9])
def test_a_constant_scorer_knows_nothing(constant):
    """AUROC is .5, k % of the changes hold k % of the risk, and precision is the base rate."""
    labels, scores = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0], [constant] * 10
    assert auroc(labels, scores).value == 0.5
    assert recall_at(0.05)(labels, scores).value == pytest.approx(0.05)
    assert true_positives_at(0.01)(labels, scores).value == pytest.approx(0.01)
    assert precision_at(0.05)(labels, scores).value == pytest.approx(0.2)
    assert average_precision(labels, scores).value == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("labels", "scores", "reason"),
    [
        ([], [], "no rows"),
        ([0, 0], [0.1, 0.2], "no row is risky"),
        ([1, 1], [0.1, 0.2], "every row is risky"),
        ([1, 0], [0.1, math.nan], "1 of 2 rows have no score"),
    ],
)
def test_what_is_undefined_has_a_reason_and_no_value(labels, scores, reason):
    """Degenerate rows give no number, never a zero, and `require` turns the reason into an error."""
    measured = auroc(labels, scores)
    assert (measured.value, measured.reason) == (None, reason)
    assert (measured.n, measured.positives) == (len(labels), sum(labels))
    with pytest.raises(LabelError, match=reason):
        measured.require()


def test_weights_that_leave_one_class_leave_no_value():
    """Rows of weight zero do not determine anything."""
    measured = auroc([1, 0], [0.3, 0.2], weights=[1, 0])
    assert measured.value is None
    assert "weight" in str(measured.reason)


def test_means_are_defined_for_one_class():
    """Accuracy and Brier score need no second class."""
    assert accuracy([0, 0], [0.1, 0.7]).value == 0.5
    assert brier([1], [0.5]).value == 0.25


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([0, 1, 2], [1, 2, 3]),
        ([0, 1], [1, 2, 3]),
        ([0.0, math.nan], [1, 2]),
        (["a", "b"], [1, 2]),
        ([[0, 1]], [[1, 2]]),
    ],
)
def test_arguments_that_contradict_each_other_are_errors(labels, scores):
    """Labels other than 0 and 1 and lengths that differ are the caller's mistake."""
    with pytest.raises(LabelError):
        auroc(labels, scores)


def test_scores_that_are_no_probabilities_have_no_brier_score():
    """A margin of 3 is not a probability."""
    with pytest.raises(LabelError, match="probabilities"):
        brier([0, 1], [0.2, 3.0])


@pytest.mark.parametrize("weights", [[1, -1], [1, math.inf], [1]])
def test_weights_are_finite_and_not_negative(weights):
    """Anything else is the caller's mistake."""
    with pytest.raises(LabelError):
        auroc([1, 0], [0.2, 0.1], weights=weights)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5])
def test_shares_lie_between_zero_and_one(share):
    """A budget of nothing or of more than everything is refused."""
    for metric in (recall_at, precision_at, true_positives_at):
        with pytest.raises(LabelError):
            metric(share)


@pytest.mark.parametrize("metric", RANKED, ids=lambda metric: metric.name)
@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_cannot_matter(metric: Metric, case, random):
    """Shuffling rows, tied ones included, changes nothing."""
    labels, scores = case
    order = list(range(labels.size))
    random.shuffle(order)
    assert metric(labels[order], scores[order]).value == pytest.approx(metric(labels, scores).value, abs=1e-12)


@pytest.mark.parametrize("metric", RANKED, ids=lambda metric: metric.name)
@given(rows())
def test_only_the_ranking_matters(metric: Metric, case):
    """A strictly increasing transformation of the scores changes nothing."""
    labels, scores = case
    assert metric(labels, np.exp(3 * scores) - 7).value == pytest.approx(metric(labels, scores).value, abs=1e-12)


@given(rows())
def test_auroc_is_symmetric(case):
    """Swapping the classes, or turning the ranking round, reflects AUROC at .5; both together restore it."""
    labels, scores = case
    value = auroc(labels, scores).require()
    assert auroc(~labels, scores).require() == pytest.approx(1 - value)
    assert auroc(labels, -scores).require() == pytest.approx(1 - value)
    assert auroc(~labels, -scores).require() == pytest.approx(value)


@given(rows())
def test_auroc_is_the_share_of_pairs_won(case):
    """Every risky row against every clean one, ties for half."""
    labels, scores = case
    gaps = scores[labels][:, None] - scores[~labels][None, :]
    assert auroc(labels, scores).require() == pytest.approx(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


@pytest.mark.parametrize("metric", [*METRICS.values(), *RANKED], ids=lambda metric: metric.name)
@given(rows(), st.data())
def test_a_weight_is_a_number_of_copies(metric: Metric, case, data):
    """Counting a row three times is the same as having it three times: what the bootstrap rests on."""
    labels, scores = case
    counts = data.draw(arrays.arrays(np.int64, labels.size, elements=st.integers(0, 3)))
    counts[0], counts[-1] = max(counts[0], 1), max(counts[-1], 1)
    copies = metric(np.repeat(labels, counts), np.repeat(scores, counts))
    assert metric(labels, scores, weights=counts).value == pytest.approx(copies.value, abs=1e-9)


@given(rows(), st.data())
def test_weights_are_copies_for_effort_too(case, data):
    """The same for metrics that know what a row costs."""
    labels, scores = case
    counts = data.draw(arrays.arrays(np.int64, labels.size, elements=st.integers(1, 3)))
    effort = data.draw(arrays.arrays(np.float64, labels.size, elements=st.integers(1, 50)))
    for make in (popt, lambda lines: recall_at_effort(0.2, lines)):
        copies = make(np.repeat(effort, counts))(np.repeat(labels, counts), np.repeat(scores, counts))
        weighted = make(effort)(labels, scores, weights=counts)
        assert weighted.value == pytest.approx(copies.value, abs=1e-9)


@pytest.mark.parametrize("decimals", [1, 6])
def test_an_independent_implementation_agrees(decimals):
    """scikit-learn computes the same on random rows, with many ties and with hardly any."""
    reference = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(5)
    labels = generator.random(3000) < 0.1
    scores = np.round(np.clip(generator.beta(1, 5, size=3000) + 0.1 * labels, 0, 1), decimals)
    weights = generator.integers(0, 4, size=3000)
    for ours, theirs in (
        (auroc, reference.roc_auc_score),
        (average_precision, reference.average_precision_score),
        (brier, reference.brier_score_loss),
        (log_loss, reference.log_loss),
    ):
        assert ours(labels, scores).value == pytest.approx(theirs(labels, scores), rel=1e-9)
        weighted = theirs(labels, scores, sample_weight=weights)
        assert ours(labels, scores, weights=weights).value == pytest.approx(weighted, rel=1e-9)


def test_misfit_is_the_squared_distance_from_the_teacher():
    """It needs no labels, and has no value where a row has none."""
    assert misfit([0.0, 1.0], [0.5, 1.0]).value == pytest.approx(0.125)
    assert misfit([0.0, 1.0], [0.5, math.nan]).value is None
    assert misfit([], []).reason == "no rows"
