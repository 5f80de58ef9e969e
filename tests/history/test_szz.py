"""SZZ: repairs blame whoever wrote the code that they delete, and nobody for what is no code."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversight.changes.repository import Repository
from oversight.history.mining import mine_repository
from oversight.history.szz import MOST_FILES, Blamed, blame_repairs
from tests.builders import GitRepository

BODY = ["import os", "", "# a comment", "def area(width, height):", "    size = width + height", "    return size", ""]


def text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


@pytest.fixture
def built(tmp_path: Path) -> GitRepository:
    made = GitRepository.create(tmp_path / "r")
    made.commit("Begin", {"README": "x\n"})
    made.commit("Add area", {"area.py": text(BODY)})
    return made


def blamed(built: GitRepository, *fixes: str) -> list[Blamed]:
    with Repository.open(built.path) as repository:
        return list(blame_repairs(repository, fixes, jobs=2))


def edited(old: str, new: str) -> str:
    return text([new if line == old else line for line in BODY])


def test_the_writer_of_the_line_is_blamed(built: GitRepository) -> None:
    """The commit that last wrote a deleted line of code is the culprit."""
    fix = built.commit("Fix area", {"area.py": edited(BODY[4], "    size = width * height")})
    (repair,) = blamed(built, fix)
    assert (repair.fix, repair.culprits, repair.reason) == (fix, (built.commits[1],), None)


@pytest.mark.parametrize(
    ("old", "new"),
    [("# a comment", "# another comment"), ("    return size", "    return  size")],
)
def test_no_code_no_blame(built: GitRepository, old: str, new: str) -> None:
    """Lines that are comments, and lines that only white space changed in, name nobody."""
    fix = built.commit("Fix style", {"area.py": edited(old, new)})
    (repair,) = blamed(built, fix)
    assert repair.culprits == ()


def test_blame_follows_renames(built: GitRepository) -> None:
    """A line is traced through a rename to the commit that wrote it."""
    built.git("mv", "area.py", "shape.py")
    built.commit("Move")
    fix = built.commit("Fix area", {"shape.py": edited(BODY[4], "    size = width * height")})
    assert blamed(built, fix)[0].culprits == (built.commits[1],)


def test_bulk_repairs_are_passed_over(built: GitRepository) -> None:
    """A repair of many files tells nothing about any of them."""
    names = [f"f{number}.py" for number in range(MOST_FILES + 1)]
    built.commit("Add", dict.fromkeys(names, "x = 1\n"))
    fix = built.commit("Fix all", dict.fromkeys(names, "x = 2\n"))
    assert blamed(built, fix)[0].reason == "bulk"


def test_additions_blame_nobody(built: GitRepository) -> None:
    """A repair that only adds lines names nobody, and says why."""
    fix = built.commit("Fix area", {"area.py": text([*BODY, "CHECKED = True"])})
    (repair,) = blamed(built, fix)
    assert repair.reason == "no line of code deleted"


def test_hostile_paths(built: GitRepository) -> None:
    """A path that looks like an option or a pathspec is only a path."""
    for path in ("--output=x.py", ":(exclude)x.py"):
        built.commit("Add", {path: "value = 1\n"})
        culprit = built.commits[-1]
        fix = built.commit("Fix", {path: "value = 2\n"})
        assert blamed(built, fix)[0].culprits == (culprit,)


def test_mining_with_szz(built: GitRepository) -> None:
    """As a source of labels, SZZ names culprits of fix-like commits; imports are never named."""
    built.commit("Fix area", {"area.py": edited(BODY[4], "    size = width * height")})
    built.commit("Fix the readme tool", {"README": "y\n"})
    with Repository.open(built.path) as repository:
        mined = mine_repository(repository, repository.resolve("HEAD"), ("szz",))
        assert [(label.change_id, label.source) for label in mined.labels] == [(built.commits[1], "szz")]
        assert "repairs" in mined.summary.notes[0]
