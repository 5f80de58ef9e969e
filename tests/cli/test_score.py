"""`oversight score`: rows of a whole history, equal to reviews, resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from oversight import assessment, neighbours, scoring
from tests.builders import EPOCH, HOUR, GitRepository
from tests.cli.conftest import Oversight

KEYS = ["commit", "status", "risk", "percentile", "flagged", "added", "deleted"]


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def grow(repository: GitRepository, count: int) -> None:
    """Add commits that differ in what a model sees."""
    for number in range(count):
        body = "".join(f"    if x > {n}:\n        return {n}\n" for n in range(number % 7))
        repository.commit(f"Step {number}", {f"m{number % 5}.py": f"def step{number}(x):\n{body}    return x\n"})


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of neighbours be enough for a percentile, so that small histories show what large ones do."""
    for module in (assessment, neighbours):
        monkeypatch.setattr(module, "ENOUGH", 4)
    for module in (neighbours, scoring):
        monkeypatch.setattr(module, "RECENT", 6)
    monkeypatch.setattr(neighbours, "BLOCK", 3)


def test_there_is_a_row_for_each_commit_but_merges_oldest_first(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """The population is every non-merge commit reachable from HEAD, and the keys are those of the contract."""
    done = oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1)
    assert (done.code, done.out) == (0, "")
    rows = rows_of(tmp_path / "rows")
    start, guard, side, main, _, loop = repository.commits
    assert [row["commit"] for row in rows] == [start, guard, side, main, loop]
    assert all(list(row) == KEYS for row in rows)
    assert [(row["added"], row["deleted"]) for row in rows] == [(3, 0), (2, 0), (2, 0), (1, 0), (2, 0)]
    assert not (tmp_path / "rows.partial").exists()


@pytest.mark.usefixtures("few")
def test_rows_say_what_reviews_say(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """Risk, percentile, flag and sizes of a commit are the same in its row and in its review, on side branches too."""
    grow(repository, 9)
    repository.branch("late", "HEAD~4")
    grow(repository, 3)
    repository.write({"hole.py": "requests.get(u, verify=False)\n"})
    repository.commit("Unsafe")
    repository.switch("main")
    repository.merge("late")
    repository.commit("Binary", {"blob": b"\0\1\2"})
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    rows = rows_of(tmp_path / "rows")
    assert len({row["percentile"] for row in rows}) > 4
    for row in rows:
        report = oversight("review", row["commit"], "--repo", repository.path, "--format", "json").json
        assert (row["status"], row["risk"], row["percentile"]) == (
            report["status"], report["risk"], report["percentile"],
        )  # fmt: skip
        change = report["change"]
        assert (row["flagged"], row["added"], row["deleted"]) == (
            report["flagged"], change["added"], change["deleted"],
        )  # fmt: skip


@pytest.mark.usefixtures("few")
def test_commits_without_a_score_count_as_neighbours_in_neither(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """A history with unreadable commits gives the same percentiles in rows and in reviews, and no low risk for them."""
    grow(repository, 6)
    repository.commit("Lost", {"only.py": "x = 1\n"})
    lost = repository.git("rev-parse", "HEAD:only.py")
    grow(repository, 7)
    (repository.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    rows = rows_of(tmp_path / "rows")
    (blind,) = [row for row in rows if row["status"] != "scored"]
    assert (blind["status"], blind["risk"], blind["percentile"], blind["flagged"]) == ("unscored", None, None, True)
    for row in rows[-3:]:
        report = oversight("review", row["commit"], "--repo", repository.path, "--format", "json").json
        assert (report["risk"], report["percentile"]) == (row["risk"], row["percentile"])


def test_rows_of_a_shallow_clone_are_its_reviews(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """Where nothing is known to come before a commit, each stands alone, in rows as in reviews."""
    grow(repository, 8)
    clone = repository.clone(tmp_path / "shallow", "--depth=5")
    assert oversight("score", "--repo", clone.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    first, *rows = rows_of(tmp_path / "rows")
    assert (first["status"], len(rows)) == ("unscored", 4)
    for row in rows:
        report = oversight("review", row["commit"], "--repo", clone.path, "--format", "json").json
        assert (report["risk"], report["percentile"]) == (row["risk"], row["percentile"])


def test_settings_of_head_hold_for_every_row(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """Paths that the settings leave out are left out of rows as they are of reviews."""
    repository.commit("Settings", {"oversight.toml": 'budget = 100\n[paths]\nexclude = ["vendored"]\n'})
    repository.commit("Both", {"vendored/x.py": "if x:\n    y()\n", "own.py": "z = 1\n"})
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1).code == 0
    row = rows_of(tmp_path / "rows")[-1]
    report = oversight("review", "--repo", repository.path, "--format", "json").json
    assert [entry["path"] for entry in report["coverage"]["skipped"]] == ["vendored/x.py"]
    assert (row["risk"], row["added"], row["flagged"]) == (pytest.approx(report["risk"], abs=1e-6), 1, True)


@pytest.mark.slow
@pytest.mark.parametrize("few", [0, 1_000], ids=["looked up in the index", "one pass"])
def test_two_workers_give_the_same_rows_as_one(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, few: int, monkeypatch: pytest.MonkeyPatch
):
    """How many processes share the work changes no byte, whichever way contexts are found."""
    monkeypatch.setattr(scoring, "FEW", few)
    monkeypatch.setattr(scoring, "BATCH", 4)
    grow(repository, 40)
    for jobs in (1, 2):
        done = oversight("score", "--repo", repository.path, "--output", tmp_path / f"rows{jobs}", "--jobs", jobs)
        assert done.code == 0, done.err
    assert (tmp_path / "rows1").read_bytes() == (tmp_path / "rows2").read_bytes()


def test_dates_bound_the_committer_date_and_are_inclusive(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """--since and --until keep the commit of that very second, and a bare date is its whole day in UTC."""
    repository.commit("A day later", {"c.py": "c = 1\n"}, at=EPOCH + 24 * HOUR)
    whole = tmp_path / "whole"
    assert oversight("score", "--repo", repository.path, "--output", whole, "--jobs", 1).code == 0

    def selected(*dates: str) -> list[dict]:
        done = oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1, *dates)
        assert done.code == 0, done.err
        return rows_of(tmp_path / "rows")

    rows = rows_of(whole)
    # Commits come an hour apart from 23:13:20 on 2023-11-14; the first is thus alone on its day.
    assert selected("--until", "2023-11-14") == rows[:1]
    assert selected("--since", "2023-11-15", "--until", "2023-11-15T00:13:20") == rows[1:2]
    assert selected("--since", "2023-11-15T23:00:00+00:00") == []
    assert selected("--since", "2023-11-15", "--until", "2023-11-15") == rows[1:]
    assert selected("--since", "2023-11-15T03:13:21+03:00", "--until", "2023-11-15T04:13:20+03:00") == rows[2:3]


@pytest.mark.usefixtures("few")
def test_neighbours_count_whether_they_are_selected_or_not(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """A commit whose clock was wrong is left out by --since, and is still one that later ones are placed among."""
    grow(repository, 8)
    repository.commit("Of the past", {"late.py": "while x:\n    assert y\n"}, at=EPOCH - 24 * HOUR)
    repository.commit("Now", {"now.py": "x = 1\n"}, at=EPOCH + 20 * HOUR)
    repository.commit("Next", {"next.py": "if x:\n    y = 1\n"})
    arguments = ("score", "--repo", repository.path, "--jobs", 1)
    assert oversight(*arguments, "--output", tmp_path / "whole").code == 0
    assert oversight(*arguments, "--output", tmp_path / "late", "--since", "2023-11-15T09:00:00").code == 0
    whole, late = rows_of(tmp_path / "whole"), rows_of(tmp_path / "late")
    assert [row["commit"] for row in late[-2:]] == repository.commits[-2:]
    assert repository.commits[-3] not in {row["commit"] for row in late}
    assert [row for row in whole if row in late] == late


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_killed_run_left_is_taken_up(
    start: Callable[..., subprocess.Popen[bytes]],
    oversight: Oversight,
    repository: GitRepository,
    tmp_path: Path,
    jobs: int,
):
    """After kill -9 midway, --resume gives the bytes that an undisturbed run gives; OUTPUT is absent until the end.

    Workers end by themselves: until then they would hold the pipe of standard error, and much memory.
    """
    grow(repository, 150)
    undisturbed, output = tmp_path / "undisturbed", tmp_path / "rows"
    arguments = ("score", "--repo", repository.path, "--jobs", 1)
    assert oversight(*arguments, "--output", undisturbed).code == 0
    process = start("score", "--repo", repository.path, "--jobs", jobs, "--output", output)
    partial = tmp_path / "rows.partial"
    while process.poll() is None and (not partial.exists() or partial.stat().st_size < 4_000):
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    if not output.exists():  # the machine may have been fast enough to finish
        kept = partial.read_bytes()
        assert kept
        # A kill can come in the middle of a line as well.
        partial.write_bytes(kept[: len(kept) - 7])
    done = oversight(*arguments, "--output", output, "--resume")
    assert done.code == 0, done.err
    assert output.read_bytes() == undisturbed.read_bytes()
    assert not partial.exists()


def interrupted(
    oversight: Oversight, repository: GitRepository, output: Path, monkeypatch: pytest.MonkeyPatch, after: int = 3
) -> None:
    """Leave a partial run behind, as Ctrl-C does after a few rows."""
    rows = scoring.Ranking.rows

    def stop(self: scoring.Ranking, raws: Iterable[scoring.Raw]) -> Iterator[scoring.Row]:
        yield from islice(rows(self, raws), after)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scoring.Ranking, "rows", stop)
        done = oversight("score", "--repo", repository.path, "--output", output, "--jobs", 1)
    assert done.code == 130
    assert done.err.count("\n") == 1
    assert "--resume" in done.err
    assert not output.exists()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("stop", [1, 3, 4, 11, 17])
def test_a_stopped_run_goes_on_with_the_same_rows(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
):
    """Wherever it was stopped, at an anchor or inside a block, scale and neighbours are those of a whole run."""
    grow(repository, 14)
    whole, output = tmp_path / "whole", tmp_path / "rows"
    arguments = ("score", "--repo", repository.path, "--jobs", 1)
    assert oversight(*arguments, "--output", whole).code == 0
    interrupted(oversight, repository, output, monkeypatch, after=stop)
    assert oversight(*arguments, "--output", output, "--resume").code == 0
    assert output.read_bytes() == whole.read_bytes()


def test_a_run_is_not_taken_up_with_other_options(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Rows of another budget, window or history never mix; the partial rows stay for the run they belong to."""
    output = tmp_path / "rows"
    interrupted(oversight, repository, output, monkeypatch)
    arguments = ("score", "--repo", repository.path, "--output", output, "--jobs", 1, "--resume")
    for other in (("--budget", "20"), ("--since", "2020-01-01")):
        done = oversight(*arguments, *other)
        assert done.code == 2
        assert "another run" in done.err
    assert oversight(*arguments).code == 0
    assert len(rows_of(output)) == 5
    interrupted(oversight, repository, tmp_path / "later", monkeypatch)
    repository.commit("One more", {"d.py": "d = 1\n"})
    assert oversight("score", "--repo", repository.path, "--output", tmp_path / "later", "--resume").code == 2


@pytest.mark.parametrize("damage", [b"not json\n", b"[]\n", b"\0\0\0\n", b'{"commit": 1}\n'])
def test_damaged_partial_rows_are_refused(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, damage: bytes
):
    """A partial file that is not ours ends with 2 and the mend; without --resume the run begins anew."""
    (tmp_path / "rows.partial").write_bytes(damage)
    arguments = ("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1)
    done = oversight(*arguments, "--resume")
    assert done.code == 2
    assert "leave out --resume" in done.err
    assert oversight(*arguments).code == 0


@pytest.mark.parametrize("left", [None, b"", b'{"head": "12'])
def test_a_run_that_wrote_nothing_is_taken_up_from_the_beginning(
    oversight: Oversight, repository: GitRepository, tmp_path: Path, left: bytes | None
):
    """--resume is safe to give always: there may be no partial rows, or not even one whole line."""
    if left is not None:
        (tmp_path / "rows.partial").write_bytes(left)
    done = oversight("score", "--repo", repository.path, "--output", tmp_path / "rows", "--jobs", 1, "--resume")
    assert done.code == 0
    assert len(rows_of(tmp_path / "rows")) == 5


def test_rows_can_go_to_standard_output_to_devices_and_through_links(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """`-` prints the rows; a device is written to and not replaced; a symbolic link stays one."""
    arguments = ("score", "--repo", repository.path, "--jobs", 1)
    printed = oversight(*arguments, "--output", "-")
    assert (printed.code, len(printed.out.splitlines())) == (0, 5)
    assert oversight(*arguments, "--output", os.devnull).code == 0
    assert not Path(os.devnull).is_file()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert oversight(*arguments, "--output", tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == printed.out
    assert oversight(*arguments, "--output", "-", "--resume").code == 2
