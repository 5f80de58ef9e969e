"""The JSON report keeps its contract, whatever the change says."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from oversight.reports import Format, render
from oversight.reports.as_json import SCHEMA_VERSION
from oversight.reports.model import Finding, HunkRisk, Skipped, Status
from oversight.reviewers.model import Severity
from tests.reports.examples import EXAMPLES, HOSTILE, crowded, flagged_by_budget, hostile, unscored
from tests.reports.strategies import hostile as hostile_text

SCHEMA = json.loads(files("oversight.reports").joinpath("schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

TOP = """
schema_version id status error risk percentile flagged flagged_by budget change hunks findings coverage model notes
""".strip()


def as_json(report: Any) -> Any:
    """The report as whoever reads it gets it, checked against the schema."""
    document = json.loads(render(report, Format.JSON))
    VALIDATOR.validate(document)
    return document


def test_schema_is_one() -> None:
    """The shipped schema is a JSON Schema, of the version that reports name."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert SCHEMA["$id"].endswith(SCHEMA_VERSION)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_examples(name: str) -> None:
    """Every kind of report has exactly the fields of the contract, in its order."""
    document = as_json(EXAMPLES[name]())
    assert " ".join(document) == TOP
    assert list(document["coverage"]) == [
        "files_total", "files_scored", "lines_total", "lines_scored", "context", "skipped",
    ]  # fmt: skip


def test_entries() -> None:
    """Hunks, findings, skipped parts and the model have exactly the fields of the contract."""
    document = as_json(flagged_by_budget())
    assert list(document["hunks"][0]) == ["path", "start", "end", "risk", "reasons", "weight"]
    assert list(document["findings"][0]) == ["principle", "severity", "path", "line", "message"]
    assert list(document["coverage"]["skipped"][0]) == ["path", "reason"]
    assert list(document["model"]) == ["name", "version", "sha256"]


def test_every_object_is_strict() -> None:
    """No object of the schema takes a property that it does not name, and every named one is required."""

    def objects(node: Any) -> list[dict[str, Any]]:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        found = [one for child in children for one in objects(child)]
        return [node, *found] if isinstance(node, dict) and node.get("type") == "object" else found

    for one in objects(SCHEMA):
        assert one["additionalProperties"] is False
        assert sorted(one["required"]) == sorted(one["properties"])


def test_unknown_is_null() -> None:
    """Unknown, NaN and infinite are null, and zero stays zero."""
    report = flagged_by_budget()
    broken = replace(
        report,
        percentile=float("nan"),
        hunks=tuple(
            replace(report.hunks[0], risk=risk) for risk in (None, float("nan"), float("inf"), float("-inf"), 0.0)
        ),
    )
    document = as_json(broken)
    assert document["percentile"] is None
    assert [one["risk"] for one in document["hunks"]] == [None, None, None, None, 0.0]


@pytest.mark.parametrize(
    "fields",
    [{"risk": None}, {"status": Status.UNSCORED}, {"risk": 1.2}, {"percentile": -1.0}, {"budget": 0.0}],
    ids=str,
)
def test_contradictions_are_refused(fields: dict[str, Any]) -> None:
    """The schema takes no scored report without a risk, no unscored one with one, and no number out of range."""
    document = json.loads(render(replace(flagged_by_budget(), **fields), Format.JSON))
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document)


def test_unscored_has_no_numbers() -> None:
    """An unscored report has neither risk nor percentile, and says why."""
    document = as_json(unscored())
    assert (document["status"], document["risk"], document["percentile"]) == ("unscored", None, None)
    assert document["error"]


@given(hostile_text, hostile_text)
def test_hostile_text(one: str, other: str) -> None:
    """Any text comes out as ASCII that no log obeys, and goes in again as what it was, surrogates shown."""
    report = flagged_by_budget()
    report = replace(
        report,
        change=replace(report.change, title=one, author=other, repository=one),
        hunks=(HunkRisk(one, 1, 1, 0.5, (other,)),),
        findings=(Finding(f"x{other}", Severity.LOW, one, 1, other),),
        coverage=replace(report.coverage, skipped=(Skipped(one, other),)),
        notes=(one,),
    )
    text = render(report, Format.JSON)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert "##" not in text
    document = as_json(report)
    if one.isascii():
        assert document["hunks"][0]["path"] == one


def test_lone_surrogates_become_visible() -> None:
    """A path that is no UTF-8 shows its bytes, so that every JSON parser can read the report."""
    report = replace(hostile(), hunks=(HunkRisk("caf\udce9.py", 1, 1, 0.5, ()),))
    assert as_json(report)["hunks"][0]["path"] == r"caf\xe9.py"
    assert r"\ud8" not in render(hostile(), Format.JSON).replace(r"\\ud8", "")


def test_long_text_is_cut() -> None:
    """A title of a megabyte does not make a report of one."""
    report = flagged_by_budget()
    long = replace(report, change=replace(report.change, title="x" * 1_000_000), error=None)
    assert as_json(long)["change"]["title"] == "x" * 999 + "…"


@given(st.integers(0, 3))
def test_deterministic(seed: int) -> None:
    """The same report gives the same bytes."""
    report = crowded(seed, seed)
    assert render(report, Format.JSON) == render(report, Format.JSON)


def test_hostile_example_is_data() -> None:
    """What the change says stays data: nothing of it becomes a field."""
    document = as_json(hostile())
    assert document["findings"][0]["message"].startswith(HOSTILE[:4])
