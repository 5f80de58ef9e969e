"""A process that is watched while it runs, and ended with all those that it started when whoever watches says so."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LOOK = 0.5
"""Seconds between two looks."""

# A group of its own, so that those whom git starts can be ended with it.
_GROUP: dict[str, Any] = {} if os.name == "nt" else {"start_new_session": True}


def run(
    command: Sequence[str], *, at: Path, environment: Mapping[str, str], stdin: bytes, watch: Callable[[], None]
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in the folder `at` to its end, and return what it said; what `watch` raises ends it before."""
    with tempfile.TemporaryFile() as given:  # of a pipe, `communicate` writes no more after its first timeout
        given.write(stdin)
        given.seek(0)
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=at, env=environment, stdin=given, stdout=pipe, stderr=pipe, **_GROUP)
    with process:
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    out, err = process.communicate(timeout=LOOK)
                    return subprocess.CompletedProcess(command, process.returncode, out, err)
                watch()
        except BaseException:
            _end(process)
            raise


def size_of(folder: Path) -> int:
    """Return the bytes of the files below a folder; those that go away meanwhile count for nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if os.name == "nt":
            tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            subprocess.run(tree, capture_output=True, check=False)
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
