"""Commands of `oversight` that are killed: after a time, or right before a step at a file or at a database.

    ended = run(["mine", "--output", "labels.jsonl"], folder, Stop("commit", 2))

A command runs in a fork of this process, which must have no threads, as the leader of a group of its own; what it
prints goes into `folder`. Linux alone, for what is read in /proc.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

STEPS = ("commit", "committed", "file")
"""Kinds of steps: the end of a transaction; the first statement after one; a file of the folder that is opened for
writing, renamed, removed or cut."""

_FILES = ("os.rename", "os.remove", "os.truncate", "os.link")
_PATIENCE = 30.0  # seconds for what a killed command has started to end as well


@dataclass(frozen=True, slots=True)
class Stop:
    """When a command is killed: "time", after `at` seconds, the leader alone or with `group` all of its processes; or
    right before its step `at` of a kind of `STEPS`, counted from 1.
    """

    kind: str
    at: float
    group: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, None where it was killed; its wall time; the most memory (bytes, shared pages
    counted once) that all of its processes held at one moment; and how long they went on after it.
    """

    code: int | None
    seconds: float
    memory: int
    lingered: float


def run(arguments: Sequence[str], folder: Path, stop: Stop | None = None, *, name: str = "command") -> Ended:
    """Run `oversight` with these arguments in `folder`, where what it prints is in `name`.out and .err, to `stop`."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _be(arguments, folder, stop, name)
    memory, looked, status = 0, 0.0, None
    while status is None:
        found, status = os.waitpid(child, os.WNOHANG)
        status = status if found else None
        now = time.monotonic() - started
        if now - looked > 0.25:
            memory, looked = max(memory, sum(_memory(one) for one in _group(child))), now
        if status is None and stop is not None and stop.kind == "time" and now >= stop.at:
            os.kill(child, signal.SIGKILL)
            if stop.group:
                with suppress(ProcessLookupError):  # a group begins a moment after its leader
                    os.killpg(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        time.sleep(0.002)
    seconds = time.monotonic() - started
    while any(_group(child)) and time.monotonic() - started - seconds < _PATIENCE:
        time.sleep(0.01)
    lingered = time.monotonic() - started - seconds
    return Ended(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None, seconds, memory, lingered)


def _be(arguments: Sequence[str], folder: Path, stop: Stop | None, name: str) -> NoReturn:
    """Be the command, in the child."""
    code = 70
    try:
        os.setsid()
        os.chdir(folder)
        for descriptor, suffix in ((1, "out"), (2, "err")):
            os.dup2(os.open(folder / f"{name}.{suffix}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        if stop is not None and stop.kind in STEPS:
            _count(stop, str(folder))
        from oversight.cli import run as oversight

        code = oversight(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _count(stop: Stop, folder: str) -> None:
    """Count the steps that this process takes, and kill it before the one that was named."""
    seen, committed = 0, False

    def step(kind: str) -> None:
        nonlocal seen
        if kind == stop.kind:
            seen += 1
            if seen == stop.at:
                os.kill(os.getpid(), signal.SIGKILL)

    def at_a_file(event: str, told: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(told[0], str) and told[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in _FILES) and str(Path.cwd() / told[0]).startswith(folder):
            step("file")

    def at_a_database(statement: str) -> None:
        nonlocal committed
        if committed:
            step("committed")
        committed = statement.startswith("COMMIT")
        if committed:
            step("commit")

    class Watched(sqlite3.Connection):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.set_trace_callback(at_a_database)

    sys.addaudithook(at_a_file)
    watched: Any = partial(sqlite3.connect, factory=Watched)
    # SQLAlchemy asks the one for its driver, and we the other.
    sqlite3.connect = sqlite3.dbapi2.connect = watched


def _group(leader: int) -> Iterator[int]:
    """The processes of a group that have not ended."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(group) == leader and state not in "ZX":
                    yield int(entry.name)


def _memory(process: int) -> int:
    """Bytes of a process, of pages that others share its part; 0 of one that has ended."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) * 1024
    return 0
