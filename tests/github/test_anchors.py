"""Comments go where GitHub takes them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.diff import render
from oversight.changes.model import FileChange, FileStatus
from oversight_github.anchors import Anchor, Places, addressable
from tests.builders import marked_file
from tests.github.routes import off_diff
from tests.github.world import World
from tests.reports.examples import HOSTILE, change, file, hunk

# Lines 41 (context) to 43 and 89 (context) to 90 of the new file.
TWO = file("a.py", hunk(42, ("one", "two"), ("one",)), hunk(90, ("done",)))


def anchor(one: FileChange, start: int | None = None, end: int | None = None) -> Anchor | None:
    return Places(change(one)).anchor(one.path, start, end)


def test_one_line() -> None:
    """A line of a hunk is named alone, as GitHub wants it."""
    assert anchor(TWO, 42) == anchor(TWO, 42, 42) == Anchor("a.py", 42)
    assert Anchor("a.py", 42).fields() == {"path": "a.py", "line": 42, "side": "RIGHT"}


def test_several_lines() -> None:
    """Lines of one hunk are named by both ends."""
    found = anchor(TWO, 42, 43)
    assert found == Anchor("a.py", 43, 42)
    assert found.fields() == {"path": "a.py", "line": 43, "side": "RIGHT", "start_line": 42, "start_side": "RIGHT"}


def test_context_counts() -> None:
    """GitHub shows the context, too, and takes comments there."""
    assert anchor(TWO, 41) == Anchor("a.py", 41)


def test_what_reaches_beyond_is_cut() -> None:
    """Of lines that reach out of a hunk, or from one into the next, those of the first are taken."""
    assert anchor(TWO, 43, 70) == Anchor("a.py", 43)
    assert anchor(TWO, 42, 95) == Anchor("a.py", 43, 42)
    assert anchor(TWO, 60, 95) == Anchor("a.py", 90, 89)


def test_off_the_diff() -> None:
    """A line that is in no hunk is about its file; so is none at all."""
    assert anchor(TWO, 60) == anchor(TWO) == Anchor("a.py")
    assert Anchor("a.py").fields() == {"path": "a.py", "subject_type": "file"}


def test_deletions() -> None:
    """A deleted file has no new side, nor has a hunk without context that only deletes; with context it has one."""
    bare = marked_file(None, ["-gone"])
    assert anchor(replace(bare, status=FileStatus.DELETED), 40) == Anchor(bare.path)
    assert anchor(bare, 40) == Anchor(bare.path)
    assert anchor(marked_file(None, [" stays", "-gone", " stays"]), 41) == Anchor(bare.path, 41)


def test_files_without_hunks() -> None:
    """A binary file, and one that was not read, take comments as a whole."""
    assert anchor(file("a.bin", binary=True), 3) == Anchor("a.bin")
    assert anchor(file("a.c", unread="too large")) == Anchor("a.c")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a\udcff.py", "a\nb", HOSTILE, "\ud800"])
def test_paths_that_github_cannot_be_told(path: str) -> None:
    """What no JSON names is nowhere, and so is what the change does not touch."""
    assert not addressable(path)
    assert anchor(file(path, hunk(5, ("x",))), 5) is None


def test_foreign_files() -> None:
    """A file that the change does not touch is nowhere."""
    assert Places(change(TWO)).anchor("b.py", 1) is None


rows = st.lists(st.sampled_from([" x", "+x", "-x"]), min_size=1, max_size=12)


@given(rows, st.integers(1, 60), st.integers(1, 60), st.integers(1, 50))
def test_github_takes_every_anchor(lines: list[str], start: int, end: int, first: int) -> None:
    """An anchor is a place of the diff, whatever the hunk and whichever lines are asked for."""
    one = marked_file(None, lines if {line[0] for line in lines} != {" "} else [*lines, "+x"], start=first)
    found = anchor(one, start, end)
    assert found is not None
    world = World("octo/repo")
    world.pull(1, diff=render([one]))
    assert off_diff(world, 1, dict(found.fields())) is None
    if found.line is not None:
        assert start <= (found.start or found.line) <= found.line <= max(start, end)


def test_hunks_are_numbered_by_where_they_start() -> None:
    """A line belongs to the last hunk that starts at or before it."""
    places = Places(change(TWO))
    assert [places.hunk("a.py", line) for line in (None, 1, 41, 60, 89, 200)] == [None, None, 0, 0, 1, 1]
    assert places.hunk("b.py", 1) is None
