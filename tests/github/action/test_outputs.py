"""What a step leaves behind: nothing in it can be taken for a command, another output, or a file elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oversight.errors import OutputError, UsageError
from oversight.reports.model import Finding, RiskReport
from oversight.reviewers.model import Severity
from oversight_github.action.outputs import PER_LEVEL, SUMMARY_BYTES, Outputs, of_failure, of_report, target_in
from tests.github.action.conftest import outputs_of
from tests.reports import examples

HOSTILE = "a\n::set-output name=x::y\r\n##[error]z %0A::error::w \u202e\x1b[31m"
TEXT = st.text(st.sampled_from("ab:%,\n\r #[]<oversight-\u2028\x85\x1b\udcff"), max_size=40)


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    return Outputs(tmp_path / "output", tmp_path / "summary", io.StringIO())


def logged(outputs: Outputs) -> str:
    assert isinstance(outputs.log, io.StringIO)
    return outputs.log.getvalue()


def flooded(count: int, severity: Severity = Severity.CRITICAL, path: str = "a.py") -> RiskReport:
    findings = tuple(Finding(f"p{number}", severity, path, number + 1, HOSTILE) for number in range(count))
    return replace(examples.flagged_by_principle(), findings=findings)


@given(message=TEXT, path=TEXT)
def test_whatever_is_annotated_is_one_line(message: str, path: str) -> None:
    """A line of the log is a command of ours, or text that the runner does not obey."""
    outputs = Outputs(None, None, io.StringIO())
    outputs.warn(message)
    outputs.say(message)
    outputs.findings(replace(flooded(1), findings=(Finding("p", Severity.HIGH, path, 3, message),)))
    annotated, said, found = logged(outputs).removesuffix("\n").split("\n")
    assert annotated.startswith("::warning title=oversight::")
    assert found.startswith("::warning ")
    assert found.count("::") >= 2
    assert not said.lstrip().startswith("::")
    assert "##[" not in said
    assert not set("\r\u2028\x85\x1b") & set(annotated + said + found)


@given(value=TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_sets_another_output(outputs: Outputs, value: str) -> None:
    """The mark that ends a value is drawn anew each time."""
    assert outputs.output is not None
    outputs.output.unlink(missing_ok=True)
    hostile = value.replace("\r", " ").replace("\u2028", " ").replace("\x85", " ")
    outputs.set({"report": hostile + "\nEOF\nflagged<<EOF\nfalse", "status": "scored"})
    assert set(outputs_of(outputs.output)) == {"report", "status"}


def test_no_flood_of_findings_hides_what_is_wrong_with_the_review(outputs: Outputs) -> None:
    """Ten annotations a level are what GitHub shows; findings come last."""
    outputs.complain(UsageError("wrong", mend="right it"))
    outputs.findings(flooded(50))
    lines = logged(outputs).splitlines()
    assert lines[0] == "::error title=oversight::wrong (right it)"
    assert len(lines) == PER_LEVEL


def test_findings_of_low_severity_are_no_annotations(outputs: Outputs) -> None:
    """What flags nothing asks nobody to look."""
    outputs.findings(flooded(3, Severity.MEDIUM))
    outputs.findings(flooded(3, Severity.LOW))
    assert logged(outputs) == ""


def test_a_log_of_another_encoding_takes_everything(outputs: Outputs) -> None:
    """Windows' code pages lack most characters; a review does not stop there."""
    raw = io.BytesIO()
    outputs.log = io.TextIOWrapper(raw, encoding="cp1252")
    outputs.say("…→☃")
    assert b"\\u2603" in raw.getvalue()


def test_the_summary_keeps_to_its_limit(outputs: Outputs) -> None:
    """It is cut between lines, also where earlier steps have left little room."""
    assert outputs.summary is not None
    outputs.summary.write_bytes(b"x" * (SUMMARY_BYTES - 100))
    outputs.summarise("é" * 20 + "\n" + "b" * 200 + "\n")
    assert outputs.summary.stat().st_size == SUMMARY_BYTES - 100 + 41
    outputs.summarise("c" * 200)
    assert outputs.summary.stat().st_size < SUMMARY_BYTES


def test_where_the_runner_gives_no_files_nothing_is_written() -> None:
    """Outside of a workflow there is nobody to read them."""
    log = io.StringIO()
    nowhere = Outputs(None, None, log)
    nowhere.set({"status": "scored"})
    nowhere.summarise("text")
    assert log.getvalue() == ""


def test_unknown_is_empty_and_never_zero() -> None:
    """A change without a risk has none."""
    told = of_report(examples.unscored(), report_file=Path("r.json"), sarif_file=None)
    assert (told["status"], told["risk"], told["percentile"], told["flagged"]) == ("unscored", "", "", "true")
    assert (told["report"], told["sarif"]) == ("r.json", "")
    assert of_failure() | {"status": "error", "flagged": "true"} == of_failure()
    assert set(of_failure()) == set(told)


def test_the_token_is_blotted_out_as_it_is_and_as_git_sends_it(outputs: Outputs) -> None:
    """Base64 hides a token from a mask."""
    outputs.mask("tok%n")
    assert logged(outputs).splitlines() == [
        "::add-mask::tok%25n",
        "::add-mask::eC1hY2Nlc3MtdG9rZW46dG9rJW4=",
    ]


def test_files_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    """Relative to the workspace, in folders that are made; or anywhere by a whole path."""
    assert target_in(tmp_path, "out/deep/r.json") == tmp_path / "out" / "deep" / "r.json"
    assert (tmp_path / "out" / "deep").is_dir()
    elsewhere = tmp_path / "x" / ".." / "elsewhere" / "r.json"
    assert target_in(tmp_path / "workspace", str(elsewhere)) == tmp_path / "elsewhere" / "r.json"


@pytest.mark.parametrize("name", ["link/r.json", "file", "deep/link/r.json"])
def test_a_link_that_the_change_brought_is_not_followed(tmp_path: Path, name: str) -> None:
    """Else a report would land where the author of the change wants something overwritten."""
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    (workspace / "deep").mkdir(parents=True)
    home.mkdir()
    for link, to in ((workspace / "link", home), (workspace / "deep" / "link", home), (workspace / "file", home / "f")):
        link.symlink_to(to)
    with pytest.raises(OutputError, match="symbolic link"):
        target_in(workspace, name)


@pytest.mark.parametrize("name", [".git/config", "sub/.GIT/hooks/x", "."])
def test_what_belongs_to_git_is_not_written_to(tmp_path: Path, name: str) -> None:
    """Not even where the workflow asks for it."""
    with pytest.raises(OutputError):
        target_in(tmp_path, name)
