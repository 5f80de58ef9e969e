"""Training that goes on from a student of other repositories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from oversight.measurement.metrics import auroc
from oversight.measurement.platt import sigmoid
from oversight.students.network import Architecture, Network
from oversight.students.student import NetworkLearner, NetworkStudent
from oversight.students.training import Budget
from oversight.students.transfer import Anchor, missing_level
from tests.synthetic import examples


def layers(student: NetworkStudent) -> dict[str, torch.Tensor]:
    """The layers of a student, by name, but for what is a repository's own."""
    return {name: value.detach() for name, value in student.network.named_parameters() if name != "embedding"}


def moved(student: NetworkStudent, start: NetworkStudent) -> float:
    """How far training took the layers, without the change of base rate that is added to all logits."""
    before = layers(start)
    free = {"hunk_logit.bias", "leak"}
    far = [((value - before[name]) ** 2).sum() for name, value in layers(student).items() if name not in free]
    return float(torch.stack(far).sum())


def test_an_anchor_costs_the_squared_distance_and_leaves_tokens_free() -> None:
    """Nothing where the network stands; strength times the squares of what moved; tokens may go anywhere."""
    network = Network(Architecture(buckets=8, facts=2, profile=3))
    anchor = Anchor(network, 2.0)
    assert anchor.cost().item() == 0
    with torch.no_grad():
        network.leak.add_(3.0)
        network.embedding.add_(5.0)
    assert anchor.cost().item() == pytest.approx(18.0)


@pytest.mark.parametrize("wanted", [0.003, 0.2, 0.9])
def test_the_level_that_is_missing_brings_the_mean_to_what_was_wanted(wanted: float) -> None:
    """Added to all log-odds, it makes their mean probability the wanted one."""
    logits = np.array([-3.0, 0.0, 1.0])
    level = missing_level(lambda by: float(sigmoid(logits + by).mean()), wanted)
    assert sigmoid(logits + level).mean() == pytest.approx(wanted, rel=1e-6)


def test_few_rows_are_learned_from_better_from_a_student_of_many(student: NetworkStudent) -> None:
    """From forty labelled changes, a start at what others taught orders new ones better than a start at nothing."""
    few, labels = examples(40, seed=11)
    new, risky = examples(400, seed=12)
    scores = [NetworkLearner(start=start).fit(few, labels, seed=0).logits(new)[0] for start in (student, None)]
    taught, untaught = (auroc(risky, one).require() for one in scores)
    assert taught > untaught + 0.05


def test_a_strong_pull_leaves_the_layers_where_they_were(student: NetworkStudent) -> None:
    """The stronger the pull, the less training moves the layers, down to nearly nothing."""
    few, labels = examples(60, seed=13)
    learner = NetworkLearner(start=student)
    far = [
        moved(replace(learner, budget=Budget(pull=pull, weight_decay=0.0)).fit(few, labels, seed=0), student)
        for pull in (0.0, 10.0, 10_000.0)
    ]
    assert far[0] > far[1] > far[2]
    assert far[2] < 0.02 * far[0]


def test_another_base_rate_is_met_from_the_start(student: NetworkStudent) -> None:
    """Where risky changes are rarer than for the student started from, so are those that are expected."""
    rows, labels = examples(300, seed=14, share=0.05)
    held = replace(Budget(), pull=10_000.0, epochs=1)
    calm = NetworkLearner(start=student, budget=held).fit(rows, labels, seed=0)
    before, after = (sigmoid(one.logits(rows)[0]).mean() for one in (student, calm))
    assert after < before
    assert after == pytest.approx(labels.mean(), abs=0.05)


def test_profiles_are_placed_among_the_rows_that_are_learned_from(student: NetworkStudent) -> None:
    """The scale is that of the new repository, not of the one before."""
    rows, labels = examples(80, seed=15)
    larger = [replace(one, measures=one.measures * 100) for one in rows]
    tuned = NetworkLearner(start=student).fit(larger, labels, seed=0)
    assert tuned.network.scale.edges[0, 1:].min() > student.network.scale.edges[0, 1:].min()
    assert not torch.equal(tuned.network.scale.edges, student.network.scale.edges)


def test_the_student_started_from_stays_as_it_was(student: NetworkStudent) -> None:
    """Its weights are copied, never moved."""
    before = {name: value.clone() for name, value in layers(student).items()}
    rows, labels = examples(80, seed=16)
    NetworkLearner(start=student).fit(rows, labels, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in layers(student).items())
