"""PGR with verdicts as labels: `oversight pgr --labels` in a process of its own, where there is one that can train.

Reviews need no torch, and the environment of the Action has none. What has been installed beside it is found on PATH:
`pip install 'oversight-review[train]'` in a step before.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from oversight.audit.lines import written
from oversight.audit.verdict import Record, to_gold
from oversight.measurement.intervals import Interval
from oversight.reports.escape import terminal

_NEEDED = ("torch", "sklearn")
_PROGRAM = "from oversight.cli import main; main()"
_HUMAN = (300, 100, 40)  # labels that teach: the most that the history has
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "OVERSIGHT_CACHE_DIR", "OVERSIGHT_DATA_DIR", "XDG_CACHE_HOME",
    "XDG_DATA_HOME", "OMP_NUM_THREADS", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "APPDATA",
    "LOCALAPPDATA", "USERPROFILE", "PROGRAMDATA",
)  # fmt: skip
_HOURS = 2
_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Recovery:
    """PGR with its 95 % interval, or a reason; weak reviewer, student and ceiling beside it, in the units of `metric`.

    `n` test changes, `positives` of them risky; `human` labels taught the weak reviewer; `warnings` are sentences.
    """

    pgr: float | None
    interval: Interval | None
    reason: str | None
    metric: str = "auroc"
    weak: float | None = None
    student: float | None = None
    ceiling: float | None = None
    n: int = 0
    positives: int = 0
    human: int = 0
    warnings: tuple[str, ...] = ()


def command() -> list[str] | None:
    """Return what runs `oversight` where it can train, None where nothing does."""
    if all(find_spec(name) is not None for name in _NEEDED):
        # -P: the current folder may be a checkout of whoever wrote the change.
        return [sys.executable, "-P", "-c", _PROGRAM]
    found = shutil.which("oversight")
    # On Windows the current folder, a checkout, is looked at before PATH is.
    return None if found is None or Path(found).absolute().parent == Path.cwd() else [found]


def recovery(record: Record, repository: Path | None, run: Sequence[str] | None = None) -> Recovery:
    """Measure PGR on the history of HEAD of `repository`, a checkout, with the labels that a record amounts to."""
    if not to_gold(record.verdicts):
        return _nothing("there is no label yet")
    run = run or command()
    if repository is None:
        return _nothing("there is no checkout with the history: check it out with `fetch-depth: 0` before")
    if run is None:
        return _nothing("nothing here can train: run `pip install 'oversight-review[train]'` in a step before")
    found = _nothing("")
    for human in _HUMAN:
        found = _measured(record, repository, run, human)
        if found.reason is None or not found.reason.startswith(f"{human} human labels"):
            break
    return found


def _measured(record: Record, repository: Path, run: Sequence[str], human: int) -> Recovery:
    with tempfile.TemporaryDirectory(prefix="oversight-") as folder:
        labels = Path(folder, "verdicts.jsonl")
        labels.write_text(written((*record.verdicts, *record.landings)), encoding="ascii")
        options = ["--repo", str(repository.absolute()), "--labels", str(labels), "--human", str(human), "--json"]
        try:
            done = _run([*run, "pgr", *options, "--runs", str(Path(folder, "runs.jsonl"))], folder)
        except subprocess.TimeoutExpired:
            return _nothing(f"it took more than {_HOURS} hours")
        except OSError as error:
            return _nothing(f"it could not be started: {error.strerror}")
    return _told(done.stdout, human) if done.returncode == 0 else _nothing(_complaint(done.stderr))


def _run(words: Sequence[str], folder: str) -> subprocess.CompletedProcess[bytes]:
    # What is found on PATH was installed by the workflow, not by us: it gets no token, and nothing of the runner.
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if words[0] == sys.executable:  # the Action's own code is not installed, but put on the path
        environment["PYTHONPATH"] = os.pathsep.join(place for place in sys.path if Path(place).is_absolute())
    return subprocess.run(words, capture_output=True, cwd=folder, env=environment, timeout=_HOURS * 3600, check=False)


def _told(content: bytes, human: int) -> Recovery:
    try:
        told = json.loads(content)
        interval = None if told["interval"] is None else (float(told["interval"][0]), float(told["interval"][1]))
        return Recovery(
            _number(told["pgr"]), interval, told["reason"], str(told["metric"]), _number(told["weak"]),
            _number(told["student"]), _number(told["ceiling"]), int(told["n"]), int(told["positives"]),
            human, tuple(map(str, told["warnings"])),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, IndexError):
        return _nothing("what was measured could not be read: install the same version of oversight-review there")


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _complaint(content: bytes) -> str:
    """Return the last line that a failed run printed, which says what is wrong."""
    lines = [line for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    return terminal(lines[-1].removeprefix("oversight: "), _SHOWN) if lines else "it failed without a word"


def _nothing(reason: str) -> Recovery:
    return Recovery(None, None, reason)
