"""Processes that are watched: they are heard to their end, or ended with all that they started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from oversight_github.code import bounded

ECHO = (
    "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data); sys.stderr.write('said'); sys.exit(3)"
)
ENDLESS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("child", "w").write(str(child.pid))
time.sleep(600)
"""


class StopError(Exception):
    """Somebody has seen enough."""


def run(code: str, at: Path, stdin: bytes = b"", *, stop: bool = False) -> subprocess.CompletedProcess[bytes]:
    def watch() -> None:
        if stop and (at / "child").exists():
            raise StopError

    return bounded.run([sys.executable, "-c", code], at=at, environment=os.environ, stdin=stdin, watch=watch)


@pytest.fixture(autouse=True)
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks are so close that the shortest process is looked at."""
    monkeypatch.setattr(bounded, "LOOK", 0.01)


def test_all_that_is_said_is_heard(tmp_path: Path) -> None:
    """More than pipes hold goes in and out while it is being watched, and none of it twice."""
    data = bytes(range(256)) * 4_000
    done = run(ECHO, tmp_path, data)
    assert (done.stdout, done.stderr, done.returncode) == (data, b"said", 3)


@pytest.mark.skipif(os.name == "nt", reason="signal 0 ends processes there")
def test_those_that_it_started_end_with_it(tmp_path: Path) -> None:
    """What git starts for fetching would go on."""
    with pytest.raises(StopError):
        run(ENDLESS, tmp_path, stop=True)
    child = int((tmp_path / "child").read_text())
    for _ in range(500):
        if not alive(child):
            return
        time.sleep(0.01)
    pytest.fail("it is still running")


def alive(process: int) -> bool:
    """Whether it runs; one that nobody has waited for yet does not."""
    with suppress(OSError):
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_what_a_folder_holds_is_added_up(tmp_path: Path) -> None:
    """Links are as large as they are, not as what they point at: it may be anywhere."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"12345")
    (tmp_path / "b").write_bytes(b"123")
    before = bounded.size_of(tmp_path)
    assert before == 8
    (tmp_path / "link").symlink_to(sys.executable)
    assert bounded.size_of(tmp_path) < 8 + 4_096
