"""Every measurement of PGR is recorded: one JSON object a line, so that a trend over time and versions can be seen.

A line is appended in one write, so that runs at the same time do not mix; a damaged line costs itself and no other.
Records live with the user's data, one file a repository, and not with the caches, which may be thrown away.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from oversight.errors import OutputError, UsageError

_MEND = "name another file with --runs, or set OVERSIGHT_DATA_DIR to a folder you own"

_Kind = TypeVar("_Kind")
_NUMBERS = ("weak", "student", "ceiling", "human_only", "pgr")


@dataclass(frozen=True, slots=True)
class Run:
    """What a trend shows of one recorded run; `values` by series, and PGR, are None where there was no such number.

    `repository` is its name on the machine where it was measured. `n` test changes, `positives` of them risky, tell why
    there is no PGR, if `reason` does not; records of before these were read have None.
    """

    when: str
    tip: str
    version: str
    method: str
    weak: str
    human: int
    metric: str
    values: Mapping[str, float | None]
    interval: tuple[float, float] | None
    repository: str | None = None
    n: int | None = None
    positives: int | None = None
    reason: str | None = None


def data_directory() -> Path:
    """Where records live: `OVERSIGHT_DATA_DIR`, or the user's data directory of this platform."""
    named = os.environ.get("OVERSIGHT_DATA_DIR")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("oversight"))


def path_of(key: str) -> Path:
    """Return the file of the runs of the repository with this key."""
    return data_directory() / "pgr" / f"{key}.jsonl"


def prepare(path: Path) -> None:
    """Make sure that a run can be appended later; `OutputError` where it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise _unwritable(error) from error


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Append a record as one line; `OutputError` where that fails."""
    line = json.dumps(record, allow_nan=False).encode() + b"\n"
    try:
        # A line that an earlier run could not finish must not swallow this one.
        line = line if _ends_whole(path) else b"\n" + line
        with path.open("ab", buffering=0) as file:
            written = file.write(line)
    except OSError as error:
        raise _unwritable(error) from error
    if written != len(line):
        raise OutputError("the run could be recorded in part only", mend="free some space")


def _ends_whole(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 1))
            return file.read(1) in (b"", b"\n")
    except FileNotFoundError:
        return True


def read(path: Path) -> tuple[list[Run], int]:
    """Return the recorded runs in the order of the file, and how many lines are no record of a run.

    `UsageError` where nothing was recorded yet.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise UsageError(
            f"the recorded runs cannot be read: {error.strerror}", mend="name a file with --runs"
        ) from error
    runs: list[Run] = []
    damaged = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            runs.append(_run(json.loads(line)))
        except (ValueError, TypeError, LookupError, RecursionError):
            damaged += 1
    if not runs:
        raise UsageError(
            "no run is recorded for this repository" + (f", and {damaged} lines are damaged" if damaged else ""),
            mend="measure first, without --trend, or name the file of the runs with --runs",
        )
    return runs, damaged


def of_repository(name: str | None, *, by_folder: bool = True) -> list[Run]:
    """Return the runs on record that are of a repository of this name, of all repositories for None, oldest first.

    A clone is known by its folder: with `by_folder`, one that is called as the last part of "owner/name" is taken for
    that repository.
    """
    names = set() if name is None else {name.lower(), name.lower().rpartition("/")[2] if by_folder else name.lower()}
    found: list[Run] = []
    for path in sorted((data_directory() / "pgr").glob("*.jsonl")):
        with contextlib.suppress(UsageError):  # nothing but damage in it, or not ours to read
            found += [one for one in read(path)[0] if name is None or (one.repository or "").lower() in names]
    return sorted(found, key=lambda one: one.when)


def _run(record: Mapping[str, Any]) -> Run:
    figures, configuration = record["figures"], record["configuration"]
    interval = figures["interval"]
    human = configuration["human"]
    if type(human) is not int:
        raise TypeError("not a number of labels")
    return Run(
        _text(record["when"]),
        _text(record["tip"]),
        _text(record["versions"]["oversight"]),
        _text(configuration["method"]),
        _text(configuration["weak"]),
        human,
        _text(figures["metric"]),
        {name: _number(figures[name]) for name in _NUMBERS},
        None if interval is None else (_sure(interval[0]), _sure(interval[1])),
        _maybe(record.get("repository"), str),
        _maybe(figures.get("n"), int),
        _maybe(figures.get("positives"), int),
        _maybe(figures.get("reason"), str),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _maybe(value: object, kind: type[_Kind]) -> _Kind | None:
    return value if type(value) is kind else None


def _number(value: object) -> float | None:
    return None if value is None else _sure(value)


def _sure(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) == float("inf"):
        raise TypeError("not a number")
    return float(value)


def _unwritable(error: OSError | ValueError) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else "not a path"
    return OutputError(f"the run cannot be recorded: {reason}", mend=_MEND)
