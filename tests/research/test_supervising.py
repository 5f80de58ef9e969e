"""The weak reviewer of a study says of a row what it knows without that row's label and without the fold held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from oversight.errors import LabelError
from oversight.experiment.protocol import Draw
from oversight.experiment.reading import Reading
from oversight.features.example import SCHEMA
from oversight.features.model import Example
from oversight.research import supervising
from oversight.research.lessons import Floats
from oversight.reviewers.model import WeakLabel

FOLDS = 4
NOTHING = {
    "measures": np.zeros(0, np.float32),
    "tokens": np.zeros(0, np.uint32),
    "offsets": np.zeros(1, np.int64),
    "facts": np.zeros((0, 0), np.float32),
    "places": np.zeros((0, 2), np.int32),
}


def readings(start: int, count: int) -> list[Reading]:
    return [Reading(Example(str(number), SCHEMA, **NOTHING), ()) for number in range(start, start + count)]


class Spy:
    """A reviewer whose every label is the number of its teaching, of which it remembers the rows."""

    def __init__(self, fewest: int = 0) -> None:
        self.taught: list[set[int]] = []
        self.fewest = fewest

    def __call__(
        self, _name: str, taught: Sequence[Reading], labels: NDArray[np.bool_], wanted: Sequence[Reading], **_seed: int
    ) -> list[WeakLabel]:
        assert len(taught) == labels.size
        if len(taught) < self.fewest:
            raise LabelError("too few", mend="give more")
        self.taught.append({int(one.example.change_id) for one in taught})
        return [WeakLabel(one.example.change_id, float(len(self.taught) - 1), 1.0) for one in wanted]

    def rows(self, said: Floats) -> set[int]:
        """The rows that taught what said all of these, which is one teaching."""
        (number,) = np.unique(said)
        return self.taught[int(number)]


def supervised(monkeypatch: pytest.MonkeyPatch, spy: Spy) -> supervising.Supervised:
    monkeypatch.setattr(supervising, "weak_labels", spy)
    labels = np.arange(40) % 4 == 0
    draw = Draw(7, np.arange(40), labels)
    return supervising.supervise("spy", draw, readings(0, 40), readings(100, 30), readings(200, 10), FOLDS)


def test_no_label_is_heard_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Students' labels come of all that is not held out; of a drawn row, of all but its own fold and the one held."""
    spy = Spy()
    found = supervised(monkeypatch, spy)
    everything = set(range(40))
    assert spy.rows(np.concatenate((found.whole.student, found.test))) == everything
    parts = [set(fold.held.tolist()) for fold in found.folds]
    assert set.union(*parts) == everything
    for fold, held in zip(found.folds, parts, strict=True):
        assert spy.rows(fold.student) == everything - held
        assert np.isnan(fold.drawn[fold.held]).all()
        for other in parts:
            if other != held:
                assert spy.rows(fold.drawn[sorted(other)]) == everything - held - other
        assert spy.rows(found.whole.drawn[fold.held]) == everything - held


def test_a_teaching_serves_all_that_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four folds cost one teaching with all labels, one without each fold, and one without each pair."""
    spy = Spy()
    supervised(monkeypatch, spy)
    assert len(spy.taught) == 1 + 4 + 6


def test_what_nobody_could_be_taught_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pair of folds leaves too few labels those rows have no weak label; without a fold, no fold is left."""
    found = supervised(monkeypatch, Spy(fewest=25))
    assert len(found.folds) == FOLDS
    assert all(np.isnan(fold.drawn).all() for fold in found.folds)
    found = supervised(monkeypatch, Spy(fewest=35))
    assert found.folds == ()
    assert np.isnan(found.whole.drawn).all()
