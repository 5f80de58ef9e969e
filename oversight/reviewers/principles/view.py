"""A file of a change as detectors read it: changed rows by side, with code, runs and sub-words."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from oversight.changes.model import FileChange, Hunk, LineKind
from oversight.changes.syntax import Fragment, HunkSyntax
from oversight.reviewers.principles.model import Field, Side
from oversight.reviewers.principles.sure import boundary, sure_code
from oversight.reviewers.principles.words import subwords

ROW_LENGTH = 4096
"""Characters of a row that patterns read. What is longer is never silent: the principle `unreadable-row` fires."""

_LOOSE_BLANK = re.compile(r"(?<!\w) | (?!\w)")


class Row(NamedTuple):
    """A changed row. `number` counts on its own side; `run` numbers the runs of changes that no context interrupts.

    `parsed` says that `code` comes from a syntax tree; else it is the row itself. `position` counts the lines of
    the hunk.
    """

    number: int
    raw: str
    code: str
    parsed: bool
    hunk: int
    run: int
    position: int


def squeeze(text: str) -> str:
    """Cut a row and squeeze its blanks, so that a comment amid code, blanked, is one space like any other."""
    return " ".join(text[:ROW_LENGTH].split())


def canonical(code: str) -> str:
    """Squeeze a row of code and keep blanks between two words only: `f (a , b)` and `f(a,b)` are the same code.

    >>> canonical("  if ( x == NULL )")
    'if(x==NULL)'
    """
    return _LOOSE_BLANK.sub("", squeeze(code))


class _Codes:
    """The code of a fragment's rows, in step with the rows of its hunk; the raw text where there is no tree."""

    def __init__(self, fragment: Fragment | None) -> None:
        self._code = fragment.code if fragment is not None and fragment.tree is not None else ()
        self._rows = fragment.rows if fragment is not None else ()
        self._position = 0

    def skip(self) -> None:
        self._position += 1

    def take(self, text: str) -> tuple[str, bool]:
        position = self._position
        self._position += 1
        if position < len(self._code) and self._rows[position].text == text:
            return self._code[position], True
        return text, False


class FileView:
    """Rows, texts and words of one file, each worked out once and only if asked for."""

    def __init__(self, file: FileChange, syntax: Sequence[HunkSyntax]) -> None:
        self.file = file
        self.syntax = syntax
        self._texts: dict[tuple[Side, Field], list[str]] = {}
        self._boundaries: dict[int, list[int]] = {}

    @cached_property
    def rows(self) -> dict[Side, list[Row]]:
        """Changed rows of each side, in order."""
        rows: dict[Side, list[Row]] = {Side.ADDED: [], Side.DELETED: []}
        run = 0
        for number, hunk in enumerate(self.file.hunks):
            run = self._read(number, hunk, run + 1, rows)
        return rows

    def _read(self, number: int, hunk: Hunk, run: int, rows: dict[Side, list[Row]]) -> int:
        syntax = self.syntax[number] if number < len(self.syntax) else None
        old, new = _Codes(syntax.old if syntax else None), _Codes(syntax.new if syntax else None)
        for position, line in enumerate(hunk.lines):
            if line.kind is LineKind.CONTEXT:
                old.skip()
                new.skip()
                run += 1
            elif line.kind is LineKind.ADDED:
                code, parsed = new.take(line.text)
                rows[Side.ADDED].append(Row(line.new_number or 0, line.text, code, parsed, number, run, position))
            else:
                code, parsed = old.take(line.text)
                rows[Side.DELETED].append(Row(line.old_number or 0, line.text, code, parsed, number, run, position))
        return run

    @cached_property
    def words(self) -> dict[Side, frozenset[str]]:
        """Sub-words of the changed rows of each side, comments and strings included."""
        return {side: subwords(text) for side, text in self.raw.items()}

    @cached_property
    def raw(self) -> dict[Side, str]:
        """The changed rows of each side, one below the other, each cut to what is read."""
        return {side: "\n".join([row.raw[:ROW_LENGTH] for row in rows]) for side, rows in self.rows.items()}

    def texts(self, side: Side, field: Field) -> list[str]:
        """What patterns read of each changed row of `side`: canonical code, or the whole row, squeezed."""
        texts = self._texts.get((side, field))
        if texts is None:
            if field is Field.CODE:
                texts = [canonical(row.code) for row in self.rows[side]]
            else:
                texts = [squeeze(row.raw) for row in self.rows[side]]
            self._texts[side, field] = texts
        return texts

    def stretch(self, hunk: int, position: int) -> int | None:
        """Number the stretch of a hunk that a line lies in; a stretch ends where a text of several rows may.

        Lines of one stretch are all code or all not; None for a line that is itself such a boundary.
        """
        boundaries = self._boundaries.get(hunk)
        if boundaries is None:
            lines = self.file.hunks[hunk].lines
            boundaries = [number for number, line in enumerate(lines) if boundary(line.text[:ROW_LENGTH])]
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
