"""A change in reverse: what it added is deleted, and what it deleted is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from oversight.changes.languages import language_of
from oversight.changes.model import FileChange, FileStatus, Hunk, Line, LineKind

_OPPOSITE = {
    FileStatus.ADDED: FileStatus.DELETED,
    FileStatus.DELETED: FileStatus.ADDED,
    FileStatus.COPIED: FileStatus.DELETED,
}
_TURNED = {LineKind.ADDED: LineKind.DELETED, LineKind.DELETED: LineKind.ADDED, LineKind.CONTEXT: LineKind.CONTEXT}


def reversed_files(files: Sequence[FileChange]) -> tuple[FileChange, ...]:
    """Return what takes a change back. Of a copy that is the deletion of the copy, which git would show with its rows:
    copies are never found (`oversight.changes.patches.DIFF_OPTIONS`).
    """
    turned = [_reversed_file(file) for file in files]
    return tuple(sorted(turned, key=lambda file: file.path.encode("utf-8", "surrogateescape")))


def _reversed_file(file: FileChange) -> FileChange:
    path = file.old_path if file.old_path is not None else file.new_path
    return replace(
        file,
        old_path=file.new_path,
        new_path=file.old_path,
        old_mode=file.new_mode,
        new_mode=file.old_mode,
        status=_OPPOSITE.get(file.status, file.status),
        language=language_of(path or ""),
        hunks=tuple(map(reversed_hunk, file.hunks)),
    )


def reversed_hunk(hunk: Hunk) -> Hunk:
    """Return a hunk in reverse, with deleted rows in front of added ones as git has them."""
    lines: list[Line] = []
    turned = [
        Line(_TURNED[line.kind], line.new_number, line.old_number, line.text, line.no_newline) for line in hunk.lines
    ]
    for changes, group in groupby(turned, lambda line: line.kind is not LineKind.CONTEXT):
        run = list(group)
        lines += sorted(run, key=lambda line: line.kind is LineKind.ADDED) if changes else run
    return Hunk(hunk.new_start, hunk.old_start, hunk.section, tuple(lines))
