"""`oversight review`: exit codes, formats and ranges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import oversight as package
from tests.builders import GitRepository, file_diff
from tests.cli.conftest import Oversight

SCHEMA = json.loads((Path(package.__file__).parent / "reports" / "schema.json").read_text(encoding="utf-8"))
UNSAFE = file_diff("net.py", ["import requests"], ["import requests", "requests.get(url, verify=False)"])
PLAIN = file_diff("a.py", ["x = 1"], ["x = 2"])


def valid(report: dict[str, object]) -> dict[str, object]:
    """The report, which the schema must describe."""
    Draft202012Validator(SCHEMA).validate(report)
    return report


def test_reviewing_succeeds_whatever_the_verdict(oversight: Oversight, repository: GitRepository):
    """A review that worked ends with 0 and prints a report, of HEAD by default."""
    done = oversight("review", "--repo", repository.path)
    assert (done.code, done.err) == (0, "")
    assert "Add a loop" in done.out


def test_a_flagged_change_fails_only_where_that_is_asked_for(oversight: Oversight, tmp_path: Path):
    """Exit code 1 means flagged and `--fail-on flagged`; without either it is 0."""
    (tmp_path / "unsafe.diff").write_text(UNSAFE)
    flagged = oversight("review", "--diff", tmp_path / "unsafe.diff", "--fail-on", "flagged")
    assert flagged.code == 1
    assert "FLAGGED" in flagged.out
    assert oversight("review", "--diff", tmp_path / "unsafe.diff").code == 0
    assert oversight("review", "--diff", tmp_path / "unsafe.diff", "--fail-on", "never").code == 0


def test_the_budget_decides_about_what_no_principle_finds(oversight: Oversight):
    """With a budget of all changes every change is flagged by it; a tiny one flags the top alone."""
    every = oversight("review", "--diff", "-", "--budget", "100", "--format", "json", stdin=PLAIN.encode()).json
    assert (every["flagged"], every["flagged_by"], every["budget"]) == (True, ["budget"], 100)
    none = oversight("review", "--diff", "-", "--budget", "0.0001", "--format", "json", stdin=PLAIN.encode()).json
    assert (none["flagged"], none["flagged_by"]) == (False, [])


def test_a_principle_flags_without_touching_the_risk(oversight: Oversight):
    """`flagged_by` names the principle; the risk stays the model's."""
    report = valid(
        oversight("review", "--diff", "-", "--budget", "0.0001", "--format", "json", stdin=UNSAFE.encode()).json
    )
    assert report["flagged_by"] == ["principle"]
    assert {"principle": "tls-verification-off", "path": "net.py", "line": 2}.items() <= report["findings"][0].items()


def test_json_reports_keep_the_schema(oversight: Oversight, repository: GitRepository):
    """What is printed as JSON is what schema.json describes, for commits and for bare diffs."""
    for revision in repository.commits:
        report = valid(oversight("review", revision, "--repo", repository.path, "--format", "json").json)
        assert (report["status"], report["change"]["head"]) == ("scored", revision)
        assert report["coverage"]["context"] == "full"
        assert report["model"]["name"] == "small"
    bare = valid(oversight("review", "--diff", "-", "--format", "json", stdin=UNSAFE.encode()).json)
    assert bare["coverage"]["context"] == "none"
    assert bare["change"]["head"] is None


@pytest.mark.parametrize("face", ["text", "json", "markdown", "sarif", "rdjson"])
def test_every_format_goes_to_a_file_as_to_the_screen(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, face: str
):
    """`--output` holds the bytes that standard output would have got, and nothing else is printed."""
    arguments = ("review", "--repo", repository.path, "--format", face)
    shown = oversight(*arguments)
    filed = oversight(*arguments, "--output", tmp_path / "report")
    assert (shown.code, filed.code, filed.out) == (0, 0, "")
    assert (tmp_path / "report").read_bytes().decode() == shown.out
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith((".", "report"))] == ["report"]


def test_the_machine_formats_name_what_was_found(oversight: Oversight):
    """SARIF and rdjson are JSON, and lead to the line that a principle points at."""
    sarif = oversight("review", "--diff", "-", "--format", "sarif", stdin=UNSAFE.encode()).json
    results = sarif["runs"][0]["results"]
    assert "tls-verification-off" in {result["ruleId"] for result in results}
    rdjson = oversight("review", "--diff", "-", "--format", "rdjson", stdin=UNSAFE.encode()).json
    assert {entry["location"]["path"] for entry in rdjson["diagnostics"]} == {"net.py"}


def test_a_diff_needs_no_repository(oversight: Oversight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`--diff FILE` and `--diff -` work in a folder that is no repository, and give the same report."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.diff").write_text(PLAIN)
    from_file = oversight("review", "--diff", "my.diff", "--format", "json")
    from_stdin = oversight("review", "--diff", "-", "--format", "json", stdin=PLAIN.encode())
    assert from_file.code == from_stdin.code == 0
    assert from_file.out == from_stdin.out


def test_a_diff_and_a_range_exclude_each_other(oversight: Oversight):
    """Two things to review are one too many."""
    done = oversight("review", "HEAD", "--diff", "-", stdin=PLAIN.encode())
    assert (done.code, done.out) == (2, "")
    assert "exclude each other" in done.err


def heads(oversight: Oversight, repository: GitRepository, *spec: str) -> tuple[object, object, object]:
    """Base, head and changed files of what a range means."""
    done = oversight("review", "--repo", repository.path, "--format", "json", "--", *spec)
    assert done.code == 0, done.err
    change = done.json["change"]
    return change["base"], change["head"], change["files"]


def test_a_revision_is_that_commit_against_its_first_parent(oversight: Oversight, repository: GitRepository):
    """Of a commit, a merge, a root commit, a branch and an abbreviated sha."""
    start, guard, side, main, merge, loop = repository.commits
    assert heads(oversight, repository) == (merge, loop, 1)
    assert heads(oversight, repository, guard) == (start, guard, 1)
    assert heads(oversight, repository, merge) == (main, merge, 1)
    assert heads(oversight, repository, start) == (None, start, 2)
    assert heads(oversight, repository, "side") == (guard, side, 1)
    assert heads(oversight, repository, loop[:10]) == (merge, loop, 1)


def test_both_range_forms_start_at_the_merge_base(oversight: Oversight, repository: GitRepository):
    """`A..B` and `A...B` are the change that B makes, whatever A has done meanwhile; a side left out is HEAD."""
    start, guard, side, main, _, loop = repository.commits
    assert heads(oversight, repository, f"{main}..{side}") == (guard, side, 1)
    assert heads(oversight, repository, f"{main}...{side}") == (guard, side, 1)
    assert heads(oversight, repository, f"{start}..") == (start, loop, 3)
    assert heads(oversight, repository, f"{loop}..{loop}") == (loop, loop, 0)


def test_an_empty_commit_is_scored(oversight: Oversight, repository: GitRepository):
    """A change without files has a risk of its own, from what the past tells."""
    repository.commit("Nothing")
    report = oversight("review", "--repo", repository.path, "--format", "json").json
    assert (report["status"], report["hunks"], report["coverage"]["files_total"]) == ("scored", [], 0)


@pytest.mark.parametrize(
    "spec", ["nowhere", "--output=x", "-x", "HEAD; rm -rf .", "HEAD..nowhere", "$(touch x)", "a b", "", "..\x1b[31m"]
)
def test_what_is_no_revision_is_refused(
    oversight: Oversight, repository: GitRepository, monkeypatch: pytest.MonkeyPatch, spec: str
):
    """Unknown, option-like and shell-like ranges end with 2 and one line, and nothing is written or run."""
    monkeypatch.chdir(repository.path)
    before = sorted(repository.path.iterdir())
    done = oversight("review", "--", spec)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("oversight: ")
    assert done.err.count("\n") == 1
    assert "\x1b" not in done.err
    assert sorted(repository.path.iterdir()) == before


def test_unrelated_histories_have_no_change_between_them(oversight: Oversight, repository: GitRepository):
    """Two commits without a common ancestor are no range."""
    repository.git("switch", "-q", "--orphan", "other")
    repository.commit("Another start", {"z": "z\n"})
    done = oversight("review", "main..other", "--repo", repository.path)
    assert done.code == 2
    assert "unrelated" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("review", "--format", "yaml"),
        ("review", "--fail-on", "sometimes"),
        ("review", "--budget", "0"),
        ("review", "--budget", "101"),
        ("review", "--budget", "nan"),
        ("review", "--budget", "much"),
        ("review", "--nonsense"),
        ("review", "HEAD", "HEAD"),
        ("score",),
        ("score", "--output", "x", "--jobs", "0"),
        ("score", "--output", "x", "--since", "yesterday"),
        ("score", "--output", "x", "--since", "2024-02-01", "--until", "2024-01-31"),
        ("mine", "--output", "x", "--since", "2024-02-01", "--until", "2024-01-31"),
        ("frobnicate",),
    ],
)
def test_a_wrong_call_is_one_line_and_2(oversight: Oversight, repository: GitRepository, arguments, monkeypatch):
    """Options and values that do not exist are told from failures, in one line on standard error."""
    monkeypatch.chdir(repository.path)
    done = oversight(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("oversight: ")
    assert done.err.count("\n") == 1
    assert not (repository.path / "x").exists()


@pytest.mark.parametrize("command", [(), ("review",), ("mine",), ("score",), ("train",), ("doctor",)])
def test_every_command_has_help(oversight: Oversight, command: tuple[str, ...]):
    """`--help` and `-h` describe each command on standard output."""
    done = oversight(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert "--help" in done.out
    assert oversight(*command, "-h").out == done.out


def test_the_version_is_told(oversight: Oversight):
    """`--version` names the program and its version."""
    assert oversight("--version").out == f"oversight {package.__version__}\n"
