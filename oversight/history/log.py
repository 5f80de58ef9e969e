"""The log of a history as one stream of counts: `git log --raw --numstat -z`, no line of content.

Framing cannot be forged. A record begins, and its message ends, with a mark drawn at random for this run, so
that no message, name or path can hold it; within a record `-z` puts each path between NUL bytes, which paths
cannot hold, and a raw entry says how many paths follow it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from oversight.changes.model import FileStatus
from oversight.errors import RepositoryError
from oversight.history.model import Commit, Touch

_CHUNK = 1 << 20
_STATUS = {
    b"A": FileStatus.ADDED,
    b"D": FileStatus.DELETED,
    b"M": FileStatus.MODIFIED,
    b"R": FileStatus.RENAMED,
    b"C": FileStatus.COPIED,
    b"T": FileStatus.TYPE_CHANGED,
}
_GITLINK = b"160000"


def log_format(mark: str) -> str:
    """The `--format` of a stream that `parse_log` reads with the same mark."""
    return f"{mark}%H%x00%P%x00%at%x00%ct%x00%an%x00%ae%x00%B{mark}"


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
    while chunk := stream.read(_CHUNK):
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
    fields = header.split(b"\0", 6)
    if len(fields) != 7:
        raise _damaged()
    sha, parents, authored, committed, name, email, message = fields
    return Commit(
        sha=sha.decode("ascii"),
        parents=tuple(parents.decode("ascii").split()),
        author_name=name.decode("utf-8", "surrogateescape"),
        author_email=email.decode("utf-8", "surrogateescape"),
        authored_at=_integer(authored),
        committed_at=_integer(committed),
        message=message.decode("utf-8", "surrogateescape"),
        touches=_touches(body),
    )


def _integer(digits: bytes) -> int:
    """A date as git prints it; a commit whose date cannot be read has an empty one."""
    try:
        return int(digits)
    except ValueError:
        return 0


def _touches(body: bytes) -> tuple[Touch, ...]:
    """The raw entries (`:modes shas status NUL path`), then the counts of the same files in the same order."""
    start = body.find(b":")
    if start < 0:
        return ()
    tokens = body[start:].split(b"\0")
    entries: list[tuple[str, str | None, FileStatus, bool]] = []
    at, end = 0, len(tokens)
    while at + 1 < end and tokens[at].startswith(b":"):
        raw = tokens[at]
        status = _STATUS.get(raw[-1:]) if raw[-2:-1] == b" " else _STATUS.get(raw.rpartition(b" ")[2][:1])
        gitlink = raw[1:7] == _GITLINK or raw[8:14] == _GITLINK
        if status in (FileStatus.RENAMED, FileStatus.COPIED):
            if at + 2 >= end:
                raise _damaged()
            entries.append((_path(tokens[at + 2]), _path(tokens[at + 1]), status, gitlink))
            at += 3
        else:
            entries.append(_plain(_path(tokens[at + 1]), status or FileStatus.MODIFIED, gitlink))
            at += 2
    counts = _counts(tokens[at:])
    if counts and len(counts) != len(entries):
        raise _damaged()
    counts = counts or [(None, None)] * len(entries)
    return tuple(
        Touch(path, old, status, *((None, None) if gitlink else count))
        for (path, old, status, gitlink), count in zip(entries, counts, strict=True)
    )


def _plain(path: str, status: FileStatus, gitlink: bool) -> tuple[str, str | None, FileStatus, bool]:
    return path, None if status is FileStatus.ADDED else path, status, gitlink


def _counts(tokens: Sequence[bytes]) -> list[tuple[int | None, int | None]]:
    """The numstat entries `added TAB deleted TAB path`; of renames the path is empty and two paths follow."""
    counts: list[tuple[int | None, int | None]] = []
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
        counts.append((None, None) if added == b"-" else (int(added), int(deleted)))
        if not path:
            at += 2
    return counts


def _path(token: bytes) -> str:
    return token.decode("utf-8", "surrogateescape")


def _damaged() -> RepositoryError:
    return RepositoryError("git's log could not be understood", mend="run `git fsck` in the repository")
