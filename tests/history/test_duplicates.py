"""The same change committed twice, as git's patch-id sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversight.changes.repository import Repository
from oversight.history.duplicates import later_duplicates, patch_ids
from tests.builders import GitRepository


@pytest.mark.parametrize(("batch", "held"), [(1_024, 1 << 24), (2, 1)])
def test_later_duplicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, held: int) -> None:
    """Of the same patch the later commits are named, however many commits a git reads and hands on at a time."""
    monkeypatch.setattr("oversight.history.duplicates._BATCH", batch)
    monkeypatch.setattr("oversight.history.duplicates._HELD", held)
    built = GitRepository.create(tmp_path / "r")
    one = "".join(f"{number}\n" for number in range(9))
    for content in (one, one + "more\n", one, one + "more\n", one, one + "other\n"):
        built.commit("Change", {"a.py": content})
    root, added, removed, again, undone, other = built.commits
    with Repository.open(built.path) as repository:
        found = later_duplicates(repository, [[added, again, other], [removed, undone]])
        assert found == {again, undone}
        assert list(patch_ids(repository, built.commits)) == built.commits
        assert patch_ids(repository, [root]).keys() == {root}


def test_giants_are_not_compared(tmp_path: Path) -> None:
    """A patch too large to hold has no patch-id, and of no commits there are none."""
    built = GitRepository.create(tmp_path / "r")
    built.commit("Small", {"a.txt": "x"})
    built.commit("Giant", {"a.txt": "x" * 5_000_000})
    with Repository.open(built.path) as repository:
        assert patch_ids(repository, built.commits).keys() == {built.commits[0]}
        assert patch_ids(repository, []) == {}
