"""No comment, string or odd delimiter hides code from the detectors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.changes.languages import LANGUAGES
from oversight.changes.syntax import Fragment, analyse
from tests.builders import marked_file

SLASHES = ("javascript", "typescript", "tsx", "java", "go", "rust", "c", "cpp", "php", "c-sharp")
HASHES = ("python", "ruby", "php", "bash")
DANGER = "danger(x)"


def _new(language: str | None, *rows: str) -> Fragment:
    (syntax,) = analyse(marked_file(language, [row if row[:1] in "+- " and row else f" {row}" for row in rows]))
    assert syntax.new is not None
    return syntax.new


def _code(language: str | None, *rows: str) -> tuple[str, ...]:
    return _new(language, *(f" {row}" for row in rows)).code


@pytest.mark.parametrize("language", SLASHES)
def test_slash_comments_are_blanked(language: str) -> None:
    """Line and block comments, over several rows too, leave only spaces, and columns stay."""
    rows = ("run(x);", "run(y); // then danger(x)", "/* danger(x) */ run(z);", "/*", " * danger(x)", " */ run(z);")
    assert _code(language, *rows) == (
        "run(x);",
        "run(y);                  ",
        "                run(z);",
        "  ",
        "            ",
        "    run(z);",
    )


@pytest.mark.parametrize("language", HASHES)
def test_hash_comments_are_blanked(language: str) -> None:
    """Comments that start at a hash leave only spaces."""
    assert _code(language, "run x", "# danger(x)", "run y # danger(x)")[1:] == ("           ", "run y            ")


@pytest.mark.parametrize("language", ["python", "javascript", "typescript", "tsx", "java", "go", "c", "cpp"])
def test_contents_of_strings_are_blanked(language: str) -> None:
    """A string that cannot span rows keeps its quotes and loses what is in them."""
    assert _code(language, "run(x);", 'run("danger(x)", y)')[1] == 'run("         ", y)'


def test_interpolated_code_stays_code() -> None:
    """What an f-string runs is code; the text around it and the strings within it are not."""
    assert _code("python", "x = 1", "y = f'the {danger} of'")[1] == "y = f'    {danger}   '"
    assert "danger(x)" in _code("python", "x = 1", "y = f'the {danger(x)} of'")[1]


def test_prose_in_docstrings_is_blanked() -> None:
    """A row of a docstring is blanked where it cannot be Python, and stays where it could be."""
    rows = (
        "def f():",
        '    """Return the thing.',
        "",
        "    As the caller wants.",
        "    danger(x)",
        '    """',
        "    run()",
    )
    assert _code("python", *rows) == (
        "def f():",
        '    """' + " " * len("Return the thing."),
        "",
        " " * len("    As the caller wants."),
        "    danger(x)",
        '    """',
        "    run()",
    )


HIDDEN = [
    # The fragment begins inside a string or comment that the row closes and opens again.
    ("python", ["text", '"""; danger(x); """', "text"]),
    ("python", ["text", "'''; danger(x); '''", "text"]),
    ("python", ["text", '# """; danger(x); """', "text"]),
    ("python", ["text", "y = \"'''; danger(x); '''\"", "text"]),
    ("python", ["text", "# {danger(x)}", "text"]),
    ("javascript", ["text", "`; danger(x); `", "text"]),
    ("javascript", ["text", "// `; danger(x); `", "text"]),
    ("javascript", ["text", "// ${danger(x)}", "text"]),
    ("javascript", ["text", 'y = "${danger(x)}"', "text"]),
    ("javascript", ["text", '"*/ danger(x); /*"', "text"]),
    ("tsx", ["some text", "it's {danger(x)} isn't", "more text"]),
    ("tsx", ["some text // {danger(x)}", "some text // {danger(x)}", "more text"]),
    ("typescript", ["text", "y = /'/; danger(x); z = /'/", "text"]),
    ("java", ["text", '"""; danger(x); """', "text"]),
    ("java", ["text", "// \\u000a danger(x);", "text"]),
    ("go", ["text", "`; danger(x); `", "text"]),
    ("go", ["text", "/*", "#include <a.h>", "int y = danger(x);", "*/"]),
    ("rust", ["text", '"; danger(x); "', "text"]),
    ("rust", ["text", '// "; danger(x); "', "text"]),
    ("c", ["text", '"*/ danger(x); /*"', "text"]),
    ("c", ["text", "// */ danger(x); /*", "text"]),
    ("cpp", ["text", '"abc)"; danger(x); "', "text"]),
    ("cpp", ["text", '// )abc"; danger(x); R"abc(', "text"]),
    ("c-sharp", ["text", '// "; danger(x); @"', "text"]),
    ("php", ["text", "// ' . danger(x) . '", "text"]),
    ("php", ["text", "// ?><?= danger(x) ?>", "text"]),
    ("php", ["text", "/*", "EOS . danger(x);", "*/"]),
    ("php", ["text", "#[Attribute(danger(x))]", "text"]),
    ("ruby", ["text", "# ' + danger(x) + '", "text"]),
    ("ruby", ["text", "# #{danger(x)}", "text"]),
    ("bash", ["text", "# '; danger(x); '", "text"]),
    ("bash", ["text", "# $(danger(x))", "text"]),
    ("c", ["text", "y *// 2; danger(x);"]),
    ("java", ["text", "y */* 2; danger(x); */"]),
    ("cpp", ["text", 'y(z)"; danger(x); "']),
    ("cpp", ["text", 'y)abc"; danger(x); "']),
    ("c-sharp", ["text", '"; danger(x); "']),
    ("bash", ["text", "y=z# danger(x)"]),
    # Delimiters that never end, and rows that continue one from above the fragment.
    ("c", ["run(y); /* note", "danger(x);"]),
    ("c", ["/* one", "danger(x);", "/* two */"]),
    ("javascript", ["run(y); /* note", "danger(x);"]),
    ("python", ["y = '''", "danger(x)"]),
    ("python", ["y = 'the string", "danger(x)"]),
    ("c", ['"; danger(x); "', "run(y);"]),
    ("python", ["text \\", "'; danger(x); '"]),
    ("c", ["/* text \\", '"; danger(x); /* */']),
    # Characters that end a line for some readers.
    ("python", ["run()", "# note\rdanger(x)"]),
    ("javascript", ["run()", "// note\u2028danger(x)"]),
    ("c-sharp", ["run();", "// note\u0085danger(x);"]),
    ("c", ["run();", "// note\rdanger(x);"]),
]


@pytest.mark.parametrize(("language", "rows"), HIDDEN)
def test_doubtful_text_is_code(language: str, rows: list[str]) -> None:
    """Text that some reading of the fragment runs stays visible, whatever our own parse takes it for."""
    fragment = _new(language, *(f"+{row}" for row in rows))
    assert any(DANGER in row for row in fragment.code)
    (syntax,) = analyse(marked_file(language, [f"+{row}" for row in rows]))
    assert not syntax.comment_only


CODE = [
    DANGER,
    f"    {DANGER};",
    f"y = {DANGER}",
    "}",
    "{",
    "if (y) {",
    "text",
    "",
    "return y",
    "else:",
    "def f():",
    ")",
]
ODD = ['"""', "'''", "`", '"', "'", "*/", "\\", '"""; y', "y = '", "don't", "<<EOS", "EOS", '"` y', 'R"(', ')"', "@'"]
OPEN = ["/*", "/**", " * danger"]
INERT = {
    "#": ["# a note", "# danger(x)", "    # a note on the thing"],
    "//": ["// a note", "/* a note */", "/// a note on the thing", "/*\n * a note\n */"],
    '"': ['"a string"', "'a string'", 'y = "text"', '"danger(x)"'],
    '"""': ['"""Return the thing."""', '"""\nReturn the thing.\n"""', '    """Do."""', "'''It is a text.'''"],
}
_rows = st.lists(st.sampled_from(CODE + ODD), min_size=1, max_size=7)
_open_rows = st.lists(st.sampled_from(CODE + ODD + OPEN), min_size=1, max_size=7)
_language = st.sampled_from(LANGUAGES)


def _inert_for(language: str) -> list[str]:
    comments = INERT["#"] if language in ("python", "ruby", "bash") else INERT["//"]
    return comments + INERT['"'] + (INERT['"""'] if language == "python" else [])


@settings(max_examples=300, deadline=None)
@given(_language, _open_rows, st.data())
def test_adding_inert_rows_never_hides_others(language: str, rows: list[str], data: st.DataObject) -> None:
    """Comments, strings and docstrings added anywhere to a hunk leave every code row of the others as visible."""
    before = _code(language, *rows)
    place = data.draw(st.integers(0, len(rows)))
    added = [
        part
        for text in data.draw(st.lists(st.sampled_from(_inert_for(language)), max_size=3))
        for part in text.split("\n")
    ]
    after = _code(language, *rows[:place], *added, *rows[place:])
    kept = after[:place] + after[place + len(added) :]
    for row, was, now in zip(rows, before, kept, strict=True):
        if DANGER in was:
            assert DANGER in now, (rows, added, place)
        if was.strip() and row in CODE + ODD:
            assert now.strip(), (rows, added, place)


@settings(max_examples=300, deadline=None)
@given(_language, _rows)
def test_plain_code_is_never_blanked(language: str, rows: list[str]) -> None:
    """Without a block comment around it, a row of plain code is visible among any odd delimiters."""
    for row, code in zip(rows, _code(language, *rows), strict=True):
        if row in CODE:
            assert code == row


@settings(max_examples=200, deadline=None)
@given(_language, st.lists(st.text(max_size=30).filter(lambda text: "\n" not in text), min_size=1, max_size=6))
def test_code_only_ever_replaces_by_spaces(language: str, rows: list[str]) -> None:
    """`code` has the length of the row, and each character is the row's own or a space."""
    for row, code in zip(rows, _code(language, *rows), strict=True):
        assert len(code) == len(row)
        assert all(mine in (theirs, " ") for mine, theirs in zip(code, row, strict=True))
