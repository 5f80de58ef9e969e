"""A change as text that a model reads as data: escaped, every row behind a mark of ours, between two lines that it
cannot write.

    === change 0f3a… begins ===
    title|Fix the overflow
    file f1|modified, c|lib/a.c
    hunk h1|f1|static int grow(…)
     11|    if (n == 0)
    -12|        n = 1;
    +12|        n = 2;
    === change 0f3a… ends ===

Three walls, each of which holds alone:

- **rows**: a row of the change is one row here, and begins with a mark of ours; no row begins with `===`;
- **the name of the fence** is a hash of all that stands inside: who would close it has to write a text that holds its
  own hash. It also makes the same change the same bytes, so that answers can be kept;
- **characters**: whatever is invisible, turns the direction of reading or ends a line shows as `⟨U+202E⟩`. The bracket
  itself is escaped too, so that no such mark can be forged and nothing is lost: `unescaped(escaped(text)) == text`.

What is too long is cut, and the rows that tell of it are ours. Nothing of a change's metadata but its title and message
is shown: neither authors nor addresses, as far as these do not stand in the message.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from oversight.changes.model import Change, FileChange, Hunk, Line, LineKind

FORMAT = 1
"""Goes up when the same change gives another text."""

_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0x27E8}.union(
        range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)
    )
)
"""What Python calls printable and people do not see; and the bracket that marks an escape."""

_ESCAPE = re.compile("⟨U\\+([0-9A-F]{1,6})⟩")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a change is shown: `size` bytes in all, of which message and list of files get a quarter each; that
    many hunks, rows of a hunk, characters of a row, rows of the message and files.
    """

    size: int = 48_000
    hunks: int = 40
    rows: int = 200
    row: int = 300
    message: int = 40
    files: int = 100


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Part:
    """A hunk that is shown: its name in the text, its path, its lines as reports anchor them, and the numbers of the
    rows shown of each side.
    """

    name: str
    path: str
    span: tuple[int, int]
    new: frozenset[int]
    old: frozenset[int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model gets to see of a change: the text, its hunks, and the changed rows that were shown and left out."""

    text: str
    parts: tuple[Part, ...]
    rows: int
    rows_left_out: int

    @property
    def coverage(self) -> float:
        """The share of the changed rows that is shown; 1 where there are none."""
        whole = self.rows + self.rows_left_out
        return self.rows / whole if whole else 1.0


def escaped(text: str) -> str:
    r"""Return `text` as one row in which every character can be seen. Tabs stay.

    >>> escaped("a\u202eb ⟨U+41⟩")
    'a⟨U+202E⟩b ⟨U+27E8⟩U+41⟩'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    number = ord(character)
    seen = character == "\t" or (character.isprintable() and number not in _INVISIBLE)
    return character if seen else f"⟨U+{number:X}⟩"


def unescaped(row: str) -> str:
    """Return the text that `escaped` was given."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), row)


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text, escaped, and how much is missing."""
    if len(text) <= limit:
        return escaped(text)
    return f"{escaped(text[:limit])}⟨{len(text) - limit} more characters⟩"


def enclosed(kind: str, rows: Iterable[str]) -> str:
    """Put finished rows between the two lines of a fence. `ValueError` for a row that is more than one row, or that
    looks like a fence.
    """
    inside = list(rows)
    if any("\n" in row or "\r" in row or row.startswith("=") for row in inside):
        raise ValueError("a row inside of a fence is one row and does not begin like the fence")
    body = "\n".join(inside)
    name = hashlib.sha256(f"{kind}\n{body}".encode()).hexdigest()[:32]
    return f"=== {kind} {name} begins ===\n{body}\n=== {kind} {name} ends ==="


def show(change: Change, limits: Limits = LIMITS) -> Shown:
    """Return what a model gets to see of `change`.

    Where there is too much, the hunks with the most changed rows are shown, in the order of the diff.
    """
    head = [f"title|{_cut(change.title, limits.row)}"]
    head += _listed("message", _message(change.body, limits), limits.message, limits.size // 4)
    head += _listed("file", _files(change.files, limits), limits.files, limits.size // 4)
    hunks = [(number, file, hunk) for number, file in enumerate(change.files, 1) for hunk in file.hunks]
    room = limits.size - _size(head)
    chosen: dict[int, list[str]] = {}
    for place in sorted(range(len(hunks)), key=lambda place: -_changed(hunks[place][2].lines))[: limits.hunks]:
        hunk = hunks[place][2]
        rows = fitting([_cut(hunk.section, limits.row), *_rows(hunk.lines[: limits.rows], limits)], room)
        if len(rows) > 1 and _changed(hunk.lines[: len(rows) - 1]):
            chosen[place] = rows
            room -= _size(rows)
    parts, body = _parts(chosen, hunks)
    whole = sum(_changed(hunk.lines) for _, _, hunk in hunks)
    seen = sum(_changed(hunks[place][2].lines[: len(rows) - 1]) for place, rows in chosen.items())
    if whole > seen:
        body.append(f"left out|{len(hunks) - len(chosen)} of {len(hunks)} hunks; {whole - seen} changed rows in all")
    return Shown(enclosed("change", [*head, *body]), parts, seen, whole - seen)


def _parts(
    chosen: dict[int, list[str]], hunks: list[tuple[int, FileChange, Hunk]]
) -> tuple[tuple[Part, ...], list[str]]:
    """Name the hunks that are shown, in the order of the diff, and put their rows together."""
    parts: list[Part] = []
    body: list[str] = []
    for place in sorted(chosen):
        number, file, hunk = hunks[place]
        section, *rows = chosen[place]
        name = f"h{len(parts) + 1}"
        body += [f"hunk {name}|f{number}|{section}", *rows]
        if len(hunk.lines) > len(rows):
            body.append(f"left out|{len(hunk.lines) - len(rows)} more rows of {name}")
        lines = hunk.lines[: len(rows)]
        new = frozenset(line.new_number for line in lines if line.new_number is not None)
        old = frozenset(line.old_number for line in lines if line.old_number is not None and line.new_number is None)
        parts.append(Part(name, file.path, hunk.span, new, old))
    return tuple(parts), body


def _message(body: str, limits: Limits) -> list[str]:
    return [f"message|{_cut(line, limits.row)}" for line in body.split("\n")] if body else []


def _files(files: tuple[FileChange, ...], limits: Limits) -> list[str]:
    rows: list[str] = []
    for number, file in enumerate(files, 1):
        rows.append(f"file f{number}|{_kind(file)}|{_cut(file.path, limits.row)}")
        if file.old_path is not None and file.new_path not in (None, file.old_path):
            rows.append(f"file f{number}|before|{_cut(file.old_path, limits.row)}")
    return rows


def _kind(file: FileChange) -> str:
    """Say what was done to a file, in words of ours."""
    told = [str(file.status), file.language or "no known language"]
    told += ["binary"] * file.binary + ["could not be read"] * (file.unread is not None)
    if file.old_mode != file.new_mode and None not in (file.old_path, file.new_path):
        told.append("mode changed")
    return ", ".join(told)


def _rows(lines: Sequence[Line], limits: Limits) -> list[str]:
    numbers = (line.old_number if line.kind is LineKind.DELETED else line.new_number for line in lines)
    return [f"{line.kind}{number}|{_cut(line.text, limits.row)}" for line, number in zip(lines, numbers, strict=True)]


def _listed(kind: str, rows: list[str], most: int, room: int) -> list[str]:
    """Return as many rows as there is room for, and say how many there are besides."""
    kept = fitting(rows[:most], room)
    return kept if len(kept) == len(rows) else [*kept, f"left out|{len(rows) - len(kept)} more rows of kind {kind}"]


def fitting(rows: list[str], room: int) -> list[str]:
    """Return the first of the rows that together have at most `room` bytes."""
    ends = accumulate(len(row.encode()) + 1 for row in rows)
    return [row for row, end in zip(rows, ends, strict=True) if end <= room]


def _size(rows: list[str]) -> int:
    return sum(len(row.encode()) + 1 for row in rows)


def _changed(lines: Sequence[Line]) -> int:
    return sum(line.kind is not LineKind.CONTEXT for line in lines)
