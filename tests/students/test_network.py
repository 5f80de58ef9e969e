"""The network: what it may look at, and what it does with what is missing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.features import FACTS, HASH_BUCKETS
from oversight.history.context import MEASURES
from oversight.measurement.metrics import auroc
from oversight.students.batch import PROFILE, Batch, collate, profiles
from oversight.students.network import Architecture, Network, PiecewiseLinear, Standardise
from oversight.students.scale import Scales, moving_scales, quantile_edges
from oversight.students.student import NetworkLearner, NetworkStudent, logits_placed
from oversight.students.training import Budget, forward, observed
from tests.synthetic import example, examples


def test_unknown_measures_are_not_zero() -> None:
    """A measure that is unknown and one that is zero look different to the network."""
    layer = Standardise(2)
    layer.fit(torch.tensor([[0.0, 3.0], [8.0, 5.0]]))
    unknown, zero = layer(torch.tensor([[float("nan"), 3.0]])), layer(torch.tensor([[0.0, 3.0]]))
    assert unknown[0].tolist()[2:] == [1.0, 0.0]
    assert zero[0].tolist()[2:] == [0.0, 0.0]
    assert not torch.equal(unknown, zero)


def test_standardised_values_are_finite_whatever_the_column_holds() -> None:
    """A column that is constant, or never known, gives finite values."""
    values = torch.tensor([[1.0, float("nan")], [1.0, float("nan")]])
    layer = Standardise(2)
    layer.fit(values)
    assert torch.isfinite(layer(values)).all()
    assert torch.isfinite(layer(torch.tensor([[3e38, -3e38]]))).all()


def test_a_profile_sums_up_the_hunks() -> None:
    """Measures come first, then the facts of all hunks together, those of the largest, and the number of hunks."""
    random = np.random.default_rng(0)
    full, empty = example(random, "full", hunks=3), example(random, "empty", hunks=0)
    rows = dict(zip(PROFILE, profiles([full, empty]).T, strict=True))
    column = FACTS.index("lines_added")
    assert rows["la"][0] == full.measures[MEASURES.index("la")]
    assert rows["lines_added, all hunks"].tolist() == [full.facts[:, column].sum(), 0]
    assert rows["lines_added, largest hunk"].tolist() == [full.facts[:, column].max(), 0]
    assert rows["hunks"].tolist() == [3, 0]


def test_a_value_is_placed_among_quantiles() -> None:
    """The encoding fills one bin after the other; beyond the greatest value all are full; unknown fills none."""
    layer = PiecewiseLinear(1, bins=2)
    placed = np.expm1(np.array([[0.0], [1.0], [3.0]], dtype=np.float32))
    layer.edges.copy_(torch.from_numpy(quantile_edges(placed, bins=2)))
    values = torch.expm1(torch.tensor([[0.0], [0.5], [2.0], [9.0], [float("nan")]]))
    expected = [[0, 0, 0], [0.5, 0, 0], [1, 0.5, 0], [1, 1, 0], [0, 0, 1]]
    torch.testing.assert_close(layer(values), torch.tensor(expected))


def test_ties_leave_bins_without_width_empty() -> None:
    """A column that is mostly one value, always that, or never known still gives finite numbers."""
    values = np.array([[0, 7, np.nan], [0, 7, np.nan], [0, 7, np.nan], [8, 7, np.nan]], dtype=np.float32)
    layer = PiecewiseLinear(3, bins=4)
    layer.edges.copy_(torch.from_numpy(quantile_edges(values, bins=4)))
    filled = layer(torch.from_numpy(values))
    assert torch.isfinite(filled).all()
    assert filled[3, :4].tolist() == [0, 0, 1, 1]
    assert filled[0, :4].tolist() == [0, 0, 0, 0]


def test_rows_may_be_placed_among_their_own_repositories() -> None:
    """With edges of its own a row is placed on its own scale, as a module with those edges would place it."""
    values = torch.tensor([[3.0], [3.0]])
    small, large = (torch.log1p(torch.tensor([[0.0, end]])) for end in (3.0, 300.0))
    layer, other = PiecewiseLinear(1, bins=1), PiecewiseLinear(1, bins=1)
    layer.edges.copy_(small)
    other.edges.copy_(large)
    both = layer(values, torch.stack((small, large)))
    torch.testing.assert_close(both, torch.cat((layer(values[:1]), other(values[1:]))))


@given(st.floats(-30, 30), st.floats(0.001, 1))
def test_a_repair_that_would_not_be_known_yet_is_less_to_be_expected(logit: float, found: float) -> None:
    """P(known as risky) is P(risky) times the share of repairs that are known by now."""
    known = torch.sigmoid(observed(torch.tensor([logit]).double(), torch.tensor([found]).double()))
    assert known.item() == pytest.approx(torch.sigmoid(torch.tensor(logit).double()).item() * found, rel=1e-6)


def test_a_change_without_hunks_is_scored_from_its_measures() -> None:
    """It gets the leak, what no hunk shows, and its context; one with hunks gets more than the leak."""
    network = Network(Architecture(HASH_BUCKETS, len(FACTS), len(PROFILE))).eval()
    random = np.random.default_rng(0)
    pooled, context = forward(network, collate([example(random, "empty", hunks=0), example(random, "full", hunks=2)]))
    assert pooled[0].item() == pytest.approx(network.leak.item())
    assert torch.isfinite(context).all()
    assert pooled[1].item() > network.leak.item()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_what_stands_elsewhere_does_not_move_a_hunk(seed: int, padding: int) -> None:
    """A hunk's own logit is the same alone and among any other hunks and changes."""
    random = np.random.default_rng(seed)
    network = Network(Architecture(HASH_BUCKETS, len(FACTS), len(PROFILE))).eval()
    hunk = example(random, "one", hunks=1)
    others = [example(random, f"other-{number}", hunks=3) for number in range(padding)]
    batch, joined = collate([hunk]), collate([*others, hunk])
    with torch.no_grad():
        alone = network(*(torch.from_numpy(array) for array in _inputs(batch)))[0]
        among = network(*(torch.from_numpy(array) for array in _inputs(joined)))[0]
    assert among[-1].item() == pytest.approx(alone[0].item(), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_padding_never_lowers_what_the_hunks_say(seed: int) -> None:
    """A change's pooled logit with more hunks is at least that of some of them."""
    random = np.random.default_rng(seed)
    whole = example(random, "whole", hunks=6)
    end = int(whole.offsets[4])
    part = replace(
        whole, tokens=whole.tokens[:end], offsets=whole.offsets[:5], facts=whole.facts[:4], places=whole.places[:4]
    )
    network = Network(Architecture(HASH_BUCKETS, len(FACTS), len(PROFILE))).eval()
    pooled, _ = forward(network, collate([part, whole]))
    assert pooled[1].item() >= pooled[0].item() - 1e-6


def test_the_same_seed_gives_the_same_student() -> None:
    """Training is deterministic by seed, and another seed gives another student."""
    changes, risky = examples(60)
    learner = NetworkLearner(budget=Budget(epochs=1))
    first, again, other = (learner.fit(changes, risky, seed=seed).predict(changes) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_student_learns_what_there_is_to_learn(student: NetworkStudent) -> None:
    """On changes it has not seen, risky ones get the higher risk."""
    changes, risky = examples(200, seed=9)
    predicted = student.predict(changes)
    assert predicted[risky].mean() > predicted[~risky].mean() + 0.2


def test_young_rows_are_not_taken_for_clean() -> None:
    """Rows of which few repairs would be known by now teach a higher risk than their labels alone."""
    changes, _ = examples(200)
    known = np.zeros(200)
    known[::10] = 1
    learner = NetworkLearner(budget=Budget(epochs=4))
    young = replace(learner, found={change.change_id: 0.25 for change in changes})
    plain, corrected = (one.fit(changes, known, seed=0).predict(changes).mean() for one in (learner, young))
    assert corrected > 2 * plain


def test_changes_are_learned_from_on_scales_of_their_own() -> None:
    """What is a hundred times as large in one repository teaches what it would teach at the size of the other."""
    changes, risky = examples(200)
    large = {change.change_id for change in changes[::2]}
    grown = [replace(one, measures=one.measures * (100 if one.change_id in large else 1)) for one in changes]
    parts = [[one for one in grown if (one.change_id in large) is kind] for kind in (False, True)]
    scales = Scales()
    for part in parts:
        scales += moving_scales([one.change_id for one in part], profiles(part), 8)
    assert len(scales.edges) == 2
    assert {scales.of[change] for change in large} == {1}
    student = NetworkLearner(budget=Budget(epochs=4), scales=scales).fit(grown, risky, seed=0)
    own = np.concatenate([student.on(scales.edges[number]).logits(part)[0] for number, part in enumerate(parts)])
    labels = np.array([risky[grown.index(one)] for part in parts for one in part])
    assert auroc(labels, own).require() > auroc(labels, np.concatenate([student.logits(p)[0] for p in parts])).require()


def test_a_student_may_be_placed_on_another_scale() -> None:
    """It says something else there; on the network's own scale it says the same as without one."""
    changes, risky = examples(80)
    student = NetworkLearner(budget=Budget(epochs=1)).fit(changes, risky, seed=0)
    assert student.edges is None
    own = student.network.scale.edges.numpy()
    np.testing.assert_array_equal(student.on(own).predict(changes), student.predict(changes))
    assert not np.array_equal(student.on(own + 1).predict(changes), student.predict(changes))


def test_every_change_is_placed_on_its_own_scale(student: NetworkStudent) -> None:
    """What is said of a change is what is said on the scale that is named for it, whatever the others are on."""
    changes, _ = examples(30)
    own = student.network.scale.edges.numpy()
    scales = Scales((own, own + 1), {change.change_id: number % 2 for number, change in enumerate(changes)})
    whole, alone = logits_placed(student, changes, scales)
    for number in (0, 1):
        expected = student.on(scales.edges[number]).logits(changes[number::2])
        np.testing.assert_allclose(whole[number::2], expected[0], rtol=1e-5)
        np.testing.assert_allclose(alone[number::2], expected[1], rtol=1e-5)
    np.testing.assert_array_equal(logits_placed(student, changes, Scales())[0], student.logits(changes)[0])


def _inputs(batch: Batch) -> tuple[np.ndarray, ...]:
    return batch.tokens, batch.token_hunk, batch.facts, batch.profile
