"""Repositories that several tests of changes read."""

from pathlib import Path

import pytest

from tests.builders import GitRepository, lines


@pytest.fixture
def built(tmp_path: Path) -> GitRepository:
    """A root commit, a modification, a branch with two commits, and its merge."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Root", {"a.py": lines(*range(9)), "b.txt": "b\n"})
    repository.commit("Change a\n\nWhy.\n", {"a.py": lines(0, 1, 2, 30, *range(4, 9))})
    repository.branch("topic")
    repository.commit("Topic one", {"c.py": "c\n"})
    repository.commit("Topic two", {"c.py": "c\nd\n"})
    repository.switch("main")
    repository.commit("Main goes on", {"b.txt": "bb\n"})
    repository.merge("topic", "Merge topic")
    return repository
