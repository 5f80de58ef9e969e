"""Request bodies: read no further than a limit, and together never more than a fixed amount of memory.

Whoever is not known yet may send bytes but not make the server hold many of them: up to `FREE` bytes of a body are
covered by the limit on connections, and what goes beyond is taken from one `Budget`, for which large bodies wait. A
body takes all that it may need at once: bodies that each hold a part and wait for the rest would wait for each other.
All of it has to end before a deadline, so that bodies which never come do not keep the budget.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from oversight_server.errors import Problem

FREE = 64 * 1024


class Budget:
    """Bytes that all bodies together may take beyond the first `FREE` of each. First come, first served."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._left = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def left(self) -> int:
        """Bytes that nobody has taken."""
        return self._left

    async def take(self, amount: int) -> None:
        """Wait until `amount` bytes are left, and take them."""
        if not self._waiting and amount <= self._left:
            self._left -= amount
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._left += amount
            self._serve()
            raise

    def give_back(self, amount: int) -> None:
        """Return bytes, and let those go on who wait for them."""
        self._left += amount
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            amount, turn = self._waiting[0]
            if not turn.done():
                if amount > self._left:
                    return
                self._left -= amount
                turn.set_result(None)
            self._waiting.popleft()


@asynccontextmanager
async def read(
    request: Request, *, limit: int, budget: Budget, seconds: float, on_chunk: Callable[[bytes], None]
) -> AsyncIterator[bytes]:
    """Give the body of `request`, and keep its share of the budget for the length of the block.

    `on_chunk` sees each piece as it comes. Raises Problem: 413 above `limit` bytes, without reading on; 408 where the
    body is not there after `seconds`; 503 where there was no memory for it; 400 where the sender has left.
    """
    announced = refuse_large(request, limit)
    taken = 0
    body = bytearray()
    starved = False
    try:
        try:
            async with asyncio.timeout(seconds):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > limit:
                        raise too_large(limit)
                    if not taken and len(body) + len(chunk) > FREE:
                        starved, wanted = True, limit if announced is None else announced
                        await budget.take(wanted)
                        starved, taken = False, wanted
                    body += chunk
                    on_chunk(chunk)
        except TimeoutError:
            if starved:
                raise Problem(503, "too many large bodies at once", mend="send it again later", close=True) from None
            raise Problem(408, "the body did not come in time", mend="send it again", close=True) from None
        except ClientDisconnect:
            raise Problem(400, "the body was cut off", mend="send it again", close=True) from None
        yield bytes(body)
    finally:
        if taken:
            budget.give_back(taken)


def refuse_large(request: Request, limit: int) -> int | None:
    """Return the length that the request gives its body, None where it gives none; Problem 413 above `limit` bytes."""
    length = request.headers.get("content-length")
    # Beside a transfer encoding it says nothing of the body, and would have it read on a budget of its sender's choice.
    if length is None or "transfer-encoding" in request.headers:
        return None
    if not length.isdecimal() or len(length) > 18 or int(length) > limit:
        raise too_large(limit)
    return int(length)


def too_large(limit: int) -> Problem:
    """Return the answer to a body of more than `limit` bytes."""
    return Problem(413, f"the body has more than {limit:,} bytes", mend="send less", close=True)
