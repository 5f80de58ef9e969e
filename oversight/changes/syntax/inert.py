r"""Which text of a fragment is certainly a comment or the inside of a string.

A fragment is a few rows of a file that an adversary may have written, and it may begin inside a string or
comment that was opened above it. What we blank, no detector sees, so the rule is: **text is blanked only if
it is a comment or string in every reading of the fragment**. The readings are "it begins in code" (the
straightforward parse) and "it begins inside any construct of the language that may span rows". They need
not be parsed one by one:

1.  A comment or string on one row is blanked if (a) it begins and ends as the language says, without a
    syntax error inside; (b) the text in front of it on its row, other comments and strings that were
    blanked aside, holds no quote, no comment opener, and nothing that would end a construct together with
    the token's own beginning, as in `*//` (`Grammar.stray`; no string follows another without a space):
    then whoever is in code at the start of the row reads the row as we do; (c) its inside holds nothing
    that ends a construct which spans rows or runs code within one (`Grammar.suspect`): then whoever is
    inside such a construct stays there; (d) there is no quote up to its end if its row may continue,
    through a backslash, a string that was opened above the fragment: its first row, and those after it
    while rows end in a backslash; (e) its row holds no carriage return in the middle, no other
    character that only some readers take for the end of a line, and no NUL byte, which some readers skip.
2.  A block comment over several rows is blanked under the same conditions, up to the first row on which
    (c) fails, and not at all if another one seems to open inside. Its `*/` brings every reading back into
    code, so what follows is read alike again.
3.  A string that may span rows (`Grammar.long_strings`) is never blanked, because its quotes look alike at
    both ends and the reading "it begins inside" turns its contents into code, except row by row where
    `Grammar.prose` proves that the row cannot be code (two plain words in a row, in Python).
4.  Everything else, anything unterminated and anything after it on the row included, is code. Code that is
    interpolated into a string is code.

Each decision looks at the token's own rows alone, so that comments, strings and docstrings added on other
rows never blank a row that was code before. What stays uncertain: rows in the middle of a string or comment
whose ends are both out of sight look like code, and a `#` or `//` row inside such a string like a comment.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tree_sitter import Node

if TYPE_CHECKING:
    from oversight.changes.syntax.fragment import Fragment
    from oversight.changes.syntax.grammar import Loaded

_OPENING = re.compile(rb"[A-Za-z0-9@$]{0,8}(#*)(\"{3}|'{3}|[\"'`])")
_QUOTE = re.compile(rb"[\"'`]")
_ODD_BREAK = re.compile(rb"\r(?!\n|\Z)|\xe2\x80[\xa8\xa9]|\xc2\x85|\0")
_DOC_REST = re.compile(r"^[rRuU]?(?:\"\"\"|''')?\s*(?:\"\"\"|''')?$")
_KINDS = ("comments", "string", "interpolation")
_MAX_NESTING = 8
_NOT_NEWLINE = re.compile(rb"[^\n]")


@dataclass(slots=True)
class Inert:
    """Rows with comments and string contents blanked, and which rows have text of a string that is no docstring."""

    code: tuple[str, ...]
    string_rows: set[int] = field(default_factory=set)
    doc_rows: set[int] = field(default_factory=set)

    def is_comment(self, row: int) -> bool:
        """Whether `row` certainly holds nothing but white space, comments and docstrings."""
        rest = self.code[row].strip()
        if row in self.string_rows:
            return False
        return not rest or (row in self.doc_rows and _DOC_REST.match(rest) is not None)


def find_inert(fragment: Fragment, loaded: Loaded, captures: Mapping[str, Sequence[Node]]) -> Inert:
    """Apply the rule of this module to a fragment, of which the query "reading" or "lexing" captured `captures`."""
    tokens = [(node.start_byte, -node.end_byte, kind, node) for kind in _KINDS for node in captures.get(kind, ())]
    if not tokens:
        return Inert(tuple([row.text for row in fragment.rows]))
    tokens.sort(key=_order)
    painter = _Painter(fragment, loaded, {node.start_byte for node in captures.get("docstring", ())})
    for start, negative_end, kind, node in tokens:
        painter.take(start, -negative_end, kind, node)
    return painter.result()


def _order(token: tuple[int, int, str, Node]) -> tuple[int, int]:
    return token[0], token[1]


class _Painter:
    """Walks over comments and strings from left to right and blanks those that are beyond doubt."""

    def __init__(self, fragment: Fragment, loaded: Loaded, docstrings: set[int]) -> None:
        self._fragment = fragment
        self._loaded = loaded
        self._docstrings = docstrings
        self._text = fragment.text
        self._offsets = fragment.offsets
        self._out = bytearray(fragment.text)
        self._touched: set[int] = set()
        self._string_rows: set[int] = set()
        self._doc_rows: set[int] = set()
        self._end = 0  # where the last token outside all others ends
        self._trusted = False  # whether that token was blanked
        self._nesting: list[int] = []  # ends of the tokens around the present one
        self._dirty = -1  # the row whose rest is code
        self._border = 1  # how many of the first rows may continue a string that was open above them
        while self._border < len(fragment.rows) and fragment.rows[self._border - 1].text.rstrip().endswith("\\"):
            self._border += 1
        quote = _QUOTE.search(fragment.text, 0, self._offset(self._border))
        self._first_quote = len(fragment.text) if quote is None else quote.start()
        self._odd = {self._row(match.start()) for match in _ODD_BREAK.finditer(fragment.text)}

    def take(self, start: int, end: int, kind: str, node: Node) -> None:
        if start < self._end:
            self._take_nested(start, end, kind, node)
            return
        first = self._row(start)
        last = bisect_right(self._offsets, end - 1, first + 1) - 1
        in_front = max(self._offsets[first], self._end)
        if kind == "interpolation":
            return
        self._nesting = [end]
        self._trusted = False
        adjoins = start == self._end > 0 and kind == "string"
        if adjoins or self._loaded.stray.search(self._text, in_front, start) or self._is_doubtful(first, last, end):
            self._dirty = max(self._dirty, first)
        if first > self._dirty:
            self._trusted = (
                self._blank_comment(start, end, first, last)
                if kind == "comments"
                else self._blank_string(start, end, first, last, node)
            )
        self._end = end
        if kind == "string" and last > first:
            self._string_rows.update(range(first, last + 1))
        if not self._trusted:
            self._dirty = max(self._dirty, last)

    def _is_doubtful(self, first: int, last: int, end: int) -> bool:
        if self._odd and not self._odd.isdisjoint(range(first, last + 1)):
            return True
        return first < self._border and end > self._first_quote

    def _take_nested(self, start: int, end: int, kind: str, node: Node) -> None:
        nesting = self._nesting
        while nesting and nesting[-1] <= start:
            nesting.pop()
        nesting.append(end)
        if len(nesting) > _MAX_NESTING:
            return
        if kind == "interpolation":
            self._out[start:end] = self._text[start:end]
        elif kind == "string" and self._trusted and not node.has_error:
            opening = _opening(self._text, start, end)
            if opening is not None and len(nesting) < _MAX_NESTING:
                self._paint(*opening, self._row(start), self._row(end - 1))

    def _blank_comment(self, start: int, end: int, first: int, last: int) -> bool:
        text = self._text
        if not text.startswith(self._loaded.markers, start):
            return False
        inner = end
        if text.startswith(b"/*", start):
            if end - start < 4 or not text.endswith(b"*/", start, end):
                return False
            inner = end - 2
            if last > first and text.find(b"/*", start + 2, inner) >= 0:
                return False
        elif last > first:
            return False
        found = self._loaded.suspect.search(text[start:inner])
        if found is None:
            self._paint(start, end, first, last)
            return True
        row = self._row(start + found.start())
        if row > first:
            self._paint(start, self._offsets[row] - 1, first, row - 1)
        return False

    def _blank_string(self, start: int, end: int, first: int, last: int, node: Node) -> bool:
        if node.has_error:
            return False
        opening = _opening(self._text, start, end)
        if opening is None:
            return False
        inside, outside = opening
        long_strings = self._loaded.long_strings
        if long_strings is not None and long_strings.search(self._text[start:inside]):
            self._blank_prose(start, inside, outside, first, last)
            return False
        if last > first or self._loaded.suspect.search(self._text[inside:outside]):
            return False
        self._paint(inside, outside, first, last)
        self._string_rows.add(first)
        return True

    def _blank_prose(self, start: int, inside: int, outside: int, first: int, last: int) -> None:
        prose, suspect = self._loaded.prose, self._loaded.suspect
        if prose is None:
            return
        if start in self._docstrings:
            self._doc_rows.update(range(first, last + 1))
        for row in range(first, last + 1):
            left = max(inside, self._offsets[row])
            right = min(outside, self._offset(row + 1) - 1)
            piece = self._text[left:right]
            if prose.match(piece) and not suspect.search(piece):
                self._paint(left, right, row, row)

    def _paint(self, start: int, end: int, first: int, last: int) -> None:
        if first == last:
            self._out[start:end] = b" " * (end - start)
            self._touched.add(first)
        else:
            self._out[start:end] = _NOT_NEWLINE.sub(b" ", self._text[start:end])
            self._touched.update(range(first, last + 1))

    def _row(self, byte: int) -> int:
        return bisect_right(self._offsets, byte) - 1

    def _offset(self, row: int) -> int:
        return self._offsets[row] if row < len(self._offsets) else len(self._text)

    def result(self) -> Inert:
        rows = [row.text for row in self._fragment.rows]
        for row in self._touched:
            rows[row] = self._decode(row, rows[row])
        return Inert(tuple(rows), self._string_rows - self._doc_rows, self._doc_rows)

    def _decode(self, row: int, original: str) -> str:
        start = self._offsets[row]
        if original.isascii():
            return self._out[start : start + len(original)].decode("ascii")
        characters = []
        for character in original:
            width = len(character.encode("utf-8", "surrogateescape"))
            kept = self._out[start : start + width] == self._text[start : start + width]
            characters.append(character if kept else " ")
            start += width
        return "".join(characters)


def _opening(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return where the inside of the string at `start` begins and ends, None if it is not closed as it was opened."""
    match = _OPENING.match(text, start, end)
    if match is None:
        return None
    closing = match[2] + match[1]
    inside, outside = match.end(), end - len(closing)
    if outside < inside or not text.endswith(closing, start, end):
        return None
    return inside, outside
