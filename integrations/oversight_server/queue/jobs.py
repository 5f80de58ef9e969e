"""The queue as the server sees it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from oversight.audit.store.migrate import migrate
from oversight_github.events import EventError, received
from oversight_server.handlers import Asked, tasks
from oversight_server.inbox import Delivery
from oversight_server.queue.book import Book
from oversight_server.queue.engine import Engine
from oversight_server.queue.model import Chore, Due, Job, Kind, Review, Task
from oversight_server.queue.tables import VERSION_TABLE
from oversight_server.queue.watchdog import Watchdog
from oversight_server.queue.worker import Worker
from oversight_server.services import Services

_MIGRATIONS = Path(__file__).with_name("migrations")
_SWEEP = 60.0  # seconds between two looks for jobs that the queue has lost
_TIDY = 3600.0
_REPOSITORIES = 200  # of which GitHub is asked in one round, each with one request
_TURNS = timedelta(days=1)  # how long the queue remembers what was done; the books do for longer

_log = logging.getLogger("oversight.server")


class Jobs:
    """The jobs of one server process. One to a process.

    All processes that share a database share the queue. `clock` says what time it is, time-zone aware; `sweep` are the
    seconds between two looks for jobs that the queue has lost.
    """

    def __init__(
        self,
        services: Services,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sweep: float = _SWEEP,
    ) -> None:
        options = services.options
        self._services = services
        self._clock = clock
        self._every = sweep
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        database = services.ledger.engine
        self._book = Book(database, clock)
        self._worker = Worker(self._book, services, take=self._take, put=self._put, clock=clock)
        self._engine = Engine(database.url, self._name, self._worker.run, workers=options.workers, poll=options.poll)
        self._watchdog = Watchdog(database, self._name, self._engine, dead_after=options.dead_after)
        self._model = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="watchdog", daemon=True)
        self._swept = self._tidied = -_TIDY
        self._reconciled: int | None = None

    @property
    def alive(self) -> bool:
        """Whether jobs are done and looked after."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Make or migrate the tables, and begin to work, also on what other processes have left. Raises StoreError."""
        migrate(self._services.ledger.engine, _MIGRATIONS, version_table=VERSION_TABLE)
        self._watchdog.beat()  # first: whoever begins a job has to be known
        self._engine.start()
        self._thread.start()

    def enqueue(self, delivery: Delivery) -> None:
        """Take a delivery over for good; the same one again does nothing. Raises where the database fails, and where
        the model cannot be loaded: then it is taken when it can.

        What cannot be understood is logged and left: it would not be any better the next time.
        """
        try:
            event, origin = received(delivery.event, delivery.payload)
        except EventError as error:
            _log.warning("delivery not understood", exc_info=error)
            return
        drafts = self._services.options.drafts
        asked = Asked.of(origin, delivery.id, delivery.received_at, drafts=drafts)
        for task in tasks(event, asked, self._book.pulls):
            self._take(task)

    def stop(self, seconds: float) -> int:
        """Begin nothing more, wait so long for what is being done, and hand on the rest; return how much that was."""
        self._stopping.set()
        self._engine.stop(seconds)
        self._worker.leaving.set()
        left = self._engine.hand_on(self._name)
        self._book.rested(left)
        self._thread.join(self._services.options.beat + 1.0)
        self._watchdog.leave()
        self._engine.close()
        return len(left)

    def stats(self) -> Mapping[str, int]:
        """Return how many jobs are queued, running and dead, in all processes."""
        return self._book.stats()

    def dead(self, limit: int = 100) -> list[Job]:
        """Return the jobs that were given up, the newest first."""
        return self._book.dead(limit)

    def retry(self, identity: str) -> bool:
        """Give a job that was given up all its attempts again; whether there was one of that id."""
        due = self._book.revive(identity)
        if due is not None:
            self._engine.put(due)
        return due is not None

    def retry_all(self) -> int:
        """Give all jobs that were given up their attempts again, and return how many there were."""
        count = 0
        while dues := self._book.revive_all():
            for due in dues:
                self._engine.put(due)
            count += len(dues)
        return count

    def _take(self, task: Task) -> None:
        if isinstance(task, Review) and not self._model:
            self._model = self._services.reviews.version  # asked once: it may take a child process to know
        due = self._book.take(task, self._model)
        if due is not None:
            self._engine.put(due)

    def _put(self, due: Due, seconds: float) -> None:
        self._engine.put(due, seconds)

    def _look_after(self) -> None:
        while not self._stopping.wait(self._services.options.beat):
            try:
                self._watchdog.beat()
                for worker in self._watchdog.look():
                    _log.warning("a worker died; others do its jobs", extra={"fields": {"worker": worker}})
                if time.monotonic() - self._swept >= self._every:
                    self._sweep()
                    self._swept = time.monotonic()
                self._reconcile()
                if time.monotonic() - self._tidied >= _TIDY:
                    self._tidy()
                    self._tidied = time.monotonic()
            except Exception as error:  # the database comes back, and this thread has to be there then
                self._watchdog.lost_sight()
                _log.error("the queue could not be looked after", exc_info=error)

    def _sweep(self) -> None:
        """Put back what is on the books and not in the queue, or was left by a turn that ended without closing it."""
        old = self._book.active(self._clock() - timedelta(seconds=self._every))
        by_due = {Due(job.id, job.turn, job.place): job for job in old}
        standing = self._engine.standing(by_due)
        self._book.seen([due.id for due, going in standing.items() if going])
        for due, job in by_due.items():
            if due not in standing:
                self._engine.put(due)
            elif not standing[due] and (again := self._book.anew(job)) is not None:
                self._engine.put(again)

    def _reconcile(self) -> None:
        """Ask GitHub now and then, and after the start, what deliveries should have told; once for all processes."""
        every = self._services.options.reconcile
        slot = int(self._clock().timestamp() // every) if every > 0 else None
        if slot == self._reconciled:
            return
        for repository, installation in self._book.busiest(_REPOSITORIES):
            self._take(Chore(Kind.RECONCILE, f"{repository.lower()}@{slot}", installation, repository))
        self._reconciled = slot

    def _tidy(self) -> None:
        now = self._clock()
        self._book.tidy(now - timedelta(days=self._services.options.keep_days))
        self._engine.tidy(now - _TURNS)
