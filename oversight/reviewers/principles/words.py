"""Sub-words of identifiers: the cheap test that comes before any pattern.

Most detectors name words without which their pattern cannot match a row. The rows of a file are broken into
sub-words once, whatever the number of principles, and a pattern reads only rows that hold one of its words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property
from string import ascii_letters

from oversight.features.memory import Memory

_SUBWORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LETTERS = bytes(byte if chr(byte) in ascii_letters + "\n" else ord(" ") for byte in range(256))


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
        # No sub-word goes beyond a run of letters, and the runs of a history come back again and again.
        self._of_letters = Memory(self._in_letters, kept=1 << 16, longest=64)

    def _in_letters(self, letters: str) -> frozenset[str]:
        return subwords(letters) & self._words

    def words_of(self, text: str) -> Words:
        """The words of the vocabulary in `text`."""
        letters = text.encode("ascii", "replace").translate(_LETTERS).decode("ascii")
        runs: defaultdict[str, list[str]] = defaultdict(list)
        for run in set(letters.split()):
            for word in self._of_letters[run]:
                runs[word].append(run)
        return Words(letters, runs)


class Words:
    """The words in a text: which there are is known at once, the lines of each are looked up when asked for."""

    def __init__(self, letters: str, runs: Mapping[str, Sequence[str]]) -> None:
        self._letters = letters
        self._runs = runs
        self._known: dict[str, list[int]] = {}

    @property
    def all(self) -> Set[str]:
        """All words that there are."""
        return self._runs.keys()

    def lines(self, word: str) -> list[int]:
        """The numbers of the lines that hold one of these words, ascending."""
        known = self._known.get(word)
        if known is None:
            lines = [self._lines_of_runs[run] for run in self._runs[word]]
            known = self._known[word] = sorted(set[int]().union(*lines))
        return known

    @cached_property
    def _lines_of_runs(self) -> dict[str, list[int]]:
        """The lines of each run of letters that has a word in it, from one pass over the text."""
        asked_for = {run for runs in self._runs.values() for run in runs}
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self._letters.split("\n")):
            for run in asked_for.intersection(line.split()):
                found[run].append(number)
        return found
