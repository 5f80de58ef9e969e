"""Lines of a byte stream, one at a time, with one step back: memory stays flat however long the input."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import BinaryIO

_CHUNK = 1 << 16


class Lines:
    """The lines of `source`, terminators included, none longer than `limit` bytes.

    A longer line comes back cut, and `cuts` counts it; the rest of it is read and dropped in chunks.
    `number` is the 1-based number of the line last read. `observe` sees every byte, in order.
    """

    def __init__(self, source: bytes | BinaryIO, limit: int, observe: Callable[[bytes], object] | None = None) -> None:
        read = (BytesIO(source) if isinstance(source, bytes) else source).readline
        self._read = read if observe is None else partial(_observed, read, observe)
        self._limit = limit
        self._returned: bytes | None = None
        self.number = 0
        self.cuts = 0
        self.readline = partial(self._read, limit)
        """For hot loops, while no line is given back: the next line, without counting it. One that does not
        end in a newline is to be passed to `unended`."""

    def next(self) -> bytes:
        """The next line, or empty bytes at the end."""
        self.number += 1
        if self._returned is not None:
            line, self._returned = self._returned, None
            return line
        line = self.readline()
        return line if line.endswith(b"\n") else self.unended(line)

    def back(self, line: bytes) -> None:
        """Give the line last read back, so that `next` returns it again."""
        self._returned = line
        self.number -= 1

    def unended(self, line: bytes) -> bytes:
        """Skip the rest of a line that came without a newline, if it was cut; the line."""
        # The last line of the input may end at the limit by chance: only one that goes on was cut.
        if len(line) == self._limit and (rest := self._read(_CHUNK)):
            self.cuts += 1
            while rest and not rest.endswith(b"\n"):
                rest = self._read(_CHUNK)
        return line


def _observed(read: Callable[[int], bytes], observe: Callable[[bytes], object], limit: int) -> bytes:
    line = read(limit)
    observe(line)
    return line
