"""What a change is: frozen values, no I/O.

Text is `str`, decoded as UTF-8 with `surrogateescape`, so that `text.encode("utf-8", "surrogateescape")`
gives back the bytes that were read. Paths are `str` decoded in the same way and never start with `a/`
or `b/`. Whoever shows text or a path to a person passes it through `oversight.reports.escape` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

LEFT_OUT = "left out by the settings of the review"
"""`FileChange.unread` of a file that people chose not to have reviewed: the one reason that is no loss."""


class LineKind(StrEnum):
    """How a line takes part in a hunk; the value is the line's first character in a unified diff."""

    CONTEXT = " "
    ADDED = "+"
    DELETED = "-"


class FileStatus(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    RENAMED = "renamed"
    COPIED = "copied"
    MODE_CHANGED = "mode-changed"
    TYPE_CHANGED = "type-changed"


class ProvenanceKind(StrEnum):
    """Who wrote a change, as far as its metadata tells."""

    HUMAN = "human"
    BOT = "bot"
    AGENT = "agent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who wrote a change: the kind, and the bot's or agent's name where the kind is one of them."""

    kind: ProvenanceKind
    name: str | None = None


class Line(NamedTuple):
    """One line of a hunk; a named tuple because there are millions, and a frozen dataclass takes six times as long.

    `text` has no trailing newline but keeps a carriage return. `old_number` is None on added lines and
    `new_number` is None on deleted ones; both are 1-based. `no_newline` marks the last line of a file
    that does not end in a newline.
    """

    kind: LineKind
    old_number: int | None
    new_number: int | None
    text: str
    no_newline: bool = False


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of changed lines with its context.

    `old_start` and `new_start` are as in the hunk header: 1-based, or the line before the hunk where
    that side is empty. `section` is the text after the second `@@`, often the enclosing definition.
    """

    old_start: int
    new_start: int
    section: str
    lines: tuple[Line, ...]

    @property
    def added(self) -> tuple[Line, ...]:
        """The added lines, in order."""
        return tuple(line for line in self.lines if line.kind is LineKind.ADDED)

    @property
    def deleted(self) -> tuple[Line, ...]:
        """The deleted lines, in order."""
        return tuple(line for line in self.lines if line.kind is LineKind.DELETED)

    def count(self, kind: LineKind) -> int:
        """Number of lines of one kind."""
        return [line.kind for line in self.lines].count(kind)

    @property
    def span(self) -> tuple[int, int]:
        """First and last line, both inclusive, that a report anchors this hunk to.

        Counted in the new file; for a hunk that only deletes, the line of the new file that follows the
        deletion (at least 1), so that an annotation always lands on the new side.
        """
        numbers = [line.new_number for line in self.lines if line.kind is LineKind.ADDED and line.new_number]
        if numbers:
            return numbers[0], numbers[-1]
        before = max(self.new_start, 1)
        for line in self.lines:
            if line.kind is LineKind.DELETED:
                return before, before
            if line.new_number is not None:
                before = line.new_number + 1
        return before, before


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a change does to one file.

    `old_path` is None for an added file and `new_path` None for a deleted one. `old_mode` and `new_mode`
    are git's octal modes ("100644", "120000" for a symlink, "160000" for a submodule), None where
    unknown. `binary` is git's word for it; a source file that is text all the same, but for a NUL byte, has
    hunks besides. `unread` says why the content could not be read (a missing blob, a size limit); such a file
    has no hunks, is listed in the coverage receipt and never counts as unchanged.
    """

    old_path: str | None
    new_path: str | None
    status: FileStatus
    language: str | None
    hunks: tuple[Hunk, ...]
    binary: bool = False
    old_mode: str | None = None
    new_mode: str | None = None
    unread: str | None = None

    @property
    def path(self) -> str:
        """The path to show: the new one, or the old one of a deleted file."""
        return self.new_path if self.new_path is not None else (self.old_path or "")

    @property
    def lost(self) -> bool:
        """Whether its content should have been read and could not be."""
        return self.unread not in (None, LEFT_OUT)

    @property
    def submodule(self) -> bool:
        """Whether this entry is a submodule (gitlink)."""
        return "160000" in (self.old_mode, self.new_mode)

    @property
    def symlink(self) -> bool:
        """Whether either side is a symbolic link."""
        return "120000" in (self.old_mode, self.new_mode)


@dataclass(frozen=True, slots=True)
class Change:
    """A commit, a range taken as one change, or a bare diff.

    `id` is the head's sha where there is one, else the sha256 of the diff's bytes. `repository` is a
    display name (never a path of this machine), None for a bare diff. `base` and `head` are full shas;
    `base` is None for a root commit and for a bare diff. `author` is "Name <email>", `authored_at` is
    time-zone aware; both None where unknown. `title` is the first line of the message, `body` the rest.
    """

    id: str
    repository: str | None
    base: str | None
    head: str | None
    author: str | None
    provenance: Provenance
    authored_at: datetime | None
    title: str
    body: str
    files: tuple[FileChange, ...]

    @property
    def added(self) -> int | None:
        """Number of added lines over all files that are reviewed; None where one of them could not be read."""
        return self._count(LineKind.ADDED)

    @property
    def deleted(self) -> int | None:
        """Number of deleted lines over all files that are reviewed; None where one of them could not be read."""
        return self._count(LineKind.DELETED)

    def _count(self, kind: LineKind) -> int | None:
        if any(file.lost for file in self.files):
            return None
        return sum(hunk.count(kind) for file in self.files for hunk in file.hunks)
