"""Writing a finished report: whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

from oversight.errors import OutputError
from oversight.reports.escape import terminal

_MENDS = {
    errno.ENOSPC: "the disk is full: free some space, or write somewhere else with --output",
    errno.EDQUOT: "the disk quota is used up: free some space, or write somewhere else with --output",
    errno.EFBIG: "files may not grow that large here: raise the limit, or write somewhere else with --output",
    errno.ENOENT: "make the folder first, or name another file",
    errno.ENOTDIR: "a part of the path is a file, not a folder: name another file",
    errno.EISDIR: "name a file in that folder",
    errno.EACCES: "ask for permission to write there, or name another file",
    errno.EPERM: "ask for permission to write there, or name another file",
    errno.EROFS: "the file system is read-only: name a file somewhere else",
    errno.ENAMETOOLONG: "name a file with a shorter path",
}


def colour_wanted(stream: TextIO, environment: Mapping[str, str] | None = None) -> bool:
    """Whether to write colour to `stream`: a terminal that shows it, and NO_COLOR unset or empty."""
    environment = os.environ if environment is None else environment
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return stream.isatty()


def write(text: str, output: Path | None, *, option: str = "--output") -> None:
    """Write `text` as UTF-8 to a file, or to standard output where `output` is None or `-`.

    A file appears whole under its name or stays as it was; its folder must exist. A device or a pipe is
    written to as it is. OutputError where that fails, with `option` in its mend. A reader of standard output
    that has gone away (`| head`) is no error.
    """
    write_pieces((text,), output, option=option)


def write_pieces(pieces: Iterable[str], output: Path | None, *, option: str = "--output") -> None:
    """Write pieces of text one after another, as `write` does, so that no more than one of them is held."""
    if output is None or str(output) == "-":
        _write_standard_output(pieces)
        return
    _write((piece.encode("utf-8", "backslashreplace") for piece in pieces), output, option)


def write_bytes(content: bytes, output: Path, *, option: str = "--output") -> None:
    """Write `content` to a file, as `write` does."""
    _write((content,), output, option)


def _write(pieces: Iterable[bytes], output: Path, option: str) -> None:
    try:
        _write_file(pieces, output)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        _fail(terminal(str(output), 200), error, option)


def _write_file(pieces: Iterable[bytes], output: Path) -> None:
    # Through a symbolic link, so that the link stays one.
    target = Path(os.path.realpath(output))
    mode = _mode(target)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if mode is not None and not stat.S_ISREG(mode):
        with target.open("wb") as device:
            device.writelines(pieces)
        return
    if mode is not None and not os.access(target, os.W_OK):  # replacing would get round the file's own protection
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    temporary = target.with_name(f".oversight-{os.urandom(8).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(target)
    except BaseException:  # Ctrl-C too must leave nothing behind
        with suppress(OSError):
            temporary.unlink()
        raise


def _mode(path: Path) -> int | None:
    """The mode of what is at `path`, None where nothing is."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _write_standard_output(pieces: Iterable[str]) -> None:
    stream = sys.stdout
    if stream is None or stream.closed:
        raise OutputError("standard output is closed", mend="write to a file with --output")
    try:
        for text in pieces:
            try:
                stream.write(text)
            except UnicodeEncodeError:  # a terminal of another encoding; nothing of the piece was written yet
                stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
        stream.flush()
    except BrokenPipeError:
        _abandon(stream)
    except OSError as error:
        _abandon(stream)
        _fail("standard output", error)


def _abandon(stream: TextIO) -> None:
    """Point the stream to nowhere: the interpreter flushes it once more at its end, and must not fail again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _fail(where: str, error: OSError | ValueError, option: str = "--output") -> NoReturn:
    number = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(number) if number is not None else "not a path"
    mend = _MENDS.get(number or 0, "write somewhere else with --output")
    raise OutputError(f"cannot write to {where}: {reason}", mend=mend.replace("--output", option)) from error
