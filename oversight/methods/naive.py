"""naive: the student learns the weak labels as they are.

    loss = cross-entropy(p, w)        w = P(risky) of the weak label, soft; p = the student's

The baseline of weak-to-strong training (Burns et al. 2023, arXiv:2312.09390, "naive finetuning"): whatever the
student gains over its teacher here comes from its own features. Human labels are not used. Soft labels keep the
teacher's doubt; defaults: no weighting, no filtering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.methods._rows import labelled
from oversight.reviewers.model import WeakLabel
from oversight.students.student import Learner, Student


@dataclass(frozen=True)
class Naive:
    """See the module's docstring."""

    learner: Learner

    def fit(
        self,
        examples: Sequence[Example],
        weak_labels: Sequence[WeakLabel],
        human_labels: Sequence[GoldLabel],
        *,
        seed: int,
    ) -> Student:
        """Train on every example that has a weak label."""
        rows = labelled(examples, weak_labels, human_labels)
        chosen = np.flatnonzero(~np.isnan(rows.weak))
        return self.learner.fit([examples[row] for row in chosen.tolist()], rows.weak[chosen], seed=seed)


METHOD = Naive
