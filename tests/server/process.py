"""The server as a process of its own, which can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.server.client import Client

ROOT = Path(__file__).parents[2]
PROGRAM = (str(Path(sys.executable).with_name("oversight")), "serve", "--port", "0")


class Process(Client):
    """`oversight serve`, or another program that logs as it does, and a client of it."""

    def __init__(self, variables: Mapping[str, str], program: Sequence[str] = PROGRAM) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERSIGHT_")}
        self._process = subprocess.Popen(
            program, env={**clean, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True, cwd=ROOT,
        )  # fmt: skip
        self.written: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        super().__init__(self.event("listening")["port"])

    def _read(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        for line in stream:
            with self._changed:
                self.written.append(line.decode())
                self._changed.notify_all()
        with self._changed:
            self.written.append("")  # the end
            self._changed.notify_all()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log so far; every line of it is JSON."""
        return [json.loads(line) for line in self.written if line]

    def event(self, name: str) -> dict[str, Any]:
        """Wait for a line of the log, and return the first of that event."""

        def there() -> list[dict[str, Any]]:
            assert self.written[-1:] != [""] or any(f'"{name}"' in line for line in self.written), self.written
            return [line for line in map(_json, self.written) if line.get("event") == name]

        with self._changed:
            assert self._changed.wait_for(lambda: bool(there()), timeout=60), self.written
            return there()[0]

    def kill(self) -> None:
        """Kill it as `kill -9` does; nothing where it has ended."""
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self._end()

    def kill_now(self) -> None:
        """Kill it, and do not wait for its end."""
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to stop, and do not wait for its end."""
        self._process.terminate()

    def wait(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self._end()

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.terminate()
        return self._end()

    def _end(self) -> int:
        code = self._process.wait(60)
        self._reader.join(60)
        stream = self._process.stderr
        assert stream is not None
        stream.close()
        return code


def _json(line: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return found
