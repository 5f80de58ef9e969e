"""Lines of a byte stream, one at a time, with one step back: memory stays flat however long the input."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

_CHUNK = 1 << 16


class Lines:
    """The lines of `source`, terminators included, none longer than `limit` bytes.

    A longer line comes back cut, and `cuts` counts it; the rest of it is read and dropped in chunks.
    `number` is the 1-based number of the line last read. `observe` sees every byte, in order.
    """

    def __init__(self, source: bytes | BinaryIO, limit: int, observe: Callable[[bytes], object] | None = None) -> None:
        self._readline = (BytesIO(source) if isinstance(source, bytes) else source).readline
        self._limit = limit
        self._observe = observe
        self._returned: bytes | None = None
        self.number = 0
        self.cuts = 0

    def next(self) -> bytes:
        """The next line, or empty bytes at the end."""
        self.number += 1
        if self._returned is not None:
            line, self._returned = self._returned, None
            return line
        line = self._readline(self._limit)
        if self._observe is not None:
            self._observe(line)
        if len(line) == self._limit and not line.endswith(b"\n"):
            self._drain()
        return line

    def back(self, line: bytes) -> None:
        """Give the line last read back, so that `next` returns it again."""
        self._returned = line
        self.number -= 1

    def _drain(self) -> None:
        # The last line of the input may end at the limit by chance: only one that goes on was cut.
        rest = self._readline(_CHUNK)
        self.cuts += bool(rest)
        while rest:
            if self._observe is not None:
                self._observe(rest)
            if rest.endswith(b"\n"):
                return
            rest = self._readline(_CHUNK)
