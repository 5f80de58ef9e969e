"""A turn of a job: it is begun, done, and closed or put off.

What comes of it goes on the books before it closes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from oversight.errors import OversightError
from oversight.reports.escape import terminal
from oversight_server.handlers import Desk, perform
from oversight_server.logs import bound
from oversight_server.queue import retries
from oversight_server.queue.book import Book
from oversight_server.queue.model import Chore, Due, Job, Kind, State, Task
from oversight_server.services import Services

_SHOWN = 300
_CRASHED = "it ended the worker that did it, several times"

_log = logging.getLogger("oversight.server")


class Worker:
    """Does turns. `take` puts a task on the books and into the queue, `put` a turn into the queue after seconds."""

    def __init__(
        self,
        book: Book,
        services: Services,
        *,
        take: Callable[[Task], None],
        put: Callable[[Due, float], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._services = services
        self._take = take
        self._put = put
        self._clock = clock
        self.leaving = threading.Event()
        """Set when what is being done goes to others: it fails, and that says nothing of it."""

    def run(self, due: Due) -> str:
        """Do a turn, and return what came of it in a word. Never raises; what is left undone is found by the sweep."""
        with bound(job=due.id):
            try:
                job = self._book.claim(due)
                return "not wanted" if job is None else self._do(job)
            except Exception as error:
                _log.error("a turn was not closed", exc_info=error)
                return "lost"

    def _do(self, job: Job) -> str:
        limits = self._services.options.limits
        if job.runs > limits.crashes:
            return self._give_up(job, _CRASHED)
        with bound(delivery=job.cause, repository=job.repository, pull=job.number, head=job.head):
            try:
                done = perform(job, self._desk(job))
            except Exception as error:
                return self._failed(job, error)
            for task in done.then:
                self._take(task)
            self._book.finish(job, done.state, base=done.base)
            if job.kind is Kind.REVIEW and done.state is State.SUPERSEDED:
                self._services.metrics.reviewed("superseded")
            _log.info("job done", extra={"fields": {"outcome": done.outcome}})
            return done.outcome

    def _desk(self, job: Job) -> Desk:
        return Desk(
            services=self._services,
            running=lambda: self._book.running(job),
            repositories=self._book.repositories,
            strike=lambda repository: self._book.forget(repository, job.created_at),
            now=self._clock,
            last=job.tries + 1 >= self._services.options.limits.attempts,
            reviews=self._book.reviews,
        )

    def _failed(self, job: Job, error: Exception) -> str:
        if self.leaving.is_set():
            return "handed on"
        said = _said(error)
        later = retries.after(error, job, self._services.options.limits, self._clock())
        if later is None:
            _log.error("job given up", exc_info=_unforeseen(error), extra={"fields": {"error": said}})
            return self._give_up(job, said)
        told = {"error": said, "seconds": round(later.seconds, 1)}
        _log.warning("job put off", exc_info=_unforeseen(error), extra={"fields": told})
        again = self._book.again(job, said, counted=later.counted, waits=later.waits)
        if again is None:
            return "not wanted"
        self._put(again, later.seconds)
        return "put off"

    def _give_up(self, job: Job, why: str) -> str:
        if job.kind is Kind.REVIEW and job.repository is not None:
            # First: killed in between, the job is given up again. What is told finds out whether that is so.
            told = {"review": job.id, "head": job.head, "why": why}
            cause = f"{job.id}/{job.turn}"
            self._take(Chore(Kind.GIVE_UP, cause, job.installation, job.repository, job.number, told))
        if self._book.finish(job, State.DEAD, why) and job.kind is Kind.REVIEW:
            self._services.metrics.reviewed("dead")
        return "dead"


def _unforeseen(error: Exception) -> Exception | None:
    return None if isinstance(error, OversightError) else error


def _said(error: Exception) -> str:
    """Return what may be kept of an error: of others than ours the kind alone, since they may tell of code."""
    return terminal(str(error), _SHOWN) if isinstance(error, OversightError) else type(error).__name__
