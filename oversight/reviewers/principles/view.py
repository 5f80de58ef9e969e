"""A file of a change as detectors read it: changed rows by side, with code, runs and sub-words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from oversight.changes.model import FileChange, Hunk, LineKind
from oversight.changes.syntax import HunkSyntax
from oversight.features.memory import Memory
from oversight.reviewers.principles.model import Field, Side
from oversight.reviewers.principles.sure import boundary, sure_code
from oversight.reviewers.principles.words import Vocabulary, Words

ROW_LENGTH = 4096
"""Characters of a row that patterns read. What is longer is never silent: the principle `unreadable-row` fires."""

_boundary = Memory(boundary, kept=1 << 15, longest=200)
_LOOSE_BLANK = re.compile(r"(?<!\w) | (?!\w)")


class Row(NamedTuple):
    """A changed row. `number` counts on its own side; `run` numbers the runs of changes that no context interrupts.

    `position` counts the lines of the hunk, `at` the rows of the hunk's fragment on this side.
    """

    number: int
    raw: str
    hunk: int
    run: int
    position: int
    at: int


def squeeze(text: str) -> str:
    """Cut a row and squeeze its blanks, so that a comment amid code, blanked, is one space like any other.

    A NUL byte is a blank as well, as it is to compilers that read past it.
    """
    return " ".join(text[:ROW_LENGTH].replace("\0", " ").split())


def canonical(code: str) -> str:
    """Squeeze a row of code and keep blanks between two words only: `f (a , b)` and `f(a,b)` are the same code.

    >>> canonical("  if ( x == NULL )")
    'if(x==NULL)'
    """
    return _LOOSE_BLANK.sub("", squeeze(code))


class FileView:
    """Rows, words and code of one file, each worked out once and only if asked for."""

    def __init__(self, file: FileChange, syntax: Sequence[HunkSyntax], vocabulary: Vocabulary) -> None:
        self.file = file
        self.syntax = syntax
        self._vocabulary = vocabulary
        self._texts: dict[tuple[Side, Field], dict[int, str]] = {(side, field): {} for side in Side for field in Field}
        self._boundaries: dict[int, list[int]] = {}

    @cached_property
    def rows(self) -> dict[Side, list[Row]]:
        """Changed rows of each side, in order."""
        rows: dict[Side, list[Row]] = {Side.ADDED: [], Side.DELETED: []}
        run = 0
        for number, hunk in enumerate(self.file.hunks):
            run = _read(number, hunk, run + 1, rows)
        return rows

    @cached_property
    def raw(self) -> dict[Side, str]:
        """The changed rows of each side, one below the other, each cut to what is read."""
        return {
            side: "\n".join([row.raw[:ROW_LENGTH].replace("\n", " ") for row in rows])
            for side, rows in self.rows.items()
        }

    @cached_property
    def longest(self) -> dict[Side, int]:
        """The length of the longest changed row of each side."""
        return {side: max(map(len, [row.raw for row in rows]), default=0) for side, rows in self.rows.items()}

    @cached_property
    def words(self) -> dict[Side, Words]:
        """For each side, the words of the vocabulary in its rows, comments and strings included."""
        return {side: self._vocabulary.words_of(text) for side, text in self.raw.items()}

    def holding(self, side: Side, alternatives: Sequence[frozenset[str]]) -> Sequence[int]:
        """The rows of `side` that hold all words of one of the alternatives; all rows where there are none."""
        if not alternatives:
            return range(len(self.rows[side]))
        words, found = self.words[side], set[int]()
        for alternative in alternatives:
            if alternative <= words.all:
                rows, *more = [words.lines(word) for word in alternative]
                found.update(set(rows).intersection(*more) if more else rows)
        return sorted(found)

    def text(self, side: Side, field: Field, index: int) -> str:
        """What patterns read of a changed row: canonical code, or the whole row, squeezed."""
        texts = self._texts[side, field]
        text = texts.get(index)
        if text is None:
            row = self.rows[side][index]
            text = canonical(self._code(side, row) or row.raw) if field is Field.CODE else squeeze(row.raw)
            texts[index] = text
        return text

    @property
    def unparsed(self) -> bool:
        """Whether some of its code, in a language that has a grammar, has no syntax tree."""
        return any(hunk.language is not None and not hunk.parsed for hunk in self.syntax)

    @property
    def has_nul_bytes(self) -> bool:
        """Whether git calls it binary although it has lines, or one of its changed rows holds a NUL byte."""
        return bool(self.file.hunks) and (self.file.binary or any("\0" in text for text in self.raw.values()))

    def parsed(self, side: Side, row: Row) -> bool:
        """Whether the code of a row comes from a syntax tree; else it is the row itself."""
        return self._code(side, row) is not None

    def _code(self, side: Side, row: Row) -> str | None:
        if row.hunk >= len(self.syntax):
            return None
        syntax = self.syntax[row.hunk]
        fragment = syntax.new if side is Side.ADDED else syntax.old
        if fragment is None or fragment.tree is None or fragment.rows[row.at].text != row.raw:
            return None
        return fragment.code[row.at]

    def stretch(self, hunk: int, position: int) -> int | None:
        """Number the stretch of a hunk that a line lies in; a stretch ends where a text of several rows may.

        Lines of one stretch are all code or all not; None for a line that is itself such a boundary.
        """
        boundaries = self._boundaries.get(hunk)
        if boundaries is None:
            lines = self.file.hunks[hunk].lines
            boundaries = [number for number, line in enumerate(lines) if _boundary[line.text[:ROW_LENGTH]]]
            self._boundaries[hunk] = boundaries
        before = bisect_left(boundaries, position)
        return None if boundaries[before : before + 1] == [position] else before

    def new_code(self, hunk: int) -> list[tuple[int, str]]:
        """Position and certain code of the rows of the hunk's new side, context included; empty if not parsed."""
        fragment = self.syntax[hunk].new if hunk < len(self.syntax) else None
        if fragment is None or fragment.tree is None:
            return []
        kept = [
            position for position, line in enumerate(self.file.hunks[hunk].lines) if line.kind is not LineKind.DELETED
        ]
        return [(position, sure_code(canonical(code))) for position, code in zip(kept, fragment.code, strict=False)]


def _read(number: int, hunk: Hunk, run: int, rows: dict[Side, list[Row]]) -> int:
    """Append the changed rows of a hunk; the number of its last run."""
    added, deleted, make = rows[Side.ADDED].append, rows[Side.DELETED].append, tuple.__new__
    old = new = 0
    for position, line in enumerate(hunk.lines):
        if line.kind is LineKind.CONTEXT:
            old += 1
            new += 1
            run += 1
        elif line.kind is LineKind.ADDED:
            added(make(Row, (line.new_number or 0, line.text, number, run, position, new)))
            new += 1
        else:
            deleted(make(Row, (line.old_number or 0, line.text, number, run, position, old)))
            old += 1
    return run
