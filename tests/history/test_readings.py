"""What was read in commits and kept: back to the last bit, or read again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from oversight.changes.repository import Repository, Span
from oversight.history.index import Index
from oversight.history.readings import Reading, restored, stored
from tests.builders import GitRepository

UNKNOWN = float("nan")


def reading(pooled: float, *profile: float) -> Reading:
    return Reading(pooled, np.array(profile, dtype=np.float32))


def same(one: Reading | None, other: Reading) -> bool:
    return one is not None and one.pooled == other.pooled and one.profile.tobytes() == other.profile.tobytes()


@pytest.fixture
def small(tmp_path: Path) -> GitRepository:
    built = GitRepository.create(tmp_path / "small")
    for number in range(3):
        built.commit(f"Step {number}", {"a.py": "x\n" * number})
    return built


def test_what_was_kept_comes_back_to_the_last_bit() -> None:
    """Unknown numbers stay unknown, and no digit is lost."""
    kept = reading(-0.1, 1e-30, UNKNOWN, -3.3, 0.0)
    assert same(restored(*stored(kept), 4), kept)


@pytest.mark.parametrize(
    ("pooled", "profile"),
    [
        (None, None),
        (None, b"\0" * 8),
        (0.5, None),
        (0.5, b""),
        (0.5, b"\0" * 7),
        (0.5, b"\0" * 12),
        (0.5, "\0" * 8),
        ("0.5", b"\0" * 8),
        (UNKNOWN, b"\0" * 8),
        (float("inf"), b"\0" * 8),
        (0.5, np.array([1, np.inf], dtype="<f4").tobytes()),
    ],
)
def test_what_is_not_whole_is_read_again(pooled: object, profile: object) -> None:
    """Columns of a damaged cache are no reading, and no error either."""
    assert restored(pooled, profile, 2) is None


def test_readings_are_kept_per_model(small: GitRepository, tmp_path: Path) -> None:
    """They come back in the order of the history, those before a commit, for one model, None for what is not known."""
    first, second, third = small.commits
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        span = Span(second, third, single=True)
        assert index.position(span) == 2
        index.store_readings("m", {third: reading(3, 3), first: reading(1, 1), "0" * 40: reading(9, 9)})
        index.store_readings("other", {first: reading(7, 7), second: reading(8, 8)})
        (old, one), (new, two) = index.recent("m", span, 5, width=1)
        assert ((old, new), two) == ((first, second), None)
        assert same(one, reading(1, 1))
        assert [sha for sha, _ in index.recent("m", span, 1, width=1)] == [second]
        assert [known for _, known in index.recent("m", span, 5, width=2)] == [None, None]


def test_damaged_rows_are_read_again(small: GitRepository, tmp_path: Path) -> None:
    """A row that was cut or overwritten is as good as none; the others stay."""
    first, second, third = small.commits
    with Repository.open(small.path) as repository:
        with Index.open(repository, directory=tmp_path) as index:
            index.extend(third)
            index.store_readings("m", {sha: reading(1, 1, 2) for sha in (first, second)})
        with sqlite3.connect(tmp_path / f"{repository.key}.sqlite3") as other:
            other.execute("UPDATE readings SET profile = substr(profile, 1, 5) WHERE sha = ?", (second,))
        other.close()
        with Index.open(repository, directory=tmp_path) as index:
            one, two = (known for _, known in index.recent("m", Span(second, third, single=True), 5, width=2))
            assert same(one, reading(1, 1, 2))
            assert two is None


def test_readings_fall_with_a_new_past(small: GitRepository, tmp_path: Path) -> None:
    """When older commits turn up, the readings that were made without them are dropped."""
    first, second, third = small.commits
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        index.extend(third)
        index.store_readings("m", {sha: reading(1, 1) for sha in small.commits})
        small.git("switch", "-q", "--orphan", "late")
        late = small.commit("Late", {"z.py": "z\n"}, at=int(small.git("log", "-1", "--format=%ct", second)) - 60)
        index.extend(late)
        known = dict(index.recent("m", Span(third, third, single=False), 5, width=1))
        assert [sha for sha, kept in known.items() if kept is not None] == [first]


def test_a_position_counts_what_a_change_can_look_back_on(small: GitRepository, tmp_path: Path) -> None:
    """Merges are left out, and so is what happened on branches that the change does not come from."""
    main = tuple(small.commits)
    small.branch("side", main[1])
    side = small.commit("Side", {"b.py": "b\n"})
    topic = small.commit("Topic", {"b.py": "c\n"})
    small.switch("main")
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        assert [index.position(repository.span(sha)) for sha in main] == [0, 1, 2]
        assert [index.position(repository.span(sha)) for sha in (side, topic)] == [2, 3]
        assert index.position(repository.span(f"{side}..HEAD")) == 2
    small.merge("side")
    last = small.commit("Last", {"c.py": "c\n"})
    with Repository.open(small.path) as repository, Index.open(repository, directory=tmp_path) as index:
        commits = [commit.sha for commit in repository.commits("HEAD")]
        assert [index.position(repository.span(sha)) for sha in commits] == list(range(6))
        assert commits[-1] == last
