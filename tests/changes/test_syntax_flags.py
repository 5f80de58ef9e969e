"""Hunks that change nothing but comments or white space, and the names around hunks."""

import pytest

from oversight.changes.model import FileChange, FileStatus, Hunk, Line, LineKind
from oversight.changes.syntax import HunkSyntax, analyse
from oversight.changes.syntax.enclosing import clean_section
from tests.builders import marked_file


def _analyse(language: str | None, *rows: str, section: str = "") -> HunkSyntax:
    (syntax,) = analyse(marked_file(language, rows, section=section))
    return syntax


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        ("python", [" x = 1", "-# an old note", "+# a new note", " y = 2"]),
        ("python", [" x = 1", "+", "+", " y = 2"]),
        ("python", [" def f():", '-    """Return the thing."""', '+    """Return that other thing."""', "     run()"]),
        (
            "python",
            [" def f():", '+    """Return the thing.', "+", "+    As it was asked for.", '+    """', "     run()"],
        ),
        ("c", [" int x;", "+/*", "+ * A note.", "+ */", " int y;"]),
        ("c", [" int x;", "-// old", "+// new", " int z;"]),
        ("java", [" run();", "+/** A note. */", " go();"]),
        ("go", [" run()", "+// A note.", " stay()"]),
        ("rust", [" run();", "+/// A note.", " go();"]),
        ("javascript", [" run();", "+// a note", " go();"]),
        ("ruby", [" run", "+# a note", " go"]),
        ("php", [" run();", "+/**", "+ * A note.", "+ */", " go();"]),
        ("bash", [" run", "+# a note", " go"]),
        ("c-sharp", [" Run();", "+// a note", " Go();"]),
    ],
)
def test_comment_only(language: str, rows: list[str]) -> None:
    """A hunk whose changed rows are comments, docstrings or blank says so."""
    assert _analyse(language, *rows).comment_only


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        ("python", [" x = 1", "-y = 2  # old", "+y = 2  # new", " z = 3"]),
        ("python", [" x = 1", '+"""', "+danger()", '+"""', " z = 3"]),
        ("python", [" x = (", '-    "the first part"', '+    "the other part"', " )"]),
        ("python", [' x = """', "-Select the old rows", "+Select the new rows", ' """']),
        ("python", [' x = """', "+", " Select the rows", ' """']),
        ("python", ["+# coding: rot13", " x = 1"]),
        ("go", [" run()", "+//go:linkname a b", " stay()"]),
        ("bash", ["-#!/bin/sh", "+#!/bin/bash", " run"]),
        ("c", [" int x;", "+/* a note */ int y;", " int z;"]),
        ("c", [" int x;", "+ * A note in the middle", " int z;"]),
        (None, [" x", "+# a note", " y"]),
        ("c", [" int x;", " int y;"]),
    ],
)
def test_not_comment_only_when_in_doubt(language: str | None, rows: list[str]) -> None:
    """Code beside a comment, strings that are values, directives, and doubtful rows are no comments."""
    assert not _analyse(language, *rows).comment_only


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        ("c", [" int f(void)", " {", "-  return  g(1,2);", "+\treturn g(1, 2);", " }"]),
        ("c", [" int f(int a,", "-      int b)", "+    int b)", " { return a; }"]),
        ("java", ["-class A{int a;}", "+class A {", "+    int a;", "+}"]),
        ("python", ["-x = f(a,b)", "+x = f(a, b)"]),
        ("python", ["-x = f(a, b)", "+x = f(", "+    a, b", "+)"]),
        ("javascript", ["-if(a){run()}", "+if (a) { run() }"]),
        ("python", [" x = 1", "+", " y = 2"]),
        (None, [" x", "-y  ", "+y", " z"]),
    ],
)
def test_formatting_only(language: str | None, rows: list[str]) -> None:
    """A hunk that changes white space only, where it means nothing, says so."""
    assert _analyse(language, *rows).formatting_only


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        ("python", [" if a:", "     run()", "-    go()", "+go()"]),
        ("python", ["     run()", "-    go()", "+  go()"]),
        ("python", ["-x = 'a b'", "+x = 'a  b'"]),
        ("python", ["-return x", "+return", "+x"]),
        ("python", ["-notx", "+not x"]),
        ("javascript", [" function f() {", "-  return x", "+  return", "+  x", " }"]),
        ("javascript", ["-a", "-++b", "+a++", "+b"]),
        ("c", ["-x = a - -b;", "+x = a --b;"]),
        ("c", ["-#define A b", "+#define A", "+b"]),
        ("c", ['-x = "a b";', '+x = "ab";']),
        ("c", ["-// note", "-run();", "+// note run();"]),
        ("bash", ["-run a b", "+run ab"]),
        ("bash", ["-run a", "-b", "+run a b"]),
        ("go", ["-return", "-x", "+return x"]),
        (None, [" a:", "-  b", "+    b"]),
        ("c", ["-int a;", "+int b;"]),
        ("c", ["+int a;"]),
    ],
)
def test_not_formatting_only_when_it_means_something(language: str | None, rows: list[str]) -> None:
    """Indentation in Python, newlines that end statements, and spaces in strings are not formatting."""
    assert not _analyse(language, *rows).formatting_only


@pytest.mark.parametrize(
    ("language", "rows", "section", "name"),
    [
        ("python", [" class A:", "     def f(self):", "+        run()"], "", "A.f"),
        ("python", ["     def f(self):", "+        run()"], "class A(B):", "A.f"),
        ("python", ["         go()", "+        run()"], "def g(x):", "g"),
        ("python", [" x = 1", "+y = 2"], "", None),
        ("python", [" run(x)", "+y = go(2)"], "", None),
        ("c", [" int", " f(void)", " {", "+\trun();", " }"], "int g(int x)", "f"),
        ("c", [" static int f(void)", " {", "+\tif (x) {"], "int g(int x)", "f"),
        ("c", [" \tgo();", "+\trun();"], "static struct a *g(struct b *x)", "g"),
        ("cpp", [" void A::f() {", "+  run();", " }"], "", "A::f"),
        ("java", ["   void f() {", "+    run();", "   }"], "public class A {", "A.f"),
        ("go", [" func (a *A) F() error {", "+\trun()", " }"], "", "A.F"),
        ("go", [" \tgo()", "+\trun()"], "func (a *A) F(x int) error {", "A.F"),
        ("rust", [" impl A {", "     fn f() {", "+        run();", "     }", " }"], "", "A.f"),
        ("ruby", [" module A", "   class B", "     def f", "+      run", "     end", "   end", " end"], "", "A.B.f"),
        ("php", [" class A {", "   function f() {", "+    run();", "   }", " }"], "", "A.f"),
        ("c-sharp", [" class A {", "   void F() {", "+    Run();", "   }", " }"], "", "A.F"),
        ("javascript", [" const f = () => {", "+  run();", " };"], "", "f"),
        ("bash", [" f() {", "+  run", " }"], "", "f"),
        (None, [" a", "+b"], "[section one]", None),
    ],
)
def test_enclosing(language: str | None, rows: list[str], section: str, name: str | None) -> None:
    """The definition around a change comes from the hunk's rows, joined to its section text where that is outside."""
    assert _analyse(language, *rows, section=section).enclosing == name


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("", None),
        ("class A(B):", "A"),
        ("async def run(self):", "run"),
        ("struct a {", "a"),
        ("static const struct a b = {", "b"),
        ("impl<T> A for B<T> {", "B"),
        ("export default function run() {", "run"),
        ("Status A::Get(const B& b,", "A::Get"),
        ("if (a) {", None),
        ("\x1b[31m", None),
    ],
)
def test_clean_section(section: str, name: str | None) -> None:
    """Git's section text is cut down to a name, or to nothing; no control character gets through."""
    assert clean_section(section) == name


def test_the_whole_file_gives_the_exact_name() -> None:
    """With the new file in full, the name is that of its tree, and nothing else changes."""
    source = "class A:\n    def f(self):\n" + "        go()\n" * 20 + "        run()\n"
    line = Line(LineKind.ADDED, None, 23, "        run()")
    file = FileChange("a.py", "a.py", FileStatus.MODIFIED, "python", (Hunk(22, 23, "def wrong():", (line,)),))
    (exact,) = analyse(file, source.encode())
    (guess,) = analyse(file)
    assert (exact.enclosing, guess.enclosing) == ("A.f", "wrong")
    assert (exact.added, exact.comment_only, exact.formatting_only) == (
        guess.added,
        guess.comment_only,
        guess.formatting_only,
    )


def test_a_source_that_does_not_fit_is_survived() -> None:
    """A source shorter than the hunk's line numbers, or empty, gives a name or none but no error."""
    for source in (b"", b"x = 1\n", b"\xff\xfe\x00"):
        (syntax,) = analyse(marked_file("python", [" x = 1", "+y = 2"]), source)
        assert syntax.enclosing is None
