"""A queue with a GitHub to work on: the double, a real database, and reviews that are made up.

with Works(url) as works:
    works.open()                    pull request 7 is there
    works.deliver("opened")         its delivery arrives
    works.rest()                    until there is nothing left to do
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Self

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from oversight.audit.store import Store, reading
from oversight.audit.store.tables import changes, reports
from oversight.changes.diff import render
from oversight.errors import StoreError
from oversight.reports import RiskReport
from oversight_github.client import Client
from oversight_github.events import Pull
from oversight_github.pace import Pace
from oversight_server.inbox import Delivery
from oversight_server.queue.book import Book
from oversight_server.queue.jobs import Jobs
from oversight_server.queue.model import Due, Job, Review
from oversight_server.queue.retries import Limits
from oversight_server.services import Options, Services
from tests.github.double import TOKEN, Double
from tests.github.routes import ISSUE, PULL, REPO
from tests.github.world import JSON
from tests.reports.examples import flagged_by_budget

INSTALLATION = 5
CHECK_RUNS = REPO + "/check-runs"
CHECK_RUN = CHECK_RUNS + "/{check_run_id}"
COMMENTS = ISSUE + "/comments"
PULL_ITSELF = PULL
HEAD = "a" * 40

FAST = Options(limits=Limits(attempts=3, first=0.01, longest=0.05), poll=0.05, beat=0.1, dead_after=1.0)
"""Nothing is waited for that a test does not want to see."""


@dataclass
class App:
    """The App, without tokens: clients of the double whose own patience is short."""

    url: str
    forgotten: list[int] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    hours: Iterator[int] = field(default_factory=count)

    @contextmanager
    def client(self, installation: int, repository: str) -> Iterator[Client]:
        assert installation == INSTALLATION
        if self.fails:
            raise self.fails.pop(0)
        unhurried = Pace(clock=lambda: next(self.hours) * 3600.0)
        with Client(repository, TOKEN, api_url=self.url, patience=0.0, pace=unhurried) as client:
            yield client

    def forget(self, installation: int) -> None:
        self.forgotten.append(installation)


@dataclass
class Reviews:
    """Reviews that are made up. `before` is called with each pull request; `fails` are raised first."""

    version: str = "model-1"
    report: RiskReport = field(default_factory=flagged_by_budget)
    calls: list[str] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    before: Callable[[Pull], None] = lambda _: None
    forgotten: list[str] = field(default_factory=list)

    def pull(self, pull: Pull, *, repository: str, installation: int) -> RiskReport:
        assert installation == INSTALLATION
        self.calls.append(pull.head_sha)
        self.before(pull)
        if self.fails:
            raise self.fails.pop(0)
        change = replace(self.report.change, head=pull.head_sha, id=pull.head_sha, repository=repository)
        return replace(self.report, id=pull.head_sha, change=change)

    def forget(self, repository: str) -> None:
        self.forgotten.append(repository)


@dataclass
class Counted:
    """Metrics that a test can read."""

    outcomes: list[str] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)

    def reviewed(self, outcome: str, seconds: float | None = None) -> None:
        self.outcomes.append(outcome)
        self.seconds.append(seconds)


class Works:
    """A queue at work in this process. `start=False`: it is not begun yet."""

    def __init__(self, url: str, options: Options = FAST, *, start: bool = True, sweep: float = 60.0) -> None:
        self.github = Double()
        self.store = Store.open(url)
        self.app = App(self.github.url)
        self.reviews = Reviews()
        self.metrics = Counted()
        self.services = Services(self.app, self.reviews, self.store, self.metrics, options)
        self._sweep = sweep
        self._start = start
        self.jobs = Jobs(self.services, clock=self.now, sweep=sweep)

    def __enter__(self) -> Self:
        self.github.__enter__()
        if self._start:
            self.jobs.start()
        return self

    def __exit__(self, *error: Any) -> None:
        if self.jobs.alive:
            self.jobs.stop(0)
        self.store.close()
        self.github.__exit__(*(error or (None, None, None)))

    def now(self) -> datetime:
        """The time on this GitHub, which goes on with whatever happens there."""
        return datetime.fromisoformat(self.github.world.now())

    def restart(self, options: Options | None = None) -> None:
        """Another process takes over, which another operator may have set up."""
        self.services = self.services if options is None else replace(self.services, options=options)
        if self.jobs.alive:
            self.jobs.stop(0)
        self.jobs = Jobs(self.services, clock=self.now, sweep=self._sweep)
        self.jobs.start()

    def open(self, number: int = 7, **changes: Any) -> JSON:
        """Make a pull request with the diff of the report."""
        diff = render([one for one in self.reviews.report.change.files if not one.binary])
        return self.github.world.pull(number, **{"diff": diff, "head_sha": HEAD, **changes})

    def push(self, head: str, number: int = 7) -> None:
        """The author pushes."""
        self.github.world.pulls[number]["head"]["sha"] = head
        self.touch(number)

    def close(self, number: int = 7, *, merged: bool = False) -> None:
        """Somebody closes the pull request."""
        world = self.github.world
        world.pulls[number].update(state="closed", merged=merged, closed_at=world.now())
        self.touch(number)

    def touch(self, number: int = 7) -> None:
        self.github.world.pulls[number]["updated_at"] = self.github.world.now()

    def payload(self, action: str, number: int = 7, **more: Any) -> JSON:
        """What GitHub sends of a pull request as it is now."""
        return json.loads(json.dumps({**self.origin(), "action": action,
                                      "pull_request": self.github.world.pulls[number], **more}))  # fmt: skip

    def origin(self, sender: str = "ann") -> JSON:
        world = self.github.world
        return {
            "repository": world.about(world.repository),
            "installation": {"id": INSTALLATION},
            "sender": world.user(sender),
        }

    def deliver(self, action: str, number: int = 7, **more: Any) -> str:
        """Deliver an event of a pull request as it is now, and return the delivery's id."""
        return self.send("pull_request", self.payload(action, number, **more))

    def send(self, event: str, payload: JSON, identity: str | None = None) -> str:
        identity = identity or str(uuid.uuid4())
        self.jobs.enqueue(Delivery(identity, event, json.dumps(payload).encode(), self.now()))
        return identity

    def rest(self, seconds: float = 60.0) -> None:
        """Wait until nothing is left to do."""
        self.until(self.idle, seconds)

    def idle(self) -> bool:
        """Whether nothing waits or runs, seen at one moment: a job that is put off goes from the one to the other."""
        now = self.jobs.stats()
        return not now["queued"] and not now["running"]

    def until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (dict(self.jobs.stats()), self.github.broken)
            time.sleep(0.02)

    def reports(self) -> list[tuple[str, int]]:
        """The heads and pull requests of the reports that were kept."""
        return kept_reports(self.store)

    def book_only(self) -> Due:
        """Put the review of pull request 7 on the books, and not into the queue."""
        due = Book(self.store.engine, self.now).take(Review("octo/repo", INSTALLATION, 7, HEAD), self.reviews.version)
        assert due is not None
        return due

    def patiently(self, do: Callable[[], object]) -> None:
        """Do it as often as it takes, as the dispatcher does while the database is away."""
        for _ in range(20):
            with suppress(StoreError, SQLAlchemyError):
                do()
                return
            time.sleep(0.2)
        do()

    def stats(self, name: str) -> int:
        return self.jobs.stats()[name]

    def dead(self) -> list[Job]:
        return self.jobs.dead()

    @property
    def run(self) -> JSON:
        """The newest check run."""
        return self.github.world.check_runs[-1]

    @property
    def posted(self) -> tuple[int, int]:
        """How many check runs and summary comments were made, also those that are gone."""
        return self.github.count("POST", CHECK_RUNS), self.github.count("POST", COMMENTS)


class Gate:
    """Holds whoever comes to `wait` until it is opened; `reached` is set by the first."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def wait(self, *_: object) -> None:
        self.reached.set()
        assert self.opened.wait(60)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def kept_reports(store: Store) -> list[tuple[str, int]]:
    """The heads and pull requests of the reports in a store."""
    query = select(changes.c.commit, reports.c.number).join_from(reports, changes)
    with reading(store.engine) as connection:
        return [(row.commit, row.number) for row in connection.execute(query)]
