"""The record of every run: lines that are whole, and a reader that survives those that are not."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from oversight.errors import OutputError, UsageError
from oversight.experiment import runs


def record(**changed: Any) -> dict[str, Any]:
    """A record, with some of its figures changed."""
    figures = {
        "metric": "auroc", "weak": 0.6, "student": 0.7, "ceiling": 0.8, "human_only": 0.65, "pgr": 0.5,
        "interval": [0.2, 0.8], **changed,
    }  # fmt: skip
    return {
        "when": "2026-01-02T03:04:05+00:00",
        "tip": "a" * 40,
        "configuration": {"method": "naive", "weak": "panel", "human": 300},
        "versions": {"oversight": "0.1"},
        "figures": figures,
    }


def append_many(path: Path, number: int) -> None:
    for _ in range(20):
        runs.append(path, record(student=number / 100, padding="x" * 3_000))


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    """One line a run; what was unknown stays unknown."""
    path = tmp_path / "runs.jsonl"
    runs.append(path, record())
    runs.append(path, record(pgr=None, interval=None, student=0.71))
    found, damaged = runs.read(path)
    assert damaged == 0
    assert [one.values["student"] for one in found] == [0.7, 0.71]
    assert found[0].interval == (0.2, 0.8)
    assert found[1].interval is found[1].values["pgr"] is None
    assert (found[0].method, found[0].weak, found[0].human, found[0].version) == ("naive", "panel", 300, "0.1")


def test_runs_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    """Processes that append at once lose nothing."""
    path = tmp_path / "runs.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_many, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found, damaged = runs.read(path)
    assert (len(found), damaged) == (60, 0)


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "null", "7", '"text"', "{}", "[" * 100_000, "\x00\xff",
        json.dumps(record(student="0.7")), json.dumps(record(student=True)), json.dumps(record(pgr=float("nan"))),
        json.dumps(record(interval=[1])), json.dumps(record() | {"when": 5}),
        json.dumps(record() | {"configuration": {"method": "naive", "weak": "panel", "human": "300"}}),
    ],
)  # fmt: skip
def test_damaged_lines_are_counted_and_left_out(tmp_path: Path, line: str) -> None:
    """One bad line costs itself and no other."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(line.encode("latin-1") + b"\n\n")
    runs.append(path, record())
    assert [len(runs.read(path)[0]), runs.read(path)[1]] == [1, 1]


def test_a_line_that_was_cut_off_does_not_swallow_the_next(tmp_path: Path) -> None:
    """What a full disk left of a record is closed before the next begins."""
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(record())[:50])
    runs.append(path, record())
    found, damaged = runs.read(path)
    assert (len(found), damaged) == (1, 1)


def test_nothing_recorded_is_said(tmp_path: Path) -> None:
    """Neither a missing file nor an empty one is a trend, and a folder is no file."""
    with pytest.raises(UsageError, match="no run is recorded"):
        runs.read(tmp_path / "nothing.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(UsageError, match="no run is recorded"):
        runs.read(tmp_path / "empty.jsonl")
    with pytest.raises(UsageError, match="cannot be read"):
        runs.read(tmp_path)


def test_a_place_that_cannot_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    """A file in the way, a folder of that name and a name that is none; a missing folder is made."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "runs.jsonl", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(OutputError, match="cannot be recorded"):
            runs.prepare(path)
    runs.prepare(tmp_path / "new" / "folder" / "runs.jsonl")
    assert (tmp_path / "new" / "folder").is_dir()


def test_the_environment_says_where_records_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OVERSIGHT_DATA_DIR`, or the user's data directory, which is not that of the caches."""
    monkeypatch.setenv("OVERSIGHT_DATA_DIR", str(tmp_path))
    assert runs.path_of("key") == tmp_path / "pgr" / "key.jsonl"
    monkeypatch.delenv("OVERSIGHT_DATA_DIR")
    assert "oversight" in str(runs.data_directory())


def test_runs_of_a_repository_are_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whichever file they are, oldest first; by the folder's name where that is enough; damage costs itself."""
    monkeypatch.setenv("OVERSIGHT_DATA_DIR", str(tmp_path))
    named = {"a": "repo", "b": "Octo/Repo", "c": "other"}
    for day, (key, name) in enumerate(named.items(), 1):
        when = f"2026-01-{9 - day:02}T00:00:00+00:00"
        runs.prepare(runs.path_of(key))
        runs.append(runs.path_of(key), record(n=500, positives=60, reason=None) | {"repository": name, "when": when})
    runs.append(runs.path_of("d"), {"damaged": True})
    assert [one.repository for one in runs.of_repository("octo/repo")] == ["Octo/Repo", "repo"]
    assert [one.repository for one in runs.of_repository("octo/repo", by_folder=False)] == ["Octo/Repo"]
    assert [one.repository for one in runs.of_repository(None)] == ["other", "Octo/Repo", "repo"]
    found = runs.of_repository("other")[0]
    assert (found.n, found.positives, found.reason) == (500, 60, None)
    assert runs.of_repository("octo/none") == []
