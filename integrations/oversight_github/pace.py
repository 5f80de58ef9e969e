"""How fast one token may ask: below what GitHub calls abuse, and answers with longer and longer pauses.

Its secondary limits are 80 requests that write something a minute and 500 an hour, and 900 points a minute, of which a
read takes 1 and a write 5. A `Pace` keeps below them over any minute and any hour: each of its buckets holds what may
be done at once, and fills at a rate with which both together stay within the limit. It knows of this process alone.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from oversight_github.errors import RateLimited

READ_POINTS: Final = 1
WRITE_POINTS: Final = 5
_KNOWN = 4_096


class _Bucket:
    """Holds `at_once`, and `rate` a second more comes in. What is taken beyond that is a debt, to be waited for."""

    def __init__(self, at_once: float, rate: float, now: float) -> None:
        self._at_once = at_once
        self._rate = rate
        self._left = at_once
        self._now = now

    def wait_for(self, amount: float, now: float) -> float:
        """Return the seconds until `amount` could be taken, 0 where it is there."""
        self._left = min(self._at_once, self._left + (now - self._now) * self._rate)
        self._now = now
        return max(0.0, (amount - self._left) / self._rate)

    def take(self, amount: float) -> None:
        self._left -= amount


class Pace:
    """Tells each request how long to wait before it is sent. Thread-safe; to be shared by all clients of one token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        now = clock()
        self._clock = clock
        self._lock = threading.Lock()
        self._points = _Bucket(300, 600 / 60, now)
        self._writes = (_Bucket(20, 60 / 60, now), _Bucket(140, 360 / 3600, now))

    def take(self, *, writes: bool, patience: float) -> float:
        """Return the seconds after which a request may be sent, and count it.

        Raises RateLimited where that would be longer than `patience`, and counts nothing then.
        """
        points = WRITE_POINTS if writes else READ_POINTS
        with self._lock:
            now = self._clock()
            costs = [(self._points, points), *((bucket, 1) for bucket in self._writes if writes)]
            seconds = max(bucket.wait_for(cost, now) for bucket, cost in costs)
            if seconds > patience:
                raise RateLimited(
                    f"GitHub's limits leave no room for another request within {seconds:,.0f} seconds",
                    mend="run again later, or post less: `inline: false`, `comment: auto`",
                    pause=seconds,
                )
            for bucket, cost in costs:
                bucket.take(cost)
        return seconds


def pace_of(token: str | None, api_url: str) -> Pace:
    """Return the one pace of a token in this process; without a token GitHub counts by address."""
    return _pace(sha256(f"{api_url}\n{token or ''}".encode()).digest())


@lru_cache(_KNOWN)
def _pace(_: bytes) -> Pace:
    return Pace()
