"""What reaches the model of a change, and that nothing in it can leave the fence."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.model import Change, LineKind
from oversight.history.context import MEASURES
from oversight.history.model import Completeness, Context
from oversight.reviewers.claude.fence import Limits, enclosed, escaped, show, unescaped
from oversight.reviewers.principles import Principles
from tests.reviewers.claude.conversation import change_of, with_files
from tests.reviewers.claude.injections import ADDRESSED, INJECTIONS, INVISIBLE, MODELS, Injection

FENCE = re.compile(r"=== change [0-9a-f]{32} (?:begins|ends) ===")
ROW = re.compile(r"(?:title|message|file f\d+|file f\d+\|before|hunk h\d+\|f\d+|left out|[-+ ]\d+)\|")
PRINCIPLES = Principles()
NO_PAST = Context(np.full(len(MEASURES), np.nan, dtype=np.float32), Completeness.NONE)
TEXT = st.text(st.characters(codec=None), max_size=80)


def inside(text: str) -> list[str]:
    """The rows between the two lines of the one fence that there is."""
    first, *rows, last = text.split("\n")
    assert FENCE.fullmatch(first)
    assert FENCE.fullmatch(last)
    assert first.replace("begins", "ends") == last
    assert not any(row.startswith("=") for row in rows)
    assert all(ROW.match(row) for row in rows)
    return rows


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection.name)
def test_what_an_injected_instruction_looks_like_to_the_model(injection: Injection) -> None:
    """It is one row behind a mark of ours, inside of a fence whose name it does not hold, and every character shows."""
    text = show(injection.change()).text
    rows = inside(text)
    assert injection.row in rows
    assert all(row.replace("\t", "").isprintable() for row in rows)
    assert text.count(text.split("\n")[0].split()[2]) == 2


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection.name)
def test_which_of_them_principles_find(injection: Injection) -> None:
    """What a principle finds is exactly what the table says, so that what is left to the model is known."""
    said = {opinion.principle for opinion in PRINCIPLES.review(injection.change(), NO_PAST)}
    assert said & {ADDRESSED, MODELS, INVISIBLE} == injection.found


@given(TEXT)
def test_escapes_lose_nothing(text: str) -> None:
    """An escape can be undone, so that no two texts look the same, and leaves one row of visible characters."""
    row = escaped(text)
    assert unescaped(row) == text
    assert row.replace("\t", "").isprintable()
    row.encode()


@given(st.lists(TEXT.filter(lambda text: "\n" not in text), min_size=1, max_size=5), TEXT, TEXT)
def test_no_text_leaves_the_fence(rows: list[str], title: str, body: str) -> None:
    """Whatever a change holds, there is one fence, and every row in it has a mark of ours."""
    inside(show(change_of(1, *rows, title=title, body=body)).text)


def test_the_fence_is_named_after_what_it_holds() -> None:
    """The same change is the same bytes, on any machine and in any run, and another has another name."""
    change = change_of(1, "x = 1")
    assert show(change).text == show(replace(change, id="f" * 40)).text
    assert show(change).text.split()[2] != show(change_of(1, "x = 2")).text.split()[2]
    for row in ("a\nb", "=== change", "a\rb"):
        with pytest.raises(ValueError, match="one row"):
            enclosed("change", [row])


def large(*sizes: int) -> Change:
    """A change of one hunk a file, with so many added rows."""
    files = [
        change_of(1, *[f"    step({number}, {row})" for row in range(size)], path=f"src/{number}.py").files[0]
        for number, size in enumerate(sizes)
    ]
    return with_files(1, *files, body="\n".join(f"row {row}" for row in range(90)))


def test_what_is_left_out_is_said() -> None:
    """Rows, hunks, files and messages that are cut are counted in words of ours, and so is the share that is shown."""
    limits = Limits(size=4_000, hunks=2, rows=20, row=30, message=5, files=2)
    shown = show(replace(large(3, 50, 10), title="t" * 40), limits)
    rows = inside(shown.text)
    assert "title|" + "t" * 30 + "⟨10 more characters⟩" in rows
    assert "left out|85 more rows of kind message" in rows
    assert "left out|1 more rows of kind file" in rows
    assert "left out|33 more rows of h1" in rows
    # A row of context and one that is deleted come before the added ones.
    assert "left out|1 of 3 hunks; 36 changed rows in all" in rows
    assert (shown.rows, shown.rows_left_out) == (19 + 11, 36)
    assert shown.coverage == pytest.approx(30 / 66)
    assert [part.path for part in shown.parts] == ["src/1.py", "src/2.py"]


@pytest.mark.parametrize("size", [0, 200, 2_000, 48_000])
def test_nothing_is_longer_than_its_limit(size: int) -> None:
    """However large a change is, and whatever its characters become, the text has the bytes that it may have."""
    hostile = change_of(1, *["\U000e0041" * 300] * 400, title="\u202e" * 4_000, body="\u202e\n" * 500)
    shown = show(hostile, Limits(size=size))
    assert len(shown.text.encode()) <= size + 4_000
    assert shown.rows + shown.rows_left_out == 401
    assert not show(large(5, 5), Limits(size=300)).parts or show(large(5, 5), Limits(size=300)).coverage < 1


def test_a_hunk_is_cited_by_the_rows_that_were_shown() -> None:
    """Rows of the new side and of the old one are numbered apart; those that were cut cannot be named."""
    (part,) = show(change_of(1, "a", "b")).parts
    assert (part.name, part.span, part.new, part.old) == ("h1", (41, 42), {40, 41, 42, 43}, {41})
    (cut,) = show(change_of(1, "a", "b"), Limits(rows=3)).parts
    assert cut.new == {40, 41}


def test_files_without_rows_are_named() -> None:
    """A binary file, one that could not be read, a renamed one and one that became executable have their row."""
    file = change_of(1, "x").files[0]
    shown = show(
        with_files(
            1,
            replace(file, hunks=(), binary=True),
            replace(file, hunks=(), unread="too large"),
            replace(file, old_path="src/b\u202e.py", old_mode="100644", new_mode="100755"),
        )
    )
    assert inside(shown.text)[1:5] == [
        "file f1|modified, python, binary|src/a.py",
        "file f2|modified, python, could not be read|src/a.py",
        "file f3|modified, python, mode changed|src/a.py",
        "file f3|before|src/b⟨U+202E⟩.py",
    ]
    assert [part.name for part in shown.parts] == ["h1"]
    assert sum(line.kind is LineKind.ADDED for line in file.hunks[0].lines) == 1
