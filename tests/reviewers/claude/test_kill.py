"""`kill -9` of a labelling at every request: the same labels in the end, and nothing paid for twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oversight.reviewers.claude.store import Store
from tests.claude_stub import Fault, Stub, served
from tests.reviewers.claude.conversation import labelling, model
from tests.reviewers.claude.killed import CHANGES, RECIPE

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with served(model) as stub:
        yield stub


@pytest.fixture(scope="module")
def forks(stub: Stub) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.reviewers.claude.killed", stub.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


class Runs:
    """Runs of one labelling, one after another, of which some are killed."""

    def __init__(self, stub: Stub, forks: subprocess.Popen[str], directory: Path) -> None:
        self.stub, self.forks, self.directory = stub, forks, directory
        self.child = 0

    def run(self) -> int:
        """Run it once; how it ended."""
        assert self.forks.stdin is not None
        assert self.forks.stdout is not None
        self.forks.stdin.write(f"{self.directory}\n")
        self.forks.stdin.flush()
        self.child = int(self.forks.stdout.readline())
        self.forks.stdin.write("go\n")
        self.forks.stdin.flush()
        return int(self.forks.stdout.readline())

    def kill(self) -> None:
        """Kill the run that is under way."""
        os.kill(self.child, signal.SIGKILL)


def risks(directory: Path) -> list[float | None]:
    with Store(directory / "claude.sqlite") as store:
        return [label.risk for label in labelling(store, CHANGES, RECIPE).labels([change.id for change in CHANGES])]


@pytest.mark.parametrize("obeyed", [True, False], ids=["after it was obeyed", "before it was read"])
def test_a_run_may_be_killed_at_every_request(
    stub: Stub, forks: subprocess.Popen[str], tmp_path: Path, obeyed: bool
) -> None:
    """Whichever request it is, the next run goes on from there, and the account has paid once for every question."""
    requests = 8
    for number in range(1, requests + 1):
        stub.forget()
        directory = tmp_path / str(number)
        directory.mkdir()
        runs = Runs(stub, forks, directory)
        stub.faults = {number: Fault(lost=obeyed, dropped=not obeyed, call=runs.kill)}
        assert runs.run() == -signal.SIGKILL
        assert runs.run() == 0
        assert len(stub.paid) == 2 * len(CHANGES)
        assert set(stub.paid.values()) == {1}
        assert risks(directory) == pytest.approx([0.15, 0.8, 0.15])


def test_a_run_may_be_killed_again_and_again(stub: Stub, forks: subprocess.Popen[str], tmp_path: Path) -> None:
    """Killed at every third request until it is through: the same labels, each paid for once."""
    stub.forget()
    runs = Runs(stub, forks, tmp_path)
    stub.faults = {
        number: Fault(lost=number % 2 == 0, dropped=number % 2 == 1, call=runs.kill) for number in range(3, 40, 3)
    }
    ends = [runs.run()]
    while ends[-1]:
        ends.append(runs.run())
        assert len(ends) < 20
    assert ends.count(-signal.SIGKILL) == len(ends) - 1 > 1
    assert set(stub.paid.values()) == {1}
    assert risks(tmp_path) == pytest.approx([0.15, 0.8, 0.15])
