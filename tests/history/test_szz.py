"""SZZ: repairs blame whoever wrote the code that they delete, and nobody for what is no code."""

from __future__ import annotations

from pathlib import Path

import pytest

from oversight.changes.repository import Repository
from oversight.history.mining import mine_repository
from oversight.history.szz import MOST_FILES, Blamed, Origin, blame_repairs
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


def test_lines_are_told_by_their_place_in_the_culprit(built: GitRepository) -> None:
    """A line has the path and the number that it had where it was written, whatever moved it since."""
    built.git("mv", "area.py", 'übung "a".py')
    built.commit("Move")
    built.commit("Add above", {'übung "a".py': text(["import re", *BODY])})
    moved = ["import re", *BODY[:4], "    size = width * height", "    return abs(size)", ""]
    fix = built.commit("Fix area", {'übung "a".py': text(moved)})
    (repair,) = blamed(built, fix)
    assert repair.origins == (Origin(built.commits[1], "area.py", 5), Origin(built.commits[1], "area.py", 6))


def test_two_paths_of_one_culprit_are_told_apart(built: GitRepository) -> None:
    """One commit can have written lines of several files that one file holds today."""
    both = {"one.py": "first = 1\nsecond = 2\nthird = 3\n", "two.py": "fourth = 4\nfifth = 5\nsixth = 6\n"}
    culprit = built.commit("Add two", both)
    fix = built.commit("Fix both", {"one.py": "second = 2\nthird = 3\n", "two.py": "fourth = 4\nfifth = 5\n"})
    assert blamed(built, fix)[0].origins == (Origin(culprit, "one.py", 1), Origin(culprit, "two.py", 3))


def test_the_edge_of_a_shallow_clone_is_not_blamed(built: GitRepository, tmp_path: Path) -> None:
    """Lines from before a cut-off history are nobody's, however many of them there are."""
    changed = [*BODY[:3], "def area(wide, high):", BODY[4], "    return abs(size)", ""]
    fix = built.commit("Fix area", {"area.py": text(changed)})
    assert blamed(built.clone(tmp_path / "cut", "--depth=2"), fix)[0].origins == ()
    assert len(blamed(built, fix)[0].origins) == 2


def test_what_cannot_be_blamed_is_counted(built: GitRepository) -> None:
    """Older content that is missing names nobody, and is told from code that nobody is to blame for."""
    built.commit("Use the import", {"area.py": text([*BODY, "print(os)"])})
    fix = built.commit(
        "Fix area", {"area.py": text([*BODY[:4], "    size = width * height", BODY[5], "", "print(os)"])}
    )
    assert (blamed(built, fix)[0].unread, len(blamed(built, fix)[0].origins)) == (0, 1)
    blob = built.git("rev-parse", f"{built.commits[1]}:area.py")
    (built.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    (repair,) = blamed(built, fix)
    assert (repair.unread, repair.culprits, repair.reason) == (1, (), None)
