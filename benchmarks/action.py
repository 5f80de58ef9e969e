"""How long the Action's step takes, from its start to its end, on a change of about 20 files.

    python -m benchmarks.action --clone ../clones/rdma-core [--json FILE]

The clone is served over HTTP on this machine, and the step runs as a runner starts it, without a checkout and without
a token, so that nothing is posted. `cold`: nothing there, packages installed from the package index without pip's
cache, the history fetched and read; `installed`: the packages are there, as on a runner of one's own; `warm`: the
history as well, as with a cache step. Beside them what no step could do without: git fetching the same commits, and
pip installing the same packages.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.timing import command
from oversight.changes.repository import Repository
from oversight_github.action.install import LOCK
from tests.github.action.server import GitServer

START = LOCK.with_name("start.sh")
NAME = "bench/clone"


def change_of(repository: Repository, files: int) -> tuple[str, str]:
    """Return parent and sha of the newest commit with `files` files, or up to 5 more."""
    for commit in islice(reversed(repository.commits("HEAD")), 20_000):
        if len(commit.parents) == 1:
            changed = repository.run("diff-tree", "-r", "--name-only", "--no-renames", commit.parents[0], commit.sha)
            if files <= len(changed.splitlines()) <= files + 5:
                return commit.parents[0], commit.sha
    raise SystemExit(f"no change of about {files} files")


class Step:
    """The step on one push, with its places below `home`."""

    def __init__(self, home: Path, server: GitServer, before: str, after: str, kilobytes: int) -> None:
        self.home = home
        repository = {"default_branch": "main", "size": kilobytes}
        payload = {"ref": "refs/heads/main", "before": before, "after": after, "repository": repository}
        (home / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        (home / "temp").mkdir()
        self._environment: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OVERSIGHT_")},
            "GITHUB_REPOSITORY": NAME, "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(home / "event.json"),
            "GITHUB_WORKSPACE": str(home / "workspace"), "GITHUB_SERVER_URL": server.url, "GITHUB_SHA": after,
            "GITHUB_OUTPUT": str(home / "output"), "RUNNER_TEMP": str(home / "temp"),
            "RUNNER_TOOL_CACHE": str(home / "tools"), "OVERSIGHT_CACHE_DIR": str(home / "cache"),
            "PIP_NO_CACHE_DIR": "1",
        }  # fmt: skip

    def run(self, *without: str) -> float:
        """Return the seconds of one run after removing the places `without`; a change not scored is no figure."""
        for name in without:
            shutil.rmtree(self.home / name, ignore_errors=True)
        return command(["bash", START], cwd=self.home, env=self._environment)


def median(runs: int, run: Callable[[], float]) -> float:
    """Return the median of several runs, none of which is left out: a cold one is cold each time."""
    return round(statistics.median(run() for _ in range(runs)), 2)


def figures(clone: Path, *, files: int, runs: int, kilobytes: int | None) -> dict[str, Any]:
    """Time the step on `clone`; `kilobytes` None: by its own size, which decides what is fetched."""
    repository = Repository.open(clone)
    before, after = change_of(repository, files)
    change = repository.change(repository.span(after))
    sizes = dict(line.split(": ") for line in repository.run("count-objects", "-v").decode().splitlines())
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "server" / NAME).parent.mkdir(parents=True)
        (home / "server" / NAME).symlink_to(clone.resolve())
        with GitServer(home / "server") as server:
            step = Step(home, server, before, after, int(sizes["size-pack"]) if kilobytes is None else kilobytes)
            cold = median(runs, lambda: step.run("tools", "cache"))
            installed = median(runs, lambda: step.run("cache"))
            warm = median(runs, step.run)
            limits = _limits(home, server, after, runs)
    return {
        "commits": len(repository.commits(after)),
        "files": len(change.files),
        "lines": (change.added or 0) + (change.deleted or 0),
        "whole": (kilobytes or int(sizes["size-pack"])) <= 100_000,
        "cold_seconds": cold,
        "installed_seconds": installed,
        "warm_seconds": warm,
        **limits,
    }


def _limits(home: Path, server: GitServer, after: str, runs: int) -> dict[str, float]:
    """Return what git alone takes to fetch the commits, and pip to install the packages."""
    bare, target = home / "bare", home / "environment"

    def fetch() -> float:
        shutil.rmtree(bare, ignore_errors=True)
        command(["git", "init", "--quiet", "--bare", bare])
        address = f"{server.url}/{NAME}"
        return command(["git", "-C", str(bare), "fetch", "--quiet", "--filter=blob:none", address, after])

    def install() -> float:
        shutil.rmtree(target, ignore_errors=True)
        command([sys.executable, "-m", "venv", "--without-pip", target])
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", target / "bin" / "python"]
        options = ["--quiet", "--no-cache-dir", "--no-compile", "--require-hashes", "--only-binary", ":all:"]
        return command([*pip, "install", *options, "--requirement", LOCK])

    return {"git_fetch_seconds": median(runs, fetch), "pip_seconds": median(runs, install)}


def main() -> None:
    """Run it and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clone", type=Path, action="append", required=True, help="a local clone; may be given again")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kilobytes", type=int, help="take the repository for one of this size")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    found = {
        "taken_at": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "repositories": {
            clone.resolve().parent.name.rpartition("+")[2] if clone.name == "repo" else clone.name: figures(
                clone, files=options.files, runs=options.runs, kilobytes=options.kilobytes
            )
            for clone in options.clone
        },
    }
    text = json.dumps(found, indent=2) + "\n"
    print(text, end="")
    if options.json:
        options.json.write_text(text)


if __name__ == "__main__":
    main()
