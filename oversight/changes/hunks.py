"""The body of one hunk: exactly as many lines as its header promises, no more and no fewer."""

from __future__ import annotations

import re
from typing import NamedTuple

from oversight.changes.lines import Lines
from oversight.changes.model import Hunk, Line, LineKind
from oversight.errors import DiffError

HEADER = re.compile(rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@ ?([^\r\n]*)")
_COMBINED = re.compile(rb"(@{3,65})((?: -\d{1,10}(?:,\d{1,10})?)+) \+\d{1,10}(?:,(\d{1,10}))? @{3,65}")
MEND = "make it again with `git diff` or `diff -u`, and check that it is saved whole"

# The first byte of a line says its kind: a blank, "+", "-" and, for the note on a missing newline, a backslash.
_BLANK, _PLUS, _MINUS, _NOTE, _NEWLINE = b" +-\\\n"
_BLOCK = 64
_CONTEXT, _ADDED, _DELETED = LineKind.CONTEXT, LineKind.ADDED, LineKind.DELETED


class Body(NamedTuple):
    """A hunk as read. `hunk` is None where it has more lines or bytes than there was room for."""

    hunk: Hunk | None
    lines: int
    bytes: int


def broken(source: Lines, what: str) -> DiffError:
    """The error for a diff that cannot be read on, with the line where that was found out."""
    return DiffError(f"the diff is malformed at line {source.number}: {what}", mend=MEND)


class _Promise(NamedTuple):
    """What a hunk header says."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: bytes


def _promise(source: Lines, header: bytes) -> _Promise:
    match = HEADER.match(header)
    if match is None:
        raise broken(source, "a hunk header that cannot be read")
    counts = [1 if count is None else int(count) for count in (match[2], match[4])]
    if not any(counts):
        raise broken(source, "a hunk that promises no lines")
    return _Promise(int(match[1]), counts[0], int(match[3]), counts[1], match[5])


def read_hunk(source: Lines, header: bytes, *, room_lines: int, room_bytes: int) -> Body:
    """Read the hunk whose `@@` line is `header`; past the room its lines are counted and dropped.

    Raises `DiffError` where the input ends too early or the lines do not add up to the header.
    """
    promise = _promise(source, header)
    lines, count, size = _read_lines(source, promise, room_lines, room_bytes - len(header))
    size += len(header)
    after = source.next()
    if after[:1] == b"\\":
        size += len(after)
        _note(lines)
    else:
        source.back(after)
    if size > room_bytes or count > room_lines:
        return Body(None, count, size)
    section = promise.section.decode("utf-8", "surrogateescape")
    return Body(Hunk(promise.old_start, promise.new_start, section, tuple(lines)), count, size)


def _read_lines(source: Lines, promise: _Promise, room_lines: int, room_bytes: int) -> tuple[list[Line], int, int]:
    """The lines of a hunk, their number and their bytes. The hot loop: it runs for every line of a history."""
    hunk_at, size, count = source.number, 0, 0
    old, old_count, new, new_count, _ = promise
    old_end, new_end = old + old_count, new + new_count
    lines: list[Line] = []
    append, make, readline = lines.append, tuple.__new__, source.readline
    # At least so many lines are still to come; room is looked at after every block of them.
    while (left := max(old_end - old, new_end - new)) > 0:
        for _ in range(min(left, _BLOCK)):
            raw = readline()
            if not raw:
                raise _cut_off(source, hunk_at, count, left)
            kind = raw[0]
            count += 1
            size += len(raw)
            text = (raw[1:-1] if raw[-1] == _NEWLINE else source.unended(raw)[1:]).decode("utf-8", "surrogateescape")
            if kind == _BLANK:
                append(make(Line, (_CONTEXT, old, new, text, False)))
                old += 1
                new += 1
            elif kind == _PLUS:
                append(make(Line, (_ADDED, None, new, text, False)))
                new += 1
            elif kind == _MINUS:
                append(make(Line, (_DELETED, old, None, text, False)))
                old += 1
            elif kind == _NOTE and lines:
                count -= 1
                source.number += 1
                _note(lines)
            elif raw in (b"\n", b"\r\n"):
                # An empty context line that lost its blank on the way, as mailers and editors do.
                append(make(Line, (_CONTEXT, old, new, raw[:-1].decode(), False)))
                old += 1
                new += 1
            else:
                raise _cut_off(source, hunk_at, count, left)
        if size > room_bytes or count > room_lines:
            del lines[:-1]
    source.number += count
    if (old, new) != (old_end, new_end):
        raise broken(source, f"the lines of the hunk of line {hunk_at} do not add up to its header")
    return lines, count, size


def _cut_off(source: Lines, hunk_at: int, count: int, left: int) -> DiffError:
    source.number += count
    return broken(source, f"the hunk of line {hunk_at} is cut off, up to {left} of its lines are missing")


def _note(lines: list[Line]) -> None:
    """Mark the last line as the one without a newline at its end."""
    if lines:
        lines[-1] = lines[-1]._replace(no_newline=True)


def skip_combined(source: Lines, header: bytes) -> bool:
    """Read past one hunk of a combined diff, if `header` begins one.

    With n parents a line begins with n marks: it is in the result unless one of them is "-", and in a
    parent where that parent's mark is "-", or a blank on a line that is in the result.
    """
    match = _COMBINED.match(header)
    if match is None:
        return False
    parents = len(match[1]) - 1
    left = [int(part.partition(b",")[2] or 1) for part in match[2].split()] + [int(match[3] or 1)]
    if len(left) != parents + 1:
        raise broken(source, "a hunk header that cannot be read")
    while any(count > 0 for count in left):
        raw = source.next()
        marks = raw[:parents]
        if raw[:1] == b"\\":
            continue
        if len(marks) < parents or marks.strip(b" +-"):
            raise broken(source, "a combined hunk that is cut off")
        gone = b"-" in marks
        for parent, mark in enumerate(marks):
            left[parent] -= mark == _MINUS or (mark == _BLANK and not gone)
        left[-1] -= not gone
    return True
