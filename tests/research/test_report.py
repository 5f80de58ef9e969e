"""Status, report and board in a terminal and as JSON: nobody's commands, nothing cut off, and no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oversight.cli import run
from oversight.cli.research.running import _line
from oversight.research import leaderboard, report
from oversight.research.model import Answer, Configuration, Experiment, Proposal, Screen
from oversight.research.study import Result, Study
from tests.research import grounds
from tests.test_imports import loaded_by

EVIL = "\x1b[2J\x1b]0;owned\x07\n::error::\u202e"
LONG = "written+confident-learning+probe-filter+confident-filter+weak-then-human"


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study in which one experiment beat the default, and one did not."""
    return grounds.tried(tmp_path_factory.mktemp("study") / "s")


def harmless(lines: list[str]) -> bool:
    text = "".join(lines)
    return text.isprintable() and "owned" in text and not any(line.lstrip().startswith("::") for line in lines)


def test_what_others_wrote_moves_no_cursor(tried: Study) -> None:
    """Of a study that came from elsewhere, and of what a run tells of an experiment: names, errors, reasons."""
    experiment = Experiment(1, 1, EVIL, Proposal(Configuration(EVIL), EVIL))
    for result in (
        Result(experiment, None, None, 1.0, EVIL),
        Result(experiment, Screen(0.5, 0.5), None, 1.0, "", EVIL),
        Result(experiment, Screen(0.5, 0.5), Answer("refused", None, None, 1, (), EVIL), 1.0),
    ):
        assert harmless([_line(result)])
    assert len(_line(Result(experiment, None, None, 1.0, "x" * 1_000_000))) < 1_000
    told = Study(tried.folder)
    told.plan = replace(told.plan, weak=EVIL)
    told.laid = tuple(replace(one, name=EVIL) for one in told.laid)
    assert harmless(report.status(told))
    assert harmless(report.page(told, [], findings=5))


def test_what_fired_is_told_whatever_the_method_is_called(tried: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The method is cut, and the notes beside it are not."""
    board = leaderboard.read(tried.folder)
    for row in board["figures"]:
        row["method"] = LONG
        row["answer"]["flags"] = ["draws-alike", "jump"]
    monkeypatch.setattr(leaderboard, "read", lambda _study: board)
    shown = [line for line in leaderboard.lines(tried.folder) if "written+" in line]
    assert len(shown) == 2
    assert all(line.endswith("…, draws-alike, jump") for line in shown)


def test_the_report_as_json_has_the_board(tried: Study, capsys: pytest.CaptureFixture[str]) -> None:
    """What the terminal shows of the vault: figures with intervals and differences, queries, what was told."""
    assert run(["research", "report", str(tried.folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["vault"]
    best = told["figures"][0]
    assert (best["experiment"], len(best["interval"])) == ("e0001", 2)
    assert len(best["differences"]["default"]["interval"]) == 2
    assert {row["experiment"] for row in told["beside"]} == {"naive", "human_only", "default"}
    assert told["answers"] == {"best": 1, "not better": 1}
    assert told["detectors"].keys() == {flag for one in told["queries"] for flag in one["answer"]["flags"]}
    assert (told["sealed"], told["confirmed"], told["left"]) == ([], [], 118)


def test_texts_of_the_board_can_be_written(tried: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a character in a researcher's name is no reason for a report to end."""
    board: dict[str, Any] = leaderboard.read(tried.folder)
    board["queries"][0]["researcher"] = "a\ud800"
    monkeypatch.setattr(leaderboard, "read", lambda _study: board)
    assert leaderboard.as_json(tried.folder)["queries"][0]["researcher"] == r"a\ud800"


def test_a_study_is_read_where_nothing_can_be_trained(tried: Study, tmp_path: Path) -> None:
    """Status and report; what needs to know the methods says which extra has them, before a vault is opened."""
    program = "import sys; sys.modules.update(torch=None, sklearn=None); from oversight.cli import run; "
    program += "sys.exit(run(sys.argv[1:]))"

    def done(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-c", program, "research", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    folder = str(tried.folder)
    told = done("status", folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert "bits: entropy over method families;" in told.stdout
    assert "the vault's leaderboard" in done("report", folder).stdout
    assert json.loads(done("report", folder, "--json").stdout)["all"]["most_entropy"] is None
    before = (tried.vault / "ledger.jsonl").read_bytes()
    for refused in (done("promote", folder, "--output", str(tmp_path / "out")), done("confirm", folder, "e0001")):
        assert refused.returncode == 2
        assert "oversight-review[train]" in refused.stderr
    assert (tried.vault / "ledger.jsonl").read_bytes() == before
    assert not loaded_by("import oversight.research.vault.__main__") & {"torch", "sklearn"}
