"""The thread that moves deliveries from the inbox on to the queue, in their order, once each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from oversight_server.inbox import Delivery, Inbox
from oversight_server.logs import bound

_BATCH = 50
_POLL = 1.0
_SWEEP = 3600.0
_COURTESY = 0.2  # seconds for which each delivery lets others be stored first: no storm keeps it for longer

_log = logging.getLogger("oversight.server")


class Jobs(Protocol):
    """What the dispatcher and the probes need of the queue."""

    @property
    def alive(self) -> bool:
        """Whether the queue works."""

    def start(self) -> None:
        """Begin to work, also on what was left by an earlier process."""

    def enqueue(self, delivery: Delivery) -> None:
        """Take a delivery over for good; the same id again does nothing. Raises where it cannot now."""

    def stop(self, seconds: float) -> object:
        """Finish what is running within `seconds`, leave the rest for later."""

    def stats(self) -> Mapping[str, int]:
        """How many jobs are queued, running and dead."""


class Dispatcher:
    """Moves deliveries on until it is closed. What a killed one had claimed is claimed again when its lease is over."""

    def __init__(self, inbox: Inbox, jobs: Jobs, *, keep: timedelta) -> None:
        self._inbox = inbox
        self._jobs = jobs
        self._keep = keep
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self._swept = -_SWEEP

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Stop after the delivery at hand; the others stay in the inbox."""
        if self._thread.is_alive():
            self._stopping.set()
            self._inbox.arrived.set()
            self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether deliveries are moved on."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._inbox.arrived.clear()
            try:
                moved = self._round()
                self._sweep()
            except Exception as error:  # a database that is away comes back, and the thread has to be there then
                _log.error("deliveries not moved on", exc_info=error)
                moved = 0
                self._stopping.wait(_POLL)
            if moved < _BATCH:
                self._inbox.arrived.wait(_POLL)

    def _round(self) -> int:
        """Move the oldest on and return how many were claimed."""
        claimed = self._inbox.claim(_BATCH)
        taken, refused = [], []
        for delivery in claimed:
            if self._stopping.is_set():
                break
            self._inbox.give_way(_COURTESY)
            with bound(delivery=delivery.id):
                try:
                    self._jobs.enqueue(delivery)
                except Exception as error:  # one that cannot be moved on holds up no other
                    _log.error("delivery not queued", exc_info=error)
                    refused.append(delivery.id)
                else:
                    taken.append(delivery.id)
        if taken:
            self._inbox.done(taken)
        if refused:
            self._inbox.postpone(refused)
        if left := [delivery.id for delivery in claimed[len(taken) + len(refused) :]]:
            self._inbox.release(left)
        return len(claimed)

    def _sweep(self) -> None:
        """Forget old deliveries now and then."""
        if time.monotonic() - self._swept >= _SWEEP:
            self._inbox.forget(datetime.now(UTC) - self._keep)
            self._swept = time.monotonic()
