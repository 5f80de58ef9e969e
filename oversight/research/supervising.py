"""What the weak reviewer says to a study: with all labels of a draw, and once more without every fold of them.

A screen tells something only where neither the method nor its reviewer has heard the labels that it is judged by. And a
method measures its reviewer on rows that this was not taught with. So there is a reviewer of all labels of a draw, one
without each fold, and one without each pair of folds:

    all labels           weak labels of the student rows and of the test's reference
    without fold h       weak labels of the student rows while h is held out; of the rows of h when nothing is
    without h and j      weak labels of the rows of j while h is held out, and of h while j is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from oversight.errors import LabelError
from oversight.experiment import protocol
from oversight.experiment.reading import Reading
from oversight.experiment.weak import stratified_folds, weak_labels
from oversight.research.lessons import Floats, Rows

_BACKGROUND = 500  # changes without labels that tell a reviewer of a few rows which words are rare


@dataclass(frozen=True)
class Said:
    """Weak labels while the `held` of N drawn rows are held out, by their numbers: P(risky) of the student rows (S,)
    and of the drawn rows (N,), NaN where there is none.
    """

    held: Rows
    student: Floats
    drawn: Floats


@dataclass(frozen=True)
class Supervised:
    """What is said with all labels of a draw, of the test rows (T,) as well, and fold by fold."""

    whole: Said
    test: Floats
    folds: tuple[Said, ...]


def supervise(
    weak: str,
    draw: protocol.Draw,
    drawn_readings: Sequence[Reading],
    student: Sequence[Reading],
    test: Sequence[Reading],
    count: int,
) -> Supervised:
    """Teach the reviewer called `weak` for `count` folds of a draw of N readings. `LabelError` where all labels are too
    few; a fold without which too few are left is left out.
    """
    taught = _Taught(weak, draw, drawn_readings)
    everything = np.arange(draw.rows.size)
    said = taught.by(everything, [*student, *test])
    parts = stratified_folds(draw.labels, count, draw.seed)
    whole = np.full(draw.rows.size, np.nan)
    drawn = [whole.copy() for _ in parts]
    labels: list[Floats | None] = []
    for part in parts:
        told = taught.able(np.setdiff1d(everything, part), [*student, *taught.readings_of(part)])
        labels.append(None if told is None else told[: len(student)])
        if told is not None:
            whole[part] = told[len(student) :]
    for one, other in combinations(range(len(parts)), 2):
        wanted = np.concatenate((parts[one], parts[other]))
        rows = [*taught.readings_of(wanted), *student[:_BACKGROUND]]
        told = taught.able(np.setdiff1d(everything, wanted), rows)
        if told is not None:
            drawn[one][parts[other]] = told[parts[one].size : wanted.size]
            drawn[other][parts[one]] = told[: parts[one].size]
    folds = (Said(part, label, own) for part, label, own in zip(parts, labels, drawn, strict=True) if label is not None)
    return Supervised(
        Said(np.zeros(0, dtype=np.int64), said[: len(student)], whole), said[len(student) :], tuple(folds)
    )


@dataclass(frozen=True)
class _Taught:
    """A reviewer that is taught some of a draw's labels."""

    weak: str
    draw: protocol.Draw
    readings: Sequence[Reading]

    def readings_of(self, rows: Rows) -> list[Reading]:
        return [self.readings[row] for row in rows.tolist()]

    def by(self, rows: Rows, wanted: Sequence[Reading]) -> Floats:
        labels = weak_labels(self.weak, self.readings_of(rows), self.draw.labels[rows], wanted, seed=self.draw.seed)
        return np.array([label.risk for label in labels], dtype=np.float64)

    def able(self, rows: Rows, wanted: Sequence[Reading]) -> Floats | None:
        try:
            return self.by(rows, wanted)
        except LabelError:
            return None
