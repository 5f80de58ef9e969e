"""The bounds of parsing: what ordinary code gets whatever stands beside it, and a text made to be slow does not."""

from __future__ import annotations

import pytest

from oversight.changes.languages import LANGUAGES
from oversight.changes.model import FileChange, FileStatus, Hunk, Line, LineKind
from oversight.changes.syntax import Allowance, HunkSyntax, analyse, parsing
from oversight.changes.syntax.grammar import load

ORDINARY = b"int sum(const int *values, int count)\n{\n\tint total = 0;\n\treturn total + values[count];\n}\n" * 300
SLOW = {
    "keywords": b"a is b and " * 10_000,
    "generics": b"G<G<G<G<G<G<G<G<G<G<" * 30 + b"x;\n",
    "comparisons": b"x = " + b"a<" * 900 + b";\n",
}


def _analysed(language: str, *rows: str, allowance: Allowance | None = None) -> HunkSyntax:
    lines = tuple(Line(LineKind.ADDED, None, number, row) for number, row in enumerate(rows, start=1))
    file = FileChange(None, "file", FileStatus.ADDED, language, (Hunk(0, 1, "", lines),))
    (syntax,) = analyse(file, allowance=allowance)
    return syntax


def test_ordinary_text_costs_no_allowance() -> None:
    """Only what a fragment takes beyond the ordinary is counted, however many fragments there are."""
    allowance = Allowance(1.0)
    for _ in range(10_000):
        allowance.charge(100_000, 0.1)
    assert allowance.left == 1.0
    allowance.charge(100_000, 1.1)
    assert 0 < allowance.left < 1


def test_a_used_up_allowance_leaves_the_ordinary() -> None:
    """A fragment gets several times what ordinary text of its length takes, and never more than it would alone."""
    fresh, used = Allowance(), Allowance(-100.0)
    for size in (3_000, 30_000, 120_000):
        assert 4e-6 * size > used.seconds_for(size) - 0.02 >= 2e-6 * size - 0.02
        assert used.seconds_for(size) < fresh.seconds_for(size) <= Allowance(1e9).seconds_for(size)


def test_ordinary_code_is_parsed_after_slow_code() -> None:
    """Whatever the files before it used up, ordinary code gets the tree that it gets alone."""
    tree = parsing.parse(load("c", ORDINARY), ORDINARY, Allowance(-100.0))
    assert tree is not None
    assert not tree.root_node.has_error


def test_the_excess_of_one_fragment_is_missing_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fragments of a change draw on one allowance, those that are given up included."""
    given: list[float] = []

    def slow(_loaded: object, text: bytes, seconds: float) -> None:
        if len(text) == len(ORDINARY):
            given.append(seconds)
            clock[0] += seconds

    clock = [0.0]
    monkeypatch.setattr(parsing, "thread_time", lambda: clock[0])
    monkeypatch.setattr(parsing, "_PIECES", ())
    monkeypatch.setattr(parsing, "_parse_timed", slow)
    allowance = Allowance(0.5)
    for _ in range(10):
        assert parsing.parse(load("c", ORDINARY), ORDINARY, allowance) is None
    assert given[0] > given[-1] > 0
    assert sum(given) == pytest.approx(0.5 + 10 * given[-1])


@pytest.mark.parametrize("name", SLOW)
def test_what_explodes_in_one_step_is_not_tried_whole(name: str) -> None:
    """Text on which a single step of the parser takes gigabytes is seen by a piece of it, and gets no tree."""
    text = SLOW[name] * (110_000 // len(SLOW[name]))
    assert parsing.parse(load("c-sharp", text), text, Allowance()) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_nul_bytes_keep_no_code_from_being_parsed(language: str) -> None:
    """A NUL byte reads as a blank: there is a tree, and every row stands where it stood."""
    syntax = _analysed(language, "a = 1", "b =\0 f(2)", "c = f(3)")
    plain = _analysed(language, "a = 1", "b =  f(2)", "c = f(3)")
    assert syntax.parsed
    assert syntax.added == plain.added
    assert syntax.new is not None
    assert syntax.new.code[1] == "b =\0 f(2)"
    assert plain.new is not None
    assert [row.new_number for row in syntax.new.rows_of("calls")] == [
        row.new_number for row in plain.new.rows_of("calls")
    ]


def test_a_row_with_a_nul_byte_is_code() -> None:
    """Some readers leave a NUL byte out and others end the row there: nothing on such a row is blanked."""
    rows = ("int a;", 'f("a"); // note', 'g("a\0"); // note', 'f("a"); // n\0te')
    syntax = _analysed("c", *rows)
    assert syntax.new is not None
    assert syntax.new.code == ("int a;", 'f(" ");        ', *rows[2:])


def test_settling_keeps_what_was_asked_for_and_no_tree() -> None:
    """Counts, flags, code and names are the same as before; texts and trees are gone, and come back when asked for."""
    rows = ("def f(a):", "    if a:  # note", "        return g(a)")
    fresh, settled = _analysed("python", *rows), _analysed("python", *rows)
    settled.settle(named=True)
    assert settled.new is not None
    assert fresh.new is not None
    assert not {"tree", "text", "offsets", "runs"} & settled.new.__dict__.keys()
    assert settled.summary(named=True) == fresh.summary(named=True)
    assert settled.summary(named=False).enclosing is None
    assert (settled.new.code, settled.new.called, settled.parsed) == (fresh.new.code, fresh.new.called, fresh.parsed)
    assert settled.new.tree is not None
