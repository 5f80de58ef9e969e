"""Two changes as one, cut as git would cut them; and a change in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.audit.canaries.reversal import reversed_files
from oversight.audit.canaries.rewriting import hunks_of, rewritten, script_of
from oversight.audit.canaries.source import Edit
from oversight.changes.diff import parse_diff
from oversight.changes.model import FileChange, FileStatus
from oversight.changes.rendering import render
from oversight.changes.repository import Repository
from tests.builders import GitRepository

BASE = "".join(f"int f{n}(int a)\n{{\n\treturn a + {n};\n}}\n\n" for n in range(12))
HEAD = BASE.replace("a + 2;", "a + 20;").replace("a + 7;\n", "a + 7;\n\t/* seven */\n").replace("int f9(int a)\n", "")


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """Two versions of a file."""
    made = GitRepository.create(tmp_path / "project")
    made.commit("Start", {"a.c": BASE})
    made.commit("Next", {"a.c": HEAD})
    return made


def file_of(repository: GitRepository, spec: str = "HEAD") -> FileChange:
    with Repository.open(repository.path) as opened:
        (file,) = opened.change(opened.span(spec)).files
    return file


def edits(*pairs: tuple[str, str]) -> Sequence[Edit]:
    """Edits of HEAD that replace one piece of text each."""
    text = HEAD.encode()
    return [Edit(text.index(old.encode()), text.index(old.encode()) + len(old), new.encode()) for old, new in pairs]


PLANTED = [
    [("a + 20;", "a - 20;")],
    [("\t/* seven */\n", "")],
    [("return a + 5;", "return a * 5;")],
    [("int f1(int a)\n", "int f1(int a, int b)\n"), ("return a + 6;\n", "a++;\n\treturn a + 6;\n")],
    [("int f0(int a)\n", "")],
    [("\treturn a + 11;\n", "\treturn a + 11;\n\tgone();\n")],
    [("int f8(int a)\n{\n\treturn a + 8;\n}\n", "")],
]


@pytest.mark.parametrize("planted", PLANTED)
def test_the_diff_is_that_of_git(repository: GitRepository, planted: list[tuple[str, str]]):
    """What git shows between the old file and the edited one, hunks, context, enclosing rows and all."""
    text = HEAD
    for old, new in planted:
        text = text.replace(old, new, 1)
    composed = rewritten(file_of(repository), HEAD.encode(), edits(*planted))
    repository.commit("With it", {"a.c": text})
    assert composed is not None
    assert composed.hunks == file_of(repository, "HEAD~2..HEAD").hunks


def test_what_was_changed_is_not_changed_back(repository: GitRepository):
    """A defect that undoes the change in part would make a diff that git may cut otherwise, and a smaller change."""
    assert rewritten(file_of(repository), HEAD.encode(), edits(("a + 20;", "a + 2;"))) is None
    assert rewritten(file_of(repository), HEAD.encode(), edits(("a + 20;", "a + 20;"))) is None


def test_hunks_of_another_text_are_refused(repository: GitRepository):
    """Also a file that does not end in a newline, whose last row has a note that would have to move."""
    file = file_of(repository)
    assert script_of(file, BASE.encode()) is None
    assert script_of(file, HEAD.encode().rstrip(b"\n")) is None


rows = st.lists(st.sampled_from(["int a(void)", "\tb();", "", "c {", "}", "  d"]), max_size=30)


@given(old=rows, new=rows)
def test_a_script_gives_its_hunks_back(old: list[str], new: list[str]):
    """Whole files added and deleted: as few rows of context as there are, and positions as git numbers them."""
    before, after = ("".join(f"{row}\n" for row in side) for side in (old, new))
    if not after or before == after:
        return
    names = "diff --git a/a.c b/a.c\nindex 0..1 100644\n--- a/a.c\n+++ b/a.c\n"
    diff = (
        f"{names}@@ -{min(len(old), 1)},{len(old)} +1,{len(new)} @@\n"
        + "".join(f"-{row}\n" for row in old)
        + "".join(f"+{row}\n" for row in new)
    )
    (file,) = parse_diff(diff.encode())
    script = script_of(file, after.encode())
    assert script is not None
    assert hunks_of(script) == file.hunks


def test_a_reversed_change_is_what_git_shows_the_other_way_round(repository: GitRepository):
    """Files added, deleted, renamed, with other modes: the same diff as from the new side to the old one."""
    repository.commit("More", {"b.py": "x = 1\n", "c.txt": "one\ntwo\nthree\nfour\n"})
    repository.git("mv", "c.txt", "d.txt")
    repository.commit("Various", {"b.py": None, "e.sh": "exit 1\n", "a.c": BASE, "d.txt": "one\ntwo\nthree\n4\n"})
    with Repository.open(repository.path) as opened:
        change = opened.change(opened.span("HEAD"))
        turned = reversed_files(change.files)
    repository.git("revert", "--no-edit", "HEAD")
    with Repository.open(repository.path) as opened:
        expected = opened.change(opened.span("HEAD")).files
    assert [replace(file, hunks=()) for file in turned] == [replace(file, hunks=()) for file in expected]
    bare = [[replace(hunk, section="") for hunk in file.hunks] for file in turned]
    assert bare == [[replace(hunk, section="") for hunk in file.hunks] for file in expected]
    assert {file.status for file in turned} == {
        FileStatus.ADDED, FileStatus.DELETED, FileStatus.RENAMED, FileStatus.MODIFIED,
    }  # fmt: skip
    assert tuple(parse_diff(render(turned))) == turned
