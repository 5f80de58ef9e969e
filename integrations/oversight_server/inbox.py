"""Deliveries, kept before GitHub is told so, and moved on to the queue once each.

A webhook is answered 202 when its delivery is on disk, and GitHub sends none twice by itself: what was answered must
survive. Waiting for the disk is what costs, so all deliveries that wait share one transaction (group commit): one
thread takes what there is, commits it, and meanwhile the next group gathers.

    put ──> waiting ──claim──> leased ──done──> moved on, payload gone, id kept for duplicates
               ▲                  │
               └── lease over ────┘   a dispatcher that died, or a queue that did not take it

A dispatcher claims with a lease, and with row locks that others skip where the database has them. What it moved on
without saying so (`kill -9` in between) is moved on again: the queue knows deliveries by their ids.

A body that is sent again under another id is another delivery, and harmless: reviews are keyed by what they review.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from oversight.audit.store.engine import reading, writing
from oversight.errors import OversightError, StoreError
from oversight_server.tables import deliveries

LEASE = timedelta(seconds=5)
"""For how long one dispatcher has a delivery to itself: what a killed one held is moved on after that."""

_GROUP = 500
_CAPACITY = 5_000
_CLAIMED_BYTES = 32 * 1024 * 1024
_LONGEST_PAUSE = timedelta(minutes=5)

_log = logging.getLogger("oversight.server")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook. `id` is X-GitHub-Delivery, `event` X-GitHub-Event, `payload` JSON of at most 25 MB."""

    id: str
    event: str
    payload: bytes
    received_at: datetime


class InboxFullError(OversightError):
    """More deliveries wait for the disk than memory should hold."""

    def __init__(self) -> None:
        super().__init__("too many deliveries wait for the database", mend="redeliver it later")


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    wanted: bool
    answer: asyncio.Future[bool]


class Inbox:
    """The table of deliveries. `start` before the first `put`, `close` after the last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = (postgresql if engine.dialect.name == "postgresql" else sqlite).insert
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._idle = threading.Event()
        self._idle.set()
        self.arrived = threading.Event()
        """Set whenever something was stored that the queue wants."""

    def start(self) -> None:
        """Start the thread that writes."""
        self._writer.start()

    def close(self, seconds: float) -> None:
        """Write what still waits, and stop."""
        if self._writer.is_alive():
            self._waiting.put(None)
            self._writer.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether deliveries can be stored as far as this process is concerned."""
        return self._writer.is_alive()

    async def put(self, delivery: Delivery, *, wanted: bool = True) -> bool:
        """Store a delivery and return True, or False where its id is known already; it is on disk then.

        One that is not `wanted` is known by its id alone and never moved on. StoreError, or InboxFullError, where
        it was not stored; cancelled, it may be.
        """
        if self._waiting.qsize() >= _CAPACITY:
            raise InboxFullError
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._idle.clear()  # first: the writer may be done with it before this thread goes on
        self._waiting.put(_Waiting(delivery, wanted, answer))
        return await answer

    def give_way(self, seconds: float) -> bool:
        """Wait while deliveries are being stored, for that long at most, and return whether none is any more.

        Senders hang up; what is stored can wait.
        """
        return self._idle.wait(seconds)

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, last = [first], False
            while len(group) < _GROUP and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                group.append(following)
            self._write_group(group)
            if self._waiting.empty():
                self._idle.set()
            if last:
                return

    def _write_group(self, group: Sequence[_Waiting]) -> None:
        fresh: set[str] = set()
        failure: StoreError | None = None
        try:
            fresh = self._store(group)
        except StoreError as error:
            failure = error
            _log.error("deliveries not stored", exc_info=error, extra={"fields": {"deliveries": len(group)}})
        except Exception as error:  # the thread lives on, or nothing would ever be stored again
            failure = StoreError("the delivery could not be stored", mend="see the server's log")
            _log.error("deliveries not stored", exc_info=error, extra={"fields": {"deliveries": len(group)}})
        group[0].answer.get_loop().call_soon_threadsafe(_answer, group, fresh, failure)
        if fresh:
            self.arrived.set()

    def _store(self, group: Iterable[_Waiting]) -> set[str]:
        """Commit a group and return the ids that were new."""
        # In one order everywhere: two processes that insert the same ids would otherwise lock each other out.
        rows = {
            one.delivery.id: {
                "id": one.delivery.id,
                "event": one.delivery.event,
                "received_at": one.delivery.received_at,
                "payload": one.delivery.payload if one.wanted else None,
                "moved_at": None if one.wanted else one.delivery.received_at,
                "attempts": 0,
            }
            for one in sorted(group, key=lambda one: one.delivery.id)
        }
        statement = self._insert(deliveries).on_conflict_do_nothing(index_elements=["id"]).returning(deliveries.c.id)
        with writing(self._engine) as connection:
            return set(connection.execute(statement, list(rows.values())).scalars())

    def claim(self, limit: int, *, now: datetime | None = None) -> list[Delivery]:
        """Lease the oldest deliveries that wait, in the order in which they were stored. Raises StoreError."""
        now = now or datetime.now(UTC)
        leased_until = deliveries.c.leased_until
        # No lease is that long: one beyond comes from a clock that was ahead.
        free = leased_until.is_(None) | (leased_until < now) | (leased_until > now + LEASE + _LONGEST_PAUSE)
        oldest = (
            select(deliveries.c.sequence, func.coalesce(func.length(deliveries.c.payload), 0).label("size"))
            .where(deliveries.c.moved_at.is_(None), free)
            .order_by(deliveries.c.sequence)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        lease = update(deliveries).values(leased_until=now + LEASE, attempts=deliveries.c.attempts + 1)
        with writing(self._engine) as connection:
            chosen = _fitting(connection.execute(oldest).all())
            columns = (deliveries.c.sequence, deliveries.c.id, deliveries.c.event, deliveries.c.payload,
                       deliveries.c.received_at)  # fmt: skip
            found = connection.execute(lease.where(deliveries.c.sequence.in_(chosen)).returning(*columns)).all()
        rows = sorted(found, key=lambda row: row.sequence)
        return [Delivery(row.id, row.event, row.payload, row.received_at) for row in rows]

    def done(self, ids: Collection[str]) -> None:
        """Forget the payloads of deliveries that the queue has. Raises StoreError."""
        statement = update(deliveries).where(deliveries.c.id.in_(ids))
        with writing(self._engine) as connection:
            connection.execute(statement.values(moved_at=datetime.now(UTC), payload=None, leased_until=None))

    def postpone(self, ids: Collection[str]) -> None:
        """Let deliveries that the queue did not take wait, longer after each attempt. Raises StoreError."""
        attempts = select(deliveries.c.id, deliveries.c.attempts).where(deliveries.c.id.in_(ids))
        with writing(self._engine) as connection:
            for row in connection.execute(attempts).all():
                pause = min(timedelta(seconds=2 ** min(row.attempts, 20)), _LONGEST_PAUSE)
                one = update(deliveries).where(deliveries.c.id == row.id)
                connection.execute(one.values(leased_until=datetime.now(UTC) + pause))

    def release(self, ids: Collection[str]) -> None:
        """Give leases back, for whoever comes next. Raises StoreError."""
        with writing(self._engine) as connection:
            connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(leased_until=None))

    def waiting(self) -> tuple[int, datetime | None]:
        """Return how many deliveries were not moved on yet, and when the oldest came. Raises StoreError."""
        statement = select(func.count(), func.min(deliveries.c.received_at)).where(deliveries.c.moved_at.is_(None))
        with reading(self._engine) as connection:
            number, oldest = connection.execute(statement).one()
        return number, oldest

    def forget(self, before: datetime) -> int:
        """Remove what was moved on before a moment, ids and all; return how many. Raises StoreError."""
        with writing(self._engine) as connection:
            return connection.execute(delete(deliveries).where(deliveries.c.moved_at < before)).rowcount


def _fitting(rows: Iterable[Any]) -> list[int]:
    """Return the sequences of the first rows, one at least, whose payloads are held in memory together."""
    chosen: list[int] = []
    left = _CLAIMED_BYTES
    for row in rows:
        left -= row.size
        if left < 0 and chosen:
            break
        chosen.append(row.sequence)
    return chosen


def _answer(group: Iterable[_Waiting], fresh: set[str], failure: StoreError | None) -> None:
    """Tell all who wait, on their event loop. Of one id in a group the first is new and the others are duplicates."""
    left = set(fresh)
    for one in group:
        if one.answer.done():  # who waited has gone
            left.discard(one.delivery.id)
        elif failure is not None:
            one.answer.set_exception(failure)
        else:
            one.answer.set_result(one.delivery.id in left)
            left.discard(one.delivery.id)
