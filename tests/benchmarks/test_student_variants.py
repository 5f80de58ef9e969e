"""What ablations change of the student: how hunks are pooled, where vectors of tokens come from, how many seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import distillation
from benchmarks.distillation import expected_labels
from benchmarks.pooling import AttentionPooling, MaximumPooling, MeanPooling
from benchmarks.pretraining import pretrained
from benchmarks.student_models import Variant, without_history
from oversight.features.example import HISTORY
from oversight.features.facts import FACTS
from oversight.features.tokens import HASH_BUCKETS
from oversight.students.batch import PROFILE
from oversight.students.network import Architecture, Network
from tests.benchmarks.test_student import table
from tests.synthetic import examples

SMALL = Architecture(buckets=8, facts=2, profile=3)


def pooled(build: type[Network], logits: list[float], changes: list[int]) -> list[float]:
    """What two changes get of these hunks, where no hunk and no leak says more than 0."""
    found = build(SMALL).pool(torch.tensor(logits), torch.zeros(2), torch.tensor(changes, dtype=torch.int64))
    return [round(value, 4) for value in found.detach().tolist()]


def test_ways_of_pooling_differ_where_they_should() -> None:
    """One bad hunk among quiet ones: the maximum keeps it, the mean thins it out, attention stands between them."""
    logits, changes = [3.0, -1.0, -1.0, -1.0], [0, 0, 0, 0]
    assert pooled(MaximumPooling, logits, changes) == [3.0, 0.0]
    assert pooled(MeanPooling, logits, changes) == [0.0, 0.0]
    attended = pooled(AttentionPooling, logits, changes)[0]
    assert 0.0 < attended < 3.0
    assert pooled(Network, logits, changes)[0] > 3.0


@pytest.mark.parametrize("build", [MeanPooling, MaximumPooling, AttentionPooling])
def test_a_change_without_hunks_gets_its_leak(build: type[Network]) -> None:
    """No way of pooling divides by nothing."""
    assert pooled(build, [], []) == [0.0, 0.0]


def test_tokens_that_occur_together_are_guessed_from_each_other() -> None:
    """Vectors learned without labels bring tokens of one kind of hunk nearer than those of different kinds."""
    random = np.random.default_rng(0)
    kinds = [np.arange(100, 120), np.arange(200, 220)]
    changes = []
    for number, change in enumerate(examples(600, seed=1)[0]):
        tokens = random.choice(kinds[number % 2], 12).astype(np.uint32)
        offsets = np.zeros(change.hunks + 1, dtype=np.int64)
        offsets[1:] = 12
        changes.append(replace(change, tokens=tokens, offsets=offsets))
    sizes = Architecture(buckets=HASH_BUCKETS, facts=len(FACTS), profile=len(PROFILE))
    vectors = torch.nn.functional.normalize(pretrained(sizes, changes, seed=0, epochs=20).embedding.detach(), dim=1)
    first, second = (vectors[torch.from_numpy(kind)] for kind in kinds)
    assert (first @ first.T).mean() > (first @ second.T).mean() + 0.3


def test_a_teacher_says_what_it_expects_of_rows_that_it_did_not_learn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its probabilities follow labels where there is something to learn; less is expected to be known of young rows."""
    monkeypatch.setattr(distillation, "FOLDS", 2)
    rows = table(200)
    expected = expected_labels([rows], seed=0)
    assert ((expected >= 0) & (expected <= 1)).all()
    assert expected[rows.labels].mean() > expected[~rows.labels].mean() + 0.1
    random = replace(rows, labels=np.random.default_rng(0).permutation(rows.labels), found=np.where(rows.ripe, 1, 0.1))
    unknown = expected_labels([random], seed=0)
    assert abs(unknown[random.labels].mean() - unknown[~random.labels].mean()) < 0.2
    assert unknown[~random.ripe].max() <= 0.1


def test_an_ensemble_is_the_mean_of_its_members() -> None:
    """Three members are the seeds that they would be alone, averaged."""
    train, evaluation = [table(60)], [table(20, seed=1)]
    alone = [Variant().scores(train, evaluation, seed)[0] for seed in (0, 1)]
    together = Variant(members=2).scores(train, evaluation, 0)[0]
    assert together == pytest.approx(np.mean(alone, axis=0))


def test_without_history_what_the_change_itself_says_is_kept() -> None:
    """Measures of history are unknown, all others as they were."""
    change = examples(1, seed=3)[0][0]
    bare = without_history(change)
    assert np.isnan(bare.measures[HISTORY]).all()
    np.testing.assert_array_equal(bare.measures[~HISTORY], change.measures[~HISTORY])
