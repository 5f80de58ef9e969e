"""What Claude said of a history when it was asked (`oversight label`): read from disk, and never asked for here.

Labels of different recipes (models, prompts, wordings) are not mixed: a calibration is of one of them. The recipe that
labelled most of a history counts, and of equals the last by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from oversight.errors import LabelError
from oversight.experiment.pool import Pool
from oversight.experiment.reading import Reading
from oversight.reviewers.claude.store import Store
from oversight.reviewers.model import Opinion, WeakLabel

NAME = "claude"


@dataclass(frozen=True, slots=True)
class Answered:
    """Labels by sha, of one recipe; none of them where nothing was asked. An abstention is no label."""

    recipe: str | None = None
    labels: Mapping[str, WeakLabel] = field(default_factory=dict)

    def among(self, readings: Mapping[str, Reading]) -> dict[str, Reading]:
        """Return the readings with what Claude said of them."""
        return {sha: replace(one, claude=self.labels.get(sha)) for sha, one in readings.items()}


def read_answered(key: str, path: Path) -> Answered:
    """Return the labels of the repository with this key. Raises OutputError for a file that cannot be read."""
    if not path.exists():
        return Answered()
    with Store(path) as store:
        by_recipe = store.labels(key)
    if not by_recipe:
        return Answered()
    recipe = max(by_recipe, key=lambda name: (len(by_recipe[name]), name))
    labels = {
        sha: WeakLabel(sha, one["risk"], one["agreement"], (Opinion(NAME, one["risk"], ""),))
        for sha, one in by_recipe[recipe].items()
        if one["risk"] is not None
    }
    return Answered(_shown(recipe), labels)


def only_answered(pool: Pool, answered: Answered) -> Pool:
    """Return the changes that Claude labelled, so that all are measured on the same ones; `LabelError` for none."""
    rows = np.flatnonzero([sha in answered.labels for sha in pool.shas]).astype(np.int64)
    if not rows.size:
        raise LabelError(
            "Claude has labelled none of these changes", mend="have them labelled: oversight label --weak claude"
        )
    return pool.take(rows)


def _shown(recipe: str) -> str:
    told = json.loads(recipe)
    how = f"{told['wordings']} wording" + "s" * (told["wordings"] > 1) + " and a critique" * bool(told["critique"])
    return f"{told['model']}, {how}, prompt {told['version']}"
