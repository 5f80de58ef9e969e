"""`oversight mine`: the lines of labels.jsonl, what selects them, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oversight.cli import run
from tests.builders import EPOCH, HOUR, GitRepository

FIELDS = ["commit", "risky", "source", "decided_at", "evidence", "excluded"]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def built(tmp_path: Path) -> GitRepository:
    made = GitRepository.create(tmp_path / "r")
    made.commit("Begin", {"a.py": "x = 1\n"})
    culprit = made.commit("Add b", {"b.py": "y = 1\n"})
    same = made.commit("Add c", {"c.py": "z = 1\n"})
    made.commit(f"Fix b\n\nFixes: {culprit[:12]}", {"b.py": "y = 2\n"})
    made.commit(f'Revert "Add c"\n\nThis reverts commit {same}.', {"c.py": None})
    return made


def mined(built: GitRepository, output: Path, *options: str) -> list[dict[str, Any]]:
    assert run(["mine", "--repo", str(built.path), "--output", str(output), *options]) == 0
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def test_one_line_for_each_commit_named(built: GitRepository, tmp_path: Path) -> None:
    """Exactly the promised fields, oldest commit first, dates in UTC."""
    rows = mined(built, tmp_path / "labels.jsonl")
    assert [list(row) for row in rows] == [FIELDS, FIELDS]
    assert [row["commit"] for row in rows] == built.commits[1:3]
    assert rows[0] == {
        "commit": built.commits[1],
        "risky": True,
        "source": "fixes",
        "decided_at": "2023-11-15T02:13:20+00:00",
        "evidence": [built.commits[3]],
        "excluded": None,
    }


def test_sources(built: GitRepository, tmp_path: Path) -> None:
    """--source chooses who may name a commit."""
    assert [row["source"] for row in mined(built, tmp_path / "l", "--source", "reverts")] == ["reverts"]
    assert [row["commit"] for row in mined(built, tmp_path / "l", "--source", "szz")] == [built.commits[1]]


def test_dates_are_inclusive(built: GitRepository, tmp_path: Path) -> None:
    """--since and --until bound the committer date of the labelled commit; later decisions still count."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(EPOCH + 2 * HOUR, UTC).isoformat()
    rows = mined(built, tmp_path / "l", "--since", moment, "--until", moment)
    assert [row["commit"] for row in rows] == [built.commits[1]]


def test_with_clean(tmp_path: Path) -> None:
    """--with-clean adds the mature commits that nobody names, and not the newest."""
    made = GitRepository.create(tmp_path / "r")
    for number in range(20):
        made.commit(f"Change {number}", {"a.py": f"x = {number}\n"}, at=EPOCH + number * 30 * 24 * HOUR)
    rows = mined(made, tmp_path / "l", "--with-clean")
    assert rows
    assert {(row["source"], row["risky"]) for row in rows} == {("clean", False)}
    assert made.commits[-1] not in {row["commit"] for row in rows}


def test_stdout_and_summary(built: GitRepository, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` is stdout, which holds labels alone; the counts go to stderr."""
    assert run(["mine", "--repo", str(built.path), "--output", "-"]) == 0
    streams = capsys.readouterr()
    assert len([json.loads(line) for line in streams.out.splitlines()]) == 2
    assert "5 commits: 2 risky" in streams.err
    assert "fixes: 1 resolved" in streams.err


def test_the_index_is_warm_afterwards(built: GitRepository, tmp_path: Path) -> None:
    """Mining fills the context index on its way, and mining again says the same."""
    from oversight.changes.repository import Repository
    from oversight.history.index import Index

    first = mined(built, tmp_path / "l")
    with Repository.open(built.path) as repository, Index.open(repository) as index:
        assert index.extend(built.commits[-1]) == 0
    assert mined(built, tmp_path / "l") == first


@pytest.mark.parametrize(
    "options",
    [["--source", "gossip"], ["--source", ""], ["--since", "yesterday"], ["--repo", "/nowhere/at/all"]],
)
def test_wrong_calls(
    built: GitRepository, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call ends with 2 and one line that says how to mend it; nothing is written."""
    output = tmp_path / "labels.jsonl"
    assert run(["mine", "--repo", str(built.path), "--output", str(output), *options]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not output.exists()


def test_an_empty_repository(tmp_path: Path) -> None:
    """A repository without commits is a wrong call, not a crash."""
    GitRepository.create(tmp_path / "empty")
    assert run(["mine", "--repo", str(tmp_path / "empty"), "--output", str(tmp_path / "l")]) == 2


def test_nothing_half_written(built: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption leaves an earlier output as it was."""
    output = tmp_path / "labels.jsonl"
    output.write_text("before")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oversight.history.mining.mine_repository", interrupt)
    assert run(["mine", "--repo", str(built.path), "--output", str(output)]) == 130
    assert output.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
