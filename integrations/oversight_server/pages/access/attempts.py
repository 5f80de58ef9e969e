"""How often strangers may try: each attempt that fails takes one of a few, which come back with time."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from oversight_server.errors import Problem

_MOST = 1_000  # callers that are remembered


class Attempts:
    """A bucket of `limit` attempts for each caller, which fills up again in `seconds`. Thread-safe."""

    def __init__(self, limit: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._each = seconds / limit
        self._clock = clock
        self._spent: OrderedDict[str, float] = OrderedDict()  # when all that was taken will be back
        self._lock = threading.Lock()

    def check(self, caller: str) -> None:
        """Raise Problem 429 where a caller has none left."""
        with self._lock:
            wait = self._spent.get(caller, 0.0) - self._clock() - self._each * (self._limit - 1)
        if wait > 0:
            headers = {"Retry-After": str(math.ceil(wait))}
            raise Problem(429, "too many attempts to log in", mend="try again in a minute", headers=headers)

    def failed(self, caller: str) -> None:
        """Take one."""
        with self._lock:
            now = self._clock()
            self._spent[caller] = max(self._spent.pop(caller, now), now) + self._each
            while len(self._spent) > _MOST:
                self._spent.popitem(last=False)
