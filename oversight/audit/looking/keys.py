"""What a terminal sends, as keys."""

from __future__ import annotations

import codecs
import os
import re
import select
from collections import deque

_KEY = re.compile(r"\x1b\[200~(?P<paste>.*?)\x1b\[201~|\x1b(?:\[[0-9;?]*[@-~]|O[A-Z])|.", re.DOTALL)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?]*|O)?\Z|\x1b\[200~(?:(?!\x1b\[201~).)*\Z", re.DOTALL)
_NAMES = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
    "\x1b[5~": "page-up", "\x1b[6~": "page-down", " ": "page-down",
    "\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home", "g": "home",
    "\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end", "G": "end",
}  # fmt: skip
_BURST = 0.05
_LONGEST = 1 << 16


class Keys:
    """Keys from a terminal's file descriptor. Each is a character, the escape sequence of a key, or what was pasted.

    What is pasted is one piece, so that none of it is taken for a command.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: deque[str] = deque()

    def next(self, seconds: float) -> str | None:
        """Return the next key, None where none came within the time; EOFError where the terminal has gone."""
        if not self._waiting and self._ready(seconds):
            text = self._read()
            while _UNFINISHED.search(text) and len(text) < _LONGEST and self._ready(_BURST):
                text += self._read()
            self._waiting.extend(
                match[0] if match["paste"] is None else PASTED + match["paste"] for match in _KEY.finditer(text)
            )
        return self._waiting.popleft() if self._waiting else None

    def _ready(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])

    def _read(self) -> str:
        try:
            data = os.read(self._descriptor, 4096)
        except OSError as error:  # the other side of the terminal was closed
            raise EOFError from error
        if not data:
            raise EOFError
        return self._decoder.decode(data)


PASTED = "paste:"
"""What stands before text that was pasted."""


def named(key: str) -> str:
    r"""Return the name of what a key moves, or the key.

    >>> named("\x1b[B"), named("q")
    ('down', 'q')
    """
    return _NAMES.get(key, key)
