"""Memory for bodies: one budget, first come, first served, and given back whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from oversight_server.body import FREE, Budget, read


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_is_there_is_had_at_once():
    """As long as bytes are left nobody waits."""

    async def scene() -> None:
        budget = Budget(10)
        await budget.take(6)
        await budget.take(4)
        assert budget.left == 0
        budget.give_back(10)
        assert budget.left == 10

    asyncio.run(scene())


def test_who_came_first_is_served_first():
    """A small body does not overtake a large one for ever."""

    async def scene() -> None:
        budget, served = Budget(10), []

        async def take(amount: int) -> None:
            await budget.take(amount)
            served.append(amount)

        await budget.take(8)
        waiting = [asyncio.ensure_future(take(amount)) for amount in (9, 1)]
        await settle()
        assert served == []
        budget.give_back(8)
        await settle()
        assert served == [9, 1]
        await asyncio.gather(*waiting)

    asyncio.run(scene())


def test_who_gives_up_holds_up_nobody():
    """One that stops waiting leaves the place to those behind it."""

    async def scene() -> None:
        budget = Budget(10)
        await budget.take(8)
        first, second = (asyncio.ensure_future(budget.take(amount)) for amount in (9, 2))
        await settle()
        first.cancel()
        await settle()
        assert second.done()
        assert budget.left == 0

    asyncio.run(scene())


@given(st.lists(st.tuples(st.integers(1, 10), st.booleans(), st.integers(0, 3)), max_size=30))
def test_nothing_is_lost_and_nothing_taken_twice(bodies: list[tuple[int, bool, int]]):
    """However many come, give up and end: never more is out than there is, and in the end all of it is back."""

    async def scene() -> None:
        budget, out = Budget(10), 0

        async def read(amount: int, turns: int) -> None:
            nonlocal out
            await budget.take(amount)
            try:
                out += amount
                assert out <= budget.total
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                out -= amount
                budget.give_back(amount)

        tasks: list[asyncio.Task[Any]] = []
        for amount, gives_up, turns in bodies:
            work: Coroutine[Any, Any, None] = read(amount, turns)
            tasks.append(asyncio.ensure_future(work))
            await asyncio.sleep(0)
            if gives_up:
                tasks[len(tasks) // 2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not [task for task in tasks if not task.cancelled() and task.exception()]
        assert (budget.left, out) == (10, 0)

    asyncio.run(scene())


def test_a_length_beside_a_transfer_encoding_is_not_believed():
    """Whoever sends both would otherwise have any body read for the price of the length."""
    headers = [(b"content-length", b"10"), (b"transfer-encoding", b"chunked")]
    pieces = [b"x" * FREE, b"x"]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def scene() -> None:
        budget = Budget(1_000_000)
        request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
        async with read(request, limit=900_000, budget=budget, seconds=60, on_chunk=lambda _: None) as content:
            assert (len(content), budget.left) == (FREE + 1, 100_000)

    asyncio.run(scene())
