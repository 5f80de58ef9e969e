"""Which example has which labels: what every method begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.errors import LabelError
from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.reviewers.model import WeakLabel


@dataclass(frozen=True, slots=True)
class Labelled:
    """N examples with their labels, NaN where an example has none.

    `weak`: (N,) P(risky) in [0, 1]. `human`: (N,) 0 or 1.
    """

    examples: Sequence[Example]
    weak: NDArray[np.float64]
    human: NDArray[np.float64]


def labelled(
    examples: Sequence[Example], weak_labels: Sequence[WeakLabel], human_labels: Sequence[GoldLabel]
) -> Labelled:
    """Join labels to examples by change.

    Raises `LabelError` for labels of changes that are not among the examples, or two labels of a kind for one change.
    """
    row = {example.change_id: number for number, example in enumerate(examples)}
    weak = np.full(len(examples), np.nan)
    human = np.full(len(examples), np.nan)
    for weak_label in weak_labels:
        weak[_row(row, weak_label.change_id, weak)] = weak_label.risk
    for human_label in human_labels:
        human[_row(row, human_label.change_id, human)] = human_label.risky
    return Labelled(examples, weak, human)


def _row(row: dict[str, int], change_id: str, taken: NDArray[np.float64]) -> int:
    number = row.get(change_id)
    if number is None:
        raise LabelError("a label names a change that is not among the examples", mend="pass the change's example too")
    if not np.isnan(taken[number]):
        raise LabelError("a change has two labels of one kind", mend="keep one label for each change")
    return number
