"""`oversight audit browse`: the pages alone, as a process of its own, for one person on one machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from oversight.audit.store import Store
from tests.cli.conftest import PROGRAM
from tests.server.pages.scene import Scene, told
from tests.server.visitor import Visitor, text_of


@contextmanager
def browsing(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address that it prints, and the process."""
    command = [PROGRAM, "audit", "browse", "--who", "Ann <ann@example.org>", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline(), process
        finally:
            process.kill()


def test_queue_change_and_verdict_offline(scene: Scene, tmp_path: Path):
    """By an address that is good once, on loopback alone; the verdict is of who was named, and Ctrl-C ends it."""
    url = f"sqlite:///{tmp_path}/audit.db"
    told(scene, url)
    with browsing("--repo", str(scene.repository.path), "--database", url, "--budget", "30 per day") as (line, process):
        address = urlsplit(re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/login/token\?token=[\w-]{43})\n", line)[1])
        ann = Visitor(int(address.port or 0))
        assert ann.open("/queue").status == 303
        while (answer := ann.open(f"{address.path}?{address.query}")).status == 503:
            pass
        assert answer.headers["location"] == "/queue"
        assert Visitor(ann.port).open(f"{address.path}?{address.query}").status == 403
        assert "30 per day" in text_of(ann.open("/queue"))
        text = text_of(ann.open(scene.path("check")))
        assert "Before: 2 changes by 2 people" in text
        assert "verify=" in text
        done = ann.send(scene.path("check", "/verdict"), {"decision": "risky", "said": "0", "note": "no check"})
        assert done.status == 303
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    with Store.open(url) as store:
        (said,) = store.record().verdicts
    assert (said.who, said.source.kind) == ("Ann <ann@example.org>", "pages")


def test_without_a_repository_there_are_no_diffs(tmp_path: Path, scene: Scene):
    """It says so, and shows what reports say."""
    url = f"sqlite:///{tmp_path}/audit.db"
    told(scene, url)
    with browsing("--repo", os.fspath(tmp_path), "--database", url) as (line, process):
        address = urlsplit(line.split()[1])
        ann = Visitor(int(address.port or 0))
        ann.open(f"{address.path}?{address.query}")
        text = text_of(ann.open(scene.path("check")))
        assert "The diff cannot be shown" in text
        assert "a door was left open" in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "There will be no diffs" in process.stderr.read()
