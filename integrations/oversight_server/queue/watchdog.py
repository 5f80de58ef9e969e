"""Signs of life, and what is done where they end: the jobs of a worker that died go to others.

Each worker counts up a number of its own in the database. Whoever sees one stand still for long enough, by its own
clock and without having lost the database in between, takes that worker for dead: no two clocks are ever compared. One
that was merely slow finds its number gone, and its jobs with others; what it does besides is found done by them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Engine as Database
from sqlalchemy import delete, insert, select, update

from oversight.audit.store.engine import reading, writing
from oversight_server.queue.tables import workers


class Turns(Protocol):
    """What has been begun, and by whom."""

    def holders(self) -> set[str]:
        """Return the workers that have begun something and not ended it."""

    def hand_on(self, worker: str) -> list[str]:
        """Put back what a worker had begun that is no more."""


class Watchdog:
    """The pulse of one worker, and its eye on the others."""

    def __init__(
        self,
        database: Database,
        worker: str,
        turns: Turns,
        *,
        dead_after: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._worker = worker
        self._turns = turns
        self._dead_after = dead_after
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def beat(self) -> None:
        """Give a sign of life. Raises StoreError."""
        ours = workers.c.id == self._worker
        with writing(self._database) as connection:
            there = connection.execute(
                update(workers).where(ours).values(beat=workers.c.beat + 1).returning(workers.c.id)
            ).one_or_none()
            if there is None:
                connection.execute(insert(workers).values(id=self._worker, beat=1))

    def look(self) -> list[str]:
        """Hand on the jobs of the workers that died, and return who did. Raises StoreError."""
        now = self._clock()
        holders = self._turns.holders()  # before the numbers: who begins something has had one for longer
        with reading(self._database) as connection:
            beats = {row.id: row.beat for row in connection.execute(select(workers.c.id, workers.c.beat))}
        self._seen = {
            worker: known if (known := self._seen.get(worker)) is not None and known[0] == beat else (beat, now)
            for worker, beat in beats.items()
            if worker != self._worker
        }
        orphaned = sorted(holders - beats.keys() - {self._worker})
        for worker in orphaned:
            self._turns.hand_on(worker)
        dead = [worker for worker, (_, since) in self._seen.items() if now - since >= self._dead_after]
        return [*orphaned, *(worker for worker in dead if self._bury(worker))]

    def lost_sight(self) -> None:
        """Start to watch anew: while the database was away nobody could give a sign."""
        self._seen.clear()

    def leave(self) -> None:
        """Be missed by nobody. Raises StoreError."""
        with writing(self._database) as connection:
            connection.execute(delete(workers).where(workers.c.id == self._worker))

    def _bury(self, worker: str) -> bool:
        """Hand on what a dead worker had begun. Of several that want to, one does, the others wait and find it done."""
        beat, _ = self._seen.pop(worker)
        with writing(self._database) as connection:
            still = delete(workers).where(workers.c.id == worker, workers.c.beat == beat).returning(workers.c.id)
            if connection.execute(still).one_or_none() is None:
                return False
            self._turns.hand_on(worker)  # before the commit: if this one dies as well, the next finds both
        return True
