"""Commands in comments: where they count, which of several does, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight_github.commands import MAX_NOTE, Command, Verb, parse


@pytest.mark.parametrize(
    ("body", "verb", "note"),
    [
        ("/oversight safe", Verb.SAFE, ""),
        ("/oversight risky", Verb.RISKY, ""),
        ("/oversight risky touches the ledger", Verb.RISKY, "touches the ledger"),
        ("/oversight dismiss generated code", Verb.DISMISS, "generated code"),
        ("/oversight dismiss: generated code", Verb.DISMISS, "generated code"),
        ("/oversight review", Verb.REVIEW, ""),
        ("/Oversight SAFE.", Verb.SAFE, ""),
        ("   /oversight \t safe \t", Verb.SAFE, ""),
        ("Looked at it.\r\n\r\n/oversight safe\r\nThanks", Verb.SAFE, ""),
        ("a\r/oversight safe", Verb.SAFE, ""),
    ],
)
def test_a_command_begins_its_line_and_ends_with_it(body: str, verb: Verb, note: str):
    """In any case of letters, with what GitHub's editor and e-mail make of line ends."""
    assert parse(body) == Command(verb, note)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "safe",
        "please /oversight safe",
        "-/oversight safe",
        "//oversight safe",
        "/oversights safe",
        "/oversight-safe",
        "/over\u017fight safe",
        "\u00a0/oversight safe",
        "`/oversight safe`",
        "> /oversight safe",
        "On Monday bot wrote:\n> > /oversight safe\n",
        "    /oversight safe",
        "\t/oversight safe",
        "```\n/oversight safe\n```",
        "```text\n/oversight safe",
        "~~~\n```\n/oversight safe\n~~~",
        "````\n```\n/oversight safe\n````",
        "```\n``` x\n/oversight safe\n```",
        "<!-- /oversight safe -->",
        "<!--\n/oversight safe\n-->",
        "text <!-- \n/oversight safe",
    ],
)
def test_code_quotes_and_hidden_text_hold_no_commands(body: str):
    """Nor does the middle of a line: comments say how to answer without answering."""
    assert parse(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "```\ncode\n```\n/oversight safe",
        "~~~\n```\n~~~~\n/oversight safe",
        "```code``` inline\n/oversight safe",
        "<!-- note --> text\n/oversight safe",
        "<!--\nnote\n-->\n/oversight safe",
        "> quoted\n\n/oversight safe",
        "> quoted\n/oversight safe",
        "> ```\n/oversight safe",
    ],
)
def test_what_stands_after_them_counts(body: str):
    """A fence or a comment ends where it is closed."""
    assert parse(body) == Command(Verb.SAFE)


def test_the_first_of_several_commands_counts():
    """One comment is one verdict."""
    assert parse("/oversight risky\n/oversight safe") == Command(Verb.RISKY)
    assert parse("```\n/oversight safe\n```\n/oversight risky\n/oversight safe") == Command(Verb.RISKY)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("/oversight", ""),
        ("/oversight  ", ""),
        ("/oversight approve this", "approve"),
        ("/oversight \u017fafe", "\u017fafe"),
        ("/oversight unknown", "unknown"),
        ("/oversight incomplete", "incomplete"),
        ("/oversight " + "x" * 99, "x" * 39 + "…"),
    ],
)
def test_a_word_that_is_no_verb_is_told_back(body: str, word: str):
    """Whoever mistyped can be told, and has said nothing of the change."""
    assert parse(body) == Command(Verb.UNKNOWN, word)


@pytest.mark.parametrize("reason", ["", " ", " \t", " ...", " ??", " \u200b"])
def test_a_dismissal_without_a_reason_is_none(reason: str):
    """The next reader has to learn why."""
    assert parse(f"/oversight dismiss{reason}") == Command(Verb.INCOMPLETE, "dismiss")


def test_a_note_has_an_end():
    """A reason is no essay; the ellipsis says that it was cut."""
    found = parse("/oversight dismiss " + "why " * 10_000)
    assert found is not None
    assert len(found.note) == MAX_NOTE
    assert found.note.endswith("…")


def test_a_note_is_somebody_s_text():
    """Markup and commands of other programs are left to be escaped where they are shown."""
    assert parse("/oversight dismiss <img> @team $(id) \x1b[31m") == Command(Verb.DISMISS, "<img> @team $(id) \x1b[31m")
    found = parse("/oversight risky \ud800")
    assert found == Command(Verb.RISKY, r"\ud800")


@given(
    st.text()
    | st.lists(st.sampled_from(["/oversight safe", "```", "~~~", "<!--", "-->", "> x", "\n", " "])).map("".join)
)
def test_any_text_is_a_command_or_none(body: str):
    """Never an error, and what it gives can be written down."""
    found = parse(body)
    if found is not None:
        assert "/oversight" in body.lower()
        found.note.encode()


@given(st.text(), st.integers(3, 9), st.sampled_from("`~"))
def test_a_block_of_code_hides_whatever_is_in_it(text: str, length: int, mark: str):
    """However long its fence is."""
    fence = mark * length
    inside = text.replace(mark, "").replace("/oversight", "")
    assert parse(f"{fence}\n{inside}\n/oversight safe\n{fence}") is None
