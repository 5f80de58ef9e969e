"""Memory for bodies: one budget, taken as bytes arrive, never so that nobody could go on, and given back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from oversight_server import body
from oversight_server.body import FREE, Budget, Share, read
from oversight_server.errors import Problem


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


def joined(budget: Budget, *most: int) -> list[Share]:
    """Bodies that may come to hold so much."""
    shares = [Share(one) for one in most]
    for share in shares:
        budget.join(share)
    return shares


def test_what_is_only_announced_costs_nothing():
    """However many large bodies there may be: who brings bytes gets room for them at once."""

    async def scene() -> None:
        budget = Budget(10)
        *large, small = joined(budget, *[10] * 100, 8)
        waiting = [asyncio.ensure_future(budget.take(share, 1)) for share in large]
        await settle()
        await budget.take(small, 8)
        assert (budget.left, small.held) == (1, 8)
        for one in waiting:
            one.cancel()

    asyncio.run(scene())


def test_nobody_gets_what_others_need_to_come_to_their_end():
    """Of two that may each come to need all, one goes on when the other has ended."""

    async def scene() -> None:
        budget = Budget(10)
        first, second = joined(budget, 10, 10)
        await budget.take(first, 6)
        waiting = asyncio.ensure_future(budget.take(second, 1))
        await settle()
        assert not waiting.done()
        await budget.take(first, 4)
        budget.leave(first)
        await waiting
        assert budget.left == 9

    asyncio.run(scene())


def test_a_body_that_is_there_needs_no_more():
    """What it might have come to is free for others before it has gone itself."""

    async def scene() -> None:
        budget = Budget(10)
        first, second = joined(budget, 10, 6)
        await budget.take(first, 4)
        waiting = asyncio.ensure_future(budget.take(second, 6))
        await settle()
        budget.settle(first)
        await waiting
        assert budget.left == 0

    asyncio.run(scene())


def test_a_share_that_could_never_be_had_is_none():
    """It would wait for ever."""
    with pytest.raises(ValueError, match="no such share"):
        Budget(10).join(Share(11))


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans(), st.integers(1, 4)), max_size=30))
def test_all_come_to_their_end_and_nothing_is_lost(bodies: list[tuple[int, bool, int]]):
    """However many come, in however small pieces, and give up: none waits for ever, and in the end all is back."""

    async def scene() -> None:
        budget = Budget(10)

        async def read(most: int, piece: int) -> None:
            share = Share(most)
            budget.join(share)
            try:
                while share.missing:
                    await budget.take(share, min(piece, share.missing))
                    assert budget.left >= 0
                    await asyncio.sleep(0)
                budget.settle(share)
            finally:
                budget.leave(share)

        tasks: list[asyncio.Task[Any]] = []
        for most, gives_up, piece in bodies:
            tasks.append(asyncio.ensure_future(read(most, piece)))
            await asyncio.sleep(0)
            if gives_up:
                tasks[len(tasks) // 2].cancel()
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert not [task for task in tasks if not task.cancelled() and task.exception()]
        assert budget.left == 10

    asyncio.run(scene())


def test_a_body_that_stalls_holds_nothing_for_long(monkeypatch: pytest.MonkeyPatch):
    """Beyond what is free bytes have to keep coming, long before the deadline for all of it."""
    monkeypatch.setattr(body, "WINDOW", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def scene() -> None:
        budget = Budget(1_000_000)
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        with pytest.raises(Problem) as refused:
            async with read(request, limit=900_000, budget=budget, seconds=600, on_chunk=lambda _: None):
                pass
        assert (refused.value.status, budget.left) == (408, 1_000_000)

    pieces = iter([b"x" * FREE, *[b"x"] * 100_000])
    asyncio.run(scene())


def test_a_length_beside_a_transfer_encoding_is_not_believed():
    """Whoever sends both has any body counted by what comes of it."""
    headers = [(b"content-length", b"10"), (b"transfer-encoding", b"chunked")]
    pieces = [b"x" * FREE, b"x"]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def scene() -> None:
        budget = Budget(1_000_000)
        request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
        async with read(request, limit=900_000, budget=budget, seconds=60, on_chunk=lambda _: None) as content:
            assert (len(content), budget.left) == (FREE + 1, 999_999)

    asyncio.run(scene())
