"""What was worked out from a text, remembered: the rows and names of a history come back again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_V = TypeVar("_V")


class Memory(dict[str, _V]):
    """Text -> `make(text)`, worked out when first asked for.

    It is emptied when it holds `kept` texts; texts of more than `longest` characters, which hostile input may
    hold, are never remembered.
    """

    def __init__(self, make: Callable[[str], _V], *, kept: int, longest: int) -> None:
        super().__init__()
        self._make = make
        self._kept = kept
        self._longest = longest

    def __missing__(self, text: str) -> _V:
        value = self._make(text)
        if len(text) <= self._longest:
            if len(self) >= self._kept:
                self.clear()
            self[text] = value
        return value
