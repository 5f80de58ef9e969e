"""`oversight serve`: starts on the webhook's secret alone, says in one line why it cannot, stops when it is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as searching
from hypothesis import strategies as st

from oversight import cli
from oversight.errors import UsageError
from oversight_server import health, listening, serving
from oversight_server.listening import listen
from oversight_server.signature import sign
from tests.server.client import HOOKS, SECRET
from tests.server.conftest import settings_of
from tests.server.process import PROGRAM, Process
from tests.server.recorder import Recorder
from tests.server.thread import Served

Start = Callable[..., Process]


def refused(directory: Path, *arguments: str, **variables: str) -> str:
    """The one line with which `oversight serve` ends with exit code 2."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERSIGHT_")}
    given = {"OVERSIGHT_DATA_DIR": str(directory), "OVERSIGHT_WEBHOOK_SECRET": SECRET, **variables}
    done = subprocess.run(
        [*PROGRAM, *arguments], env={**environment, **given}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("oversight: ")
    return lines[0]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OVERSIGHT_WEBHOOK_SECRET": ""}, "OVERSIGHT_WEBHOOK_SECRET is not set"),
        ({"OVERSIGHT_WEBHOOK_SECRET": "hush"}, "OVERSIGHT_WEBHOOK_SECRET: it has fewer than 8 characters"),
        ({"OVERSIGHT_GITHUB__PRIVATE_KEY": "/nowhere/key.pem"}, "OVERSIGHT_GITHUB__PRIVATE_KEY: the file cannot be"),
        ({"OVERSIGHT_DATABASE_URL": "mysql://me:xyzzy@host/name"}, "mysql is no kind of database"),
        ({"OVERSIGHT_DATABASE_URL": "xyzzy"}, "the database's URL cannot be understood"),
        ({"OVERSIGHT_DATABASE_URL": "sqlite:////dev/null/audit.db"}, "cannot be written"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path,
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    """A call that cannot work ends with exit code 2, and says why without a traceback and without a password."""
    monkeypatch.setattr(serving.logs, "configure", lambda *_: None)  # it is this process's
    for name, value in {"OVERSIGHT_DATA_DIR": str(tmp_path), "OVERSIGHT_WEBHOOK_SECRET": SECRET, **variables}.items():
        monkeypatch.setenv(name, value)
    assert cli.run(["serve", "--port", "0"]) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith("oversight: ")
    assert said in line
    assert "xyzzy" not in line


def test_a_process_that_cannot_start_says_so_in_one_line(tmp_path: Path):
    """Its log, exit code and all: where the database is away, and where the port is another's."""
    line = refused(tmp_path, OVERSIGHT_DATABASE_URL="postgresql://me:xyzzy@127.0.0.1:1/name")
    assert "the database says: " in line
    assert "xyzzy" not in line
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1 port {port}" in refused(tmp_path, "--port", port)


def test_an_address_that_is_none_is_said():
    """By its name."""
    with pytest.raises(UsageError, match=r"cannot listen on no\.such\.host\.invalid"):
        listen("no.such.host.invalid", 0)


def test_it_serves_and_stops_when_it_is_told(start: Start):
    """A process of its own takes a delivery, and ends with exit code 0 on SIGTERM and SIGINT."""
    server = start()
    assert server.get("/healthz").status == 200
    assert server.deliver(delivery="d-1").json == {"status": "accepted", "delivery": "d-1"}
    assert server.stop() == 0
    server = start()
    assert server.deliver(delivery="d-1").json == {"status": "duplicate", "delivery": "d-1"}
    os.kill(server.pid, signal.SIGINT)
    assert server.wait() == 0


def test_the_log_is_json_with_the_delivery_and_nothing_secret(start: Start):
    """Every line can be parsed, those of a delivery name it, and neither secret nor payload is in any."""
    server = start(OVERSIGHT_API_TOKEN="a token of the tests", OVERSIGHT_LOG_LEVEL="debug")
    payload = {
        "repository": {"full_name": "octo/repo"},
        "pull_request": {"number": 7, "head": {"sha": "a" * 40}, "title": "hunter2"},
    }
    server.deliver(payload, delivery="d-1")
    server.secret = "a wrong secret"
    server.deliver(payload, delivery="d-2")
    server.raw(b"\x00\x01 no http\r\n\r\n")
    server.stop()
    accepted = server.event("delivery accepted")
    expected = {"delivery": "d-1", "repository": "octo/repo", "pull": 7, "head": "a" * 40, "kind": "pull_request"}
    assert expected.items() <= accepted.items()
    assert accepted["duration"] > 0
    assert server.event("delivery rejected")["status"] == 401
    assert len(server.log) >= 3
    assert not any(word in "".join(server.written) for word in (SECRET, "hunter2", "a token", "a wrong"))


def test_what_goes_wrong_inside_is_told_without_details(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """A fault of ours is 500 in the shape of all errors; what it quotes stays inside."""

    def fail(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("oversight_server.webhooks._parsed", fail)
    answer = served.deliver()
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "hunter2" not in answer.content.decode()
    assert served.get("/healthz").status == 200


def test_more_connections_than_allowed_are_turned_away(tmp_path: Path, recorder: Recorder):
    """Who opens connections without end is answered 503, and others are served when they are closed."""
    with Served(settings_of(tmp_path, connections=5), recorder) as served:
        idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(6)]
        assert served.get("/healthz").status == 503
        for connection in idle:
            connection.close()
        while served.get("/healthz").status != 200:
            pass


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he"])
def test_a_head_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes):
    """Neither the first on a connection nor a later one; who is slow to be answered is not cut off by it."""
    monkeypatch.setattr(listening, "_HEAD", 0.1)
    answers = served.raw(sent).count(b"200 OK")
    assert answers == sent.count(b"\r\n\r\n")


def test_who_waits_for_an_answer_is_let_wait(served: Served, monkeypatch: pytest.MonkeyPatch):
    """However long it takes beyond the time for a head."""
    monkeypatch.setattr(listening, "_HEAD", 0.05)
    missing = health.Health.missing

    async def slow(self: health.Health) -> Any:
        await asyncio.sleep(0.5)
        return await missing(self)

    monkeypatch.setattr(health.Health, "missing", slow)
    assert served.get("/readyz").status == 200


def test_a_head_without_end_is_not_read(served: Served):
    """A request whose head is larger than any that GitHub sends is refused."""
    received = served.raw(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 100_000)
    assert received.startswith(b"HTTP/1.1 400 ")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for many requests."""
    with Served(settings_of(tmp_path_factory.mktemp("data")), Recorder()) as server:
        yield server


HEADER = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=80).map(str.strip)
NAMES = st.sampled_from(
    ["X-GitHub-Event", "X-GitHub-Delivery", "Content-Type", "X-Hub-Signature-256", "X-Hub-Signature"]
)


@searching(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.binary(max_size=300), st.dictionaries(NAMES, HEADER))
def test_nothing_unsigned_gets_in(shared: Served, body: bytes, headers: dict[str, str]):
    """Whatever is sent without the right signature is 401, in the same words."""
    answer = shared.request("POST", HOOKS, body, headers)
    assert answer.status == 401
    assert answer.json["detail"] == "the delivery is not signed with the secret"


KEYS = st.sampled_from(["repository", "pull_request", "head", "number", "full_name", "sha"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)
BODIES = st.binary(max_size=300) | VALUES.map(lambda value: json.dumps(value).encode())
UNSIGNED = st.dictionaries(NAMES.filter(lambda name: "Signature" not in name), HEADER)


@searching(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(BODIES, UNSIGNED)
def test_whatever_is_signed_is_answered(shared: Served, body: bytes, headers: dict[str, str]):
    """Any body under any headers, signed, is accepted or refused for a reason, and never a fault of ours."""
    given = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1", "Content-Type": "application/json"}
    signed = {**given, **headers, "X-Hub-Signature-256": sign(SECRET.encode(), body)}
    assert shared.request("POST", HOOKS, body, signed).status in (202, 400, 415)
