"""A program on a pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import pyte

_DEADLINE = 30.0  # seconds after which a test gives up: nothing is measured by it
_TERM = "xterm-256color"


class Terminal:
    """`screen` is what stands on it now, `raw` all bytes that ever came."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes], columns: int, rows: int) -> None:
        self.raw = b""
        self.process = process
        self._descriptor = descriptor
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """The screen, line by line, without blanks at the ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def screen(self) -> str:
        """The screen as text."""
        return "\n".join(self.lines)

    def press(self, keys: str, *, shows: str | None = None) -> None:
        """Send keys, and wait until the screen shows a text."""
        os.write(self._descriptor, keys.encode())
        if shows is not None:
            self.until(shows)

    def until(self, shows: str) -> None:
        """Wait until the screen shows a text."""
        end = time.monotonic() + _DEADLINE
        while shows not in self.screen:
            if time.monotonic() > end or not self._take():
                raise AssertionError(f"the screen never showed {shows!r}:\n{self.screen}")

    def leave(self) -> int:
        """Press q, take all that is still written, and return the exit code."""
        self.press("q")
        while self._take():
            pass
        return self.process.wait(_DEADLINE)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _take(self) -> bool:
        """Take what was written within a moment; False where the program has gone."""
        if not select.select([self._descriptor], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def running(
    command: Sequence[object], environment: Mapping[str, str] | None = None, *, columns: int = 100, rows: int = 40
) -> Iterator[Terminal]:
    """Run a program on a terminal of this size; it is ended at the end, and leaves the terminal as it was."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": _TERM, **(environment or {})},
        start_new_session=True,
    )
    try:
        yield Terminal(ours, process, columns, rows)
        process.wait(_DEADLINE)
        assert termios.tcgetattr(theirs) == before
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        os.close(theirs)
        os.close(ours)
