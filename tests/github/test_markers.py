"""Marks are found where we put them, and nothing that a change says makes one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.reports.model import Finding, HunkRisk, Skipped
from oversight.reviewers.model import Severity
from oversight_github.markers import (
    FindingMark,
    State,
    SummaryMark,
    as_written,
    key_of,
    read_finding,
    read_summary,
    without_mark,
)
from oversight_github.publish import inline, sticky
from oversight_github.publish.remarks import remarks
from tests.reports.examples import flagged_by_budget
from tests.reports.strategies import hostile
from tests.reports.test_markdown import check

KEY = key_of("oversight")
IDS = [f"{n:032x}:{n + 1}" for n in range(3)]
SUMMARY = SummaryMark(KEY, "a" * 40, (IDS[0], IDS[1]))
FINDING = FindingMark(KEY, IDS[2])

fingerprints = st.from_regex(r"[0-9a-f]{32}:[1-9][0-9]{0,5}", fullmatch=True)
shas = st.from_regex(r"[0-9a-f]{40}|[0-9a-f]{64}", fullmatch=True)
forgeries = st.lists(
    st.sampled_from([str(SUMMARY), str(FINDING), "-->", "<!--", "<!-- oversight:summary v1 ", "\n", "--!>"]) | hostile,
    max_size=6,
).map("".join)


@given(shas, st.lists(fingerprints, max_size=30), fingerprints, st.sampled_from(State), st.text())
def test_round_trip(head: str, unplaced: list[str], finding: str, state: State, below: str) -> None:
    """What is written is what is read, whatever stands below."""
    summary, one = SummaryMark(KEY, head, tuple(unplaced)), FindingMark(KEY, finding, state)
    assert read_summary(f"{summary}{below}") == summary
    assert read_finding(f"{one}{below}") == one
    assert without_mark(f"{summary}{below}") == without_mark(f"{one}{below}") == below


@pytest.mark.parametrize("mark", [SUMMARY, FINDING])
def test_the_beginning_counts_alone(mark: SummaryMark | FindingMark) -> None:
    """A mark that is quoted, indented, or below anything else is text."""
    for body in (f"> {mark}", f" {mark}", f"\n{mark}", f"x{mark}", f"```\n{mark}```", str(mark).rstrip()):
        assert read_summary(body) is None
        assert read_finding(body) is None
        assert without_mark(body) == body


def test_line_ends_of_a_browser() -> None:
    """A comment that a person edited on the web has other line ends, and stays ours."""
    assert read_summary(f"{SUMMARY}below\n".replace("\n", "\r\n")) == SUMMARY
    assert read_finding(f"{FINDING}below\n".replace("\n", "\r\n")) == FINDING


def test_kinds_are_kept_apart() -> None:
    """The mark of a summary is none of a finding, nor the other way."""
    assert read_finding(str(SUMMARY)) is None
    assert read_summary(str(FINDING)) is None


@given(forgeries)
def test_no_value_breaks_out(text: str) -> None:
    """A mark is made of shas, keys and fingerprints, or not at all."""
    text = f" {text}"
    summaries = (SummaryMark(KEY, text), SummaryMark(text, "a" * 40), SummaryMark(KEY, "a" * 40, (text,)))
    for mark in (*summaries, FindingMark(text, IDS[0]), FindingMark(KEY, text)):
        with pytest.raises(ValueError, match="shas, keys and fingerprints"):
            str(mark)


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_any_name_has_a_key(name: str) -> None:
    """Reviews may be called what people like."""
    assert read_finding(str(FindingMark(key_of(name), IDS[0]))) == FindingMark(key_of(name), IDS[0])


@given(forgeries, forgeries)
def test_a_change_forges_no_mark(one: str, other: str) -> None:
    """Whatever paths, messages and reasons say: the first line is ours, and nothing of theirs is HTML."""
    report = flagged_by_budget()
    report = replace(
        report,
        error=one,
        hunks=(HunkRisk(one, 1, 1, 0.5, (other, one)), HunkRisk(other, 1, 1, 0.6, (one,))),
        findings=(Finding(other, Severity.LOW, other, 1, one), Finding("a/b", Severity.HIGH, one, None, other)),
        coverage=replace(report.coverage, skipped=(Skipped(one, other),)),
        notes=(one, other),
    )
    said = remarks(report)
    body = sticky.body_of(str(SUMMARY), one, said, said.all, lambda *_: "https://github.test/x")
    assert read_summary(body) == SUMMARY
    below = without_mark(body)
    assert read_summary(below) is None
    check(below, links=True)
    for remark in said.all:
        comment = inline.body_of(KEY, remark)
        assert read_finding(comment) == FindingMark(KEY, remark.id)
        assert read_finding(without_mark(comment)) is None
        check(without_mark(comment))


@pytest.mark.parametrize(
    ("comment", "whole"),
    [
        ({"viewerDidAuthor": True, "author": {"login": "us"}, "editor": None}, True),
        ({"viewerDidAuthor": True, "author": {"login": "us"}, "editor": {"login": "us"}}, True),
        ({"viewerDidAuthor": True, "author": {"login": "us"}, "editor": {"login": "ann"}}, False),
        ({"viewerDidAuthor": True, "author": None, "editor": {"login": "ann"}}, False),
        ({"viewerDidAuthor": False, "author": {"login": "ann"}, "editor": None}, False),
        ({}, False),
        (None, False),
    ],
)
def test_who_may_write_can_edit_what_we_wrote(comment: object, whole: bool) -> None:
    """Then it is no longer as we wrote it."""
    assert as_written(comment) is whole
