"""The Markdown: short, quiet, within GitHub's limit, and with no markup but ours."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from oversight.reports import Format, render
from oversight.reports.markdown import LIMIT
from oversight.reports.markdown import render as markdown_render
from oversight.reports.model import Finding, HunkRisk, RiskReport, Skipped
from oversight.reviewers.model import Severity
from tests.reports.examples import EXAMPLES, crowded, flagged_by_budget, hostile, not_flagged, unscored
from tests.reports.strategies import hostile as hostile_text

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = re.compile(r"</?(?:details|summary|sub)>|<br>|[\w:,. ]+|\n")
EXPECTED = {
    "paragraph_open", "paragraph_close", "inline", "text", "code_inline", "strong_open", "strong_close", "softbreak",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "html_block", "html_inline",
}  # fmt: skip


def markdown(report: RiskReport) -> str:
    """The report as Markdown, within the limit."""
    text = render(report, Format.MARKDOWN)
    assert len(text.encode("utf-8")) <= LIMIT
    return text


def tokens(text: str) -> list[Token]:
    """All tokens of a document, children after their parent."""
    return [one for token in PARSER.parse(text) for one in (token, *(token.children or []))]


def check(text: str, *, links: bool = False) -> None:
    """Fail on any markup that is not ours, on folds that are not closed, and on links where none are asked for."""
    found = tokens(text)
    assert {token.type for token in found} <= EXPECTED | ({"link_open", "link_close"} if links else set())
    markup = "".join(token.content for token in found if token.type in {"html_block", "html_inline"})
    assert OURS.sub("", markup) == ""
    assert markup.count("<details>") == markup.count("</details>")
    assert not re.search(r"^\s*::|##\w*\[", text, re.MULTILINE)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_markup_is_ours(name: str) -> None:
    """Every kind of report has paragraphs, lists, code spans and folds, and nothing else."""
    check(markdown(EXAMPLES[name]()))


@given(hostile_text, hostile_text)
def test_hostile(one: str, other: str) -> None:
    """Nothing that the change says becomes a link, an image, HTML or a heading."""
    report = flagged_by_budget()
    report = replace(
        report,
        error=one,
        hunks=(HunkRisk(one, 1, 1, 0.5, (other, one)),) * 7,
        findings=(Finding(other, Severity.LOW, other, 1, one), Finding("a/b", Severity.HIGH, one, None, other)),
        coverage=replace(report.coverage, skipped=(Skipped(one, other),)),
        notes=(one, other),
    )
    check(markdown(report))


def test_quiet() -> None:
    """A change that nobody need read has its verdict and risk to look at, and all else folded away."""
    text = markdown(not_flagged())
    unfolded = re.sub(r"<details>.*?</details>\n", "", text, flags=re.DOTALL)
    assert [line for line in unfolded.splitlines() if line][2:] == [unfolded.splitlines()[-1]]
    assert unfolded.splitlines()[-1].startswith("<sub>")


def test_unscored_says_so() -> None:
    """A change without a risk says so first, and what to do."""
    assert markdown(unscored()).startswith("**Unscored**: no risk could be given, which does not mean a low one")


def test_limit() -> None:
    """A huge report is cut between entries and says how many it lost; the receipt and the footer stay."""
    text = markdown(crowded(20_000, 5_000))
    check(text)
    assert len(text) > LIMIT // 2
    lost = re.findall(r"^- and ([\d,]+) more, left out to keep to the length of a comment$", text, re.MULTILINE)
    assert len(lost) == 2
    kept = len(re.findall(r"^- \*\*\d", text, re.MULTILINE))
    assert kept + int(lost[1].replace(",", "")) == 20_000
    assert "Coverage: 3 of 4 files scored" in text
    assert text.endswith("</sub>\n")
    entry = re.compile(r"- (\*\*.*(`|reason \d+)|and [\d,]+ more, .*|`assets/logo.png`: .*|The percentile .*)")
    assert all(entry.fullmatch(line) for line in text.splitlines() if line.startswith("- "))


def test_flood() -> None:
    """A flood of long hostile text hides neither the gravest finding nor the riskiest hunk nor the receipt."""
    noise = "\U000e0041`@x|" * 400
    report = hostile()
    flood = tuple(Finding(f"n/{n}", Severity.HIGH, noise, n + 1, noise) for n in range(500))
    grave = Finding("grave/one", Severity.CRITICAL, "z.py", 1, "The one that counts.")
    hunks = tuple(HunkRisk(noise, n + 1, n + 1, 0.1, (noise,) * 4) for n in range(500))
    text = markdown(
        replace(
            report,
            findings=(*flood, grave),
            hunks=(*hunks, HunkRisk("z.py", 1, 1, 0.9, ())),
            notes=(noise,) * 50,
            coverage=replace(report.coverage, skipped=(Skipped(noise, noise),) * 500),
        )
    )
    check(text)
    assert "The one that counts." in text
    assert "**90%** `z.py:1`" in text
    assert "Coverage: 2 of 3 files scored" in text
    assert "2 of 3 files and 2 of 3 changed lines were scored" in text


def test_names_in_reasons_are_code() -> None:
    """A name that a reason sets between backticks is shown as code."""
    assert "in `charge`: a call" in markdown(flagged_by_budget())


@given(hostile_text, hostile_text)
def test_links(path: str, message: str) -> None:
    """Places lead to where the caller says, whatever a path holds, and nothing else leads anywhere."""
    report = replace(
        flagged_by_budget(),
        hunks=(HunkRisk(path, 1, 3, 0.5, (message,)),),
        findings=(Finding("a/b", Severity.HIGH, path, 2, message),),
    )
    text = markdown_render(report, link=lambda _, start, end: f"https://github.test/x#R{start}-{end}")
    check(text, links=True)
    targets = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert targets == ["https://github.test/x#R2-None", "https://github.test/x#R1-3"] * bool(path)


def test_less_room() -> None:
    """Who needs room for something of their own asks for less."""
    text = markdown_render(crowded(2_000, 500), limit=5_000)
    check(text)
    assert 2_500 < len(text.encode("utf-8")) <= 5_000
