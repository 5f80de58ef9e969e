"""Several processes at one database: one chain, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys

from oversight.audit.store import Store
from tests.audit.builders import verdict

APPENDS = """
import sys
from oversight.audit.store import Store
from tests.audit.builders import verdict

url, who = sys.argv[1:]
with Store.open(url) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for hour in range(60):
        assert store.append([verdict(who=who, hours=hour), verdict(hours=hour)]) in (1, 2)
"""
STOPS = """
import os, sys
from oversight.audit.store import Store
from tests.audit.builders import verdict

def entries():
    yield from (verdict(hours=hour) for hour in range(1500))
    os.kill(os.getpid(), 9)

with Store.open(sys.argv[1]) as store:
    store.append(entries())
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs the program."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip


def test_two_processes_that_append_at_once_make_one_chain(url: str):
    """Each finds a database that is new, appends what it alone knows, and what both know is on record once."""
    processes = [started(APPENDS, url, who) for who in ("bob", "eve")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    with Store.open(url) as store:
        assert store.verify() is None
        told = store.record().verdicts
    assert sorted(one.who for one in told) == ["ann"] * 60 + ["bob"] * 60 + ["eve"] * 60


def test_a_process_that_is_killed_leaves_nothing_of_what_it_was_at(url: str):
    """What it had appended in the same call is not there, and others go on."""
    with Store.open(url) as store:
        store.append([verdict(who="eve")])
        process = started(STOPS, url)
        process.communicate(timeout=120)
        assert process.returncode == -9
        assert store.head().entries == 1
        assert store.append([verdict()]) == 1
        assert store.verify() is None
