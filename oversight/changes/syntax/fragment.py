"""One side of a hunk as a text of its own, with its syntax tree and what follows from it, each made when asked for."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from tree_sitter import Node, Tree

from oversight.changes.model import Hunk, Line, LineKind
from oversight.changes.syntax.counting import Census, take_census
from oversight.changes.syntax.grammar import EditCounts, Loaded, load
from oversight.changes.syntax.inert import Inert, find_inert
from oversight.changes.syntax.lexical import count_words
from oversight.changes.syntax.parsing import Allowance, parse

MAX_BYTES = 128 * 1024
"""Fragments longer than this are not parsed; they are counted by words, and all of their rows are code."""


class Fragment:
    """The rows of one side of a hunk: its context and either the deleted or the added lines.

    `rows[i]` is row i of `text`, `changed[i]` whether the change deleted or added it. `language` is as in
    `FileChange.language`.
    """

    def __init__(
        self, language: str | None, rows: tuple[Line, ...], changed: tuple[bool, ...], allowance: Allowance
    ) -> None:
        self.language = language
        self.rows = rows
        self.changed = changed
        self._allowance = allowance

    @cached_property
    def text(self) -> bytes:
        """The rows in the bytes they were read from, each with a newline: some grammars end statements there."""
        return "\n".join([*[row.text for row in self.rows], ""]).encode("utf-8", "surrogateescape")

    @cached_property
    def offsets(self) -> list[int]:
        """For each row, the byte of `text` at which it begins."""
        offsets = [0] * len(self.rows)
        position = 0
        for index, row in enumerate(self.rows):
            offsets[index] = position
            line = row.text
            position += (len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape"))) + 1
        return offsets

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """Byte ranges of `text` that hold runs of changed rows, in order."""
        runs: list[tuple[int, int]] = []
        offsets, end = self.offsets, len(self.text)
        previous = False
        for index, changed in enumerate(self.changed):
            if changed:
                stop = offsets[index + 1] if index + 1 < len(offsets) else end
                if previous:
                    runs[-1] = (runs[-1][0], stop)
                else:
                    runs.append((offsets[index], stop))
            previous = changed
        return runs

    @cached_property
    def loaded(self) -> Loaded | None:
        """The compiled grammar, None where there is none or the fragment is too long for it."""
        if self.language is None or len(self.text) > MAX_BYTES:
            return None
        return load(self.language, self.text)

    @cached_property
    def tree(self) -> Tree | None:
        """The error-tolerant parse of `text`; None for an unknown language, or one too long or too odd to parse."""
        return None if self.loaded is None else parse(self.loaded, self.text, self._allowance)

    @cached_property
    def _read(self) -> tuple[Census, Inert]:
        """What starts on the changed rows and what is inert, from one pass over the tree."""
        loaded, tree, changes = self.loaded, self.tree, any(self.changed)
        if loaded is None or tree is None:
            changed = [row.text for row, is_changed in zip(self.rows, self.changed, strict=True) if is_changed]
            return Census(*count_words(changed)), Inert(tuple([row.text for row in self.rows]))
        captures: dict[str, list[Node]] = {}
        quotes = loaded.opening.search(self.text) is not None
        if changes or quotes:
            cursor = loaded.cursor("reading" if changes else "lexing")
            cursor.set_byte_range(0, len(self.text))
            captures = cursor.captures(tree.root_node)
        return take_census(self, loaded, captures), find_inert(self, loaded, captures if quotes else {})

    @property
    def inert(self) -> Inert:
        """What is certainly a comment or string (see `oversight.changes.syntax.inert`)."""
        return self._read[1]

    @property
    def code(self) -> tuple[str, ...]:
        """The text of each row with comments and string contents blanked, columns kept; doubtful text is code."""
        return self.inert.code

    @property
    def census(self) -> Census:
        """What starts on the changed rows."""
        return self._read[0] if any(self.changed) else Census(EditCounts())

    @property
    def counts(self) -> EditCounts:
        """How many nodes of each kind start on the changed rows."""
        return self.census.counts

    @property
    def called(self) -> tuple[str, ...]:
        """The names called on the changed rows, as written there (`os.path.join`), in order."""
        return self.census.called

    def release(self) -> None:
        """Let go of the tree and the text, which take the most memory; what was worked out from them stays."""
        for name in ("tree", "text", "offsets", "runs"):
            self.__dict__.pop(name, None)

    def rows_of(self, category: str) -> tuple[Line, ...]:
        """The changed lines on which something of `category` (a field of `EditCounts`) starts, in order.

        Empty where the fragment could not be parsed, since words alone do not place things surely.
        """
        found = {bisect_right(self.offsets, byte) - 1 for byte in self.census.places.get(category, ())}
        return tuple([self.rows[index] for index in sorted(found)])


def split(hunk: Hunk, language: str | None, allowance: Allowance) -> tuple[Fragment | None, Fragment | None]:
    """Return the old and the new side of `hunk`, None for a side without a row."""
    old_rows: list[Line] = []
    old_changed: list[bool] = []
    new_rows: list[Line] = []
    new_changed: list[bool] = []
    for line in hunk.lines:
        kind = line.kind
        if kind is not LineKind.ADDED:
            old_rows.append(line)
            old_changed.append(kind is LineKind.DELETED)
        if kind is not LineKind.DELETED:
            new_rows.append(line)
            new_changed.append(kind is LineKind.ADDED)
    old = Fragment(language, tuple(old_rows), tuple(old_changed), allowance) if old_rows else None
    new = Fragment(language, tuple(new_rows), tuple(new_changed), allowance) if new_rows else None
    return old, new
