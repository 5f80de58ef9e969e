"""Request bodies: read no further than a limit, and together never more than a fixed amount of memory.

Whoever is not known yet may send bytes but not make the server hold many of them: up to `FREE` bytes of a body are
covered by the limit on connections, and what goes beyond is taken from one `Budget` as it arrives, so that a length
that is only announced costs nothing. Bodies that each hold a part and wait for the rest would wait for each other for
ever: so bytes are given out only as long as all bodies could still come to their end, one after the other. A body that
comes too slowly, or not before a deadline, is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from oversight_server.errors import Problem

FREE = 64 * 1024

WINDOW = 2.0
"""Seconds in which a body that is beyond `FREE` has to bring another `LEAST` bytes."""

LEAST = 64 * 1024


@dataclass(eq=False)
class Share:
    """What one body holds of a budget, and the most that it may come to hold."""

    most: int
    held: int = 0

    @property
    def missing(self) -> int:
        """Bytes that it may still ask for."""
        return self.most - self.held


class Budget:
    """Bytes that all bodies together may hold beyond the first `FREE` of each."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._shares: set[Share] = set()
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def left(self) -> int:
        """Bytes that nobody holds."""
        return self.total - sum(share.held for share in self._shares)

    def join(self, share: Share) -> None:
        """Let a body take part, which holds nothing yet. `ValueError` where it may need more than there is."""
        if share.held or share.most > self.total:
            raise ValueError("no such share fits into the budget")
        self._shares.add(share)

    async def take(self, share: Share, amount: int) -> None:
        """Wait until another `amount` of bytes can be had, and take them."""
        while not self._granted(share, amount):
            change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(change)
            try:
                await change
            finally:
                self._waiting.discard(change)

    def settle(self, share: Share) -> None:
        """Note that a body is there: it will need no more."""
        share.most = share.held
        self._changed()

    def leave(self, share: Share) -> None:
        """Take back what a body holds."""
        self._shares.discard(share)
        self._changed()

    def _granted(self, share: Share, amount: int) -> bool:
        share.held += amount
        if self._safe():
            return True
        share.held -= amount
        return False

    def _safe(self) -> bool:
        """Whether all could be read to their end one after the other, least missing first: the banker's algorithm."""
        left = self.left
        for share in sorted(self._shares, key=lambda one: one.missing):
            if share.missing > left:
                return False
            left += share.held
        return left >= 0

    def _changed(self) -> None:
        for change in self._waiting:
            if not change.done():
                change.set_result(None)


@asynccontextmanager
async def read(
    request: Request, *, limit: int, budget: Budget, seconds: float, on_chunk: Callable[[bytes], None]
) -> AsyncIterator[bytes]:
    """Give the body of `request`, and keep its share of the budget for the length of the block.

    `on_chunk` sees each piece as it comes. Raises Problem: 413 above `limit` bytes, without reading on; 408 where the
    body is not there after `seconds`, or comes too slowly; 503 where there was no memory for it; 400 where the sender
    has left.
    """
    announced = refuse_large(request, limit)
    share = Share(max(0, (limit if announced is None else announced) - FREE))
    budget.join(share)
    try:
        yield bytes(await _Reading(budget, share, limit, seconds, on_chunk).read(request))
    finally:
        budget.leave(share)


class _Reading:
    """One body on its way."""

    def __init__(
        self, budget: Budget, share: Share, limit: int, seconds: float, on_chunk: Callable[[bytes], None]
    ) -> None:
        self._budget, self._share, self._limit = budget, share, limit
        self._on_chunk = on_chunk
        self._body = bytearray()
        self._now = asyncio.get_running_loop().time
        self._since = self._now()  # when the window began, and with how many bytes
        self._counted = 0
        self._end = self._since + seconds
        self._starved = False

    async def read(self, request: Request) -> bytearray:
        """Return all of it. Raises Problem."""
        try:
            async with asyncio.timeout_at(self._end) as deadline:
                async for chunk in request.stream():
                    await self._take(chunk, deadline)
        except TimeoutError:
            if self._starved:
                raise Problem(503, "too many large bodies at once", mend="send it again later", close=True) from None
            raise Problem(408, "the body did not come in time", mend="send it again", close=True) from None
        except ClientDisconnect:
            raise Problem(400, "the body was cut off", mend="send it again", close=True) from None
        self._budget.settle(self._share)
        return self._body

    async def _take(self, chunk: bytes, deadline: asyncio.Timeout) -> None:
        size = len(self._body) + len(chunk)
        if size > self._limit:
            raise too_large(self._limit)
        if size > FREE:
            await self._claim(size - FREE - self._share.held, deadline)
        self._body += chunk
        self._on_chunk(chunk)
        if size - self._counted >= LEAST:
            self._counted, self._since = size, self._now()
        if size > FREE:
            deadline.reschedule(min(self._end, self._since + WINDOW))

    async def _claim(self, amount: int, deadline: asyncio.Timeout) -> None:
        asked = self._now()
        deadline.reschedule(self._end)
        self._starved = True
        await self._budget.take(self._share, amount)
        self._starved = False
        self._since += self._now() - asked  # who waits for us is not slow


def refuse_large(request: Request, limit: int) -> int | None:
    """Return the length that the request gives its body, None where it gives none; Problem 413 above `limit` bytes."""
    length = request.headers.get("content-length")
    # Beside a transfer encoding it says nothing of the body.
    if length is None or "transfer-encoding" in request.headers:
        return None
    if not length.isdecimal() or len(length) > 18 or int(length) > limit:
        raise too_large(limit)
    return int(length)


def too_large(limit: int) -> Problem:
    """Return the answer to a body of more than `limit` bytes."""
    return Problem(413, f"the body has more than {limit:,} bytes", mend="send less", close=True)
