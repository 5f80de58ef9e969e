"""Children: they answer, or they are ended; what that costs is one review, and never the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from oversight.errors import ModelError, UnscoredError, UsageError
from oversight_server.children import pool as module
from oversight_server.children.pool import Bounds, BusyError, LostError, NoChildError, Pool, environment

# A child that does as it is told, without loading what reviews need.
PUPPET = """
import os, signal, subprocess, sys, time
from oversight_server.children import wire
incoming, outgoing = wire.private_ends()
kept = []
while (message := wire.receive(incoming)) is not None:
    match message["do"]:
        case "sleep": time.sleep(600)
        case "die": os.kill(os.getpid(), message["by"])
        case "leave": os._exit(0)
        case "garbage": outgoing.write(b"\\xff" * 99); outgoing.flush(); continue
        case "half": outgoing.write(b"\\0" * 7 + b"\\x50{"); outgoing.flush(); os._exit(0)
        case "raise": wire.send(outgoing, {"error": message["error"]}); continue
        case "print": print("x" * 100_000); print("y", file=sys.stderr)
        case "child":
            kept.append(subprocess.Popen(["sleep", "600"]))
            wire.send(outgoing, {"pid": kept[-1].pid}); continue
        case "environment": wire.send(outgoing, {"names": sorted(os.environ)}); continue
    wire.send(outgoing, {"pid": os.getpid(), "said": message})
"""

Made = Callable[..., Pool]


@pytest.fixture
def make() -> Iterator[Made]:
    """Pools of puppets, closed in the end."""
    pools: list[Pool] = []

    def made(script: str = PUPPET, first: dict[str, Any] | None = None, **bounds: Any) -> Pool:
        command = (sys.executable, "-I", "-c", script)
        options = {"children": 1, "seconds": 30.0} | bounds
        pools.append(Pool(first or {"do": "start"}, Bounds(**options), environment(os.environ), command))
        return pools[-1]

    yield made
    for pool in pools:
        pool.close()


def gone(pid: int) -> bool:
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_child_is_kept_for_the_next_question(make: Made) -> None:
    """It is warm by then."""
    pool = make()
    pids = {pool.ask({"do": "echo", "n": n})["pid"] for n in range(5)}
    assert pids == {pool.pids[0]}


def test_a_child_that_has_answered_often_enough_is_replaced(make: Made) -> None:
    """Whatever leaks in it is bounded."""
    pool = make(answers=3)
    pids = [pool.ask({"do": "echo"})["pid"] for _ in range(7)]
    assert [len(set(pids[:3])), len(set(pids[3:6])), len(set(pids))] == [1, 1, 3]
    assert gone(pids[0])


def test_no_more_children_than_agreed(make: Made) -> None:
    """Many threads share a few, each gets its own answer, and nobody waits for ever."""
    pool = make(children=2)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: pool.ask({"do": "echo", "n": n}), range(40)))
    assert [answer["said"]["n"] for answer in answers] == list(range(40))
    assert len({answer["pid"] for answer in answers}) <= 2


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_is_killed_loses_its_review_alone(make: Made, by: int) -> None:
    """By the kernel for its memory, or by a fault in a parser; the next question has a new child."""
    pool = make()
    first = pool.ask({"do": "echo"})["pid"]
    with pytest.raises(LostError, match="before it was done") as caught:
        pool.ask({"do": "die", "by": by})
    assert not caught.value.late
    assert pool.ask({"do": "echo"})["pid"] != first


@pytest.mark.parametrize("end", ["leave", "garbage", "half"])
def test_what_is_no_answer_is_a_loss(make: Made, end: str) -> None:
    """An end without a word, bytes that are no message, and half of one."""
    pool = make()
    with pytest.raises(LostError):
        pool.ask({"do": end})
    assert pool.ask({"do": "echo", "n": 1})["said"]["n"] == 1


def test_a_child_that_takes_too_long_is_ended(make: Made) -> None:
    """And the reason is the time, with the limit."""
    pool = make(seconds=0.3)
    pool.warm()
    pid = pool.pids[0]
    with pytest.raises(LostError, match="longer than 0 seconds") as caught:
        pool.ask({"do": "sleep"})
    assert caught.value.late
    assert gone(pid)
    assert pool.ask({"do": "echo"}, seconds=30)["pid"] != pid


def test_what_a_child_has_started_ends_with_it(make: Made) -> None:
    """A git that goes on would keep the processor, and the clone."""
    pool = make(seconds=0.3)
    started = pool.ask({"do": "child"}, seconds=30)["pid"]
    with pytest.raises(LostError):
        pool.ask({"do": "sleep"})
    assert gone(started)


def test_a_child_that_died_idle_costs_nothing(make: Made) -> None:
    """It is noticed before it is asked."""
    pool = make()
    first = pool.ask({"do": "echo"})["pid"]
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert pool.ask({"do": "echo"})["pid"] != first


def test_what_a_child_raises_is_raised_here(make: Made) -> None:
    """By its kind; a kind that nobody knows fails closed. The child lives on."""
    pool = make()
    for kind, expected in (("UsageError", UsageError), ("ModelError", ModelError), ("Evil", UnscoredError)):
        with pytest.raises(expected) as caught:
            pool.ask({"do": "raise", "error": [kind, "what", "mend"]})
        assert (caught.value.message, caught.value.mend) == ("what", "mend")
    for odd in ("", [], [1, 2, 3], {"a": 1}, ["UsageError", None, None]):
        with pytest.raises((UnscoredError, UsageError)):
            pool.ask({"do": "raise", "error": odd})
    assert len(pool.pids) == 1


def test_whatever_a_child_prints_disturbs_nobody(make: Made, capfd: pytest.CaptureFixture[str]) -> None:
    """Libraries print; answers have a pipe of their own."""
    assert make().ask({"do": "print"})["said"] == {"do": "print"}
    assert capfd.readouterr() == ("", "")


def test_who_does_not_want_to_wait_is_told(make: Made) -> None:
    """All children at work: an error of its own, and nothing is lost."""
    pool = make(seconds=30)
    pool.warm()
    asked = threading.Thread(target=lambda: _quietly(pool, {"do": "sleep"}), daemon=True)
    asked.start()
    while not pool._busy:
        time.sleep(0.01)
    with pytest.raises(BusyError):
        pool.ask({"do": "echo"}, patience=0.05)
    pool.close()
    asked.join(30)
    assert not asked.is_alive()
    with pytest.raises(NoChildError, match="stopping"):
        pool.ask({"do": "echo"})


def _quietly(pool: Pool, message: dict[str, Any]) -> None:
    with suppress(LostError):
        pool.ask(message)


def test_closing_wakes_those_who_wait(make: Made) -> None:
    """A server that stops does not wait for reviews that have not begun."""
    pool = make()
    pool.warm()
    with ThreadPoolExecutor(2) as threads:
        busy = threads.submit(_quietly, pool, {"do": "sleep"})
        while not pool._busy:
            time.sleep(0.01)
        waiting = threads.submit(pool.ask, {"do": "echo"})
        pool.close()
        with pytest.raises(NoChildError):
            waiting.result(30)
        busy.result(30)
    assert pool.pids == ()


def test_secrets_stay_with_the_server(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child knows where things are and how reviews are done, and nothing that opens a door."""
    names = (
        "OVERSIGHT_WEBHOOK_SECRET", "OVERSIGHT_API_TOKEN", "OVERSIGHT_GITHUB__PRIVATE_KEY", "OVERSIGHT_DATABASE_URL",
        "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "HTTPS_PROXY", "PYTHONPATH", "LD_PRELOAD", "GIT_DIR",
    )  # fmt: skip
    for name in names:
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("OVERSIGHT_PATHS__EXCLUDE", "vendor")
    monkeypatch.delenv("LD_PRELOAD")
    pool = make()
    told = pool.ask({"do": "environment"})["names"]
    assert "OVERSIGHT_PATHS__EXCLUDE" in told
    assert not set(names) & set(told)
    content = Path(f"/proc/{pool.pids[0]}/environ").read_bytes() if Path("/proc").exists() else b""
    assert b"s3cret" not in content


def test_a_program_that_cannot_be_started_is_no_loss_of_a_review(make: Made) -> None:
    """The machine is short of something: it may be asked again."""
    pool = make()
    pool.command = ("/nonexistent/python",)
    with pytest.raises(NoChildError, match="No such file"):
        pool.ask({"do": "echo"})
    pool.command = (sys.executable, "-I", "-c", PUPPET)
    assert pool.ask({"do": "echo"})["pid"]


def test_a_child_that_does_not_come_up_is_told(make: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged model, or a start without end: the next question tries again."""
    pool = make(first={"do": "raise", "error": ["ModelError", "damaged", "train it again"]})
    for _ in range(2):
        with pytest.raises(ModelError, match="damaged"):
            pool.warm()
    monkeypatch.setattr(module, "_START_SECONDS", 0.3)
    with pytest.raises(LostError):
        make(first={"do": "sleep"}).warm()


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    """Also with one that was killed, and also in the middle of a review."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from oversight_server.children.pool import Pool\n"
        "pool = Pool({'do': 'start', 'model': sys.argv[1] or None, 'megabytes': 1024})\n"
        "pool.warm(); print(pool.pids[0], flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script), ""], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)
