"""One training: a method on the rows of a ground, as a configuration says.

A method sees examples that hold nothing but a name, and a learner that knows the row of each. Names are numbers that
say nothing of a commit. Rows to predict are added afterwards, under names that are new each time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight import methods
from oversight.errors import UsageError
from oversight.features.example import SCHEMA
from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.methods import HEAD, Method, of_part
from oversight.research.lessons import Lesson
from oversight.research.model import WRITTEN, Configuration
from oversight.reviewers.model import WeakLabel
from oversight.students.head import HeadLearner
from oversight.students.representation import Matrix, Representation
from oversight.students.student import Student

FILE = f"<{WRITTEN}>"
"""What the text of a written method is called where it fails."""

_MOMENT = datetime.fromtimestamp(0, UTC)  # when a label was decided no longer matters once it may be used


@dataclass(frozen=True)
class Shown(Representation):
    """Rows of a ground, and those that were shown after the training, by name."""

    more: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def of(self, examples: Sequence[Example]) -> Matrix:
        """Return the rows of `examples` (N, D); `LabelError` where one was not represented."""
        if examples and examples[0].change_id in self.more:
            return np.stack([self.more[example.change_id] for example in examples])
        return super().of(examples)


class Trained:
    """A student of one lesson: `Trained(rows, lesson, configuration).predict(other rows)`.

    Raises `LabelError` where there is too little to learn from, `UsageError` where the configuration or a written
    method is wrong, and whatever else a written method raises.
    """

    def __init__(
        self,
        matrix: Matrix,
        lesson: Lesson,
        configuration: Configuration,
        *,
        seed: int,
        written: ModuleType | None = None,
    ) -> None:
        names = [f"r{row}" for row in range(len(matrix))]
        self._shown = Shown(
            matrix, {name: row for row, name in enumerate(names)}, np.zeros(matrix.shape[1], np.float32)
        )
        method = composed(configuration, HeadLearner(self._shown, **of_part(configuration.parameters, HEAD)), written)
        changes = [names[row] for row in lesson.rows.tolist()]
        self._student: Student = method.fit(
            [_example(change) for change in changes],
            [
                WeakLabel(change, float(risk), 1.0)
                for change, risk in zip(changes, lesson.weak, strict=True)
                if not np.isnan(risk)
            ],
            [
                GoldLabel(change, bool(label), "human", _MOMENT, ())
                for change, label in zip(changes, lesson.human, strict=True)
                if not np.isnan(label)
            ],
            seed=seed,
        )
        self._generation = 0

    def predict(self, rows: Matrix) -> NDArray[np.float64]:
        """Return P(risky) (N,) of rows (N, D)."""
        self._generation += 1
        names = [f"p{self._generation}.{row}" for row in range(len(rows))]
        self._shown.more.clear()
        self._shown.more.update(zip(names, rows, strict=True))
        found = np.asarray(self._student.predict([_example(name) for name in names]), dtype=np.float64)
        if found.shape != (len(rows),) or not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
            raise UsageError("the student's answers are no probabilities", mend="return P(risky) of each example")
        return found


def composed(configuration: Configuration, learner: HeadLearner, written: ModuleType | None = None) -> Method:
    """Return the method of a configuration, its parameters set; `written` is the module of the one that was written."""

    def find(part: str) -> ModuleType:
        return written if part == WRITTEN and written is not None else methods.module(part)

    return methods.method(configuration.method, configuration.parameters, find)(learner)


def load_written(code: str) -> ModuleType:
    """Run a written method's text as a module. It may do anything: this is called inside the sandbox alone."""
    module = ModuleType(WRITTEN)
    sys.modules[WRITTEN] = module  # where dataclasses look for what annotations name
    exec(compile(code, FILE, "exec"), module.__dict__)  # noqa: S102  # what the sandbox is for
    return module


_NOTHING: dict[str, NDArray[Any]] = {
    "measures": np.zeros(0, np.float32),
    "tokens": np.zeros(0, np.uint32),
    "offsets": np.zeros(1, np.int64),
    "facts": np.zeros((0, 0), np.float32),
    "places": np.zeros((0, 2), np.int32),
}


def _example(name: str) -> Example:
    return Example(name, SCHEMA, **_NOTHING)
