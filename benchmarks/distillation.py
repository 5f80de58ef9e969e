"""What boosting expects of rows that it was not trained on, as targets for the student (Hinton et al. 2015,
arXiv:1503.02531).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.peers import boosting_pooled
from benchmarks.student_rows import Floats, Table

FOLDS = 5


def expected_labels(tables: Sequence[Table], *, seed: int) -> Floats:
    """Return P(known as risky by now) of all rows of `tables`, one after the other, out of fold.

    Boosting learns from ripe rows; of a younger row it is expected that as many repairs are known as those of its age.
    """
    random = np.random.default_rng(seed)
    folds = [random.integers(0, FOLDS, len(table)) for table in tables]
    found = [np.zeros(len(table)) for table in tables]
    for number in range(FOLDS):
        kept = [table.take(np.flatnonzero(fold != number)) for table, fold in zip(tables, folds, strict=True)]
        held = [table.take(np.flatnonzero(fold == number)) for table, fold in zip(tables, folds, strict=True)]
        for risk, fold, scores in zip(found, folds, boosting_pooled(kept, held, seed), strict=True):
            risk[fold == number] = scores
    ripe = [float(np.mean(table.found[table.ripe])) for table in tables]
    parts = [np.clip(risk * table.found / known, 0, 1) for risk, table, known in zip(found, tables, ripe, strict=True)]
    return np.concatenate(parts)
