"""Files back to a git-style diff, such that reading it gives the same files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oversight.changes.model import FileChange, FileStatus, Hunk, LineKind
from oversight.changes.paths import NULL, encode, quote

_NO_NEWLINE = b"\\ No newline at end of file\n"


def render(files: Iterable[FileChange]) -> bytes:
    """Write `files` as `git diff` would, without blob ids and similarity, which the model does not hold.

    `parse_diff(render(files))` gives `files` back for all that `parse_diff` yields, except that a reason
    in `unread` cannot be written: such a file becomes a header without content. A file that has lines is written
    with them, also where git calls it binary.
    """
    return b"".join(piece for file in files for piece in _file(file))


def _file(file: FileChange) -> Iterator[bytes]:
    if file.status is FileStatus.TYPE_CHANGED:
        yield from _type_change(file)
        return
    old, new = file.old_path or file.path, file.new_path or file.path
    yield b"diff --git %s %s\n" % (quote("a/" + old), quote("b/" + new))
    yield from _modes(file)
    if file.status in (FileStatus.RENAMED, FileStatus.COPIED):
        verb = b"rename" if file.status is FileStatus.RENAMED else b"copy"
        yield b"%s from %s\n%s to %s\n" % (verb, quote(old), verb, quote(new))
    old_side = NULL if file.status is FileStatus.ADDED else "a/" + old
    new_side = NULL if file.status is FileStatus.DELETED else "b/" + new
    if file.binary and not file.hunks:
        yield b"Binary files %s and %s differ\n" % (quote(old_side), quote(new_side))
    elif file.hunks:
        yield b"--- %s\n+++ %s\n" % (_side(old_side), _side(new_side))
        for hunk in file.hunks:
            yield from _hunk(hunk)


def _modes(file: FileChange) -> Iterator[bytes]:
    old, new = encode(file.old_mode or ""), encode(file.new_mode or "")
    if file.status is FileStatus.ADDED:
        yield b"new file mode %s\n" % new if new else b""
    elif file.status is FileStatus.DELETED:
        yield b"deleted file mode %s\n" % old if old else b""
    elif old and new and old != new:
        yield b"old mode %s\nnew mode %s\n" % (old, new)
    elif new:
        yield b"index 0000000..0000000 %s\n" % new


def _type_change(file: FileChange) -> Iterator[bytes]:
    """A file that becomes a symlink: git writes one deleted and one added."""
    gone = tuple(hunk for hunk in file.hunks if all(line.kind is LineKind.DELETED for line in hunk.lines))
    come = file.hunks[len(gone) :]
    path = file.path
    yield from _file(FileChange(path, None, FileStatus.DELETED, None, gone, file.binary, file.old_mode, None))
    yield from _file(FileChange(None, path, FileStatus.ADDED, None, come, file.binary, None, file.new_mode))


def _side(path: str) -> bytes:
    """A name on a `---` or `+++` line: git ends one with blanks in it with a tab, lest it run into a date."""
    name = quote(path)
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


def _hunk(hunk: Hunk) -> Iterator[bytes]:
    old = sum(line.kind is not LineKind.ADDED for line in hunk.lines)
    new = sum(line.kind is not LineKind.DELETED for line in hunk.lines)
    section = b" " + encode(hunk.section) if hunk.section else b""
    yield b"@@ -%d,%d +%d,%d @@%s\n" % (hunk.old_start, old, hunk.new_start, new, section)
    for line in hunk.lines:
        yield b"%s%s\n" % (line.kind.encode(), encode(line.text))
        if line.no_newline:
            yield _NO_NEWLINE
