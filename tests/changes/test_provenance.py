"""Who wrote a commit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.model import Provenance, ProvenanceKind
from oversight.changes.provenance import provenance_of, together

ADA = "Ada Lovelace <ada@example.org>"
HUMAN = Provenance(ProvenanceKind.HUMAN)


def agent(name: str) -> Provenance:
    return Provenance(ProvenanceKind.AGENT, name)


@pytest.mark.parametrize(
    ("trailer", "name"),
    [
        ("Co-Authored-By: Claude Opus 4.5 (1M context) <noreply@anthropic.com>", "Claude Code"),
        ("Co-authored-by: claude[bot] <41898282+claude[bot]@users.noreply.github.com>", "Claude Code"),
        ("Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>", "GitHub Copilot"),
        ("Co-authored-by: Copilot <copilot@github.com>", "GitHub Copilot"),
        ("Co-authored-by: Cursor <cursoragent@cursor.com>", "Cursor"),
        ("Co-authored-by: Codex <noreply@openai.com>", "OpenAI Codex"),
        (
            "Co-authored-by: devin-ai-integration[bot] <158243242+devin-ai-integration[bot]@users.noreply.github.com>",
            "Devin",
        ),
        ("Co-authored-by: google-labs-jules[bot] <1+google-labs-jules[bot]@users.noreply.github.com>", "Jules"),
        ("Co-authored-by: aider (o3) <aider@aider.chat>", "Aider"),
        ("Co-authored-by: openhands <openhands@all-hands.dev>", "OpenHands"),
        ("Co-authored-by: Amp <amp@ampcode.com>", "Amp"),
        ("Amp-Thread-ID: https://ampcode.com/threads/T-1", "Amp"),
        ("Assisted-by: Claude:claude-opus-4 coccinelle", "Claude Code"),
        ("Assisted-by: Claude Code", "Claude Code"),
        ("Assisted-by: Copilot (GPT-5)", "GitHub Copilot"),
        ("Generated-by: OpenCode:some-model", "opencode"),
        ("Made-with: Cursor", "Cursor"),
        ("\U0001f916 Generated with [Claude Code](https://claude.com/claude-code)", "Claude Code"),
        ("Generated with [Codex](https://openai.com/codex/).", "OpenAI Codex"),
        ("Link to Devin run: https://app.devin.ai/sessions/1", "Devin"),
    ],
)
def test_an_agent_is_known_by_how_it_signs(trailer: str, name: str) -> None:
    """Each tool leaves its own trailer or footer in a commit that a person makes."""
    assert provenance_of(ADA, ADA, f"Fix it\n\nBody.\n\n{trailer}\nSigned-off-by: {ADA}\n") == agent(name)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>", "GitHub Copilot"),
        ("Cursor Agent <cursoragent@cursor.com>", "Cursor"),
        ("Ada Lovelace (aider) <ada@example.org>", "Aider"),
        ("openhands <openhands@all-hands.dev>", "OpenHands"),
    ],
)
def test_an_agent_is_known_as_author_and_as_committer(author: str, name: str) -> None:
    """A tool that commits under its own name needs no trailer."""
    assert provenance_of(author, ADA, "Fix it") == agent(name)
    assert provenance_of(ADA, author, "Fix it") == agent(name)


@pytest.mark.parametrize(
    "author",
    [
        "Claude Monet <claude@example.org>",
        "Claude <claude@example.org>",
        "Devin <devin@example.org>",
        "Jules Verne <jules@example.org>",
        "Gemini Jones <gemini@example.org>",
        "Someone <someone@anthropic.com>",
        "Cursor Smith <cursor@users.noreply.github.com>",
    ],
)
def test_people_who_share_a_name_with_a_tool_are_people(author: str) -> None:
    """A name alone makes no agent: not as the author, nor in any trailer."""
    message = (
        f"Fix it\n\nCo-authored-by: {author}\nSigned-off-by: {author}\nAssisted-by: {author}\nReviewed-by: {author}"
    )
    assert provenance_of(author, author, message) == HUMAN


@pytest.mark.parametrize(
    "message",
    [
        "Support Claude Code and Cursor\n\nGenerated code is skipped. We tried Copilot.\n",
        "Assisted-by: Claude\n\nThat trailer stands where no trailers stand, in the middle\nof words about it.\n",
        "Fix\n\nAssisted-by: Claude Monet\n",
        "Fix\n\nReviewed-by: Claude <noreply@anthropic.com>\n",
        "Fix\n\nMade with cursors of the database\n",
    ],
)
def test_talking_about_tools_is_no_signature(message: str) -> None:
    """Prose, reviews and other people's names do not make an agent's commit."""
    assert provenance_of(ADA, ADA, message) == HUMAN


def test_a_squashed_commit_keeps_its_agent() -> None:
    """A squash leaves the trailers of its parts in the middle of the message."""
    message = (
        "Add it (#1)\n\n* Part one\n\nCo-authored-by: Claude <noreply@anthropic.com>\n\n* Part two, by hand\nand on\n"
    )
    assert provenance_of(ADA, "GitHub <noreply@github.com>", message) == agent("Claude Code")


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", "Dependabot"),
        ("Renovate Bot <bot@renovateapp.com>", "Renovate"),
        ("github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>", "GitHub Actions"),
        ("some-app[bot] <1+some-app[bot]@users.noreply.github.com>", "some-app"),
    ],
)
def test_a_bot_is_known_as_the_author_only(author: str, name: str) -> None:
    """Bots also merge and co-author what people wrote: that makes no bot's commit."""
    assert provenance_of(author, "GitHub <noreply@github.com>", "Bump x") == Provenance(ProvenanceKind.BOT, name)
    assert provenance_of(ADA, author, f"Fix it\n\nCo-authored-by: {author}") == HUMAN


def test_without_an_author_nothing_is_known() -> None:
    """Unknown is not human."""
    assert provenance_of("", "", "") == Provenance(ProvenanceKind.UNKNOWN)
    assert provenance_of(" <>", " <>", "x") == Provenance(ProvenanceKind.UNKNOWN)


def test_several_commits_are_an_agents_where_one_is() -> None:
    """An agent counts before a person, a person before a bot."""
    bot, unknown = Provenance(ProvenanceKind.BOT, "Renovate"), Provenance(ProvenanceKind.UNKNOWN)
    assert together([bot, HUMAN, agent("Aider"), agent("Devin")]) == agent("Aider")
    assert together([bot, HUMAN, unknown]) == HUMAN
    assert together([unknown, bot]) == bot
    assert together([]) == unknown


@given(st.text(), st.text(), st.text())
def test_any_text_has_a_provenance(author: str, committer: str, message: str) -> None:
    """Names and messages come from anyone: nothing in them is an error."""
    assert provenance_of(author, committer, message).kind in ProvenanceKind


def test_hostile_messages_cost_no_more_than_their_length() -> None:
    """A million blank lines, colons, or one long line: the answer is the same."""
    for text in ("\n" * 10**6, ":" * 10**6, "a: b\n" * 10**5, "generated with " * 10**5, "[bot]" * 10**5):
        assert provenance_of(ADA, ADA, text) == HUMAN
