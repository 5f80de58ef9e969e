"""The rows of the student's benchmark: what is learned from was known then, and the test window stays unseen."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import student_rows
from benchmarks.repositories import Source
from benchmarks.student_rows import Table, Window, read_tables, split
from oversight.changes.repository import Repository
from oversight.experiment.pool import Pool, read_pool
from tests.experiment.histories import learnable


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clones")
    learnable(path / "small")
    return path


@pytest.fixture(scope="module")
def pool(clones: Path) -> Pool:
    with Repository.open(clones / "small") as repository:
        return read_pool(repository, repository.resolve("HEAD"))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def read(clones: Path, work: Path, window: Window = "test", train: int = 500) -> tuple[Table, Table]:
    with Repository.open(clones / "small") as repository:
        source = Source("small", repository.resolve("HEAD"), "MIT", "reverts", True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERSIGHT_CACHE_DIR", str(work))
        return read_tables(source, clones, work, window=window, train=train, test=20, jobs=1)


def test_what_is_learned_from_comes_before_what_is_measured_on(clones, work):
    """In both windows; evaluation rows are thinned and described, all of them ripe."""
    for window in ("validation", "test"):
        train, evaluation = read(clones, work, window)
        assert train.times.max() < evaluation.times.min()
        assert len(evaluation) == 20
        assert evaluation.ripe.all()
        assert set(evaluation.language) == {"python"}
        assert set(evaluation.provenance) == {"human"}


def test_validation_never_looks_at_the_test_window(pool):
    """All of its rows lie in the training windows, and nothing is in both of its parts."""
    train, held, cutoff = split(pool, "validation")
    test_train, test, test_from = split(pool, "test")
    assert set(train) | set(held) <= set(test_train)
    assert not (set(train) | set(held)) & set(test)
    assert not set(pool.groups[train]) & set(pool.groups[held])
    assert cutoff < test_from


def test_labels_are_those_of_their_moment(clones, work, pool):
    """What was found out after the cut-off is not learned; young rows are there, unripe."""
    train, _ = read(clones, work)
    row_of = {sha: row for row, sha in enumerate(pool.shas)}
    rows = np.array([row_of[example.change_id] for example in train.examples])
    known = pool.known_at(split(pool, "test")[2])
    assert train.labels.tolist() == known.risky[rows].tolist()
    assert train.ripe.tolist() == known.mature[rows].tolist()
    assert 0 < len(train.ripe_alone()) < len(train)
    assert ((train.found > 0) & (train.found <= 1)).all()
    assert np.isfinite(train.prior)


def test_the_newest_are_kept(clones, work):
    """A smaller table is the end of a larger one."""
    every, _ = read(clones, work)
    few, _ = read(clones, work, train=30)
    assert [one.change_id for one in few.examples] == [one.change_id for one in every.newest(30).examples]


def test_a_history_is_read_once(clones, work, monkeypatch):
    """The second time all of it is there, with the same fingerprint."""
    first, _ = read(clones, work)
    monkeypatch.setattr(student_rows, "read_pool", None)
    again, _ = read(clones, work)
    assert again.fingerprint == first.fingerprint
    assert again.newest(10).fingerprint != first.fingerprint
