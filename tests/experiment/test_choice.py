"""Choosing between methods by human labels alone."""

from collections.abc import Sequence

import numpy as np
import pytest

from oversight.errors import LabelError
from oversight.experiment import choice
from oversight.experiment.choice import CANDIDATES, HUMAN_ONLY, Lessons, choose_for
from oversight.experiment.reading import Reading
from oversight.features.model import Example
from oversight.students.head import HeadLearner
from oversight.students.representation import represent
from oversight.students.scale import Scales
from tests.synthetic import examples


def readings(changes: Sequence[Example]) -> list[Reading]:
    """Changes of which no principle says anything."""
    return [Reading(change, ()) for change in changes]


@pytest.fixture(name="world", scope="module")
def world_fixture():
    """150 changes with human labels, 250 without, and a learner of heads."""
    changes, risky = examples(400, share=0.3)
    lessons = Lessons(readings(changes[:150]), risky[:150], readings(changes[150:]), "lexical")
    return lessons, HeadLearner(represent(changes, Scales(), 8))


def test_every_candidate_is_tried_out_of_fold_and_the_reason_told(world) -> None:
    """The same seed makes the same choice, and the scores of all stand beside it."""
    lessons, learner = world
    folds: list[int] = []
    first = choose_for(lessons, learner, seed=3, advance=folds.append)
    assert folds == [1] * choice.FOLDS
    assert set(first.scores) == set(CANDIDATES)
    assert all(0.5 < score <= 1 for score in first.scores.values())
    assert first.method in first.why
    assert choose_for(lessons, learner, seed=3) == first


def test_held_out_labels_teach_nothing(world, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the weak reviewer nor a method is given the label of a row that it is judged on."""
    lessons, learner = world
    names = {one.example.change_id: row for row, one in enumerate(lessons.human)}
    judged: list[set[str]] = []
    fold, gold_of, weak_labels = choice._fold, choice.gold_of, choice.weak_labels

    def watched(given, held, seed):
        judged.append({lessons.human[row].example.change_id for row in held.tolist()})
        return fold(given, held, seed)

    def gold(changes, labels):
        assert not judged[-1] & set(changes)
        return gold_of(changes, labels)

    def weak(name, taught, labels, wanted, *, seed):
        assert not judged[-1] & {one.example.change_id for one in taught}
        return weak_labels(name, taught, labels, wanted, seed=seed)

    monkeypatch.setattr(choice, "_fold", watched)
    monkeypatch.setattr(choice, "gold_of", gold)
    monkeypatch.setattr(choice, "weak_labels", weak)
    choose_for(lessons, learner, seed=0)
    assert set.union(*judged) == set(names)


def test_the_first_stays_unless_another_is_better_by_more_than_the_error() -> None:
    """A little luck among a few risky changes does not outweigh what did best elsewhere; plain superiority does."""
    random = np.random.default_rng(0)
    labels = random.random(300) < 0.1
    first = labels * 1.0 + random.normal(size=300)
    alike = first + random.normal(size=300) * 0.02
    better = labels * 3.0 + random.normal(size=300)
    names = CANDIDATES[:2]
    same = choice._best(names, dict(zip(names, (first, alike), strict=True)), labels, 0)
    assert (same.method, "no other is better" in same.why) == (names[0], True)
    other = choice._best(names, dict(zip(names, (first, better), strict=True)), labels, 0)
    assert (other.method, "by more than a standard error" in other.why) == (names[1], True)


def test_without_a_weak_reviewer_the_human_labels_are_left(world) -> None:
    """Six risky labels leave a fold four to teach with, and no reviewer is taught by so few."""
    lessons, learner = world
    rows = np.concatenate((np.flatnonzero(lessons.labels)[:6], np.flatnonzero(~lessons.labels)[:60]))
    few = Lessons([lessons.human[row] for row in rows.tolist()], lessons.labels[rows], lessons.unlabelled, "lexical")
    found = choose_for(few, learner, seed=0)
    assert (found.method, set(found.scores)) == (HUMAN_ONLY, {HUMAN_ONLY})


def test_one_class_is_refused(world) -> None:
    """There is nothing to choose by."""
    lessons, learner = world
    clean = Lessons(lessons.human, np.zeros(150, dtype=bool), lessons.unlabelled, "lexical")
    with pytest.raises(LabelError, match="no method learns"):
        choose_for(clean, learner, seed=0)
