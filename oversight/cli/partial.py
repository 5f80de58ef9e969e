"""Rows of a long run, kept beside the output while it lasts, so that nothing is lost and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from oversight.errors import OutputError, UsageError


class Partial:
    """JSON Lines in `OUTPUT.partial`, whose first line says which run they belong to; a context manager.

    Leaving it without an exception puts the rows at `output` in one step; leaving it with one keeps them for a
    `resume`. `count` is the number of rows so far. Standard output (`-`),
    a device and a pipe get the rows at the end, and nothing is kept for a `resume`.
    """

    def __init__(self, output: Path, identity: dict[str, Any], *, resume: bool) -> None:
        self._stream = str(output) == "-" or _is_stream(output)
        # Through a symbolic link, so that the link stays one.
        self._output = output if self._stream else Path(os.path.realpath(output))
        self._path = self._output.with_name(self._output.name + ".partial")
        self._identity = json.loads(json.dumps(identity))
        self._resume = resume
        self.count = 0

    def __enter__(self) -> Self:
        if self._stream:
            if self._resume:
                raise UsageError("a stream cannot be resumed", mend="leave out --resume, or name a file with --output")
            self._file: IO[bytes] = tempfile.TemporaryFile()
            return self
        if self._output.is_dir() or not self._output.parent.is_dir():
            raise OutputError(
                "the output is a folder, or in one that does not exist", mend="name a file in a folder that exists"
            )
        if self._resume and self._path.exists() and self._take_up():
            self._file = self._path.open("ab")
        else:
            self._file = self._path.open("wb")
            self._line(self._identity)
            self._flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream:
            with self._file:
                if kind is None:
                    self._pass_on()
            return
        try:
            self._file.close()
        except OSError as failure:
            # What could not be flushed is lost; the lines before it are whole and can be taken up again.
            if kind is None:
                raise self._full(failure) from failure
        if kind is None:
            self._finish()

    def add(self, row: dict[str, Any]) -> None:
        """Keep one more row."""
        self._line(row)
        self.count += 1

    def _line(self, value: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(value, allow_nan=False).encode() + b"\n")
        except OSError as failure:
            raise self._full(failure) from failure

    def _full(self, failure: OSError) -> OutputError:
        return OutputError(
            f"the rows cannot be written: {os.strerror(failure.errno or 0)}",
            mend="free some space and go on with --resume",
        )

    def _flush(self) -> None:
        try:
            self._file.flush()
        except OSError as failure:
            raise self._full(failure) from failure

    def _take_up(self) -> bool:
        """Read the rows of an earlier run; False where it was stopped before it could write anything.

        A last line that was cut off is dropped.
        """
        whole = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                value = self._parse(line)
                if number == 0 and value != self._identity:
                    raise UsageError(
                        "the partial rows belong to another run: its model, budget, settings or commits differ",
                        mend="repeat that run's options, or leave out --resume to begin anew",
                    )
                whole += len(line)
                if number:
                    self.count += 1
        if whole:
            os.truncate(self._path, whole)
        return whole > 0

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise UsageError("the partial rows are damaged", mend="leave out --resume to begin anew")
        return value

    def _pass_on(self) -> None:
        """Copy the rows to standard output, a device or a pipe."""
        try:
            self._file.seek(0)
            if str(self._output) == "-":
                shutil.copyfileobj(self._file, sys.stdout.buffer)
                sys.stdout.flush()
            else:
                with self._output.open("wb") as target:
                    shutil.copyfileobj(self._file, target)
        except BrokenPipeError:
            raise
        except OSError as failure:
            raise OutputError(
                f"the rows cannot be written: {os.strerror(failure.errno or 0)}", mend="name a file with --output"
            ) from failure

    def _finish(self) -> None:
        """Copy the rows without the first line to a file of their own and put it in place."""
        finished = self._output.with_name(self._output.name + ".finished")
        try:
            with self._path.open("rb") as source, finished.open("wb") as target:
                source.readline()
                while chunk := source.read(1 << 20):
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            finished.replace(self._output)
        except OSError as failure:
            finished.unlink(missing_ok=True)
            raise self._full(failure) from failure
        self._path.unlink()


def _is_stream(path: Path) -> bool:
    """Whether there is something at `path` that is neither a file nor a folder, and so must not be replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
