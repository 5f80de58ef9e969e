"""Claude on loopback: the Messages and Batches protocols over HTTP, strict about what it is sent, with a book of what
had to be paid.

Tests let the real client of the `anthropic` package talk to it. `reply` decides what is answered; `faults` what goes
wrong, by the number of the request; `complaints` are requests that the real service would refuse or misread, and have
to stay empty. The stub knows no more of the service than its documentation says.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema

from tests.claude_rules import wrong

KEY = "sk-ant-a-key-that-nobody-may-see"
NOW = "2026-11-23T08:00:00Z"

_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass
class Said:
    """What the model says to one request. `outcome` is what becomes of it in a batch."""

    content: list[dict[str, Any]]
    stop_reason: str = "end_turn"
    outcome: str = "succeeded"
    error: str = "api_error"


def text(value: str, **options: Any) -> Said:
    """A reply in text."""
    return Said([{"type": "text", "text": value}], **options)


@dataclass
class Fault:
    """What goes wrong with one request: refused with a status, obeyed without an answer (`lost`), cut off before it is
    read (`dropped`), answered in half (`cut`) or with something else (`body`). `call` runs when it is met, before or
    after obeying.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "not now"
    lost: bool = False
    dropped: bool = False
    cut: bool = False
    body: bytes | None = None
    call: Callable[[], None] | None = None


@dataclass
class Asked:
    """One HTTP request."""

    method: str
    path: str
    body: dict[str, Any] | None


class Stub:
    """State of one account; `start` serves it."""

    def __init__(self, reply: Callable[[dict[str, Any]], Said]) -> None:
        self.reply = reply
        self.url = ""
        self.complaints: list[str] = []
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin with an empty account, so that tests can share a server."""
        self.faults: dict[int, Fault] = {}
        self.asked: list[Asked] = []
        self.paid: Counter[str] = Counter()
        self.looks = 1
        """How often a batch has to be looked at before it has ended."""
        self._cached: set[str] = set()
        self._batches: dict[str, dict[str, Any]] = {}

    @property
    def created(self) -> int:
        """How many batches there are."""
        return len(self._batches)

    def messages(self) -> list[dict[str, Any]]:
        """Everything that a model was asked, in order, alone and in batches."""
        found: list[dict[str, Any]] = []
        for one in self.asked:
            if one.method == "POST" and one.body is not None:
                found += (
                    [request["params"] for request in one.body["requests"]] if "requests" in one.body else [one.body]
                )
        return found

    def answer(self, asked: Asked, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Obey one request."""
        if headers.get("authorization") != f"Bearer {KEY}" and headers.get("x-api-key") != KEY:
            return _error(401, "authentication_error", "invalid x-api-key")
        if headers.get("anthropic-version") != "2026-10-21":
            return self._complain("no anthropic-version")
        with self._lock:
            if (asked.method, asked.path) == ("POST", "/v1/messages"):
                return self._message(asked.body or {})
            if (asked.method, asked.path) == ("POST", "/v1/messages/batches"):
                return self._create(asked.body or {})
            if asked.method == "GET" and asked.path.startswith("/v1/messages/batches"):
                return self._read(asked.path)
        return self._complain(f"{asked.method} {asked.path} is none of the known requests")

    def _message(self, params: dict[str, Any]) -> tuple[int, bytes]:
        if why := wrong(params):
            return self._complain(why)
        said = self.reply(params)
        if said.outcome != "succeeded":
            return _error(500, said.error, said.error)
        return 200, json.dumps(self._reply(params, said)).encode()

    def _reply(self, params: dict[str, Any], said: Said) -> dict[str, Any]:
        """The message, checked against the form that it was asked in, and paid for."""
        written = "".join(block.get("text", "") or json.dumps(block.get("input", "")) for block in said.content)
        self.paid[fingerprint(params)] += 1
        system = json.dumps(params.get("system", ""))
        cached = "cache_control" in system
        size = len(system) // 3 if cached else 0
        known = system in self._cached
        self._cached.add(system)
        long = '"1h"' in system
        return {
            "id": f"msg_{sum(self.paid.values())}",
            "type": "message",
            "role": "assistant",
            "model": params["model"],
            "content": said.content,
            "stop_reason": said.stop_reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": len(json.dumps(params["messages"])) // 3,
                "output_tokens": len(written) // 3,
                "cache_read_input_tokens": size if known else 0,
                "cache_creation_input_tokens": 0 if known else size,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 0 if known or long else size,
                    "ephemeral_1h_input_tokens": size if long and not known else 0,
                },
                "service_tier": "standard",
            },
        }

    def _create(self, body: dict[str, Any]) -> tuple[int, bytes]:
        requests = body.get("requests")
        if set(body) != {"requests"} or not isinstance(requests, list) or not 1 <= len(requests) <= 100_000:
            return self._complain("a batch holds 1 to 100,000 requests and nothing else")
        ids = [request.get("custom_id") for request in requests]
        if any(set(request) != {"custom_id", "params"} for request in requests):
            return self._complain("a request of a batch has a custom_id and params")
        if len(set(ids)) < len(ids) or not all(isinstance(one, str) and _CUSTOM_ID.fullmatch(one) for one in ids):
            return self._complain("custom ids are words of at most 64 characters, each once")
        if why := next((why for request in requests if (why := wrong(request["params"]))), None):
            return self._complain(why)
        results = []
        for request in requests:
            said = self.reply(request["params"])
            result: dict[str, Any] = {"type": said.outcome}
            if said.outcome == "succeeded":
                result["message"] = self._reply(request["params"], said)
            elif said.outcome == "errored":
                result["error"] = {"type": "error", "error": {"type": said.error, "message": said.error}}
            results.append({"custom_id": request["custom_id"], "result": result})
        name = f"msgbatch_{len(self._batches) + 1:04d}"
        # Results come in any order.
        self._batches[name] = {"looks": 0, "results": results[::-1]}
        return 200, json.dumps(self._told(name)).encode()

    def _read(self, path: str) -> tuple[int, bytes]:
        where, _, query = path.partition("?")
        name = where.removeprefix("/v1/messages/batches").strip("/")
        if not name:
            return self._list(dict(pair.split("=") for pair in query.split("&") if pair))
        name, _, results = name.partition("/")
        if name not in self._batches:
            return _error(404, "not_found_error", "no such batch")
        if results == "results":
            if not self._ended(name):
                return self._complain("results of a batch that has not ended")
            rows = self._batches[name]["results"]
            return 200, b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        self._batches[name]["looks"] += 1
        return 200, json.dumps(self._told(name)).encode()

    def _list(self, query: dict[str, str]) -> tuple[int, bytes]:
        if set(query) - {"limit", "after_id", "before_id"} or not 1 <= int(query.get("limit", "20")) <= 1000:
            return self._complain("batches are listed by limit, after_id and before_id")
        names = sorted(self._batches, reverse=True)
        if "after_id" in query:
            names = names[names.index(query["after_id"]) + 1 :]
        page = names[: int(query.get("limit", "20"))]
        told = {
            "data": [self._told(name) for name in page],
            "has_more": len(page) < len(names),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }
        return 200, json.dumps(told).encode()

    def _ended(self, name: str) -> bool:
        return bool(self._batches[name]["looks"] >= self.looks)

    def _told(self, name: str) -> dict[str, Any]:
        ended, results = self._ended(name), self._batches[name]["results"]
        outcomes = Counter(row["result"]["type"] if ended else "processing" for row in results)
        kinds = ("processing", "succeeded", "errored", "canceled", "expired")
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {kind: outcomes[kind] for kind in kinds},
            "created_at": NOW,
            "expires_at": NOW,
            "ended_at": NOW if ended else None,
            "cancel_initiated_at": None,
            "archived_at": None,
            # Of another address, which nobody may follow with a key.
            "results_url": "http://127.0.0.1:9/elsewhere" if ended else None,
        }

    def foreign(self, size: int) -> str:
        """Put a batch of somebody else into the account."""
        name = f"msgbatch_{len(self._batches) + 1:04d}"
        rows = [{"custom_id": f"theirs-{n}", "result": {"type": "canceled"}} for n in range(size)]
        self._batches[name] = {"looks": 0, "results": rows}
        return name

    def _complain(self, why: str) -> tuple[int, bytes]:
        self.complaints.append(why)
        return _error(400, "invalid_request_error", why)


def fingerprint(params: dict[str, Any]) -> str:
    """What tells one question to a model from another."""
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def _error(status: int, kind: str, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


def fits(params: dict[str, Any], answer: str) -> bool:
    """Whether an answer is of the form that it was asked in."""
    return jsonschema.Draft202012Validator(params["output_config"]["format"]["schema"]).is_valid(json.loads(answer))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = Asked(self.command, self.path, json.loads(raw) if raw else None)
        self.stub.asked.append(asked)
        fault = self.stub.faults.pop(len(self.stub.asked), Fault())
        if fault.dropped:
            if fault.call is not None:
                fault.call()
            self.close_connection = True
            return
        if fault.status is not None:
            self._send(*_error(fault.status, "error", fault.message), fault.headers)
            return
        status, body = self.stub.answer(asked, {name.lower(): value for name, value in self.headers.items()})
        if fault.lost:
            if fault.call is not None:
                fault.call()
            self.close_connection = True
            return
        if fault.cut:
            self._send(status, body[: len(body) // 2], {"content-length": str(len(body))})
            self.close_connection = True
            return
        self._send(status, body if fault.body is None else fault.body, fault.headers)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815  # http.server's names

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(reply: Callable[[dict[str, Any]], Said]) -> Iterator[Stub]:
    """Serve an account on loopback; at the end nothing may have been sent that the service would refuse."""
    stub = Stub(reply)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": stub}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not stub.complaints, stub.complaints
