"""Diffs made to exhaust memory or time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from itertools import chain, repeat
from typing import BinaryIO, cast

import pytest

from oversight.changes.diff import LIMITS, Limits, parse_diff
from oversight.changes.model import FileChange
from oversight.errors import DiffError
from tests.builders import file_diff

AFTER = file_diff("after.py", ["a"], ["b"]).encode()


class Pieces:
    """A stream of pieces made while they are read, so that a test holds none of them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readline(self, limit: int = -1) -> bytes:
        """The next line, or `limit` bytes of it."""
        while b"\n" not in self._rest and (limit < 0 or len(self._rest) < limit):
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        end = self._rest.find(b"\n") + 1 or len(self._rest)
        end = end if limit < 0 else min(end, limit)
        line, self._rest = self._rest[:end], self._rest[end:]
        return line


def stream(*parts: Iterator[bytes] | bytes) -> BinaryIO:
    return cast("BinaryIO", Pieces(chain.from_iterable([part] if isinstance(part, bytes) else part for part in parts)))


def measured(source: BinaryIO | bytes, limits: Limits = LIMITS) -> tuple[list[FileChange], int]:
    """The files, and the most bytes that were allocated while they were read."""
    tracemalloc.start()
    try:
        files = list(parse_diff(source, limits=limits))
        return files, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_of_fifty_megabytes_is_read_past_in_little_memory() -> None:
    """The file is kept as unread, the next one is read, and the line was never held."""
    long = chain([b"--- a/x.js\n+++ b/x.js\n@@ -0,0 +1 @@\n+"], repeat(b"x" * 65_536, 800), [b"\n"])
    (bad, good), peak = measured(stream(long, AFTER))
    assert "a line of more than 1,000,000 bytes" in (bad.unread or "")
    assert bad.hunks == ()
    assert len(good.hunks) == 1
    assert peak < 8_000_000


def test_a_long_line_outside_of_hunks_is_only_text() -> None:
    """Also a header may be long; what is cut from it is dropped, and reading goes on."""
    assert [file.path for file in parse_diff(b"x" * 3_000_000 + b"\n" + AFTER)] == ["after.py"]


def test_a_line_exactly_at_the_limit_is_read() -> None:
    """The limit counts the mark and the newline; a last line without one may fill it."""
    head = b"--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n"
    for line, unread in (
        (b"+" + b"x" * 98 + b"\n", False),
        (b"+" + b"x" * 99, False),
        (b"+" + b"x" * 100 + b"\n", True),
    ):
        (file,) = parse_diff(head + line, limits=Limits(line_bytes=100))
        assert (file.unread is not None) is unread


def test_a_million_hunks_take_no_memory_past_the_limit() -> None:
    """A file with too many hunks is unread; memory is that of the hunks up to the limit."""
    hunks = (b"@@ -%d +%d @@\n-a\n+b\n" % (number, number) for number in range(1, 20_001))
    (bad, good), peak = measured(stream(b"--- a/x.py\n+++ b/x.py\n", hunks, AFTER), Limits(file_hunks=1_000))
    assert "1,000 hunks" in (bad.unread or "")
    assert len(good.hunks) == 1
    assert peak < 3_000_000


def test_a_hunk_that_promises_billions_of_lines_is_refused_in_little_memory() -> None:
    """The lines are counted and dropped past the limit; the end of the input is an error as always."""
    lines = repeat(b"+" + b"y" * 60 + b"\n", 20_000)
    with pytest.raises(DiffError, match="cut off"):
        measured(stream(b"--- a/x\n+++ b/x\n@@ -0,0 +1,9999999999 @@\n", lines), Limits(file_lines=1_000))


@pytest.mark.parametrize(
    "limits",
    [
        Limits(file_lines=3),
        Limits(file_hunks=1),
        Limits(file_bytes=40),
        Limits(change_lines=5),
        Limits(change_bytes=40),
    ],
    ids=["file lines", "file hunks", "file bytes", "change lines", "change bytes"],
)
def test_every_limit_leaves_a_reason_and_the_other_files(limits: Limits) -> None:
    """A file past a limit is unread, and its lines count against no other file."""
    large = b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n@@ -9 +9 @@\n-e\n+f\n"
    bad, good = parse_diff(large + AFTER, limits=limits)
    assert bad.unread
    assert bad.hunks == ()
    assert good.unread is None
    assert len(good.hunks) == 1


def test_files_without_number_come_one_by_one() -> None:
    """The parser yields a file as soon as it is read: nothing is collected."""
    endless = stream(repeat(AFTER))
    files = parse_diff(endless)
    assert [next(files).path for _ in range(1_000)] == ["after.py"] * 1_000


def test_nul_bytes_and_escapes_are_text() -> None:
    """Nothing in a line ends it but the newline."""
    (file,) = parse_diff(BytesIO(b"--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+\x00\x1b[2J\r\x85\xe2\x80\xa8\n"))
    assert file.hunks[0].lines[0].text == "\x00\x1b[2J\r\udc85\u2028"
