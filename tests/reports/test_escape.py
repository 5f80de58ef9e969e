"""Hostile text is shown, and does nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from oversight.reports import escape
from tests.reports.examples import HOSTILE
from tests.reports.strategies import anything, hostile

BLANKS = "\u00a0\u3000"
COMMAND = re.compile(r"^\s*::|##\w*\[")
REFERENCE = re.compile(r"@|#\d|\bGH-\d|://|\bwww\.|\b[0-9a-f]{7,40}\b|:\w+:|\$", re.IGNORECASE)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def harmless(text: str) -> bool:
    """Whether a terminal shows every character of `text` and obeys none."""
    text.encode("utf-8")
    return all(character.isprintable() or character in BLANKS for character in text)


def inline(markdown: str) -> list[Token]:
    """The inline tokens of one paragraph; fails on any other block."""
    tokens = PARSER.parse(markdown)
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    return (tokens[1].children or []) if tokens else []


@given(hostile)
@example(HOSTILE)
def test_terminal(text: str) -> None:
    """No control, bidi, invisible or undecodable character survives, nor a line break, nor a command for a log."""
    shown = escape.terminal(text)
    assert harmless(shown)
    assert not COMMAND.search(shown)
    assert escape.terminal(shown) == shown


@given(st.text(st.characters(categories=("Lu", "Ll", "Nd", "Sc")), max_size=40))
def test_terminal_keeps_what_is_harmless(text: str) -> None:
    """Letters and digits of all scripts stay as they are."""
    assert escape.terminal(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b", r"\x1b"), ("\x00", r"\x00"), ("\x7f", r"\x7f"), ("\x9b", r"\u009b"), ("\n", r"\n"), ("\r", r"\r"),
        ("\t", r"\t"), ("\u202e", r"\u202e"), ("\u200d", r"\u200d"), ("\udcff", r"\xff"), ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"), ("\u2028", r"\u2028"), ("\u3164", r"\u3164"), ("é日🎉", "é日🎉"),
        ("::warning::x", r"\x3a:warning::x"), (" ::x", r" \x3a:x"), ("a::b", "a::b"), ("x ##[y]", r"x \x23#[y]"),
        ("##vso[a]", r"\x23#vso[a]"), ("###[a]", r"#\x23#[a]"), ("## heading", "## heading"),
    ],
)  # fmt: skip
def test_terminal_escapes(text: str, shown: str) -> None:
    """Escapes are Python's, and bytes that are no UTF-8 show as bytes."""
    assert escape.terminal(text) == shown


@given(hostile, st.integers(1, 40))
def test_limit(text: str, limit: int) -> None:
    """A limit is kept, and says by an ellipsis that it cut."""
    shown = escape.terminal(text, limit)
    assert len(shown) <= limit
    assert harmless(shown)
    assert not COMMAND.search(shown)
    assert shown.endswith(escape.ELLIPSIS) or shown == escape.terminal(text)


@given(st.text(st.sampled_from("\x00\n\x9b\u202e\udc80\U000e0041"), max_size=20), st.integers(1, 60))
def test_limit_cuts_no_escape(text: str, limit: int) -> None:
    """An escape is there whole or not at all."""
    assert re.fullmatch(r"(\\x[0-9a-f]{2}|\\n|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})*…?", escape.terminal(text, limit))


def test_limit_needs_room() -> None:
    """A limit without room for the ellipsis is a programming error."""
    with pytest.raises(ValueError, match="ellipsis"):
        escape.terminal("abc", 0)


@given(st.lists(hostile, max_size=3).map(" ".join))
def test_log_line(text: str) -> None:
    """A finished line holds no command, wherever a layout has put the words."""
    assert not COMMAND.search(escape.log_line(text))


@given(hostile)
@example(HOSTILE)
@example("`@a` `[x](y)` `b`c `")
def test_markdown(text: str) -> None:
    """Prose is text and code spans: no link, image, HTML, emphasis or block; and GitHub finds nothing to link."""
    tokens = inline(escape.markdown(text))
    assert {token.type for token in tokens} <= {"text", "code_inline"}
    assert not any(REFERENCE.search(token.content) for token in tokens if token.type == "text")
    assert all(harmless(token.content) for token in tokens)


@given(hostile.map(lambda text: text.replace("`", "'").replace("|", "/")))
@example("# ::error::")
def test_markdown_says_what_the_text_says(text: str) -> None:
    """What is read is what was written, character by character."""
    said = "".join(token.content for token in inline(escape.markdown(text)))
    assert said == escape.terminal(text).strip()


@given(hostile, st.sampled_from(["- {}", "> {}", "# {}", "1. {}", "- **high** {} (`id`)<br>", "*x* {}: {}"]))
def test_markdown_breaks_out_of_nothing(text: str, frame: str) -> None:
    """Wherever prose stands, the document has the structure it would have with a plain word."""

    def shape(word: str) -> list[str]:
        tokens = PARSER.parse(frame.format(word, word))
        return [
            t.type
            for token in tokens
            for t in (token, *(token.children or []))
            if t.type not in {"text", "code_inline"}
        ]

    assert shape(escape.markdown(f"x {text}")) == shape("word")


@given(hostile, hostile)
def test_table(left: str, right: str) -> None:
    """Neither prose nor code ends a table's cell."""
    row = f"| {escape.markdown('x' + left)} | {escape.code(right)} |"
    tokens = PARSER.parse(f"| a | b |\n|---|---|\n{row}\n")
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert sum(token.type == "tr_open" for token in tokens) == 2


@given(hostile)
def test_code(text: str) -> None:
    """A code span is one code span, whatever backticks it holds."""
    tokens = inline(escape.code(text))
    assert [token.type for token in tokens] == ["code_inline"]
    assert tokens[0].content.strip() == escape.terminal(text).replace("|", r"\x7c").strip()


@given(st.lists(hostile, max_size=4).map("\n".join))
def test_fenced(text: str) -> None:
    """A fenced block ends where it should, and holds the lines it was given."""
    tokens = PARSER.parse(escape.fenced(text, "python"))
    assert [token.type for token in tokens] == ["fence"]
    assert all(harmless(line) for line in tokens[0].content.split("\n"))
    assert tokens[0].content.count("\n") == text.count("\n") + 1


def test_fenced_takes_no_hostile_language() -> None:
    """The language is ours, never the change's."""
    with pytest.raises(ValueError, match="plain word"):
        escape.fenced("x", "a\nb")


@given(hostile)
@example(HOSTILE)
def test_html(text: str) -> None:
    """HTML shows the text, in an element and in both kinds of quoted attributes, and opens no tag."""
    seen: list[object] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            seen.append(data)

        def handle_comment(self, data: str) -> None:
            raise AssertionError(data)

    shown = escape.html(f"x{text}")
    reader = Reader()
    reader.feed(f"<p title=\"{shown}\" class='{shown}'>{shown}</p>")
    reader.close()
    said = escape.terminal(f"x{text}")
    assert seen[0] == ("p", [("title", said), ("class", said)])
    assert "".join(str(one) for one in seen[1:]) == said


@given(hostile)
def test_sarif(text: str) -> None:
    """A SARIF message has no bare bracket for a link and no placeholder."""
    shown = escape.sarif(text)
    assert harmless(shown)
    assert not re.search(r"(?<!\\)(\\\\)*[\[\]]", shown)
    assert not re.search(r"(?<!\{)\{\d+\}(?!\})", shown)


@given(anything)
def test_data(text: str) -> None:
    """A value is whole but for lone surrogates."""
    value = escape.data(text)
    value.encode("utf-8")
    if not re.search(r"[\ud800-\udfff]", text):
        assert value == text


def test_data_limit() -> None:
    """A long value is cut with an ellipsis."""
    assert escape.data("a" * 50, 10) == "a" * 9 + "…"
