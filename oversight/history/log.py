"""The log of a history as one stream of counts: `git log --raw --numstat -z`, no line of content.

Framing cannot be forged. A record begins, and its message ends, with a mark drawn at random for this run, so
that no message, name or path can hold it; within a record `-z` puts each path between NUL bytes, which paths
cannot hold, and a raw entry says how many paths follow it.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import cycle, islice
from typing import BinaryIO

from oversight.changes.model import FileChange, FileStatus
from oversight.changes.patches import EVERYTHING, PATCH_BYTES, files_of
from oversight.changes.repository import DIFF_OPTIONS, LOG_OPTIONS, Patch, Repository
from oversight.errors import RepositoryError
from oversight.history.model import Commit, Touch

_CHUNK = 1 << 16
"""As much as a pipe holds: waiting for more would let git and us work by turns, not side by side."""
_BLOCK = 128
"""Commits in a row that one git reads: with fewer, each git unpacks anew what another has just unpacked."""
_MOST_GITS = 4
"""Processes that read at the same time: our side keeps up with no more."""
_AHEAD = 1 << 20
"""Bytes that a git may write before we come to its block, where the system lets a pipe hold that much."""
_NARROWEST, _WIDEST = 2, 1_000
_STATUS = {
    b"A": FileStatus.ADDED,
    b"D": FileStatus.DELETED,
    b"M": FileStatus.MODIFIED,
    b"R": FileStatus.RENAMED,
    b"C": FileStatus.COPIED,
    b"T": FileStatus.TYPE_CHANGED,
}
_GITLINK = b"160000"
_Counts = tuple[int | None, int | None]
_UNCOUNTED: _Counts = (None, None)
_LATEST = 253_402_300_799  # the last second of the year 9999


def read_log(repository: Repository, tip: str) -> Iterator[Commit]:
    """Every non-merge commit reachable from `tip`, in the total order of `Repository.commits`, oldest first.

    Counts are None where content is missing (partial clones). Raises RepositoryError where git fails otherwise.
    """
    return read_commits(repository, [commit.sha for commit in repository.commits(tip)])


def read_commits(repository: Repository, shas: Sequence[str]) -> Iterator[Commit]:
    """The commits `shas`, in that order, from one git a core for as long as nothing is missing.

    git stops at the first blob that it lacks. The commits around it are then read by `Repository.patches`, which
    knows how to go on without, and the stream is taken up behind them; where much is missing, more at a time.
    """
    at, window = 0, _NARROWEST
    while at < len(shas):
        start = at
        for commit in _stream(repository, shas[at:]):
            at += 1
            yield commit
        if at >= len(shas):
            return
        window = _NARROWEST if at - start > _WIDEST else min(2 * window, _WIDEST)
        around = shas[at : at + window]
        at += len(around)
        for patch in repository.patches(around):
            yield _from_patch(patch)


def _stream(repository: Repository, shas: Sequence[str]) -> Iterator[Commit]:
    """Commits up to the first that git fails on. Several gits read them, which take blocks by turns.

    Nearly all the time goes into git's comparing of contents, which a single git does on one core.
    """
    blocks = [shas[at : at + _BLOCK] for at in range(0, len(shas), _BLOCK)]
    gits = min(len(blocks), cores(), _MOST_GITS)
    with ExitStack() as stack:
        lanes = [
            stack.enter_context(closing(_lane(repository, [sha for block in blocks[first::gits] for sha in block])))
            for first in range(gits)
        ]
        for block, lane in zip(blocks, cycle(lanes), strict=False):
            done = 0
            for commit in islice(lane, len(block)):
                done += 1
                yield commit
            if done < len(block):
                return


def cores() -> int:
    """How many processes can run at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lane(repository: Repository, shas: Sequence[str]) -> Generator[Commit, None, None]:
    """Commits up to the first that git fails on, from one git."""
    mark = new_mark()
    options = ("--no-walk=unsorted", "--stdin", "--raw", "--numstat", "-z", "--no-abbrev")
    stdin = "".join(f"{sha}\n" for sha in shas).encode("ascii")
    command = ("log", *options, *LOG_OPTIONS, *DIFF_OPTIONS, f"--format=tformat:{log_format(mark)}")
    held: Commit | None = None
    try:
        with repository.stream(*command, stdin=stdin) as out:
            _widen(out)
            for commit in parse_log(out, mark):
                if held is not None:
                    yield held
                held = commit
    except RepositoryError:
        return  # what came last may be cut off; `Repository.patches` says what is wrong with it
    if held is not None:
        yield held


def _widen(pipe: BinaryIO) -> None:
    """Let a git go on while we read from another one."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _AHEAD)


def _from_patch(patch: Patch) -> Commit:
    name, _, email = patch.author.rpartition(" <")
    return Commit(
        sha=patch.sha,
        parents=(patch.parent,) if patch.parent is not None else (),
        author_name=name,
        author_email=email.removesuffix(">"),
        authored_at=_bounded(patch.authored_at or 0),
        committed_at=_bounded(patch.committed_at or 0),
        message=patch.message,
        touches=tuple(touch_of(file) for file in files_of(patch) if file.path != EVERYTHING),
    )


def touch_of(file: FileChange) -> Touch:
    """What the log says of a file whose diff was read."""
    if file.binary or file.submodule or file.unread is not None:
        return Touch(file.path, file.old_path, file.status, None, None)
    added = sum(len(hunk.added) for hunk in file.hunks)
    deleted = sum(len(hunk.deleted) for hunk in file.hunks)
    return Touch(file.path, file.old_path, file.status, added, deleted)


def log_format(mark: str) -> str:
    """The `--format` of a stream that `parse_log` reads with the same mark."""
    return f"{mark}%H%x00%P%x00%at%x00%ct%x00%cn%x00%ce%x00%an%x00%ae%x00%B{mark}"


def new_mark() -> str:
    """A mark that nothing in a repository can hold but by guessing 128 bits."""
    return secrets.token_hex(16)


def parse_log(stream: BinaryIO, mark: str) -> Iterator[Commit]:
    """Commits of a stream in the format of `log_format(mark)` with `--raw --numstat -z`.

    Raises RepositoryError where the stream is not in that form, or ends within a record.
    """
    separator = mark.encode("ascii")
    parts = _split(stream, separator)
    next(parts, None)
    for header in parts:
        body = next(parts, None)
        if body is None:
            raise _damaged()
        yield _commit(header, body)


def _split(stream: BinaryIO, separator: bytes) -> Iterator[bytes]:
    """The parts between separators, reading no more than a chunk and a record at a time."""
    rest: list[bytes] = []
    tail = b""
    read = getattr(stream, "read1", stream.read)
    while chunk := read(_CHUNK):
        data = tail + chunk
        *complete, last = data.split(separator)
        if complete:
            yield b"".join([*rest, complete[0]])
            yield from complete[1:]
            rest = []
        keep = min(len(last), len(separator) - 1)
        rest.append(last[: len(last) - keep])
        tail = last[len(last) - keep :]
    yield b"".join([*rest, tail])


def _commit(header: bytes, body: bytes) -> Commit:
    # The fields of a patch, cut where a patch is: a commit with a name without end is the same to both.
    fields = header[:PATCH_BYTES].split(b"\0", 8)
    if len(header) > PATCH_BYTES:
        fields += [b""] * (9 - len(fields))
    if len(fields) != 9:
        raise _damaged()
    sha, parents, authored, committed, _, _, name, email, message = fields
    return Commit(
        sha=sha.decode("ascii"),
        parents=tuple(parents.decode("ascii").split()),
        author_name=name.decode("utf-8", "surrogateescape"),
        author_email=email.decode("utf-8", "surrogateescape"),
        authored_at=_seconds(authored),
        committed_at=_seconds(committed),
        message=message.decode("utf-8", "surrogateescape"),
        touches=_touches(body),
    )


def _seconds(digits: bytes) -> int:
    """A date as git prints it, within what calendars and databases hold; 0 where a commit has none to be read."""
    return _bounded(int(digits)) if digits.isdigit() and len(digits) < 20 else 0


def _bounded(seconds: int) -> int:
    return min(max(seconds, 0), _LATEST)


def _touches(body: bytes) -> tuple[Touch, ...]:
    """The raw entries (`:modes shas status NUL path`), then the counts of the same files in the same order."""
    start = body.find(b":")
    if start < 0:
        return ()
    tokens = body[start:].split(b"\0")
    entries: list[tuple[str, str | None, FileStatus, _Counts | None]] = []
    at, end = 0, len(tokens)
    while at + 1 < end and tokens[at].startswith(b":"):
        about, _, letter = tokens[at].rpartition(b" ")
        status = _STATUS.get(letter[:1], FileStatus.MODIFIED)
        paths = 2 if status in (FileStatus.RENAMED, FileStatus.COPIED) else 1
        if at + paths >= end:
            raise _damaged()
        old, path = _path(tokens[at + 1]), _path(tokens[at + paths])
        entries.append((path, None if status is FileStatus.ADDED else old, status, _without_counting(about)))
        at += 1 + paths
    counts = _counts(tokens[at:]) or [_UNCOUNTED] * len(entries)
    if len(counts) != len(entries):
        raise _damaged()
    return tuple(
        Touch(path, old, status, *(count if fixed is None else fixed))
        for (path, old, status, fixed), count in zip(entries, counts, strict=True)
    )


def _without_counting(about: bytes) -> _Counts | None:
    """Counts that a raw entry's modes and blobs decide: none of a submodule, zero where the content is the same.

    git says of the latter that it counts no lines where the file is binary, and none changed all the same.
    """
    old_mode, new_mode, old_blob, new_blob = about[1:].split(b" ")
    if _GITLINK in (old_mode, new_mode):
        return _UNCOUNTED
    return (0, 0) if old_blob == new_blob else None


def _counts(tokens: Sequence[bytes]) -> list[_Counts]:
    """The numstat entries `added TAB deleted TAB path`; of renames the path is empty and two paths follow."""
    counts: list[_Counts] = []
    at, end = 0, len(tokens)
    while at < end:
        token = tokens[at]
        at += 1
        if not token.strip(b"\n"):
            continue
        fields = token.split(b"\t", 2)
        if len(fields) != 3:
            raise _damaged()
        added, deleted, path = fields
        if added.isdigit() and deleted.isdigit():
            counts.append((int(added), int(deleted)))
        elif added == deleted == b"-":
            counts.append(_UNCOUNTED)
        else:
            raise _damaged()
        if not path:
            at += 2
    return counts


def _path(token: bytes) -> str:
    return token.decode("utf-8", "surrogateescape")


def _damaged() -> RepositoryError:
    return RepositoryError("git's log could not be understood", mend="run `git fsck` in the repository")
