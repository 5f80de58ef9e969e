"""The network: what it may look at, and what it does with what is missing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.features import FACTS, HASH_BUCKETS
from oversight.history.context import MEASURES
from oversight.students.batch import Batch, collate
from oversight.students.network import Architecture, Network, Standardise
from oversight.students.student import NetworkLearner, NetworkStudent
from oversight.students.training import Budget, forward
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


def test_a_change_without_hunks_is_scored_from_its_measures() -> None:
    """It gets the leak, what no hunk shows, and its context; one with hunks gets more than the leak."""
    network = Network(Architecture(HASH_BUCKETS, len(FACTS), len(MEASURES))).eval()
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
    network = Network(Architecture(HASH_BUCKETS, len(FACTS), len(MEASURES))).eval()
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
    network = Network(Architecture(HASH_BUCKETS, len(FACTS), len(MEASURES))).eval()
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


def _inputs(batch: Batch) -> tuple[np.ndarray, ...]:
    return batch.tokens, batch.token_hunk, batch.facts, batch.measures
