"""Files at a revision, read through one `git cat-file --batch` that stays open."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from oversight.changes.paths import encode
from oversight.changes.quarantine import GitError, Quarantine

BLOB_BYTES = 4_000_000
"""The largest file that is read whole."""

_CHUNK = 1 << 16


class Blobs:
    """Reads blobs one after another; git is started by the first one."""

    def __init__(self, git: Quarantine) -> None:
        self._git = git
        self._process: Any = None

    def read(self, sha: str, path: str) -> bytes | None:
        """The content of `path` in commit `sha`; None where there is none, or it is missing or too large."""
        if path.split("/", 1)[0] in (".", ".."):
            # git takes such a path as relative to a work tree, and ends because there is none.
            return None
        name = encode(f"{sha}:{path}")
        if b"\n" in name:
            # The protocol is one name a line; rev-parse takes the name as an argument.
            try:
                name = self._git.run("rev-parse", "--verify", "--end-of-options", f"{sha}:{path}").strip()
            except GitError:
                return None
        return self._ask(name)

    def close(self) -> None:
        """Stop git."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.stdin.close()
        process.proc.wait()
        process.stdout.close()
        process.stderr.close()

    def _ask(self, name: bytes) -> bytes | None:
        if self._process is None:
            self._process = self._git.interactive("cat-file", "--batch")
        process = self._process
        try:
            process.stdin.write(name + b"\n")
            process.stdin.flush()
        except OSError:
            self.close()
            return None
        answer = process.stdout.readline()
        if not answer:
            self.close()
            return None
        # "<id> <type> <size>", or the name that was asked for and why there is nothing.
        header = answer.split()
        if len(header) != 3 or b":" in header[0] or not header[2].isdigit():
            return None
        size = int(header[2])
        if header[1] == b"blob" and size <= BLOB_BYTES:
            content: bytes = process.stdout.read(size)
            process.stdout.read(1)
            return content
        left = size + 1
        while left:
            left -= len(process.stdout.read(min(left, _CHUNK))) or left
        return None
