"""Syntax colours of hunks, through Pygments: which parts of lines are keywords, names, texts and so on.

What a lexer makes of a hunk depends on lines that are not in it; so colours are an aid, and nothing is read from them.
Both sides of a hunk are coloured by themselves. Lexers are regular expressions, and their text is hostile: they run in
a child, on so many characters and for so long at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name, find_lexer_class_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String
from pygments.util import ClassNotFound

from oversight.changes.model import Change, FileChange, Hunk, Line, LineKind

KINDS = ("key", "name", "kind", "text", "number", "note")
"""What a part of a line can be: a keyword, a name that is defined, a built-in one, a text, a number, a comment."""

_OF_TOKENS = (
    (Comment, "note"), (String, "text"), (Number, "number"), (Literal, "text"), (Keyword, "key"),
    (Operator.Word, "key"), (Name.Function, "name"), (Name.Class, "name"), (Name.Decorator, "name"), (Name.Tag, "key"),
    (Name.Builtin, "kind"), (Name.Exception, "kind"), (Name.Attribute, "kind"),
)  # fmt: skip
_NAMES = {"c-sharp": "csharp", "tsx": "typescript"}
_LONGEST = 500  # characters of a line; what has more is data
_MOST = 600_000  # characters of a change
_SECONDS = 4.0


class Span(NamedTuple):
    """A part of a line, from character `start` up to `end`, and its index in `KINDS`."""

    start: int
    end: int
    kind: int


Coloured = tuple[tuple[tuple[tuple[Span, ...], ...], ...], ...]
"""The spans of each line of each hunk of each file of a change; a hunk without colours has no lines."""


def colours_of(change: Change) -> Coloured:
    """Return the colours of a change, as far as there is time for them."""
    until, left = time.monotonic() + _SECONDS, _MOST
    found = []
    for file in change.files:
        lexer, hunks = _lexer(file), []
        for hunk in file.hunks:
            left -= sum(len(line.text) for line in hunk.lines)
            late = lexer is None or left < 0 or time.monotonic() > until
            hunks.append(() if late or lexer is None else _hunk(lexer, hunk))
        found.append(tuple(hunks))
    return tuple(found)


def _lexer(file: FileChange) -> Lexer | None:
    name = file.path.rpartition("/")[2]
    try:
        if file.language is not None:
            return _made(find_lexer_class_by_name(_NAMES.get(file.language, file.language)))
        found = find_lexer_class_for_filename(name)
    except ClassNotFound:
        return None
    return None if found is None else _made(found)


def _made(kind: type[Lexer]) -> Lexer:
    return kind(stripnl=False, ensurenl=False)


def _hunk(lexer: Lexer, hunk: Hunk) -> tuple[tuple[Span, ...], ...]:
    """Return the spans of each line: of deleted lines as of the old side, of others as of the new one."""
    found: list[tuple[Span, ...]] = [()] * len(hunk.lines)
    other = [LineKind.ADDED, LineKind.DELETED] if hunk.deleted else [LineKind.DELETED]
    for left_out in other:  # the new side last: lines of both are coloured as of that
        places = [place for place, line in enumerate(hunk.lines) if line.kind is not left_out]
        spans = _side(lexer, [hunk.lines[place] for place in places])
        for place, of_line in zip(places, spans, strict=True):
            found[place] = of_line
    return tuple(found)


def _side(lexer: Lexer, lines: Sequence[Line]) -> list[tuple[Span, ...]]:
    texts = [line.text if len(line.text) <= _LONGEST else "" for line in lines]
    spans: list[list[Span]] = [[] for _ in texts]
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 1
    row = 0
    for start, end, kind in _tokens(lexer, "\n".join(texts)):
        while row + 1 < len(starts) and starts[row + 1] <= start:
            row += 1
        here = row
        while here < len(starts) and starts[here] < end:
            first, last = max(start - starts[here], 0), min(end - starts[here], len(texts[here]))
            if first < last:
                spans[here].append(Span(first, last, kind))
            here += 1
    return [tuple(one) for one in spans]


def _tokens(lexer: Lexer, text: str) -> Iterator[tuple[int, int, int]]:
    told: Iterable[tuple[int, object, str]] = lexer.get_tokens_unprocessed(text)
    for start, token, value in told:
        kind = next((kind for known, kind in _OF_TOKENS if token in known), None)
        if kind is not None and value.strip():
            yield start, start + len(value), KINDS.index(kind)
