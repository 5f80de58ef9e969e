"""The benchmark of a whole audit, over a small history: it ends with the same whatever is killed on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.audit_history import DifferentError, compare
from benchmarks.audit_history_table import table
from tests.experiment.histories import learnable
from tests.needed import needed

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_whole_audit_that_is_killed_everywhere_ends_as_if_it_had_not_been(tmp_path: Path, model: Path):
    """Every command is killed before each of its steps at a file, and before and after each of its transactions."""
    needed(Path("/proc/self/smaps_rollup").exists(), "/proc", mend="run it on Linux")
    history, work = learnable(tmp_path / "history", changes=160), tmp_path / "work"
    arguments = ("--clone", history.path, "--work", work, "--output", tmp_path, "--jobs", 1, "--kills", 0)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.audit_history", *map(str, arguments), "--budget", "20%"],
        cwd=ROOT, env={**os.environ, "OVERSIGHT_MODEL": str(model)}, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "audit-history-history.json").read_text())
    assert {stage["stage"] for stage in found["stages"] if not stage["killed"]} <= {"verify"}
    assert (found["changes"], found["verdicts"]) == (200, 40)
    assert f"| labels.jsonl | `{found['sha256']['labels.jsonl'][:16]}` |" in table([found])
    (work / "broken" / "scores.jsonl").write_text("other\n")
    with pytest.raises(DifferentError, match=r"scores\.jsonl differs"):
        compare(work / "unbroken", work / "broken")
