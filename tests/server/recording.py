"""The server as a process, with a queue that writes to FILE what it was given: `python -m tests.server.recording FILE`.

Each id is one line, on disk before the queue says yes, and an id that is there already is not written again: what the
real queue does. With DIE_AT set, the process kills itself at that delivery: `before:d-7` before it was written,
`after:d-7` between the queue's yes and the inbox hearing of it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from oversight_server import logs
from oversight_server.app import create_app
from oversight_server.inbox import Delivery
from oversight_server.serving import serve
from oversight_server.settings import load


class FileQueue:
    """A queue whose jobs are the lines of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()
        self.alive = True

    def start(self) -> None:
        pass

    def stop(self, seconds: float) -> None:  # noqa: ARG002  # as the real one
        self.alive = False

    def stats(self) -> Mapping[str, int]:
        return {}

    def enqueue(self, delivery: Delivery) -> None:
        self._die_at(f"before:{delivery.id}")
        with self._path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # several servers share the queue
            if delivery.id.encode() not in file.read().split():
                file.write(f"{delivery.id}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        self._die_at(f"after:{delivery.id}")

    def _die_at(self, moment: str) -> None:
        if os.environ.get("DIE_AT") == moment:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    settings = load(port=0)
    logs.configure(settings.log_level, [])
    serve(create_app(settings, jobs=FileQueue(Path(sys.argv[1]))), settings)
