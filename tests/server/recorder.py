"""A queue that remembers what it was given, once each as the real one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from oversight_server.inbox import Delivery


class Recorder:
    """Holds deliveries in the order in which they were moved on. `before` is called with each, and may raise."""

    def __init__(self, before: Callable[[Delivery], None] = lambda _: None) -> None:
        self.before = before
        self.deliveries: dict[str, Delivery] = {}
        self.asked: list[str] = []
        self.alive = False
        self._changed = threading.Condition()

    def start(self) -> None:
        self.alive = True

    def stop(self, seconds: float) -> None:  # noqa: ARG002  # as the real one
        self.alive = False

    def stats(self) -> Mapping[str, int]:
        return {"queued": len(self.deliveries), "running": 0, "dead": 0}

    def enqueue(self, delivery: Delivery) -> None:
        self.asked.append(delivery.id)
        self.before(delivery)
        with self._changed:
            self.deliveries.setdefault(delivery.id, delivery)
            self._changed.notify_all()

    def wait(self, number: int) -> list[str]:
        """Wait until that many deliveries are here, and return their ids."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.deliveries) >= number, timeout=60), self.deliveries.keys()
            return list(self.deliveries)
