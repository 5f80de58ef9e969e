"""Heads and the representation that they are trained on."""

import numpy as np
import pytest
import torch

from oversight.errors import LabelError, ModelError
from oversight.measurement.metrics import auroc
from oversight.students.batch import PROFILE, profiles
from oversight.students.head import HeadLearner, HeadStudent, crowned, solve
from oversight.students.network import Network, PiecewiseLinear
from oversight.students.representation import RANK, placed, represent
from oversight.students.scale import Scales, moving_scales, quantile_edges
from oversight.students.student import NetworkLearner, NetworkStudent, logits_placed
from oversight.students.training import cross_entropy
from tests.synthetic import examples

BINS = 8


@pytest.fixture(name="world")
def world_fixture():
    """400 changes with their labels, and a learner of them."""
    changes, risky = examples(400)
    return changes, risky, HeadLearner(represent(changes, Scales(), BINS))


def test_profiles_are_placed_as_the_network_places_them() -> None:
    """Bins and unknown flags are those of the network's encoding, to single precision; ranks are their mean."""
    changes, _ = examples(150)
    known = profiles(changes)
    edges = quantile_edges(known, BINS)
    encoding = PiecewiseLinear(len(PROFILE), BINS)
    encoding.edges.copy_(torch.from_numpy(edges))
    expected = encoding(torch.from_numpy(known)).numpy()
    matrix = placed(changes, Scales(), BINS)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix[:, : expected.shape[1]], expected, atol=1e-6)
    bins = expected[:, : len(PROFILE) * BINS].reshape(150, len(PROFILE), BINS)
    np.testing.assert_allclose(matrix[:, expected.shape[1] :], RANK * bins.mean(2), atol=1e-5)


def test_a_change_is_placed_on_its_own_scale() -> None:
    """Each block sees the quantiles of the changes before it, and what comes later moves nothing."""
    changes, _ = examples(260)
    scales = moving_scales([one.change_id for one in changes], profiles(changes), BINS)
    matrix = placed(changes, scales, BINS)
    alone = placed(changes[:1], Scales(scales.edges, {changes[0].change_id: scales.of[changes[0].change_id]}), BINS)
    np.testing.assert_array_equal(matrix[:1], alone)
    assert (placed(changes, Scales(), BINS)[250:] != matrix[250:]).any()


def test_a_head_learns_and_is_the_same_for_every_seed(world) -> None:
    """It orders changes that it has not seen, and draws nothing."""
    changes, risky, learner = world
    first = learner.fit(changes[:300], risky[:300], seed=0)
    second = learner.fit(changes[:300], risky[:300], seed=1)
    np.testing.assert_array_equal(first.weights, second.weights)
    assert auroc(risky[300:], first.predict(changes[300:])).require() > 0.8
    np.testing.assert_allclose(np.log(first.predict(changes) / (1 - first.predict(changes))), first.logits(changes))


def test_the_solution_is_where_the_gradient_vanishes() -> None:
    """By hand: the penalty's pull, (w - mean) / variance, equals Σ count * (y - p) * x."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 3)).astype(np.float32)
    targets = (random.random(200) < 1 / (1 + np.exp(-rows[:, 0]))).astype(float)
    counts = random.uniform(0.1, 2, 200)
    mean = np.array([0.5, 0, -0.5], dtype=np.float32)
    weights, intercept = solve(rows, targets, counts, mean, variance=0.05)
    wrong = counts * (targets - 1 / (1 + np.exp(-(rows @ weights + intercept))))
    np.testing.assert_allclose((weights - mean) / 0.05, wrong @ rows, atol=0.05)
    assert abs(wrong.sum()) < 0.02


def test_weights_count_labels(world) -> None:
    """A label of weight 2 is two labels, and more of them move the weights further from what was expected."""
    changes, risky, learner = world
    once, twice = changes[:100], [*changes[:100], *changes[:100]]
    doubled = learner.fit(twice, np.tile(risky[:100], 2), seed=0)
    weighed = learner.fit(once, risky[:100], weights=np.full(100, 2.0), seed=0)
    np.testing.assert_allclose(doubled.weights, weighed.weights, atol=2e-3)
    single = learner.fit(once, risky[:100], seed=0)
    assert np.linalg.norm(single.weights) < np.linalg.norm(weighed.weights)


def test_a_head_goes_on_from_another(world) -> None:
    """With next to no evidence it stays where it started."""
    changes, risky, learner = world
    start = learner.fit(changes, risky, seed=0)
    held = learner.fit(changes[:40], ~risky[:40], weights=np.full(40, 1e-6), start=start, seed=0)
    np.testing.assert_allclose(held.weights, start.weights, atol=1e-4)
    moved = learner.fit(changes[:300], ~risky[:300], start=start, seed=0)
    assert np.linalg.norm(moved.weights - start.weights) > 0.05


def test_the_log_odds_of_a_start_count_as_they_are() -> None:
    """Before anything is learned a head orders changes as the model does that it goes on from."""
    changes, risky = examples(200)
    odds = np.random.default_rng(0).normal(size=200)
    representation = represent(changes, Scales(), BINS, odds)
    learned = HeadLearner(representation).fit(changes, risky, weights=np.full(200, 1e-7), seed=0)
    given = learned.logits(changes) - learned.intercept
    np.testing.assert_allclose(given, odds, atol=1e-2)


def test_a_loss_sees_logits_with_the_gradient_stopped(world) -> None:
    """They are the student's own of the round before, and progress runs from 0 to 1."""
    changes, risky, learner = world
    seen: list[tuple[bool, float]] = []

    def loss(logits, frozen, targets, progress):
        seen.append((frozen.requires_grad, progress))
        return (torch.sigmoid(logits) - targets) ** 2

    learner.fit(changes, risky, seed=0, loss=loss)
    assert not any(gradient for gradient, _ in seen)
    assert {progress for _, progress in seen} == {0.0, 1 / 3, 2 / 3, 1.0}


def test_plain_cross_entropy_is_solved_in_its_first_round(world) -> None:
    """More rounds would find what was found: nothing in it looks at the student's own logits."""
    changes, risky, learner = world
    asked = []

    def looking(logits, frozen, targets, progress):
        asked.append(progress)
        return cross_entropy(logits, frozen, targets, progress)

    once, again = (learner.fit(changes, risky, seed=0, loss=loss) for loss in (cross_entropy, looking))
    assert len(set(asked)) > 1
    np.testing.assert_allclose(once.logits(changes), again.logits(changes), atol=5e-3)


def test_what_was_not_represented_is_refused(world) -> None:
    """A head cannot read a change; it looks it up."""
    changes, risky, learner = world
    stranger, _ = examples(1, seed=9)
    renamed = [type(stranger[0])("elsewhere", *[getattr(stranger[0], name) for name in stranger[0].__slots__[1:]])]
    with pytest.raises(LabelError, match="no representation"):
        learner.fit(changes, risky, seed=0).predict(renamed)


def test_too_little_to_learn_from_is_refused(world) -> None:
    """As by the network."""
    changes, risky, learner = world
    with pytest.raises(LabelError):
        learner.fit(changes[:10], risky[:10], seed=0)
    with pytest.raises(LabelError):
        learner.fit(changes, np.full(400, 0.2), seed=0)


def test_heads_and_networks_do_not_go_on_from_each_other(world) -> None:
    """One line says so, rather than a traceback about shapes."""
    changes, risky, learner = world
    head = learner.fit(changes, risky, seed=0)
    with pytest.raises(ModelError, match="network"):
        NetworkLearner().fit(changes, risky, seed=0, start=head)
    network = NetworkStudent(Network(NetworkLearner().architecture))
    with pytest.raises(ModelError, match="head"):
        learner.fit(changes, risky, seed=0, start=network)


def test_a_head_on_a_network_says_what_the_head_says() -> None:
    """Placed on the same scales, the network with a head gives the head's log-odds, also where it has one already."""
    changes, risky = examples(300)
    scales = moving_scales([one.change_id for one in changes], profiles(changes), BINS)
    start = NetworkStudent(Network(NetworkLearner().architecture).eval())
    edges = quantile_edges(profiles(changes), BINS)
    for _ in range(2):
        odds = logits_placed(start, changes, scales)[0]
        head = HeadLearner(represent(changes, scales, BINS, odds)).fit(changes, risky, seed=0)
        network = crowned(head, start, edges)
        found = network.change_calibration.slope * logits_placed(network, changes, scales)[0]
        np.testing.assert_allclose(found, head.logits(changes), atol=2e-3)
        np.testing.assert_array_equal(network.network.scale.edges.numpy(), edges)
        assert auroc(risky, found).require() > auroc(risky, odds).require()
        start = network


def test_only_a_head_on_log_odds_of_the_network_fits_it(world) -> None:
    """One of profiles alone has no place for the network, and one that turned the network round would lie."""
    changes, risky, learner = world
    start = NetworkStudent(Network(NetworkLearner().architecture).eval())
    edges = quantile_edges(profiles(changes), BINS)
    with pytest.raises(ModelError, match="does not go on"):
        crowned(learner.fit(changes, risky, seed=0), start, edges)
    head = HeadLearner(represent(changes, Scales(), BINS, np.zeros(400))).fit(changes, risky, seed=0)
    turned = HeadStudent(head.representation, np.append(head.weights[:-1], np.float32(-1)), 0.0)
    with pytest.raises(ModelError, match="does not go on"):
        crowned(turned, start, edges)
