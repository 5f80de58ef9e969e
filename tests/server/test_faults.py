"""What was answered 202 survives: kills at every step, a full disk, a database that goes away. The tests count."""

from __future__ import annotations

import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.server.client import SECRET
from tests.server.process import Process

Start = Callable[..., Process]
NUMBER = 120


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """The file that stands for the queue."""
    return tmp_path / "queue"


@pytest.fixture
def recording(database_url: str, tmp_path: Path, queue: Path) -> Iterator[Start]:
    """Start servers on one database, whose queue is a file; none outlives its test."""
    started: list[Process] = []

    def call(**variables: str) -> Process:
        given = {
            "OVERSIGHT_DATABASE_URL": database_url,
            "OVERSIGHT_DATA_DIR": str(tmp_path),
            "OVERSIGHT_WEBHOOK_SECRET": SECRET,
        }
        program = (sys.executable, "-m", "tests.server.recording", str(queue))
        started.append(Process({**given, **variables}, program))
        return started[-1]

    yield call
    for process in started:
        process.kill()


def until_there(queue: Path, names: set[str]) -> list[str]:
    """Wait until all of these are in the queue, and return what is, in its order."""
    deadline = time.monotonic() + 60
    while not names <= set(found := queue.read_text().split()):
        assert time.monotonic() < deadline, names - set(found)
        time.sleep(0.05)
    return found


def burst(server: Process, names: list[str], answered: Callable[[int], None] = lambda _: None) -> set[str]:
    """Deliver all of these at once, and return those that were answered 202."""
    accepted: set[str] = set()
    lock = threading.Lock()

    def send(name: str) -> None:
        try:
            answer = server.deliver(delivery=name)
        except (OSError, HTTPException):
            return  # no answer: GitHub shows it as failed
        if answer.status == 202:
            with lock:
                accepted.add(name)
                answered(len(accepted))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(send, names))
    return accepted


def test_a_server_that_is_killed_while_it_answers_loses_nothing(recording: Start, queue: Path):
    """Every delivery that was answered 202 before `kill -9` reaches the queue of the server that comes next, once."""
    server = recording()
    names = [f"d-{number}" for number in range(NUMBER)]
    accepted = burst(server, names, lambda number: server.kill_now() if number == NUMBER // 2 else None)
    assert len(accepted) >= NUMBER // 2
    server.kill()
    recording()
    found = until_there(queue, accepted)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("moment", ["before:d-3", "after:d-3"])
def test_a_server_that_is_killed_between_receipt_and_queue_moves_on_later(recording: Start, queue: Path, moment: str):
    """Killed right before or right after the queue took a delivery: the next server hands all on, and none twice."""
    server = recording(DIE_AT=moment)
    accepted = [f"d-{number}" for number in range(8) if burst(server, [f"d-{number}"])]
    assert server.wait() == -signal.SIGKILL
    assert {"d-0", "d-1", "d-2", "d-3"} <= set(accepted)
    following = recording()
    found = until_there(queue, set(accepted))
    assert sorted(found) == sorted(set(found))
    assert following.deliver(delivery="d-3").json["status"] == "duplicate"


def test_several_servers_share_one_database(recording: Start, queue: Path):
    """Two processes accept at once, and each delivery is new at one of them and in the queue once."""
    servers = [recording(), recording()]
    names = [f"d-{number}" for number in range(NUMBER)]
    answers: list[str] = []

    def send(job: tuple[Process, str]) -> None:
        server, name = job
        answers.append(server.deliver(delivery=name).json["status"])

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(send, [(server, name) for name in names for server in servers]))
    assert sorted(answers) == ["accepted"] * NUMBER + ["duplicate"] * NUMBER
    found = until_there(queue, set(names))
    assert sorted(found) == sorted(names)


def test_a_server_that_is_told_to_stop_hands_nothing_half(recording: Start, queue: Path):
    """SIGTERM in the middle of a burst: what was answered is kept, and the exit code says that all is well."""
    server = recording()
    names = [f"d-{number}" for number in range(NUMBER)]
    accepted = burst(server, names, lambda number: server.terminate() if number == 20 else None)
    assert server.wait() == 0
    assert len(accepted) >= 20
    recording()
    until_there(queue, accepted)


def test_a_full_disk_is_told_and_gets_over(start: Start, tmp_path: Path):
    """What cannot be written is answered 503 and never 202; with space again the same delivery is accepted."""
    server = start()
    body = b'{"a": "' + b"x" * 200_000 + b'"}'
    assert server.deliver(body, delivery="d-0").status == 202
    size = (tmp_path / "audit.db-wal").stat().st_size
    unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size + 100_000, unlimited[1]))
    answers = [server.deliver(body, delivery=f"d-{number}") for number in range(1, 4)]
    assert {answer.status for answer in answers} == {503}
    assert answers[0].json["detail"] == "the delivery could not be stored"
    assert "x" * 100 not in "".join(server.written)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
    assert server.deliver(body, delivery="d-1").json["status"] == "accepted"
    assert server.metric("oversight_deliveries_unstored_total") == 3
    assert server.metric("oversight_inbox_waiting") == 2


def test_a_database_that_is_away_is_told_and_comes_back(start: Start, postgres: Postgres):
    """While PostgreSQL is gone deliveries are answered 503, readiness says so, and afterwards all is as before."""
    server = start(OVERSIGHT_DATABASE_URL=postgres.url)
    assert server.deliver(delivery="d-0").status == 202
    postgres.cluster.sql(f"ALTER DATABASE {postgres.name} ALLOW_CONNECTIONS false")
    postgres.cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert [server.deliver(delivery=f"d-{number}").status for number in (1, 2)] == [503, 503]
    ready = server.get("/readyz")
    assert ready.status == 503
    assert server.get("/healthz").status == 200
    postgres.cluster.sql(f"ALTER DATABASE {postgres.name} ALLOW_CONNECTIONS true")
    assert server.deliver(delivery="d-1").json["status"] == "accepted"
    assert server.deliver(delivery="d-0").json["status"] == "duplicate"
    for shown in (ready.content.decode(), "".join(server.written)):
        assert postgres.password not in shown
        assert SECRET not in shown


def test_a_database_that_restarts_costs_nothing(start: Start, postgres: Postgres):
    """Connections from before a restart of PostgreSQL are replaced without an answer that failed."""
    server = start(OVERSIGHT_DATABASE_URL=postgres.url)
    assert server.deliver(delivery="d-0").status == 202
    folder = postgres.cluster.folder
    postgres.cluster.run("pg_ctl", "-D", folder / "data", "-l", folder / "log", "-m", "fast", "-w", "restart")
    assert server.deliver(delivery="d-1").json["status"] == "accepted"
    assert server.deliver(delivery="d-0").json["status"] == "duplicate"
