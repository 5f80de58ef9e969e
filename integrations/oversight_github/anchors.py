"""Places of a report -> places of the diff where GitHub takes a comment. No I/O.

GitHub takes review comments on lines of the diff alone and answers 422 to others, with which a whole review is lost.
So each place is looked up in the diff that we hold, whose context is GitHub's, too: lines of one hunk on the new side,
else the file as a whole, else nothing, and then the summary has to tell it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oversight.changes.model import Change, Hunk


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a comment goes: lines `start` to `line` of the new file, both inclusive, or the whole file (None, None).

    Of a comment on one line `start` is None, as GitHub wants it.
    """

    path: str
    line: int | None = None
    start: int | None = None

    @property
    def whole_file(self) -> bool:
        """Whether it is about no line; GitHub takes such comments one by one, never in a review."""
        return self.line is None

    def fields(self) -> Mapping[str, Any]:
        """Return the fields that GitHub's REST interface names such a place with."""
        if self.line is None:
            return {"path": self.path, "subject_type": "file"}
        one = {"path": self.path, "line": self.line, "side": "RIGHT"}
        return one if self.start is None else {**one, "start_line": self.start, "start_side": "RIGHT"}


class Places:
    """The places of one change's diff."""

    def __init__(self, change: Change) -> None:
        self._hunks: dict[str, list[Hunk]] = {}
        for file in change.files:
            self._hunks.setdefault(file.path, []).extend(file.hunks)
        for hunks in self._hunks.values():
            hunks.sort(key=lambda hunk: hunk.new_start)
        self._starts = {path: [hunk.new_start for hunk in hunks] for path, hunks in self._hunks.items()}

    def hunk(self, path: str, line: int | None) -> int | None:
        """Return the number of the hunk of a line of the new file: the last that starts at or before it."""
        if line is None:
            return None
        number = bisect_right(self._starts.get(path, []), line) - 1
        return number if number >= 0 else None

    def anchor(self, path: str, start: int | None = None, end: int | None = None) -> Anchor | None:
        """Return where GitHub takes a comment on lines of the new file, None where it takes none.

        Of lines that reach beyond a hunk those inside of it are taken.
        """
        if path not in self._hunks or not addressable(path):
            return None
        if start is None:
            return Anchor(path)
        last = start if end is None else max(start, end)
        for hunk in self._hunks[path]:
            numbers = [line.new_number for line in hunk.lines if line.new_number is not None]
            if numbers and numbers[0] <= last and start <= numbers[-1]:
                first, last = max(start, numbers[0]), min(last, numbers[-1])
                return Anchor(path, last, first if first < last else None)
        return Anchor(path)


def addressable(path: str) -> bool:
    """Whether GitHub can be told of a file by its path: relative, and made of UTF-8."""
    return bool(path) and not path.startswith("/") and path.isprintable()
