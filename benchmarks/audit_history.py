"""A whole history audited, from nothing to a dashboard: once unbroken, once killed again and again; the same comes out.

    python -m benchmarks.audit_history --clone ../clones/frr --table

Runs the commands of docs/AUDIT.md over all commits of a clone, into an empty cache and an empty database: mine, score,
import, queue, verdicts, report, export. What people would say of the queue is what the history says itself (`mine`).
The unbroken run is measured; meanwhile somebody reads the database all the time, and somebody wants to write to it.
In the broken run each command is killed with SIGKILL `--kills` times at moments drawn by `--seed`, the process alone or
all that it started, and then right before each step at a file and around each end of a transaction, until it gets to
its end. After each kill what is there must be whole; at the end all files, exports, tables and figures must be those of
the unbroken run. Only moments of the clock are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import mmap
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.audit_history_table import table
from benchmarks.command import rounded
from benchmarks.killing import STEPS, Ended, Stop, run
from oversight.audit import lines
from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict
from oversight.cli import run as oversight

PAGE = Path(__file__).with_name("AUDIT_HISTORY.md")
RESULTS = Path(__file__).parent / "results"
NAME = "audited/history"
START = datetime(2026, 1, 5, tzinfo=UTC)
MOMENTS = {"at", "considered_at", "queued_at"}
WHOLE = ("reports", "labels", "queue", "ledger")
"""Tables that one command fills: a killed one leaves them empty or whole."""

_HEAVY = (
    "git", "onnxruntime", "oversight.audit.budget.telling", "oversight.audit.store.export", "oversight.base_settings",
    "oversight.cli.audit", "oversight.cli.score", "oversight.history.mining", "oversight.students.runtime",
)  # fmt: skip
"""Some of what the commands load: once, so that each of a hundred runs begins at once."""
_CLOCK = re.compile(rb"as of [0-9-]{10} [0-9:]{5} UTC")  # on the dashboard
_MOST_STEPS = 40  # of a kind, in one stage


@dataclass(frozen=True, slots=True)
class Stage:
    """A command: its name here, its arguments, the file that it writes, whole or not at all, and before which kinds of
    steps it is killed.
    """

    name: str
    arguments: tuple[str, ...]
    output: str | None = None
    steps: tuple[str, ...] = STEPS


class DifferentError(Exception):
    """The broken run left something that is not whole, or that is not what the unbroken run left."""


def stages(clone: Path, *, jobs: int, budget: str) -> list[Stage]:
    """Return the commands of a whole audit, as they are given in its folder."""
    of, here = ("--repository", NAME), ("--repo", str(clone))

    def writes(name: str, *arguments: str, steps: tuple[str, ...] = STEPS) -> Stage:
        return Stage(name.partition(".")[0], (*arguments, "--output", name), name, steps)

    return [
        writes("labels.jsonl", "mine", *here, "--with-clean"),
        # What is finished cannot be gone on with: of the kinds that let it finish one is enough.
        writes("scores.jsonl", "score", *here, "--resume", "--jobs", str(jobs), steps=("file",)),
        Stage("import", ("audit", "import", "labels.jsonl", "scores.jsonl", *of, *here)),
        Stage("queue", ("audit", "queue", "--budget", budget, "--seed", "history", "--format", "json")),
        Stage("verdicts", ("audit", "import", "verdicts.jsonl")),
        writes("report.json", "audit", "report", "--format", "json", steps=("file",)),
        Stage("dashboard", ("audit", "report", "--html", "dashboard.html"), "dashboard.html", ("file",)),
        writes("exported.jsonl", "audit", "export", "scores", steps=("file",)),
        Stage("verify", ("audit", "verify"), steps=()),
    ]


def judge(folder: Path) -> None:
    """Write what people might say of all that waits in the queue: what the history says of it."""
    known = {}
    for row in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(row)
        known[told["commit"]] = told["risky"]
    entries = json.loads((folder / "queue.out").read_text(encoding="utf-8"))["entries"]
    said = [
        Verdict(
            one["commit"],
            "auditor",
            Decision.UNSURE if one["commit"] not in known else Decision("risky" if known[one["commit"]] else "safe"),
            "as the history has it",
            START + timedelta(minutes=place),
            Shown(Selection(one["selection"]), one["propensity"], one["flagged"], one["risk"], one["percentile"]),
            Source("benchmark", NAME),
        )
        for place, one in enumerate(entries)
    ]
    (folder / "verdicts.jsonl").write_text(lines.written(said), encoding="utf-8")


def unbroken(clone: Path, folder: Path, *, jobs: int, budget: str) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Run all stages; their figures, and how long a reader and a writer of the database had to wait at most."""
    told = []
    with _environment(folder), _bystanders(folder / "audit.db") as waited:
        for stage in stages(clone, jobs=jobs, budget=budget):
            ended = _done(stage, folder, run(stage.arguments, folder, name=stage.name))
            told.append({"stage": stage.name, "seconds": ended.seconds, "memory": ended.memory})
            if stage.name == "queue":
                judge(folder)
    return told, waited


def broken(
    clone: Path, folder: Path, like: Path, figures: Sequence[dict[str, Any]], *, jobs: int, budget: str, kills: int,
    seed: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Run all stages, killing each; `like` is the folder of the unbroken run, and `figures` tell how long it took."""
    rng, told = random.Random(seed), []  # noqa: S311  # it has to be the same again
    with _environment(folder):
        for stage, unhurt in zip(stages(clone, jobs=jobs, budget=budget), figures, strict=True):
            stops = [Stop("time", rng.random() * unhurt["seconds"], group=rng.random() < 0.5) for _ in range(kills)]
            ends = [_killed(stage, folder, like, stop) for stop in stops]
            for kind in stage.steps:
                for place in range(1, _MOST_STEPS):
                    ends.append(_killed(stage, folder, like, Stop(kind, place)))
                    if ends[-1].code is not None:
                        break
            if not ends or ends[-1].code is None:
                ends.append(_done(stage, folder, run(stage.arguments, folder, name=stage.name)))
            dead = [one for one in ends if one.code is None]
            told.append(
                {
                    "stage": stage.name,
                    "killed": len(dead),
                    "broken_seconds": sum(one.seconds for one in ends),
                    "lingered": max((one.lingered for one in dead), default=0.0),
                }
            )
            print(told[-1], file=sys.stderr)
            if stage.name == "queue":
                judge(folder)
    return told


def _killed(stage: Stage, folder: Path, like: Path, stop: Stop) -> Ended:
    """Run a stage until it is killed; `DifferentError` where it leaves what is not whole."""
    ended = run(stage.arguments, folder, stop, name=stage.name)
    if ended.code is not None:
        return _done(stage, folder, ended)
    if stage.output is not None and (folder / stage.output).exists():
        _same(stage.output, folder, like)
    for name in WHOLE:
        found, wanted = count(folder / "audit.db", name), count(like / "audit.db", name)
        if found not in (0, wanted):
            raise DifferentError(f"{found} of {wanted} rows of {name} after {stage.name} was killed at {stop}")
    return ended


def _done(stage: Stage, folder: Path, ended: Ended) -> Ended:
    if ended.code != 0:
        said = (folder / f"{stage.name}.err").read_text(encoding="utf-8", errors="replace")
        raise DifferentError(f"{stage.name} ended with {ended.code}: {said[-400:]}")
    return ended


def compare(one: Path, other: Path) -> dict[str, str]:
    """Return digests of all that the two runs left; `DifferentError` names the first thing that differs."""
    names = sorted(path.name for path in one.iterdir() if path.suffix in (".jsonl", ".json", ".html"))
    found = {name: _same(name, one, other) for name in (*names, "verify.out")}
    for name, read in (("queue", _queue), ("tables", _tables)):
        found[name] = _digest(read(one))
        if found[name] != _digest(read(other)):
            raise DifferentError(f"{name} differs")
    left = sorted(path.name for path in other.iterdir() if path.name not in {kept.name for kept in one.iterdir()})
    if any(not name.startswith(".oversight-") for name in left):
        raise DifferentError(f"left over: {', '.join(left)}")
    return found


def _same(name: str, one: Path, other: Path) -> str:
    found, again = (_digest(_CLOCK.sub(b"", (folder / name).read_bytes())) for folder in (one, other))
    if found != again:
        raise DifferentError(f"{name} differs")
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _queue(folder: Path) -> bytes:
    """What waited for people, without moments; not what a call did, which a second one does not do again."""
    entries = json.loads((folder / "queue.out").read_text(encoding="utf-8"))["entries"]
    return json.dumps([{key: value for key, value in one.items() if key not in MOMENTS} for one in entries]).encode()


def _tables(folder: Path) -> bytes:
    """All rows of the database, without moments."""
    content = []
    with _opened(folder / "audit.db") as connection:
        named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in named:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")') if row[1] not in MOMENTS]
            chosen = ", ".join(f'"{column}"' for column in columns)
            rows = connection.execute(f'SELECT {chosen} FROM "{table}" ORDER BY {chosen}').fetchall()  # noqa: S608
            content.append((table, columns, rows))
    return json.dumps(content).encode()


def count(database: Path, table: str) -> int:
    """Return how many rows a table has, 0 where there is none."""
    if not database.exists():
        return 0
    with _opened(database) as connection:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]) if there else 0  # noqa: S608


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    """A copy, so that what a killed process left stays as it is for the next one."""
    with tempfile.TemporaryDirectory() as elsewhere:
        for path in (database, database.with_name(database.name + "-wal")):
            if path.exists():
                shutil.copy(path, elsewhere)
        with closing(sqlite3.connect(Path(elsewhere) / database.name)) as connection:
            yield connection


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """An empty cache, an empty folder of data, and none of the settings that the environment may hold but a model."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("OVERSIGHT_") and name != "OVERSIGHT_MODEL"]:
        del os.environ[name]
    os.environ |= {"OVERSIGHT_CACHE_DIR": str(folder / "cache"), "OVERSIGHT_DATA_DIR": str(folder)}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _bystanders(database: Path) -> Iterator[dict[str, float]]:
    """Let two processes use the database all the time; at the end, how long each of them had to wait at most."""
    asked = {"reader": "SELECT count(*) FROM reports", "writer": "BEGIN IMMEDIATE"}
    waited: dict[str, float] = {}
    shared = mmap.mmap(-1, 8 * len(asked))
    children = []
    for place, statement in enumerate(asked.values()):
        children.append(os.fork())
        if children[-1] == 0:
            _stand_by(database, statement, shared, 8 * place)
    try:
        yield waited
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        waited |= zip(asked, struct.unpack("<2d", shared), strict=True)


def _stand_by(database: Path, statement: str, shared: mmap.mmap, place: int) -> NoReturn:
    """Use the database again and again, from the moment when it has tables, for as long as the parent is there."""
    longest, parent = 0.0, os.getppid()
    while os.getppid() == parent:
        time.sleep(0.02)
        with suppress(sqlite3.OperationalError):
            uri = f"{database.as_uri()}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True, timeout=600, isolation_level=None)) as connection:
                connection.execute("SELECT 1 FROM reports LIMIT 1")
                started = time.perf_counter()
                connection.execute(statement).fetchall()
                longest = max(longest, time.perf_counter() - started)
                shared[place : place + 8] = struct.pack("<d", longest)
    os._exit(0)


def measured(clone: Path, chosen: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Run it unbroken and broken in `work`, compare, and return the figures."""
    one, other, rehearsal = (work / name for name in ("unbroken", "broken", "rehearsal"))
    for folder in (one, other, rehearsal):
        folder.mkdir(parents=True)
    for module in _HEAVY:
        import_module(module)
    (rehearsal / "empty.jsonl").touch()
    with _environment(rehearsal), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        oversight(["audit", "import", str(rehearsal / "empty.jsonl")])  # makes the database
        code = oversight(["audit", "verify"])
    if code:
        raise DifferentError(f"an empty ledger is proved with {code}")
    options = {"jobs": chosen.jobs, "budget": chosen.budget}
    figures, waited = unbroken(clone, one, **options)
    deaths = broken(clone, other, one, figures, **options, kills=chosen.kills, seed=chosen.seed)
    named = ("labels.jsonl", "scores.jsonl", "audit.db")
    return {
        "clone": clone.name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        **{key: getattr(chosen, key) for key in ("jobs", "budget", "kills", "seed")},
        "changes": count(one / "audit.db", "reports"),
        "verdicts": count(one / "audit.db", "ledger"),
        "stages": [{**figure, **death} for figure, death in zip(figures, deaths, strict=True)],
        "waited": waited,
        "bytes": {name: (one / name).stat().st_size for name in named},
        "sha256": compare(one, other),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a clone and keep its figures; with `--table` write the page from all that are kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clone", type=Path, help="a clone with all of its history; without one nothing is run")
    parser.add_argument("--name", help="what to call it in the figures  [default: the clone's folder]")
    parser.add_argument("--work", type=Path, help="an empty folder for both runs, kept  [default: one that is not]")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the folder of the figures")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes of score")
    parser.add_argument("--budget", default="2%")
    parser.add_argument("--kills", type=int, default=3, help="kills of each command at moments that are drawn")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--table", action="store_true", help=f"write {PAGE.name}")
    chosen = parser.parse_args(arguments)
    if chosen.clone is not None:
        with tempfile.TemporaryDirectory() as elsewhere:
            found = measured(chosen.clone.resolve(), chosen, chosen.work or Path(elsewhere))
        found["clone"] = chosen.name or found["clone"]
        chosen.output.mkdir(parents=True, exist_ok=True)
        kept = chosen.output / f"audit-history-{found['clone']}.json"
        kept.write_text(json.dumps(rounded(found), indent=1) + "\n", encoding="utf-8")
    if chosen.table:
        results = sorted(chosen.output.glob("audit-history-*.json"))
        PAGE.write_text(table([json.loads(path.read_text(encoding="utf-8")) for path in results]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
