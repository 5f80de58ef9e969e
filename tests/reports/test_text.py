"""The text for a terminal: readable, quiet about nothing that matters, and obeyed by nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.reports import Format, render, words
from oversight.reports.model import Finding, HunkRisk, RiskReport, Skipped
from oversight.reviewers.model import Severity
from tests.reports.examples import EXAMPLES, crowded, empty, error, flagged_by_budget, flagged_by_principle, unscored
from tests.reports.strategies import hostile

COLOUR = re.compile(r"\x1b\[[0-9;]+m")
COMMAND = re.compile(r"^\s*::|##\w*\[")


def text(report: RiskReport, *, width: int = 80) -> str:
    """The report without colour."""
    return render(report, Format.TEXT, width=width)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "hostile"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_fits(name: str, width: int) -> None:
    """Lines fit the width, and end in no blanks."""
    for line in text(EXAMPLES[name](), width=width).splitlines():
        assert len(line) <= width
        assert line == line.rstrip()


def test_a_path_is_never_wrapped() -> None:
    """A long path stays on one line, with its line number, so that it can be copied."""
    path = "/".join(["folder with blank"] * 9) + "/a.py"
    report = replace(flagged_by_budget(), hunks=(HunkRisk(path, 3, 9, 0.5, ()),))
    assert f"{path}:3-9\n" in text(report)


def test_wide_characters() -> None:
    """A column is what a terminal gives a character, so text of wide characters is wrapped earlier."""
    report = replace(flagged_by_budget(), notes=("漢字 " * 40,))
    assert all(len(line) + line.count("漢") + line.count("字") <= 80 for line in text(report).splitlines())


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_colour(name: str) -> None:
    """Without being asked there is no colour; with colour the words are the same, and every style is ended."""
    report = EXAMPLES[name]()
    coloured = render(report, Format.TEXT, colour=True)
    assert "\x1b" not in text(report)
    assert COLOUR.sub("", coloured) == text(report)
    styles = COLOUR.findall(coloured)
    assert styles[1::2] == ["\x1b[0m"] * (len(styles) // 2)


def test_verdict_first() -> None:
    """The first word is the verdict."""
    firsts = {name: text(make()).partition(":")[0] for name, make in EXAMPLES.items()}
    assert firsts == {
        "flagged-by-budget": "FLAGGED",
        "flagged-by-principle": "FLAGGED",
        "not-flagged": "NOT FLAGGED",
        "partial-context": "FLAGGED",
        "unscored": "UNSCORED",
        "error": "ERROR",
        "empty": "NOT FLAGGED",
        "hostile": "FLAGGED",
    }


def test_unscored_is_never_shown_as_safe() -> None:
    """Without a risk there is no number for one, no NOT FLAGGED, and a sentence that says what to do."""
    for report in (unscored(), error(), replace(unscored(), flagged=False)):
        shown = text(report)
        assert "NOT FLAGGED" not in shown
        assert "treat the change as unread" in " ".join(shown.split())
        assert "Risk " not in shown
        assert "0.0%" not in shown
        assert "Why: " in shown


def test_riskiest_first() -> None:
    """Hunks come by risk, and those without one last, said to be unscored."""
    report = flagged_by_budget()
    hunks = (replace(report.hunks[0], risk=None), *report.hunks[1:])
    shown = text(replace(report, hunks=hunks))
    assert re.findall(r"^ +(\S+%|unscored) ", shown, re.MULTILINE) == ["31%", "4.0%", "<0.1%", "unscored"]


def test_weight_goes_before_risk() -> None:
    """Hunks that have a weight come by it, and those that were not scored stay last."""
    report = flagged_by_budget()
    weights = (9.0, -3.0, 2.0, 1.0)
    hunks = [replace(hunk, weight=weight) for hunk, weight in zip(report.hunks, weights, strict=True)]
    hunks[0] = replace(hunks[0], risk=None)
    shown = text(replace(report, hunks=tuple(hunks)))
    told = [words.percent(hunks[number].risk) for number in (2, 3, 1)]
    assert re.findall(r"^ +(\S+%|unscored) ", shown, re.MULTILINE) == [*told, "unscored"]


def test_gravest_first() -> None:
    """Findings come by severity, whatever order they were found in."""
    report = replace(flagged_by_principle(), findings=flagged_by_principle().findings[::-1])
    assert re.findall(r"^  (critical|high|medium|low) ", text(report), re.MULTILINE) == ["critical", "high"]


def test_crowded() -> None:
    """Of 500 hunks the riskiest 20 are shown, and the rest is counted."""
    shown = text(crowded(500, 300))
    assert "Hunks to read first (20 of 500)" in shown
    assert "and 480 more hunks" in shown
    assert "and 280 more findings" in shown
    assert len(shown.splitlines()) < 150


def test_nothing() -> None:
    """A change without hunks is reported without any heading for them."""
    shown = text(empty())
    assert "hunks" not in shown
    assert "0 of 0 files" in shown


def test_one_sentence_for_many_places() -> None:
    """What a principle says in the same words is said once, with its places below, the first ones only."""
    found = tuple(Finding("a/b", Severity.HIGH, "x.py", line, "Same words.") for line in range(1, 13))
    shown = text(replace(flagged_by_budget(), findings=found))
    assert shown.count("Same words.") == 1
    assert "x.py:5\n" in shown
    assert "and 7 more places" in shown


@given(hostile, hostile, st.integers(20, 100))
def test_hostile(one: str, other: str, width: int) -> None:
    """However words fall, no line holds a control character or a command for a workflow log."""
    report = flagged_by_budget()
    report = replace(
        report,
        error=one,
        change=replace(report.change, title=other, author=one),
        hunks=(HunkRisk(one, 1, 1, 0.5, (f"{other} {one}",)),),
        findings=(Finding(one, Severity.LOW, other, 1, f"{one} {other}"),),
        coverage=replace(report.coverage, skipped=(Skipped(one, other),)),
        notes=(f"{other} {other}",),
    )
    for line in text(report, width=width).removesuffix("\n").split("\n"):
        assert all(character.isprintable() or character in "\u00a0\u3000" for character in line)
        assert not COMMAND.search(line)


def test_rates_of_other_repositories_come_second() -> None:
    """Where the model knows the rates of other repositories alone, how the change stands here is said first."""
    report = flagged_by_budget()
    assert report.model is not None
    told = words.risk_sentence(replace(report, model=replace(report.model, elsewhere=True)))
    assert told == (
        "Riskier than 96% of the changes it is compared with; in the repositories that the model learned from, about 1 "
        "in 3 changes like this one is later repaired or withdrawn."
    )
    alone = words.risk_sentence(replace(report, model=replace(report.model, elsewhere=True), percentile=None))
    assert alone is not None
    assert alone.startswith("How it compares with other changes is unknown; in the repositories")
