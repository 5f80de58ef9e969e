"""Commits with their diffs in bulk: one streamed `git log`, however many commits, in flat memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from oversight.changes.diff import Limits, parse_diff
from oversight.changes.disguise import texts_of
from oversight.changes.model import FileChange, FileStatus
from oversight.changes.paths import decode
from oversight.changes.quarantine import GitError, Quarantine
from oversight.changes.rendering import render

DIFF_OPTIONS: tuple[str, ...] = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--full-index",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--find-renames=50%",
    "-l1000",
    "--no-relative",
    "--submodule=short",
    "--ignore-submodules=none",
)
"""Every option that which files and lines differ depends on, fixed, so that no configuration changes a feature.

Renames are followed; copies are not, on purpose: a copy would show only where it differs from its source,
and code that nobody reviewed at its new place would have no lines to look at.
"""

PATCH_OPTIONS: tuple[str, ...] = ("--patch", "--unified=3", "--inter-hunk-context=0", *DIFF_OPTIONS)
"""The same for the text of a diff; apart, since `--unified` makes git write that text where counts were asked for."""

LOG_OPTIONS: tuple[str, ...] = (
    "--no-decorate", "--no-notes", "--no-show-signature", "--no-mailmap", "--encoding=UTF-8",
    "--diff-merges=first-parent",
)  # fmt: skip
"""What `git log` needs besides `DIFF_OPTIONS` to be the same everywhere; merges are shown against the first parent."""

PATCH_BYTES = 32_000_000
"""The longest diff of one commit that is held in memory. Of a longer one the files are read one by one, and
those that do not fit are marked as unread."""

_MISSING = "its content is not in this repository, which is a partial clone or is damaged"
_LISTLESS = "the list of its files is not in this repository, which is a partial clone or is damaged"
_CUT = "its parent is not in this repository, which is a shallow clone"
_DAMAGED = "git cannot read its content"
EVERYTHING = "."
"""The path of a commit as a whole, in `Patch.unread`."""

# What an author can make long comes last: where a header is cut, the rest of it is missing.
_FIELDS = "%x00".join(("%H", "%at", "%ct", "%P", "%cn", "%ce", "%an", "%ae", "%B"))
_CHUNK = 1 << 16
_WINDOW = 500
_GROWTH = 4
_ARGUMENT_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Patch:
    """A commit and its diff against its first parent, not yet parsed: cheap to hand to another process.

    `author` and `committer` are "Name <email>"; times are Unix seconds, None where the commit has none that
    can be read. `unread` names the files whose content is not in `data`, with the reason. `texts` is the diff
    of source files that `data` calls binary although they are text.
    """

    sha: str
    parent: str | None
    author: str
    committer: str
    authored_at: int | None
    committed_at: int | None
    message: str
    data: bytes
    unread: tuple[tuple[str, str], ...] = ()
    texts: bytes = b""


def read_patches(git: Quarantine, shas: Iterable[str]) -> Iterator[Patch]:
    """Yield a patch for each of `shas` (full commit ids), once each, in that order."""
    waiting = list(dict.fromkeys(shas))
    at, size = 0, len(waiting)
    while at < len(waiting):
        chunk = waiting[at : at + size]
        done = 0
        for patch in _optimistic(git, chunk):
            done += 1
            yield undisguised(git, patch)
        at += done
        size *= _GROWTH
        if done < len(chunk):
            # git stopped at a commit that it cannot diff: see first what is missing in those that follow.
            window = waiting[at : at + _WINDOW]
            yield from (undisguised(git, patch) for patch in _careful(git, window))
            at, size = at + len(window), _WINDOW


def undisguised(git: Quarantine, patch: Patch) -> Patch:
    """The patch with `texts`."""
    texts = texts_of(git, (patch.parent or git.empty_tree, patch.sha), patch.data, PATCH_OPTIONS)
    return replace(patch, texts=texts) if texts else patch


def read_headers(git: Quarantine, shas: Sequence[str]) -> Iterator[Patch]:
    """Yield patches without their diffs: who, when and the message of each of `shas`."""
    return _stream(git, shas, "--no-patch")


def _complete(patches: Iterator[Patch]) -> Iterator[Patch]:
    """Patches for as long as git can make them; where it fails the last one is dropped, for it may be cut off."""
    held: Patch | None = None
    try:
        for patch in patches:
            if held is not None:
                yield held
            held = patch
    except GitError:
        return
    if held is not None:
        yield held


def _optimistic(git: Quarantine, shas: Sequence[str]) -> Iterator[Patch]:
    """Patches of the first of `shas`, of all of them unless git fails."""
    return _complete(_stream(git, shas, *PATCH_OPTIONS)) if shas else iter(())


def _stream(git: Quarantine, shas: Sequence[str], *options: str) -> Iterator[Patch]:
    # Nothing in a message or a diff can forge the mark: it is drawn anew for every run.
    mark = secrets.token_hex(16)
    pattern = f"--format=tformat:%x00{mark}%x00{_FIELDS}%x00{mark}%x00"
    command = ("log", "--no-walk=unsorted", "--stdin", *LOG_OPTIONS, *options, pattern)
    stdin = "".join(f"{sha}\n" for sha in shas).encode()
    with git.stream(*command, stdin=stdin) as out:
        sections = _Sections(out, b"\x00" + mark.encode() + b"\x00")
        sections.next(_CHUNK)
        while (header := sections.next(PATCH_BYTES)) is not None:
            data = sections.next(PATCH_BYTES)
            if data is None:
                return
            patch = _patch(header[0], data[0].lstrip(b"\n"))
            if patch.sha in git.boundary:
                patch = replace(patch, data=b"", unread=((EVERYTHING, _CUT),))
            elif data[1]:
                patch = _large(git, patch)
            yield patch


class _Sections:
    """A stream cut at a mark, in flat memory: a section keeps its first `limit` bytes."""

    def __init__(self, stream: BinaryIO, mark: bytes) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._mark = mark
        self._buffer = bytearray()
        self._ended = False

    def next(self, limit: int) -> tuple[bytes, bool] | None:
        """The bytes up to the next mark or the end, and whether they were cut; None after the end."""
        if self._ended:
            return None
        buffer, mark = self._buffer, self._mark
        kept: bytes | None = None
        searched = 0
        while (at := buffer.find(mark, searched)) < 0:
            searched = max(0, len(buffer) - len(mark) + 1)
            if kept is None and searched > limit:
                kept = bytes(buffer[:limit])
            if kept is not None:
                del buffer[:searched]
                searched = 0
            chunk = self._read(_CHUNK)
            if not chunk:
                self._ended = True
                at = len(buffer)
                break
            buffer += chunk
        cut = kept is not None or at > limit
        section = bytes(buffer[: min(at, limit)]) if kept is None else kept
        del buffer[: at + len(mark)]
        return section, cut


def _patch(header: bytes, data: bytes) -> Patch:
    fields = [decode(field) for field in header.split(b"\0", 8)]
    fields += [""] * (9 - len(fields))
    sha, authored, committed, parents, committer, committer_mail, author, author_mail, message = fields
    return Patch(
        sha=sha,
        parent=parents.partition(" ")[0] or None,
        author=f"{author} <{author_mail}>",
        committer=f"{committer} <{committer_mail}>",
        authored_at=_seconds(authored),
        committed_at=_seconds(committed),
        message=message,
        data=data,
    )


def _seconds(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 19 else None


def _careful(git: Quarantine, shas: Sequence[str]) -> Iterator[Patch]:
    """Patches of a window of commits some of which may lack objects; asks in bulk which ones do."""
    survey = _survey(git, shas)
    clean = [sha for sha in shas if sha not in survey]
    stream = _resuming(git, clean)
    for sha in shas:
        yield _lacking(git, *survey[sha]) if sha in survey else next(stream)


def _lacking(git: Quarantine, patch: Patch, entries: Sequence[_Entry]) -> Patch:
    """A commit with what can be read of it, and the rest by name."""
    lost = [entry.path for entry in entries if entry.missing]
    if not entries:
        return replace(patch, unread=((EVERYTHING, _LISTLESS),))
    data, unread = b"", tuple((decode(path), _MISSING) for path in lost)
    if len(lost) < len(entries):
        try:
            data, more = diff(git, patch.parent, patch.sha, leave_out=lost)
        except GitError:
            more = tuple((decode(entry.path), _DAMAGED) for entry in entries if not entry.missing)
        unread += more
    return replace(patch, data=data, unread=unread)


def _resuming(git: Quarantine, shas: Sequence[str]) -> Iterator[Patch]:
    """Patches of commits whose objects are all there; one that git cannot diff all the same is marked."""
    at = 0
    while at < len(shas):
        for patch in _optimistic(git, shas[at:]):
            at += 1
            yield patch
        if at < len(shas):
            yield _alone(git, shas[at])
            at += 1


def _alone(git: Quarantine, sha: str) -> Patch:
    """A commit that git fails on, with its files marked as unread."""
    patch = next(read_headers(git, [sha]))
    try:
        data, unread = diff(git, patch.parent, sha)
    except GitError:
        data, unread = b"", ((EVERYTHING, _DAMAGED),)
    return replace(patch, data=data, unread=unread)


@dataclass(slots=True)
class _Entry:
    """One line of a raw diff: the path as bytes, the blobs on both sides, and whether one of them is missing."""

    path: bytes
    blobs: tuple[bytes, ...]
    missing: bool = False


def _survey(git: Quarantine, shas: Sequence[str]) -> dict[str, tuple[Patch, list[_Entry]]]:
    """The commits of `shas` that lack objects, with their files; no files where not even these are known."""
    found = {patch.sha: patch for patch in read_headers(git, shas)}
    trees = {sha: [f"{commit}^{{tree}}" for commit in (sha, patch.parent) if commit] for sha, patch in found.items()}
    gone = _absent(git, {name.encode() for names in trees.values() for name in names})
    listless = {sha for sha, names in trees.items() if any(name.encode() in gone for name in names)}
    listless -= git.boundary
    listed = [patch for sha, patch in found.items() if sha not in listless and sha not in git.boundary]
    entries = dict(_listings(git, listed, listless))
    absent = _absent(git, {blob for files in entries.values() for entry in files for blob in entry.blobs})
    lacking: dict[str, tuple[Patch, list[_Entry]]] = {sha: (found[sha], []) for sha in listless}
    for sha, files in entries.items():
        for entry in files:
            entry.missing = not absent.isdisjoint(entry.blobs)
        if any(entry.missing for entry in files):
            lacking[sha] = found[sha], files
    return lacking


def _listings(git: Quarantine, commits: list[Patch], listless: set[str]) -> Iterator[tuple[str, list[_Entry]]]:
    """The files of each commit; a commit whose folders are missing is added to `listless`."""
    options = ("--raw", "-z", "--no-renames", "--no-abbrev", "-r")
    while commits:
        done = 0
        for patch in _complete(_stream(git, [commit.sha for commit in commits], *options)):
            done += 1
            yield patch.sha, _entries(patch.data)
        for commit in commits[done : done + 1]:
            try:
                yield commit.sha, _between(git, (commit.parent or git.empty_tree, commit.sha))
            except GitError:
                listless.add(commit.sha)
        commits = commits[done + 1 :]


def _entries(raw: bytes) -> list[_Entry]:
    """The files of `--raw -z --no-renames`: ":mode mode blob blob status", path, and so on."""
    parts = raw.strip(b"\n\0").split(b"\0")
    found = []
    for about, path in zip(parts[::2], parts[1::2], strict=False):
        old_mode, new_mode, old, new, _ = about.strip(b"\n").lstrip(b":").split(b" ")
        sides = ((old_mode, old), (new_mode, new))
        # A submodule's commit is never in this repository, and the empty side of an added file is all zeros.
        blobs = tuple(blob for mode, blob in sides if mode != b"160000" and blob.strip(b"0"))
        found.append(_Entry(path, blobs))
    return found


def _absent(git: Quarantine, names: set[bytes]) -> set[bytes]:
    """Those of the named objects that are not in the repository."""
    if not names:
        return set()
    told = git.run("cat-file", "--batch-check=", "--buffer", stdin=b"\n".join(sorted(names)) + b"\n")
    return {line.removesuffix(b" missing") for line in told.splitlines() if line.endswith(b" missing")}


def diff(
    git: Quarantine, base: str | None, head: str, *, leave_out: Sequence[bytes] = ()
) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The diff between two commits (None is the empty tree) and the files that are not in it.

    Where objects are missing, the files that need them are left out. Raises `GitError` where git cannot
    even list the files.
    """
    sides = (base or git.empty_tree, head)
    left = [b":(top,literal,exclude)" + path for path in leave_out]
    if sum(map(len, left)) > _ARGUMENT_BYTES:
        return b"", tuple(
            (decode(entry.path), _MISSING) for entry in _between(git, sides) if entry.path not in leave_out
        )
    command = ("diff-tree", "-r", *PATCH_OPTIONS, *sides, "--", *map(decode, left))
    try:
        with git.stream(*command) as out:
            data = out.read(PATCH_BYTES + 1)
        if len(data) > PATCH_BYTES:
            with git.stream(*command) as out:
                return _fitting(out)
        return data, ()
    except GitError:
        if leave_out:
            raise
    entries = _between(git, sides)
    absent = _absent(git, {blob for entry in entries for blob in entry.blobs})
    lost = [entry.path for entry in entries if not absent.isdisjoint(entry.blobs)]
    if not lost:
        return b"", tuple((decode(entry.path), _DAMAGED) for entry in entries)
    data, unread = diff(git, base, head, leave_out=lost) if len(lost) < len(entries) else (b"", ())
    return data, unread + tuple((decode(path), _MISSING) for path in lost)


def _between(git: Quarantine, sides: tuple[str, str]) -> list[_Entry]:
    return _entries(git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", *sides))


def _large(git: Quarantine, patch: Patch) -> Patch:
    data, unread = diff(git, patch.parent, patch.sha)
    return replace(patch, data=data, unread=unread)


def _fitting(stream: BinaryIO) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The files of a long diff that fit into memory, as a diff; the others by name."""
    whole: list[FileChange] = []
    unread = []
    for file in parse_diff(stream, limits=Limits(change_bytes=PATCH_BYTES)):
        if file.unread is None:
            whole.append(file)
        else:
            unread.append((file.path, file.unread))
    return render(whole), tuple(unread)


def files_of(patch: Patch) -> tuple[FileChange, ...]:
    """Parse a patch; files that could not be read come last. Raises `DiffError`."""
    unread = (FileChange(path, path, FileStatus.MODIFIED, None, (), unread=reason) for path, reason in patch.unread)
    files = parse_diff(BytesIO(patch.data))
    if patch.texts:
        texts = {(file.old_path, file.new_path): file.hunks for file in parse_diff(BytesIO(patch.texts))}
        files = (
            replace(file, hunks=texts.get((file.old_path, file.new_path), ())) if file.binary else file
            for file in files
        )
    return (*files, *unread)
