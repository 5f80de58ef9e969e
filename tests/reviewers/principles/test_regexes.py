"""Patterns that stay fast, globs, words, and code that is certain."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.reviewers.principles.globs import compile_globs
from oversight.reviewers.principles.matching import entropy
from oversight.reviewers.principles.regexes import STAR, UnsafeRegexError, bounded
from oversight.reviewers.principles.sure import boundary, sure_code
from oversight.reviewers.principles.view import canonical
from oversight.reviewers.principles.words import Vocabulary, subwords


@pytest.mark.parametrize(
    "pattern",
    ["(a*)*", "(a|aa)+b", "(a|a)*", "(?:x+)+", r"(a)\1", "(?P=a)", "(?(1)a|b)", "a**", "*a", "(", ")", "[", "a{3,1}",
     "a|*", ".*.*.*.*=", "(?>a)", "x" * 2000, "a{9999}{9999}", "\\", "[[a]"],
)  # fmt: skip
def test_patterns_that_could_blow_up_are_refused(pattern: str) -> None:
    """Nested and ambiguous repetitions, back-references and broken patterns are outside the subset."""
    with pytest.raises(UnsafeRegexError):
        bounded(pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("a*", f"a{{0,{STAR}}}"), ("a+?", f"a{{1,{STAR}}}?"), ("[*+]", "[*+]"), (r"\*", r"\*"),
     ("a{2,}", f"a{{2,{STAR}}}"),
     ("a{,3}", "a{0,3}"), ("a{x", "a{x"), ("[]*]", "[]*]"), ("(?i)a?", "(?i)a?")],
)  # fmt: skip
def test_repetitions_get_a_bound(pattern: str, expected: str) -> None:
    """Stars and pluses are bounded where they repeat, and left alone where they are characters."""
    assert bounded(pattern) == expected


def _unbounded(pattern: str) -> bool:
    """Whether a star, a plus or an open count repeats something, outside of classes and escapes."""
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern)
    return re.search(r"[*+](?!\})|\{\d*,\}", re.sub(r"(?<=\})\+", "", plain)) is not None


@given(st.text("ab()|*+?{}2,[]\\^.-x ", max_size=14), st.booleans())
def test_a_pattern_is_bounded_or_refused(pattern: str, code: bool) -> None:
    """Whatever the pattern: it compiles without an unbounded repetition, or there is one clear error."""
    try:
        safe = bounded(pattern, code=code)
    except UnsafeRegexError:
        return
    re.compile(safe)
    assert not _unbounded(safe)


@pytest.mark.parametrize(
    ("row", "spaced"), [("f (a , b)", "f(a,b)"), ("  if  x  or y :", "if x or y:"), ("a\t=\tb", "a=b")]
)
def test_spacing_does_not_count_in_code(row: str, spaced: str) -> None:
    """Code is read with blanks between two words only."""
    assert canonical(row) == spaced


def test_globs_match_at_any_depth() -> None:
    """No prefix hides a file; a star stays in its directory, two stars do not."""
    globs = compile_globs(("tests/**", "*.lock", ".github/workflows/*"))
    for path in ("tests/a.py", "vendor/x/tests/b/c.py", "a/poetry.lock", "x/.github/workflows/ci.yml", "TESTS/A.PY"):
        assert globs.match(path)
    for path in ("mytests/a.py", "a.lock/b", ".github/workflows/a/b.yml", "tests"):
        assert not globs.match(path)


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=30), max_size=6))
def test_words_are_found_in_the_rows_that_hold_them(rows: list[str]) -> None:
    """The index of a text by rows agrees with the sub-words of each row."""
    rows = [row.replace("\n", " ") for row in rows]
    vocabulary = Vocabulary(word for row in rows for word in subwords(row))
    words = vocabulary.words_of("\n".join(rows))
    for number, row in enumerate(rows):
        assert {word for word in words.all if number in words.lines(word)} == subwords(row)


@pytest.mark.parametrize(
    "text", ['x = "if (!n)"', "x = 1 # if (!n)", "x; // if (!n)", r'x = "a\" if (!n) "', "x = 'if (!n)'"]
)
def test_quoted_and_commented_code_is_not_certain(text: str) -> None:
    """Certain code holds nothing that stands in quotes or behind a comment sign."""
    assert "if (!n)" not in sure_code(text)


@pytest.mark.parametrize(
    "text", ['"""', "'''doc", "/*", "x */", "a = `open", 'x = "open', "cat <<EOF", "#if 0", "#endif", "go \\"]
)
def test_rows_that_may_open_a_text_of_several_rows_are_boundaries(text: str) -> None:
    """Beyond such a row nobody knows from the hunk alone whether rows are code."""
    assert boundary(text)
    assert not boundary("x = f('a', \"b\")  # it is")


def test_entropy_tells_a_placeholder_from_a_secret() -> None:
    """One repeated letter carries no information; sixteen different ones carry four bits each."""
    assert entropy("x" * 20) == 0.0
    assert entropy("0123456789abcdef") == 4.0
    assert entropy("") == 0.0
