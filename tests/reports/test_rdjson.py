"""rdjson: what reviewdog reads, and posts as comments."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from oversight.reports import Format, render
from oversight.reports.model import Finding, RiskReport
from oversight.reports.rdjson import HUNKS
from oversight.reviewers.model import Severity
from tests.reports.examples import (
    EXAMPLES,
    crowded,
    empty,
    flagged_by_budget,
    flagged_by_principle,
    not_flagged,
    unscored,
)


def rdjson(report: RiskReport) -> Any:
    """The report, checked against the shape of a `DiagnosticResult`."""
    document = json.loads(render(report, Format.RDJSON))
    assert set(document) == {"source", "severity", "diagnostics"}
    assert document["source"] == {"name": "oversight"}
    for one in document["diagnostics"]:
        assert set(one) <= {"message", "location", "severity", "code"}
        assert one["message"]
        assert one["severity"] in {"ERROR", "WARNING", "INFO"}
        assert one["code"]["value"]
        if "location" in one:
            assert one["location"]["path"]
            lines = one["location"].get("range")
            assert lines is None or 1 <= lines["start"]["line"] <= lines["end"]["line"]
    return document


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_shape(name: str) -> None:
    """Every kind of report has the shape that reviewdog reads."""
    rdjson(EXAMPLES[name]())


def test_findings() -> None:
    """A finding is a diagnostic at its line, a file as a whole has no range, and severities become reviewdog's."""
    found = rdjson(flagged_by_principle())["diagnostics"]
    assert [(one["severity"], one["code"]["value"]) for one in found] == [
        ("ERROR", "secrets/private-key"),
        ("ERROR", "tests/assertions-lost"),
        ("ERROR", "tests/assertions-lost"),
    ]
    assert found[0]["location"] == {"path": "deploy/key.pem"}
    assert found[1]["location"]["range"] == {"start": {"line": 12}, "end": {"line": 12}}


def test_quiet() -> None:
    """Each diagnostic becomes a comment: hunks are there only where the budget flagged the change, a few of them."""
    assert rdjson(not_flagged())["diagnostics"] == []
    assert len(rdjson(flagged_by_budget())["diagnostics"]) == 2 + 4
    assert len(rdjson(crowded(500, 0))["diagnostics"]) == HUNKS


def test_unscored_says_so() -> None:
    """A change without a risk is never silent, not even one without files."""
    first = rdjson(unscored())["diagnostics"][0]
    assert (first["severity"], first["code"]["value"]) == ("ERROR", "oversight/unscored")
    assert first["location"]["path"] == "src/lost.c"
    bare = rdjson(replace(unscored(), change=empty().change))["diagnostics"][0]
    assert "location" not in bare


def test_messages_are_markdown() -> None:
    """Messages are escaped for the comment that they become; paths stay what they are."""
    report = replace(
        flagged_by_budget(), findings=(Finding("a/b", Severity.LOW, "a|b @x.py", 1, "see @octo [x](http://y.test)"),)
    )
    first = rdjson(report)["diagnostics"][0]
    assert first["message"] == "see `@octo` `[x](http://y.test)`"
    assert first["location"]["path"] == "a|b @x.py"
