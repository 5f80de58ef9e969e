"""PGR with verdicts as labels: measured where something can train, and told why not everywhere else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oversight.audit.verdict import Landing, Record
from oversight_github.verdicts import recovery as module
from oversight_github.verdicts.recovery import command, recovery
from tests.audit.builders import HEAD, OTHER, at, verdict
from tests.builders import GitRepository

RECORD = Record((verdict(),), (Landing(HEAD, OTHER, "octo/repo", 7, at(1)),))
TOLD: dict[str, Any] = {
    "pgr": 0.61, "interval": [0.2, 0.9], "reason": None, "metric": "auroc", "weak": 0.7, "student": 0.75,
    "ceiling": 0.78, "n": 900, "positives": 60, "warnings": ["few seeds"], "more": {},
}  # fmt: skip


def program(path: Path, text: str) -> list[str]:
    """A program of our own in the place of `oversight`."""
    path.joinpath("program.py").write_text(text)
    return [sys.executable, str(path / "program.py")]


def test_what_was_measured_is_read(tmp_path: Path):
    """From the JSON of `oversight pgr`, which gets the record as its labels, and is run outside of the checkout."""
    check = (
        "import os, sys\n"
        "assert sys.argv[1] == 'pgr' and '--json' in sys.argv\n"
        "labels = open(sys.argv[sys.argv.index('--labels') + 1]).read()\n"
        "assert labels.count('\\n') == 2 and '\"kind\": \"landing\"' in labels\n"
        f"assert os.getcwd() != {str(tmp_path)!r}\n"
        f"print({json.dumps(TOLD)!r})\n"
    )
    found = recovery(RECORD, tmp_path, program(tmp_path, check))
    assert (found.pgr, found.interval, found.reason, found.metric) == (0.61, (0.2, 0.9), None, "auroc")
    assert (found.weak, found.student, found.ceiling, found.n, found.positives) == (0.7, 0.75, 0.78, 900, 60)
    assert (found.human, found.warnings) == (300, ("few seeds",))


def test_what_is_found_on_the_path_gets_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Neither the Action's inputs nor what talks to the runner; where programs and caches are, it is told."""
    for name in ("INPUT_TOKEN", "GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_OUTPUT", "ACTIONS_RUNTIME_TOKEN", "SECRET"):
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path))
    check = (
        "import os\n"
        "assert 's3cret' not in os.environ.values() and os.environ['OVERSIGHT_CACHE_DIR'] and os.environ['PATH']\n"
        f"print({json.dumps(TOLD)!r})\n"
    )
    assert recovery(RECORD, tmp_path, program(tmp_path, check)).pgr == 0.61


def test_as_many_labels_teach_as_the_history_has(tmp_path: Path):
    """Fewer are asked for where there are not so many; for another reason nothing is tried again."""
    check = (
        "import sys\n"
        "human = sys.argv[sys.argv.index('--human') + 1]\n"
        "if human == '300': sys.exit('oversight: 300 human labels cannot be drawn from 80 mature changes')\n"
        f"print({json.dumps(TOLD)!r})\n"
    )
    assert recovery(RECORD, tmp_path, program(tmp_path, check)).human == 100
    never = (
        "import sys; sys.exit('oversight: ' + sys.argv[sys.argv.index('--human') + 1] + ' human labels are too many')"
    )
    assert recovery(RECORD, tmp_path, program(tmp_path, never)).reason == "40 human labels are too many"


def test_a_gap_that_is_none_has_a_reason_instead_of_a_number(tmp_path: Path):
    """As `oversight pgr` tells it."""
    told = {**TOLD, "pgr": None, "interval": None, "reason": "the gap is not significant"}
    found = recovery(RECORD, tmp_path, program(tmp_path, f"print({json.dumps(told)!r})"))
    assert (found.pgr, found.reason, found.weak) == (None, "the gap is not significant", 0.7)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit('oversight: too few labels (give more)')", "too few labels (give more)"),
        ("import sys; print('::error::x\\x1b[2J', file=sys.stderr); sys.exit(2)", r"\x3a:error::x\x1b[2J"),
        ("raise SystemExit(2)", "it failed without a word"),
        ("print('no JSON')", "could not be read: install the same version"),
        ("print('{}')", "could not be read: install the same version"),
    ],
)
def test_a_run_that_failed_says_why(tmp_path: Path, text: str, reason: str):
    """In one line that no log obeys."""
    found = recovery(RECORD, tmp_path, program(tmp_path, text))
    assert found.pgr is None
    assert reason in (found.reason or "")


def test_what_is_missing_is_told_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Labels, a checkout, something that can train."""
    assert recovery(Record(), tmp_path).reason == "there is no label yet"
    assert "fetch-depth: 0" in (recovery(RECORD, None, ["oversight"]).reason or "")
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    monkeypatch.setattr(module.shutil, "which", lambda _name: None)
    assert "pip install 'oversight-review[train]'" in (recovery(RECORD, tmp_path).reason or "")
    assert "could not be started" in (recovery(RECORD, tmp_path, [str(tmp_path / "nothing")]).reason or "")

    def slow(*_: object) -> None:
        raise subprocess.TimeoutExpired("oversight", 1)

    monkeypatch.setattr(module, "_run", slow)
    assert recovery(RECORD, tmp_path, ["oversight"]).reason == "it took more than 2 hours"


def test_what_is_installed_beside_is_found_but_never_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The current folder may hold a program of that name."""
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module.shutil, "which", lambda _name: str(tmp_path / "bin" / "oversight"))
    assert command() == [str(tmp_path / "bin" / "oversight")]
    monkeypatch.setattr(module.shutil, "which", lambda _name: "oversight.exe")
    assert command() is None


def test_the_real_command_is_run_and_reads_the_record(tmp_path: Path):
    """It takes verdicts for labels: of none of these is there a commit."""
    pytest.importorskip("torch")
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"a.py": "x = 1\n"})
    found = recovery(RECORD, repository.path)
    assert "none of the 1 labels that 1 verdicts amount to is of a commit in this history" in (found.reason or "")
