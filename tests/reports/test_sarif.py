"""SARIF: valid, within GitHub's limits, and the same finding keeps its fingerprint."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from oversight.changes.model import Change, FileChange, Hunk
from oversight.reports import Format, render, sarif
from oversight.reports.fingerprint import HUNK_RULE, Fingerprints
from oversight.reports.model import Finding, HunkRisk, RiskReport, Skipped
from oversight.reviewers.model import Severity
from tests.conftest import GOLDEN
from tests.reports.examples import (
    EXAMPLES,
    change,
    crowded,
    empty,
    error,
    file,
    flagged_by_budget,
    flagged_by_principle,
    hunk,
    not_flagged,
    unscored,
)
from tests.reports.strategies import hostile

VALIDATOR = Draft4Validator(json.loads((GOLDEN / "sarif-2.1.0.schema.json").read_text("utf-8")))


def run(report: RiskReport) -> Any:
    """The one run of the report's log, checked against the official schema."""
    text = render(report, Format.SARIF)
    assert text.isascii()
    log = json.loads(text)
    VALIDATOR.validate(log)
    (only,) = log["runs"]
    return only


def notes(report: RiskReport) -> list[tuple[str, str]]:
    """Level and text of the notifications."""
    said = run(report)["invocations"][0]["toolExecutionNotifications"]
    return [(one["level"], one["message"]["text"]) for one in said]


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_valid(name: str) -> None:
    """Every kind of report is valid SARIF; each result has a rule, a place on line 1 or later, and a fingerprint."""
    only = run(EXAMPLES[name]())
    rules = only["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert 1 <= place["region"]["startLine"] <= place["region"]["endLine"]
        assert re.fullmatch(r"[0-9a-f]{32}:\d+", result["partialFingerprints"][sarif.FINGERPRINT])
    marks = [result["partialFingerprints"][sarif.FINGERPRINT] for result in only["results"]]
    assert len(set(marks)) == len(marks)


def test_levels() -> None:
    """A finding's level follows its severity; a hunk warns only where the budget flagged the change."""
    levels = [(one["ruleId"], one["level"]) for one in run(flagged_by_principle())["results"]]
    assert levels == [
        ("secrets/private-key", "error"),
        ("tests/assertions-lost", "error"),
        ("tests/assertions-lost", "error"),
        (HUNK_RULE, "note"),
    ]
    assert {one["level"] for one in run(flagged_by_budget())["results"] if one["ruleId"] == HUNK_RULE} == {"warning"}
    assert {one["level"] for one in run(not_flagged())["results"]} == {"note"}


def test_category() -> None:
    """One category an upload, so that a new review replaces the old one's alerts."""
    assert run(flagged_by_budget())["automationDetails"]["id"].rpartition("/")[0] == "oversight/review"


def test_unscored_is_no_success() -> None:
    """Without a risk the execution did not succeed, and a notification says why; nothing pretends to be a result."""
    for report in (unscored(), error()):
        only = run(report)
        assert only["invocations"][0]["executionSuccessful"] is False
        assert notes(report)[0][0] == "error"
        assert "Why: " in notes(report)[0][1]
        assert not [one for one in only["results"] if one["ruleId"] == HUNK_RULE]
        assert only["properties"]["risk"] is None
    assert run(empty())["invocations"][0]["executionSuccessful"] is True


def test_finding_without_a_file() -> None:
    """A finding about no file in particular has no place to be a result at, and is a notification."""
    assert run(error())["results"] == []
    assert ("error", "ci/permissions: A workflow gets more permissions.") in notes(error())


def test_skipped_files_are_named() -> None:
    """What was not scored is said where a reader of the results would otherwise miss it."""
    assert ("warning", "1 file not scored: assets/logo.png (binary: no lines to read)") in notes(flagged_by_budget())


@given(st.lists(hostile.filter(bool), min_size=1, max_size=3).map("/".join))
def test_uri(path: str) -> None:
    """A URI is relative, never climbs, and decodes to the bytes of the path."""
    uri = sarif.uri(path)
    assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})*", uri)
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert not uri.startswith("/")
    assert not {".", ".."} & set(uri.split("/"))
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte: no path that was ever read has one
        return
    assert unquote_to_bytes(uri) == raw


@settings(max_examples=40)
@given(hostile, hostile)
def test_hostile(one: str, other: str) -> None:
    """Any text leaves a valid log, with no embedded link in a message."""
    report = flagged_by_budget()
    report = replace(
        report,
        hunks=(HunkRisk(one or "x", 1, 1, 0.5, (other,)),),
        findings=(Finding(f"p{one}", Severity.LOW, other, 1, one),),
        coverage=replace(report.coverage, skipped=(Skipped(one, other),)),
        notes=(one,),
    )
    only = run(report)
    said = [result["message"]["text"] for result in only["results"]] + [text for _, text in notes(report)]
    assert not any(re.search(r"(?<!\\)(\\\\)*[\[\]]", text) for text in said)


def _moved(before: Change, by: int) -> Change:
    """The change as it is when `by` lines were added above it, with other context, reindented."""

    def moved(one: Hunk) -> Hunk:
        lines = tuple(
            line._replace(
                old_number=line.old_number and line.old_number + by,
                new_number=line.new_number and line.new_number + by,
                text="after" if line.kind == " " else f"\t{line.text}  ",
            )
            for line in one.lines
        )
        return Hunk(one.old_start + by, one.new_start + by, "def elsewhere():", lines)

    def shifted(one: FileChange) -> FileChange:
        return replace(one, hunks=tuple(moved(each) for each in one.hunks))

    return replace(before, files=tuple(shifted(one) for one in before.files))


@given(st.integers(1, 10_000))
def test_fingerprints_stay(by: int) -> None:
    """Lines that move, context that changes and indentation leave every fingerprint as it was."""
    report = flagged_by_budget()
    later = replace(
        report,
        change=_moved(report.change, by),
        hunks=tuple(replace(one, start=one.start + by, end=one.end + by) for one in report.hunks),
        findings=tuple(replace(one, line=one.line and one.line + by) for one in report.findings),
    )
    marks = [[one["partialFingerprints"] for one in run(each)["results"]] for each in (report, later)]
    assert marks[0] == marks[1]


def test_fingerprints_differ() -> None:
    """Another rule, another path or other content has another fingerprint; equal hunks are numbered."""
    made = change(
        file("a.py", hunk(5, ("x = 1",)), hunk(50, ("x = 1",)), hunk(90, ("x = 2",))), file("b.py", hunk(5, ("x = 1",)))
    )
    marks = Fingerprints(made)
    hunks = [
        marks.of_hunk(HunkRisk(path, line, line, 0.5, ()))
        for path, line in [("a.py", 5), ("a.py", 50), ("a.py", 90), ("b.py", 5)]
    ]
    finding = marks.of_finding(Finding("p", Severity.LOW, "a.py", 5, ""))
    digests = [mark.partition(":")[0] for mark in hunks]
    assert digests[0] == digests[1]
    assert hunks[1] == f"{digests[0]}:2"
    assert len({*digests, finding.partition(":")[0]}) == 4


def test_fingerprint_outside_the_change() -> None:
    """A finding that names a line or a file which the change does not hold still has a fingerprint."""
    marks = Fingerprints(change(file("a.py", hunk(50, ("x",)))))
    outside = [marks.of_finding(Finding("p", Severity.LOW, path, line, "")) for path, line in [("a.py", 3), ("z", 1)]]
    assert len(set(outside)) == 2


def test_results_limit() -> None:
    """Beyond GitHub's limit the gravest findings and the riskiest hunks stay, and the log says what it lost."""
    report = crowded(60, 40)
    log = sarif.as_dict(report, limit=50)
    VALIDATOR.validate(log)
    results = log["runs"][0]["results"]
    assert len(results) == 50
    assert [one["rank"] for one in results[40:]] == sorted((one["rank"] for one in results[40:]), reverse=True)
    said = [one["message"]["text"] for one in log["runs"][0]["invocations"][0]["toolExecutionNotifications"]]
    assert "50 results of lower rank left out, to keep to GitHub's limits." in said
    few = sarif.as_dict(report, limit=5)["runs"][0]["results"]
    assert [one["level"] for one in few] == ["error"] * 5


def test_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is too large even when compressed loses results until it fits; the riskiest stay."""
    report = crowded(400, 0)
    whole = render(report, Format.SARIF)
    monkeypatch.setattr(sarif, "GZIP_LIMIT", 6_000)
    small = render(report, Format.SARIF)
    assert len(small) < len(whole)
    results = json.loads(small)["runs"][0]["results"]
    assert 0 < len(results) < 400
    assert results[0]["rank"] == 96.0
