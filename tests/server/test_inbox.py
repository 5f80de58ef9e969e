"""Deliveries in the database: on disk before anybody is told so, known again, claimed by one dispatcher at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, inspect, select

from oversight.errors import StoreError
from oversight_server import inbox as inbox_module
from oversight_server.database import open_database
from oversight_server.inbox import LEASE, Delivery, Inbox, InboxFullError
from oversight_server.tables import deliveries, metadata
from tests.server.conftest import running

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def delivery(identity: str, payload: bytes = b"{}") -> Delivery:
    """A delivery of that id."""
    return Delivery(identity, "push", payload, NOW)


def put(inbox: Inbox, *wanted: Delivery) -> list[bool]:
    """Put deliveries all at once."""

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(inbox.put(one) for one in wanted))

    return asyncio.run(all_of_them())


def ids(found: list[Delivery]) -> list[str]:
    return [one.id for one in found]


def test_the_migrations_make_the_tables(engine: Engine):
    """What the migrations make is what the code believes to be there; a second opening changes nothing."""
    inspector = inspect(engine)
    for table in metadata.tables.values():
        columns = {column["name"]: column for column in inspector.get_columns(table.name)}
        assert set(columns) == set(table.columns.keys())
        for column in table.columns:
            assert columns[column.name]["nullable"] == column.nullable, column
        made = {index["name"] for index in inspector.get_indexes(table.name) if not index.get("duplicates_constraint")}
        assert made == {index.name for index in table.indexes}
    open_database(engine.url.render_as_string(hide_password=False)).dispose()


def test_what_was_put_is_claimed_as_it_came(inbox: Inbox):
    """Every byte and moment of a delivery comes back, in the order in which they were stored."""
    wanted = Delivery("d-1", "push", bytes(range(256)), NOW)
    assert put(inbox, wanted) == [True]
    assert put(inbox, delivery("d-0")) == [True]
    assert inbox.claim(10) == [wanted, delivery("d-0")]


def test_an_id_is_new_once(inbox: Inbox):
    """The first of one id is new; whatever comes later or at the same time with it is not."""
    assert put(inbox, delivery("d-1"), delivery("d-2"), delivery("d-1")) == [True, True, False]
    assert put(inbox, delivery("d-1"), delivery("d-3")) == [False, True]
    assert sorted(ids(inbox.claim(10))) == ["d-1", "d-2", "d-3"]


def test_an_id_stays_known_when_its_delivery_was_moved_on(inbox: Inbox, engine: Engine):
    """What the queue has is no longer kept, but for the id."""
    put(inbox, delivery("d-1", b"code"))
    inbox.claim(10)
    inbox.done(["d-1"])
    assert inbox.claim(10, now=datetime.now(UTC) + 2 * LEASE) == []
    with engine.connect() as connection:
        assert connection.execute(select(deliveries.c.payload)).scalar_one() is None
    assert put(inbox, delivery("d-1")) == [False]


def test_what_leads_to_nothing_is_known_and_never_claimed(inbox: Inbox):
    """A delivery that is not wanted leaves its id and nothing else."""
    assert asyncio.run(inbox.put(delivery("d-1"), wanted=False)) is True
    assert asyncio.run(inbox.put(delivery("d-1"), wanted=False)) is False
    assert inbox.claim(10) == []
    assert inbox.waiting() == (0, None)


def test_a_lease_keeps_others_away_until_it_is_over(inbox: Inbox):
    """What one dispatcher has claimed no other gets, unless nothing was heard of it for the length of a lease."""
    put(inbox, delivery("d-1"))
    now = datetime.now(UTC)
    assert ids(inbox.claim(10, now=now)) == ["d-1"]
    assert inbox.claim(10, now=now + LEASE / 2) == []
    assert ids(inbox.claim(10, now=now + LEASE * 1.1)) == ["d-1"]


def test_a_clock_that_was_ahead_holds_nothing_up(inbox: Inbox):
    """A lease that a process took when its clock was a day ahead does not last for a day."""
    put(inbox, delivery("d-1"))
    now = datetime.now(UTC)
    inbox.claim(10, now=now + timedelta(days=1))
    assert ids(inbox.claim(10, now=now)) == ["d-1"]


def test_leases_are_given_back(inbox: Inbox):
    """A dispatcher that stops leaves nothing that others have to wait for."""
    put(inbox, delivery("d-1"))
    inbox.claim(10)
    inbox.release(["d-1"])
    assert ids(inbox.claim(10)) == ["d-1"]


def test_what_fails_waits_longer_each_time_and_not_for_ever(inbox: Inbox):
    """The pauses double from two seconds to five minutes."""
    put(inbox, delivery("d-1"))
    ahead = timedelta(0)
    for pause in (2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        assert ids(inbox.claim(10, now=datetime.now(UTC) + ahead)) == ["d-1"]
        inbox.postpone(["d-1"])
        assert inbox.claim(10, now=datetime.now(UTC) + timedelta(seconds=pause / 2)) == []
        ahead = timedelta(seconds=pause)


def test_two_dispatchers_share_the_work(engine: Engine):
    """Whoever claims at the same time gets other deliveries, none twice and none left out."""
    with running(engine) as inbox:
        put(inbox, *(delivery(f"d-{number}") for number in range(200)))
        claimed: list[str] = []
        together = threading.Barrier(4)

        def work() -> None:
            together.wait()
            while found := Inbox(engine).claim(7):
                claimed.extend(ids(found))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rest = ids(inbox.claim(500))  # what was locked by another one at the end of a round
        assert sorted(claimed + rest) == sorted(f"d-{number}" for number in range(200))


def test_two_processes_put_the_same_ids_at_once(engine: Engine):
    """Groups of the same ids in any order neither lock each other out nor are new twice."""
    names = [f"d-{number}" for number in range(100)]
    fresh: list[bool] = []

    def work(order: list[str]) -> None:
        with running(engine) as inbox:
            fresh.extend(put(inbox, *map(delivery, order)))

    threads = [threading.Thread(target=work, args=(order,)) for order in (names, names[::-1], names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (fresh.count(True), len(fresh)) == (100, 300)


def test_all_that_wait_share_a_commit(engine: Engine):
    """While one group is written the next one gathers: two hundred deliveries cost a few commits."""
    commits = 0
    gate = threading.Event()

    def note(_: object) -> None:
        nonlocal commits
        commits += 1
        gate.wait(30)

    with running(engine) as inbox:
        event.listen(engine, "commit", note)

        async def burst() -> list[bool]:
            first = asyncio.ensure_future(inbox.put(delivery("first")))
            await asyncio.sleep(0.2)
            others = [asyncio.ensure_future(inbox.put(delivery(f"d-{number}"))) for number in range(200)]
            await asyncio.sleep(0)
            gate.set()
            return await asyncio.gather(first, *others)

        assert asyncio.run(burst()) == [True] * 201
        event.remove(engine, "commit", note)
    assert commits <= 3


def test_what_is_stored_gives_way_to_what_is_not(engine: Engine):
    """Others wait while a delivery is on its way to the disk, no longer than they say, and not when nothing comes."""
    gate = threading.Event()

    def hold(_: object) -> None:
        gate.wait(30)

    with running(engine) as inbox:
        assert inbox.give_way(0)
        event.listen(engine, "commit", hold)

        async def during() -> bool:
            storing = asyncio.ensure_future(inbox.put(delivery("d-1")))
            await asyncio.sleep(0)
            assert not await asyncio.to_thread(inbox.give_way, 0.05)
            gate.set()
            return await storing

        assert asyncio.run(during())
        event.remove(engine, "commit", hold)
        assert inbox.give_way(30)


def test_a_claim_holds_a_bounded_amount_of_payloads(inbox: Inbox, monkeypatch: pytest.MonkeyPatch):
    """Deliveries are claimed as far as memory goes, and one that is larger than that alone."""
    monkeypatch.setattr(inbox_module, "_CLAIMED_BYTES", 250)
    for number, size in enumerate((100, 100, 100, 1000, 100)):
        put(inbox, delivery(f"d-{number}", bytes(size)))
    assert [ids(inbox.claim(10)) for _ in range(4)] == [["d-0", "d-1"], ["d-2"], ["d-3"], ["d-4"]]


def test_more_than_memory_should_hold_is_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """Where the disk does not keep up, senders are told so instead of being piled up."""
    monkeypatch.setattr(inbox_module, "_CAPACITY", 3)
    inbox = Inbox(engine)  # whose writer was not started, like one that waits for the disk

    async def overflow() -> None:
        waiting = [asyncio.ensure_future(inbox.put(delivery(f"d-{number}"))) for number in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(InboxFullError):
            await inbox.put(delivery("d-4"))
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(overflow())


def broken(engine: Engine) -> Callable[[], None]:
    """Let every commit of an engine fail until the result is called."""

    def fail(_: object) -> None:
        raise OSError("the disk is gone")

    event.listen(engine, "commit", fail)
    return lambda: event.remove(engine, "commit", fail)


def test_who_waits_is_told_that_nothing_was_stored(inbox: Inbox, engine: Engine):
    """A commit that fails, for whatever reason, fails all that shared it; the next one works."""
    mend = broken(engine)
    with pytest.raises(StoreError):
        put(inbox, delivery("d-1"))
    mend()
    assert inbox.alive
    assert put(inbox, delivery("d-1")) == [True]
    assert ids(inbox.claim(10)) == ["d-1"]


def test_closing_writes_what_still_waits(engine: Engine):
    """A server that stops keeps what it has taken."""

    async def race() -> list[bool]:
        inbox = Inbox(engine)
        inbox.start()
        waiting = [asyncio.ensure_future(inbox.put(delivery(f"d-{number}"))) for number in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(inbox.close, 30)
        return await asyncio.gather(*waiting)

    assert asyncio.run(race()) == [True] * 50


def test_how_much_waits_and_for_how_long(inbox: Inbox):
    """What the queue does not have yet is counted, with the moment of the oldest."""
    assert inbox.waiting() == (0, None)
    put(inbox, delivery("d-1"), Delivery("d-2", "push", b"{}", NOW + timedelta(seconds=5)))
    assert inbox.waiting() == (2, NOW)
    inbox.claim(1)
    inbox.done(["d-1"])
    assert inbox.waiting() == (1, NOW + timedelta(seconds=5))


def test_old_ids_are_forgotten_and_nothing_that_waits(inbox: Inbox):
    """After the days that the operator names an id is gone; a delivery that was not moved on never goes."""
    put(inbox, delivery("d-1"), delivery("d-2"))
    inbox.done(["d-1"])
    assert inbox.forget(datetime.now(UTC) - timedelta(days=1)) == 0
    assert inbox.forget(datetime.now(UTC) + timedelta(days=1)) == 1
    assert ids(inbox.claim(10)) == ["d-2"]
