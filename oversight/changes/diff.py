"""Unified diffs, read as a stream and written back.

Reads what `git diff`, `git show`, `git log -p` and `git format-patch` write, and what `diff -u` writes.
A hunk's header alone decides how many lines belong to it, so a deleted line `-- a/x` is never taken for a
file header. What cannot be read in full is never dropped in silence: a diff that is cut off or malformed
is a `DiffError` that names the line; a file past the `Limits`, or one shown only as a combined diff, is kept
without hunks and with the reason in `FileChange.unread`.

Several commits in one input (`git log -p`, an mbox) are one list of files, in the order of the input.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from oversight.changes import paths
from oversight.changes.hunks import HEADER, MEND, broken, read_hunk, skip_combined
from oversight.changes.languages import language_of
from oversight.changes.lines import Lines
from oversight.changes.model import Change, FileChange, FileStatus, Hunk
from oversight.changes.prelude import Message, Prelude
from oversight.changes.provenance import provenance_of, together
from oversight.changes.rendering import render
from oversight.errors import DiffError

__all__ = ["LIMITS", "DiffParser", "Limits", "change_from_diff", "parse_diff", "render"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond which a file is kept as unread; a line, a file and a whole change each have theirs.

    The defaults are far above what a person could review, and keep a hostile diff within about a gigabyte.
    """

    line_bytes: int = 1_000_000
    file_lines: int = 200_000
    file_hunks: int = 20_000
    file_bytes: int = 32_000_000
    change_lines: int = 1_000_000
    change_bytes: int = 256_000_000


LIMITS = Limits()

_EXTENDED = re.compile(
    rb"(old mode|new mode|new file mode|deleted file mode|mode|rename from|rename to|rename old|rename new"
    rb"|copy from|copy to|similarity index|dissimilarity index|index) ([^\r\n]*)"
)
_BINARY = re.compile(rb"(?:Binary f|F)iles ([^\r\n]+) differ\s*$")
_ONLY = re.compile(rb"Only in ([^:\r\n]+): ([^\r\n]+)")
_SUBMODULE = re.compile(rb"Submodule ([^\r\n]+) [0-9a-f]{4,64}(?:\.{2,3}[0-9a-f]{4,64})?(?: \([^\r\n)]*\))?:?\s*$")
_BLOCK = re.compile(rb"(?:literal|delta) \d+\s*$")
_MODE = re.compile(rb"[0-7]{5,6}")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


def parse_diff(source: bytes | BinaryIO, *, limits: Limits = LIMITS) -> Iterator[FileChange]:
    """Read a unified diff, file by file.

    Empty input is a diff without files. Raises `DiffError` on text that is no diff and on a diff that is
    malformed or cut off; files before that point have been yielded by then.
    """
    return DiffParser(source, limits=limits).files()


def change_from_diff(source: bytes | BinaryIO, *, limits: Limits = LIMITS) -> Change:
    """Read a diff that comes without a repository as a `Change`; its id is the sha256 of all its bytes.

    Title, body, author and date come from the first message that `git show`, `git log` or
    `git format-patch` put before the files, and are empty or None without one; of several commits, an agent
    or bot that signed any of them is told in `provenance`. Raises `DiffError`.
    """
    digest = hashlib.sha256()
    parser = DiffParser(source, limits=limits, observe=digest.update)
    files = tuple(parser.files())
    messages = parser.prelude.messages()
    first = messages[0] if messages else Message(None, None, "", "")
    return Change(
        id=digest.hexdigest(),
        repository=None,
        base=None,
        head=None,
        author=first.author,
        provenance=together(provenance_of(message.author or "", "", message.text) for message in messages),
        authored_at=first.authored_at,
        title=first.title,
        body=first.body,
        files=files,
    )


@dataclass(slots=True)
class _Draft:
    """A file while it is read. `old` and `new` are paths without prefixes, None while unknown."""

    old: str | None = None
    new: str | None = None
    status: FileStatus = FileStatus.MODIFIED
    old_mode: str | None = None
    new_mode: str | None = None
    binary: bool = False
    unread: str | None = None
    hunks: list[Hunk] = field(default_factory=list)
    seen: int = 0
    lines: int = 0
    bytes: int = 0

    def place(self, old: str, new: str) -> None:
        """Take the two paths of a header; `/dev/null` says that there is no file on that side."""
        if self.status is FileStatus.MODIFIED and old == paths.NULL:
            self.status = FileStatus.ADDED
        elif self.status is FileStatus.MODIFIED and new == paths.NULL:
            self.status = FileStatus.DELETED
        self.old = self.old or (new if old == paths.NULL else old)
        self.new = self.new or (old if new == paths.NULL else new)

    def mark(self, reason: str) -> None:
        """Give the content up, for the first reason that is found."""
        self.unread = self.unread or reason
        self.hunks.clear()

    def freeze(self) -> FileChange:
        """The finished value."""
        old = None if self.status is FileStatus.ADDED else self.old
        new = None if self.status is FileStatus.DELETED else self.new
        modes = (self.old_mode, self.new_mode)
        status = self.status
        whole = not (self.hunks or self.binary or self.unread)
        if status is FileStatus.MODIFIED and whole and None not in modes and modes[0] != modes[1]:
            status = FileStatus.MODE_CHANGED
        code = not any(mode in ("120000", "160000") for mode in modes)
        language = language_of(new or old or "") if code else None
        return FileChange(old, new, status, language, tuple(self.hunks), self.binary, *modes, unread=self.unread)


class DiffParser:
    """One pass over one diff: `files` yields the files, `prelude` collects the messages between them."""

    def __init__(
        self,
        source: bytes | BinaryIO,
        *,
        limits: Limits = LIMITS,
        observe: Callable[[bytes], object] | None = None,
    ) -> None:
        self.prelude = Prelude()
        self._limits = limits
        self._lines = Lines(source, limits.line_bytes, observe)
        self._change_lines = 0
        self._change_bytes = 0

    def files(self) -> Iterator[FileChange]:
        """The files in order. git writes a change of type (file to symlink) as two entries: they are joined."""
        held: FileChange | None = None
        for draft in self._drafts():
            file = draft.freeze()
            if held is not None:
                joined = _join(held, file)
                yield joined or held
                held = None
                if joined:
                    continue
            if file.status is FileStatus.DELETED:
                held = file
            else:
                yield file
        if held is not None:
            yield held

    def _drafts(self) -> Iterator[_Draft]:
        found = False
        raw = self._first()
        while raw:
            draft = self._draft(raw)
            if draft is None:
                self.prelude.feed(raw, self._lines.number)
            else:
                found = True
                if self.prelude.encoded:
                    break
                self.prelude.end()
                if not (draft.old and draft.new):
                    raise broken(self._lines, "a file header without a path")
                yield draft
            raw = self._lines.next()
        if self.prelude.encoded:
            raise DiffError("the mail is encoded, which changes lines", mend="decode it: `git mailinfo` does")
        if not found and self.prelude.text_at is not None and not self.prelude.known:
            raise DiffError("this is no unified diff: there is no file header in it", mend=MEND)

    def _first(self) -> bytes:
        raw = self._lines.next()
        if raw.startswith(_UTF16):
            raise DiffError("the diff is saved as UTF-16", mend="save it as it comes, `git diff --output=FILE` does")
        return raw.removeprefix(_UTF8_MARK)

    def _draft(self, raw: bytes) -> _Draft | None:
        """The file that begins with `raw`, or None where `raw` is text between files."""
        if raw.startswith(b"diff --git "):
            return self._git(raw)
        if raw.startswith((b"diff --cc ", b"diff --combined ")):
            return self._combined(raw)
        if raw.startswith(b"--- "):
            return self._plain(raw)
        if self.prelude.open:
            return None
        if raw.startswith(b"@@ -") and HEADER.match(raw):
            raise broken(self._lines, "a hunk without a file header")
        return _nameless(raw)

    def _plain(self, raw: bytes) -> _Draft | None:
        """A `diff -u` header, if `+++` and a hunk follow; without `+++`, and in a mail's message, it is text."""
        plus = self._lines.next()
        if not plus.startswith(b"+++ "):
            self._lines.back(plus)
            return None
        following = self._lines.next()
        self._lines.back(following)
        if not following.startswith(b"@@ -"):
            if not self.prelude.mail:
                raise broken(self._lines, "a file header without hunks")
            self.prelude.feed(plus, self._lines.number)
            return None
        old, new = (paths.absent(*paths.side(side[4:])) for side in (raw, plus))
        draft = _Draft()
        draft.place(*paths.reconcile(old, new))
        self._hunks(draft)
        return draft

    def _git(self, raw: bytes) -> _Draft:
        draft = _Draft()
        header = paths.pair(raw[len(b"diff --git ") :])
        while (raw := self._lines.next()) and (match := _EXTENDED.match(raw)):
            _extend(draft, match[1], match[2])
        if header is not None:
            draft.place(*paths.reconcile(*header))
        if raw.startswith(b"--- "):
            self._sides(draft, raw)
        elif raw.startswith(b"GIT binary patch"):
            draft.binary = True
            self._skip_binary()
        elif _BINARY.match(raw):
            draft.binary = True
        elif raw.startswith(b"@@ -"):
            raise broken(self._lines, "a hunk without `---` and `+++`")
        else:
            self._lines.back(raw)
        return draft

    def _sides(self, draft: _Draft, raw: bytes) -> None:
        """The `---` and `+++` lines, which must name the same files as the header, and the hunks."""
        plus = self._lines.next()
        if not plus.startswith(b"+++ "):
            raise broken(self._lines, "a file header with `---` but without `+++`")
        old, new = paths.side(raw[4:])[0], paths.side(plus[4:])[0]
        for told, name in ((old, draft.old), (new, draft.new)):
            if name is not None and told not in (name, paths.NULL) and not told.endswith("/" + name):
                raise broken(self._lines, "a file header whose lines name different files")
        draft.place(*paths.reconcile(old, new))
        self._hunks(draft)

    def _hunks(self, draft: _Draft) -> None:
        limits, source = self._limits, self._lines
        while (raw := source.next()).startswith(b"@@ -"):
            cuts = source.cuts
            lines = min(limits.file_lines, limits.change_lines - self._change_lines) - draft.lines
            size = min(limits.file_bytes, limits.change_bytes - self._change_bytes) - draft.bytes
            wanted = draft.unread is None
            body = read_hunk(source, raw, room_lines=lines * wanted, room_bytes=size * wanted)
            draft.seen += 1
            draft.lines += body.lines
            draft.bytes += body.bytes
            if source.cuts > cuts:
                draft.mark(f"it has a line of more than {limits.line_bytes:,} bytes")
            elif draft.seen > limits.file_hunks:
                draft.mark(f"it has more than {limits.file_hunks:,} hunks")
            elif body.hunk is None:
                draft.mark("it is too large, or the files before it are")
            else:
                draft.hunks.append(body.hunk)
        if draft.unread is None:
            self._change_lines += draft.lines
            self._change_bytes += draft.bytes
        if not draft.seen:
            raise broken(source, "a file header without hunks")
        self._check_end(raw)
        source.back(raw)

    def _check_end(self, raw: bytes) -> None:
        """The counts are the truth; yet a line that reads like one more line of the hunk must not vanish."""
        if raw[:1] in (b"+", b" ", b"-") and not raw.startswith(b"--- ") and raw.strip() not in (b"--", b"---", b""):
            raise broken(self._lines, "a hunk with more lines than its header promises")

    def _skip_binary(self) -> None:
        """Read past the one or two blocks of a binary patch; each ends with a blank line."""
        while _BLOCK.match(raw := self._lines.next()):
            while (raw := self._lines.next()).strip():
                pass
            if not raw:
                raise broken(self._lines, "a binary patch that is cut off")
        self._lines.back(raw)

    def _combined(self, raw: bytes) -> _Draft:
        """A file of a merge against all its parents at once: read past, since no side of it is a plain diff."""
        name = paths.decode(paths.unquote(raw.split(b" ", 2)[2].rstrip(b"\r\n")))
        draft = _Draft(old=name, new=name, unread="it is a combined diff of a merge")
        while (raw := self._lines.next()) and (match := _EXTENDED.match(raw)):
            _extend(draft, match[1], match[2])
        if raw.startswith(b"--- "):
            self._lines.next()
            raw = self._lines.next()
        while raw and skip_combined(self._lines, raw):
            raw = self._lines.next()
        if not _BINARY.match(raw):
            self._lines.back(raw)
        return draft


def _extend(draft: _Draft, key: bytes, value: bytes) -> None:
    """Take one of git's extended header lines."""
    mode = value.decode() if _MODE.fullmatch(value) else None
    match key:
        case b"old mode":
            draft.old_mode = mode
        case b"new mode":
            draft.new_mode = mode
        case b"new file mode":
            draft.status, draft.new_mode = FileStatus.ADDED, mode
        case b"deleted file mode":
            draft.status, draft.old_mode = FileStatus.DELETED, mode
        case b"rename from" | b"rename old":
            draft.status, draft.old = FileStatus.RENAMED, paths.decode(paths.unquote(value))
        case b"copy from":
            draft.status, draft.old = FileStatus.COPIED, paths.decode(paths.unquote(value))
        case b"rename to" | b"rename new" | b"copy to":
            draft.new = paths.decode(paths.unquote(value))
        case b"index" if _MODE.fullmatch(last := value.rpartition(b" ")[2]):
            draft.old_mode = draft.new_mode = last.decode()


def _nameless(raw: bytes) -> _Draft | None:
    """Files that a diff tool only mentions: binary ones, one-sided ones, submodules as a log."""
    draft: _Draft | None = None
    if match := _BINARY.match(raw):
        draft = _Draft(binary=True)
        draft.place(*paths.reconcile(*paths.mentioned(match[1])))
    elif match := _ONLY.match(raw):
        draft = _Draft(unread="the diff names it without its content")
        name = paths.decode(match[1] + b"/" + match[2])
        draft.place(name, name)
    elif match := _SUBMODULE.match(raw):
        draft = _Draft(unread="it is a submodule shown as a log", old_mode="160000", new_mode="160000")
        name = paths.decode(match[1])
        draft.place(name, name)
    return draft


def _join(gone: FileChange, come: FileChange) -> FileChange | None:
    """One entry for a file that changed its type, or None where the two are not halves of such a change."""
    if come.status is not FileStatus.ADDED or gone.old_path != come.new_path or not (gone.old_mode and come.new_mode):
        return None
    if gone.old_mode[:3] == come.new_mode[:3]:
        return None
    return FileChange(
        gone.old_path,
        come.new_path,
        FileStatus.TYPE_CHANGED,
        gone.language or come.language,
        gone.hunks + come.hunks,
        gone.binary or come.binary,
        gone.old_mode,
        come.new_mode,
        gone.unread or come.unread,
    )
