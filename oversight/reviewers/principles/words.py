"""Sub-words of identifiers: the cheap test that comes before any pattern.

Most detectors name words without which their pattern cannot match a row. The rows of a file are broken into
sub-words once, whatever the number of principles, and a pattern reads only rows that hold one of its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SUBWORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SUBWORD_OR_BREAK = re.compile(r"\n|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_REMEMBERED = 100_000


def subwords(text: str) -> frozenset[str]:
    """Break identifiers at case changes, digits and punctuation; lower case.

    >>> sorted(subwords("yaml.innerHTML = MD5_init"))
    ['html', 'init', 'inner', 'md', 'yaml']
    """
    return frozenset(word.lower() for word in set(_SUBWORD.findall(text)))


class Vocabulary:
    """The sub-words that any detector asks for."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._known: dict[str, str | None] = {}

    def rows_by_word(self, text: str) -> dict[str, list[int]]:
        """For each word of the vocabulary in `text`, the numbers of the lines that hold it, ascending."""
        known, found, number = self._known, dict[str, list[int]](), 0
        if len(known) > _REMEMBERED:
            known.clear()
        for piece in _SUBWORD_OR_BREAK.findall(text):
            if piece == "\n":
                number += 1
                continue
            try:
                word = known[piece]
            except KeyError:
                lower = piece.lower()
                word = known[piece] = lower if lower in self._words else None
            if word is not None:
                rows = found.setdefault(word, [])
                if not rows or rows[-1] != number:
                    rows.append(number)
        return found
