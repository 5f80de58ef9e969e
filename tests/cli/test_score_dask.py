"""`oversight score --backend dask`: real worker processes, and rows that are those of one process, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders import GitRepository
from tests.cli.conftest import Oversight
from tests.experiment.histories import learnable

pytest.importorskip("distributed", reason="dask's distributed is not installed: pip install -e '.[dask]'")
pytestmark = pytest.mark.slow

Start = Callable[..., subprocess.Popen[bytes]]

CLUSTER = """
import os, signal, sys, time
from distributed import LocalCluster

def main():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        for _ in sys.stdin:
            first = next(iter(cluster.workers.values()))
            os.kill(first.pid, signal.SIGSTOP)
            print("deaf", flush=True)
            while not cluster.scheduler.workers[first.worker_address].processing:
                time.sleep(0.01)
            os.kill(first.pid, signal.SIGKILL)
            print("dead", flush=True)

if __name__ == "__main__":
    main()
"""


class Cluster:
    """A scheduler with two worker processes, elsewhere."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self.told()

    def told(self) -> str:
        """The next line that it says."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def will_lose_a_worker(self) -> None:
        """From now on one of the workers does nothing, and is killed as soon as it has been given something to do."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self.told() == "deaf"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster, which ends with the test."""
    (tmp_path / "cluster.py").write_text(CLUSTER)
    command = [sys.executable, str(tmp_path / "cluster.py")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield Cluster(process)
        process.communicate(timeout=60)


@pytest.fixture
def history(tmp_path: Path) -> GitRepository:
    """Some three hundred commits: ten times what a worker is given at once."""
    return learnable(tmp_path / "history")


def score(start: Start, history: GitRepository, output: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """A scoring on dask."""
    given = ("--repo", history.path, "--output", output, "--jobs", 2, "--backend", "dask", *arguments)
    return start("score", *given)


def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for its end, which is a good one."""
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors


def rows_of_one_process(oversight: Oversight, history: GitRepository, output: Path) -> bytes:
    """What one process says without dask."""
    assert oversight("score", "--repo", history.path, "--output", output, "--jobs", 1).code == 0
    return output.read_bytes()


def test_two_workers_of_this_machine_give_the_rows_of_one_process(
    start: Start, oversight: Oversight, history: GitRepository, tmp_path: Path
):
    """`--backend dask` is another place to run, not another result."""
    ended(score(start, history, tmp_path / "rows"))
    assert (tmp_path / "rows").read_bytes() == rows_of_one_process(oversight, history, tmp_path / "alone")


def test_neither_a_client_nor_a_worker_that_is_killed_changes_a_row(
    start: Start,
    oversight: Oversight,
    history: GitRepository,
    tmp_path: Path,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
):
    """On a cluster that goes on: kill -9 of the client, then --resume, during which a worker dies at its work."""
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.address)
    output, partial = tmp_path / "rows", tmp_path / "rows.partial"
    process = score(start, history, output)
    while process.poll() is None and (not partial.exists() or partial.stat().st_size < 1_000):
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    if partial.exists():  # the machine may have been fast enough to finish
        partial.write_bytes(partial.read_bytes()[:20_000])
    cluster.will_lose_a_worker()
    ended(score(start, history, output, "--resume"))
    assert cluster.told() == "dead"
    assert output.read_bytes() == rows_of_one_process(oversight, history, tmp_path / "alone")
