"""What Claude said before is heard where it should be, and its silence is no label."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment.answered import Answered, only_answered, read_answered
from oversight.experiment.pool import Pool, read_pool
from oversight.experiment.reading import Reading, read_changes
from oversight.experiment.weak import weak_labels
from oversight.reviewers.claude.store import Store
from oversight.reviewers.model import Opinion, WeakLabel
from tests.experiment.histories import learnable

RECIPE = json.dumps({"model": "m", "wordings": 3, "critique": True, "effort": None, "version": "v1"})


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history")
    learnable(path, changes=120)
    return path


@pytest.fixture(scope="module")
def pool(clone: Path) -> Pool:
    with Repository.open(clone) as repository:
        return read_pool(repository, repository.resolve("HEAD"))


@pytest.fixture(scope="module")
def readings(clone: Path, pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> list[Reading]:
    measures = dict(zip(pool.shas, pool.measures, strict=True))
    with Repository.open(clone) as repository:
        found = read_changes(repository, measures, jobs=1, cache_directory=tmp_path_factory.mktemp("cache"))
    return [found[sha] for sha in pool.shas]


def content(risk: float | None, agreement: float = 1.0) -> dict[str, object]:
    return {"risk": risk, "agreement": agreement, "status": "abstained" if risk is None else "labelled"}


def test_labels_of_one_recipe_are_heard(tmp_path: Path) -> None:
    """Of several recipes the one that labelled most counts; abstentions and other repositories are no labels."""
    file = tmp_path / "claude.sqlite"
    assert read_answered("ours", file) == Answered()
    assert not file.exists()
    with Store(file) as store:
        store.label("ours", RECIPE, {"a": content(0.2, 0.5), "b": content(None), "c": content(0.9)})
        store.label("ours", json.dumps({**json.loads(RECIPE), "model": "other"}), {"a": content(0.7)})
        store.label("theirs", RECIPE, {sha: content(0.1) for sha in "abcdef"})
    answered = read_answered("ours", file)
    assert answered.recipe == "m, 3 wordings and a critique, prompt v1"
    assert {sha: (one.risk, one.agreement) for sha, one in answered.labels.items()} == {"a": (0.2, 0.5), "c": (0.9, 1)}


def test_an_unasked_change_is_unknown_and_not_safe(pool: Pool, readings: list[Reading]) -> None:
    """By itself Claude gives what it did not label the prior with no agreement; its own agreement is kept."""
    asked = [
        replace(one, claude=WeakLabel(sha, 0.8 if risky else 0.05, 0.25))
        for one, sha, risky in zip(readings[:60], pool.shas, pool.risky, strict=False)
    ]
    labels = weak_labels("claude", asked, pool.risky[:60], [*asked[:2], readings[70]], seed=0)
    assert [label.agreement for label in labels] == [0.25, 0.25, 0.0]
    assert labels[2].risk == pytest.approx((pool.risky[:60].sum() + 1) / 62)
    with pytest.raises(LabelError, match="0 risky and 0 clean"):
        weak_labels("claude", readings[:60], pool.risky[:60], readings[60:], seed=0)


def test_the_panel_hears_it_and_goes_on_without_it(pool: Pool, readings: list[Reading]) -> None:
    """What Claude says of a change moves the panel as it has learned to trust it; its silence moves nothing."""
    taught = [
        replace(one, claude=WeakLabel(sha, 0.9 if risky else 0.1, 1.0, (Opinion("claude", 0.9 if risky else 0.1, ""),)))
        for one, sha, risky in zip(readings[:60], pool.shas, pool.risky, strict=False)
    ]
    high, low = taught[int(np.flatnonzero(pool.risky)[0])].claude, taught[int(np.flatnonzero(~pool.risky)[0])].claude
    one = readings[70]
    wanted = [replace(one, claude=high), replace(one, claude=low), one]
    said = [label.risk for label in weak_labels("panel", taught, pool.risky[:60], wanted, seed=0)]
    assert said[0] > said[2] > said[1]


def test_only_what_was_labelled_is_measured_on(pool: Pool) -> None:
    """With Claude as the weak reviewer, other changes take no part; where it labelled none, that is said."""
    some = Answered("r", {sha: WeakLabel(sha, 0.5, 1.0) for sha in pool.shas[::3]})
    assert only_answered(pool, some).shas == pool.shas[::3]
    with pytest.raises(LabelError, match="labelled none"):
        only_answered(pool, Answered())
