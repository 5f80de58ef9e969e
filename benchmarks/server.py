"""What the webhook server bears: a burst of signed deliveries while it reviews, and memory over many of them.

    python -m benchmarks.server --clone ../clones/rdma-core [--database URL] --table

A server of its own process, with SQLite unless `--database` names a PostgreSQL, is sent `--deliveries` signed webhooks
over `--connections` connections as fast as it takes them, each of another pull request: one of the newest commits of
the clone. Each is answered when it is on disk. Meanwhile reviews have begun, in child processes on the same cores, with
the clone served over HTTP and a GitHub of the tests beside it; all of them have to end scored and posted. When a tenth
of them has been, as many deliveries again come in a second burst, while a queue of reviews is being worked off.
Afterwards `--memory` further deliveries tell of the same heads, and the memory of the server is read as they go by.

The sender is a process of its own, and so is everything else: all share this machine. Only what GitHub asks for as
pauses between writes (one every ten seconds in the long run) is not waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from oversight.changes.repository import Repository
from oversight_server import assembly, logs
from oversight_server.app import create_app
from oversight_server.github_app import GitHubApp
from oversight_server.serving import serve
from oversight_server.settings import Settings, load
from oversight_server.signature import sign
from tests.github.double import Double
from tests.server.app_double import installed, pem
from tests.server.client import HOOKS, SECRET, Client
from tests.server.forge import AppServer
from tests.server.process import Process

PAGE = Path(__file__).with_name("SERVER.md")
NAME = "octo/repo"
PAYLOAD = 20_000  # bytes, about what GitHub sends for a pull request
_POLL = 1.0
_PATIENCE = 1e9


@dataclass(frozen=True)
class Change:
    """A commit that becomes a pull request."""

    number: int
    head: str
    base: str


def changes_of(clone: Path, number: int) -> list[Change]:
    """Return the newest commits with one parent, as pull requests."""
    repository = Repository.open(clone)
    single = (commit for commit in reversed(repository.commits("HEAD")) if len(commit.parents) == 1)
    return [Change(n, commit.sha, commit.parents[0]) for n, commit in enumerate(islice(single, number), start=1)]


def payload_of(change: Change, installation: int) -> bytes:
    """Return what GitHub would send, as far as it is read here, and blanks for the rest."""
    pull = {
        "number": change.number, "state": "open", "title": "A change", "draft": False,
        "base": {"ref": "main", "sha": change.base, "repo": {"full_name": NAME}},
        "head": {"ref": "topic", "sha": change.head, "repo": {"full_name": NAME}},
    }  # fmt: skip
    payload = {"action": "opened", "number": change.number, "pull_request": pull, "repository": {"full_name": NAME},
               "installation": {"id": installation}, "sender": {"login": "ann", "type": "User"}}  # fmt: skip
    body = json.dumps(payload)
    return f"{body[:-1]}{' ' * max(0, PAYLOAD - len(body))}}}".encode()


async def send(port: int, requests: Sequence[bytes], connections: int) -> list[tuple[int, float]]:
    """Send requests over some connections, each as soon as the one before was answered; return (status, seconds)."""
    waiting = iter(requests)
    answers: list[tuple[int, float]] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(line.split(b": ", 1) for line in head.lower().splitlines()[1:-1])
            await reader.readexactly(int(fields[b"content-length"]))
            answers.append((int(head.split()[1]), time.perf_counter() - began))
        writer.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return answers


def request_of(body: bytes) -> bytes:
    """Return a signed delivery, with an id of its own, as it goes over the wire."""
    head = (
        f"POST {HOOKS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: {uuid.uuid4()}\r\n"
        f"X-Hub-Signature-256: {sign(SECRET.encode(), body)}\r\n\r\n"
    )
    return head.encode() + body


def sender(port: int, connections: int) -> None:
    """Send the requests that stdin holds, and print the answers: the process beside which nothing else runs."""
    sizes = json.loads(sys.stdin.buffer.readline())
    requests = [sys.stdin.buffer.read(size) for size in sizes]
    began = time.perf_counter()
    answers = asyncio.run(send(port, requests, connections))
    print(json.dumps({"seconds": time.perf_counter() - began, "answers": answers}))


def burst(port: int, bodies: Sequence[bytes], connections: int) -> dict[str, Any]:
    """Deliver all bodies from a process of its own, and return how long they took to be accepted."""
    requests = [request_of(body) for body in bodies]
    content = json.dumps([len(request) for request in requests]).encode() + b"\n" + b"".join(requests)
    program = [sys.executable, "-m", "benchmarks.server", "--send", str(port), "--connections", str(connections)]
    done = subprocess.run(program, input=content, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    milliseconds = 1000 * np.array([seconds for _, seconds in found["answers"]])
    statuses = Counter(str(status) for status, _ in found["answers"])
    return {
        "deliveries": len(bodies), "connections": connections, "statuses": dict(statuses),
        "seconds": found["seconds"], "p50_ms": float(np.percentile(milliseconds, 50)),
        "p99_ms": float(np.percentile(milliseconds, 99)), "worst_ms": float(milliseconds.max()),
    }  # fmt: skip


def unhurried(settings: Settings) -> GitHubApp | None:
    """Return the App, for which the pauses that GitHub asks for take no time."""
    app_id, key = settings.github.app_id, settings.github.private_key
    if app_id is None or key is None:
        return None
    return GitHubApp(
        app_id, key.get_secret_value(), api_url=settings.github.api_url,
        patience=_PATIENCE, sleep=lambda _: None,
    )  # fmt: skip


def serving() -> None:
    """Be the server."""
    settings = load(port=0)
    logs.configure(settings.log_level, [])
    with patch.object(assembly, "app_of", unhurried):
        serve(create_app(settings), settings)


@contextmanager
def world(clone: Path, home: Path, changes: Sequence[Change], database: str | None) -> Iterator[Process]:
    """Give a server, with a GitHub and its git beside it."""
    (home / "git" / NAME).parent.mkdir(parents=True)
    (home / "git" / NAME).symlink_to(clone.resolve())
    with Double(NAME) as github, AppServer(home / "git", app := installed(github)) as git:
        for change in changes:
            github.world.pull(change.number, base_sha=change.base, head_sha=change.head)
        variables = {
            "OVERSIGHT_WEBHOOK_SECRET": SECRET, "OVERSIGHT_DATA_DIR": str(home / "data"),
            "OVERSIGHT_CACHE_DIR": str(home / "cache"), "OVERSIGHT_LOG_LEVEL": "info",
            "OVERSIGHT_GITHUB__APP_ID": app.app_id, "OVERSIGHT_GITHUB__PRIVATE_KEY": pem(),
            "OVERSIGHT_GITHUB__API_URL": github.url, "OVERSIGHT_GITHUB__SERVER_URL": git.url,
            **({"OVERSIGHT_DATABASE_URL": database} if database else {}),
        }  # fmt: skip
        server = Process(variables, (sys.executable, "-m", "benchmarks.server", "--serve"))
        try:
            yield server
        finally:
            server.stop()


def reviewed(server: Client) -> dict[str, float]:
    """Return how many reviews ended in which way, and what is left to do."""
    names = ("scored", "unscored", "error", "superseded", "dead")
    found = {name: server.metric("oversight_reviews_total", outcome=name) or 0.0 for name in names}
    left = (server.metric(f"oversight_{name}") or 0.0 for name in ("inbox_waiting", "queue_queued", "queue_running"))
    return {**found, "left": sum(left)}


def megabytes(pid: int) -> float:
    """Return the memory of a process that no other shares with it, and that is not on disk."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one database."""
    changes = changes_of(chosen.clone, chosen.deliveries)
    with tempfile.TemporaryDirectory() as home, world(chosen.clone, Path(home), changes, chosen.database) as server:
        bodies = [payload_of(change, 77) for change in changes]
        # One review first: the clone is fetched and read once, which is no part of a burst.
        burst(server.port, bodies[:1], 1)
        _until_done(server, 1)
        began = time.monotonic()
        found = burst(server.port, bodies[1:], chosen.connections)
        _until_reviewed(server, len(changes) // 10)
        again = burst(server.port, bodies[1:], chosen.connections)
        busy = reviewed(server)["left"] > 0
        ends = _until_done(server, len(changes))
        seconds = time.monotonic() - began
        memory = []
        for sent in range(0, chosen.memory, 1000):
            more = [bodies[number % len(bodies)] for number in range(sent, min(chosen.memory, sent + 1000))]
            burst(server.port, more, chosen.connections)
            _until_done(server, len(changes))
            memory.append([2 * len(changes) + sent + len(more), round(megabytes(server.pid), 1)])
    return {
        "burst": found, "second_burst": {**again, "reviews_under_way": busy},
        "reviews": {**ends, "seconds": seconds}, "memory_mb": memory, **asdict(About.now(chosen.clone)),
    }  # fmt: skip


def _until_reviewed(server: Process, number: int) -> None:
    """Wait until that many changes are reviewed."""
    while reviewed(server)["scored"] < number:
        time.sleep(_POLL)


def _until_done(server: Process, number: int) -> dict[str, float]:
    """Wait until that many changes are reviewed and nothing is left to do."""
    while True:
        found = reviewed(server)
        if found["left"] == 0 and sum(found.values()) >= number:
            return found
        time.sleep(_POLL)


@dataclass(frozen=True)
class About:
    """Where and when it was measured."""

    taken_at: str
    cores: int | None
    load: float
    clone: str

    @classmethod
    def now(cls, clone: Path) -> About:
        """Return it for a clone, at this moment."""
        name = clone.resolve().parent.name.rpartition("+")[2] if clone.name == "repo" else clone.name
        return cls(datetime.now(UTC).date().isoformat(), os.cpu_count(), round(os.getloadavg()[0], 1), name)


def table(found: Mapping[str, Any]) -> str:
    """Return the page."""
    lines = [
        "# The webhook server under load\n\n",
        "<!-- Written by `python -m benchmarks.server --table`: change the command, not this page. -->\n\n",
        "Signed deliveries of about 20 KB, each of another pull request and on disk before it is answered 202, while "
        "reviews run in\nchild processes. The second burst tells of the same heads, when a tenth of the reviews is "
        "done and others are under way.\nThe sender, git's server and the GitHub of the tests share the cores. "
        "Afterwards, deliveries that tell of the same heads\nonce more; memory is `RssAnon` of the server.\n\n",
        "| database | cores, load at the end | burst | accepted | connections | in | p50 | p99 | worst |\n",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    ]
    for database, one in found.items():
        for name, took in (("first", one["burst"]), ("second", one["second_burst"])):
            lines.append(
                f"| {database} | {one['cores']}, {one['load']} | {name} "
                f"| {took['statuses'].get('202', 0)} of {took['deliveries']} | {took['connections']} "
                f"| {took['seconds']:.1f} s | {took['p50_ms']:.0f} ms | {took['p99_ms']:.0f} ms "
                f"| {took['worst_ms']:.0f} ms |\n"
            )
    lines += ["\n| database | reviewed | in |\n| --- | --- | --- |\n"]
    for database, one in found.items():
        ends = one["reviews"]
        lines.append(
            f"| {database} | {ends['scored']:.0f} of {one['burst']['deliveries'] + 1} | {ends['seconds']:.0f} s |\n"
        )
    lines += ["\n| database | memory after so many deliveries, MB |\n| --- | --- |\n"]
    for database, one in found.items():
        steps = ", ".join(f"{number:,}: {size:.0f}" for number, size in one["memory_mb"])
        lines.append(f"| {database} | {steps or 'not measured'} |\n")
    about = ", ".join(f"{database} on {one['taken_at']} with {one['clone']}" for database, one in found.items())
    return "".join([*lines, f"\nMeasured: {about}.\n"])


def main() -> None:
    """Measure one database, keep the figures of the other, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clone", type=Path, help="a local clone whose newest commits become pull requests")
    parser.add_argument("--database", help="a PostgreSQL, by its SQLAlchemy URL; otherwise SQLite")
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=25)
    parser.add_argument("--memory", type=int, default=10_000, help="deliveries over which memory is read, 0 for none")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/server.json"))
    parser.add_argument("--table", action="store_true", help=f"write {PAGE.name} from the figures")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--send", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        return serving()
    if chosen.send is not None:
        return sender(chosen.send, chosen.connections)
    found = json.loads(chosen.json.read_text(encoding="utf-8")) if chosen.json.exists() else {}
    if chosen.clone is not None:
        found["PostgreSQL" if chosen.database else "SQLite"] = measure(chosen)
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if chosen.table:
        PAGE.write_text(table(found), encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
