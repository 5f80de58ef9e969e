"""Workers are killed at every step of a job: nothing is lost, and nothing is posted twice. The double counts."""

from __future__ import annotations

import base64
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from oversight.audit.store import Store, reading
from oversight.audit.store.engine import connect, locate
from oversight.changes.diff import render
from oversight_server.queue.tables import jobs
from tests.github.double import Double
from tests.github.exchange import Refusal, Request
from tests.reports.examples import flagged_by_budget
from tests.server.queue.process import main
from tests.server.works import INSTALLATION, kept_reports

STEPS = (
    "Book.take:before", "Book.take:after", "Engine.put:before", "Engine.put:after", "Book.claim:before",
    "Book.claim:after", "Store.record:after", "Store.add_report:before", "Store.add_report:after",
    "Book.finish:before", "Book.finish:after",
)  # fmt: skip
"""Where a job touches the database."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", main.__module__])
"""Workers are forked from one clean process that has imported all they need, which takes longer than a job."""


class Workers:
    """Worker processes on one database and one GitHub, one after the other or at once."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.github = Double()
        self.deliveries: list[dict[str, Any]] = []
        self.processes: list[BaseProcess] = []
        self.diff = render([one for one in flagged_by_budget().change.files if not one.binary])

    def pull(self, number: int, head: str = "") -> None:
        """Somebody opens a pull request, and its delivery is in the inbox."""
        world = self.github.world
        made = world.pull(number, diff=self.diff, head_sha=head or f"{number:040x}")
        payload = {
            "action": "opened", "pull_request": made, "repository": world.about(world.repository),
            "installation": {"id": INSTALLATION}, "sender": world.user("ann"),
        }  # fmt: skip
        content = base64.b64encode(json.dumps(payload).encode()).decode()
        at = world.now()
        self.deliveries.append({"id": f"d-{number}", "event": "pull_request", "payload": content, "at": at})

    def start(self, kill: str = "") -> BaseProcess:
        """Start a worker, which takes all deliveries, also those that another has taken."""
        number = len(self.processes)
        wishes = {
            "database": self.url, "github": self.github.url, "deliveries": self.deliveries, "kill": kill,
            "taken": str(self.folder / f"taken-{number}"), "log": str(self.folder / f"log-{number}"),
        }  # fmt: skip
        process = FORKS.Process(target=main, args=(wishes,))
        process.start()
        self.processes.append(process)
        return process

    def taken(self) -> bool:
        """Whether the newest worker has taken the deliveries."""
        return (self.folder / f"taken-{len(self.processes) - 1}").exists()

    def died(self, process: BaseProcess) -> None:
        process.join(120)
        assert process.exitcode == -9, self.logs()

    def finish(self) -> None:
        """Wait until every job is done, as far as the newest worker has taken them."""
        end = time.monotonic() + 180
        engine = connect(locate(self.url))
        try:
            while not self.taken() or self._left(engine):
                assert time.monotonic() < end, (self._left(engine), self.github.broken, self.logs())
                assert self.processes[-1].is_alive(), self.logs()
                time.sleep(0.05)
        finally:
            engine.dispose()

    def _left(self, engine: Any) -> list[tuple[str, str]]:
        with reading(engine) as connection:
            rows = connection.execute(select(jobs.c.id, jobs.c.state).where(jobs.c.state.in_(("queued", "running"))))
            return [(row.id, row.state) for row in rows]

    def logs(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("log-*"))[-2:])

    def outcome(self) -> tuple[Counter[str], Counter[int], Counter[str]]:
        """How many check runs each head has, summaries each pull request, and reports each head."""
        world = self.github.world
        runs = Counter(str(run["head_sha"]) for run in world.check_runs)
        comments = Counter({number: len(found) for number, found in world.comments.items() if found})
        with Store.open(self.url) as store:
            reports = Counter(head for head, _ in kept_reports(store))
        return runs, comments, reports

    def assert_each_once(self, numbers: range) -> None:
        heads = Counter(f"{number:040x}" for number in numbers)
        assert self.outcome() == (heads, Counter(numbers), heads), self.logs()

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.join()


@pytest.fixture
def workers(database_url: str, tmp_path: Path) -> Iterator[Workers]:
    """No worker yet; none outlives its test."""
    made = Workers(database_url, tmp_path)
    with ExitStack() as stack:
        stack.enter_context(made.github)
        stack.callback(made.end)
        yield made


class Killer:
    """Kills the worker when the nth request from now arrives, which is obeyed or not, and never answered."""

    def __init__(self, workers: Workers, *, obey: bool) -> None:
        self.workers, self.left, self.obey = workers, 0, obey
        workers.github.checks.append(self.count)

    def count(self, _: Request) -> None:
        self.left -= 1
        if self.left == 0:
            dying = self.workers.processes[-1]
            dying.kill()
            wait([dying.sentinel])  # the test joins it, and only one may
            if not self.obey:
                raise Refusal(500, "not obeyed")


@pytest.mark.slow
@pytest.mark.parametrize(("database_url", "obey"), [("sqlite", True), ("postgresql", False)], indirect=["database_url"])
def test_killed_at_every_request(workers: Workers, obey: bool):
    """Whether GitHub has done what it was asked for last, or never got to it.

    At every write, and once before each and after the last: nothing is remembered between two requests, so that of
    several questions in a row it does not matter which is the last.
    """
    killer = Killer(workers, obey=obey)
    workers.pull(1)
    workers.start()
    workers.finish()
    calls = [any(call is write for write in workers.github.writes) for call in workers.github.calls]
    workers.end()
    points = [place for place, writes in enumerate(calls) if writes or calls[place + 1 : place + 2] != [False]]
    assert len(calls) >= 8
    assert len(points) >= 4
    for number, place in enumerate(points, 2):
        workers.pull(number)
        killer.left = place + 1
        workers.died(workers.start())
    workers.start()
    workers.finish()
    workers.assert_each_once(range(1, len(points) + 2))


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_at_every_touch_of_the_database(workers: Workers):
    """Before and after each: what is on the books is done, what is done is not done again to another effect."""
    for number, step in enumerate(STEPS, 1):
        workers.pull(number)
        workers.died(workers.start(step))
    workers.start()
    workers.finish()
    workers.assert_each_once(range(1, len(STEPS) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_several_workers_one_dies(workers: Workers):
    """The others do its jobs, without being told, and it stays away."""
    workers.start()
    workers.finish()
    for number in range(1, 7):
        workers.pull(number)
    killer = Killer(workers, obey=True)
    killer.left = 12
    dying = workers.start()
    workers.died(dying)
    workers.start()
    workers.finish()
    workers.assert_each_once(range(1, 7))
