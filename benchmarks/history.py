"""How fast a whole history is mined and measured, and in how much memory, beside git itself and PyDriller.

    python -m benchmarks.history --clone ../clones/ansible [--walk all] [--json FILE]

`oversight`: labels of all commits, their context measures and a warm index, from an empty cache and with the
start of the process. `git`: `git log -p` of the same commits, thrown away. `pydriller`: walking the same
commits and asking each for its modified files; and merely walking them. That takes minutes: `--walk 1000`
walks so many, from `--windows` parts of the history. Run one after the other on the same machine; compare
the ratios, not the seconds. We use all cores, the two others one each: `cpu_seconds` says what that costs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.timing import command

_TARGETS = {"git_ratio": 2.5, "pydriller_ratio": 8.0, "peak_bytes": 1_000_000_000}
"""Most times of `git log -p` (after 2 seconds for starting), least times of PyDriller's speed, most memory."""


def mine_and_measure(clone: Path) -> dict[str, float | int]:
    """Mine and measure everything in this process; counts, and the most memory that it and any of its gits held."""
    import resource

    from oversight.changes.repository import Repository
    from oversight.history.context import contexts
    from oversight.history.duplicates import later_duplicates
    from oversight.history.index import Index
    from oversight.history.labels import Miner
    from oversight.history.log import read_log
    from oversight.history.merges import MergeTable

    with Repository.open(clone) as repository, Index.open(repository) as index:
        head = repository.resolve("HEAD")
        miner = Miner()
        commits = 0
        for commit, _ in contexts(index.absorb(head, read_log(repository, head)), shallow=repository.shallow):
            miner.add(commit)
            commits += 1
        mined = miner.finish(later_duplicates(repository, miner.candidates()), MergeTable(repository, head))
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "commits": commits,
        "labels": len(mined.labels),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale,
        "git_peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * scale,
    }


def ours(clone: Path) -> dict[str, float | int]:
    """`mine_and_measure` in a process of its own with an empty cache, with its wall time and that of all processors."""
    before = os.times()
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.history", "--clone", clone, "--child"],
            env={**os.environ, "OVERSIGHT_CACHE_DIR": cache},
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in Path(cache).rglob("*"))
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {**json.loads(done.stdout), "seconds": seconds, "cpu_seconds": cpu, "index_bytes": size}


def git_log(clone: Path) -> float | None:
    """Wall time of `git log -p` over all commits; None where content is missing, so that git cannot finish."""
    try:
        return command(["git", "-C", clone, "log", "-p", "--no-merges", "HEAD", "--"])
    except RuntimeError as error:
        print(f"no figure for git: {error}", file=sys.stderr)
        return None


def pydriller_rates(clone: Path, walk: int | None, windows: int) -> dict[str, float | int] | None:
    """Commits a second of PyDriller, with and without their files; None if it is not installed.

    Over all commits where `walk` is None. Else over about so many, in `windows` runs spread over the history, since
    old commits and new ones differ in size; of one run, they are the newest. `windows` of the result is 0 for all.
    """
    try:
        import pydriller  # noqa: F401  before anything is timed
    except ImportError:
        return None
    listed = subprocess.run(
        ["git", "-C", clone, "rev-list", "--no-merges", "HEAD", "--"], check=True, capture_output=True, text=True
    )
    shas = listed.stdout.split()
    windows, walk = (0, len(shas)) if walk is None else (windows, walk)
    ends = [shas[len(shas) * window // windows] for window in range(windows)] if windows else ["HEAD"]
    rates: dict[str, float | int] = {"walked": walk, "windows": windows}
    for name, with_files in (("with_files", True), ("merely_walking", False)):
        started = time.perf_counter()
        count = sum(_walk(clone, end, walk // len(ends), with_files=with_files) for end in ends)
        rates[name] = count / (time.perf_counter() - started)
    return rates


def _walk(clone: Path, end: str, most: int, *, with_files: bool) -> int:
    """Let PyDriller walk up to `most` commits back from `end`; how many there were."""
    from pydriller import Repository

    count = 0
    commits = Repository(str(clone), to_commit=end, order="reverse", only_no_merge=True).traverse_commits()
    for commit in islice(commits, most):
        count += len(commit.modified_files) >= 0 if with_files else len(commit.msg) >= 0
    return count


def _count(text: str) -> int | None:
    return None if text == "all" else int(text)


def main() -> None:
    """Run all three, print ratios, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clone", type=Path, required=True)
    parser.add_argument("--walk", type=_count, default=None, help="commits that PyDriller walks; all by default")
    parser.add_argument("--windows", type=int, default=5, help="parts of the history that it walks; 1 is the newest")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(mine_and_measure(given.clone)))
        return
    git_seconds = git_log(given.clone)
    figures = ours(given.clone)
    peer = pydriller_rates(given.clone, given.walk, given.windows)
    rate = figures["commits"] / figures["seconds"]
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "repository": given.clone.resolve().name,
        "cores": os.cpu_count(),
        "oversight": {**figures, "commits_a_second": rate},
        "git_log_seconds": git_seconds,
        "git_ratio": None if git_seconds is None else max(figures["seconds"] - 2, 0) / git_seconds,
        "pydriller": peer,
        "pydriller_ratio": None if peer is None else rate / peer["with_files"],
        "pydriller_walking_ratio": None if peer is None else rate / peer["merely_walking"],
        "targets": _TARGETS,
    }
    print(json.dumps(result, indent=2))
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
