"""A GitHub for tests: it speaks HTTP on loopback, keeps state, and fails as it is told to.

    with Double() as github:
        github.world.pull(7, diff=diff)                     what there is: see world.py
        api = github.client()                               a Client of it, closed with it, whose waits take no time
        github.fail("POST", "/repos/{owner}/{repo}/check-runs", 403, message="Resource not accessible by integration")
        github.read_only = True                             the token of a fork's pull request
        github.limit(retry_after=60)                        a secondary rate limit, met once
        assert github.count("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments") == 1

Requests are answered by routes.py and graph.py, whose paths are those of GitHub's own description of its interface.
Where that is installed (description.py), each request is held against it: what it refuses gets 400, and fails the test.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from oversight_github.client import Client
from oversight_github.pace import Pace
from tests.github.description import GHES, PUBLIC, Description, description
from tests.github.exchange import Page, Refusal, Reply, Request
from tests.github.world import World

TOKEN = "ghs_" + "t" * 36
ROOT = "/api/v3"
# What may be in a path's last variable unquoted: names of refs and of files.
_GREEDY = frozenset({"ref", "path", "basehead"})


@dataclass
class Fault:
    """What some requests get instead of their own answer; with `drop` the connection ends without any.

    `obeyed`: it has been done all the same, as where only the answer gets lost.
    """

    method: str
    template: str
    reply: Reply
    times: int
    drop: bool = False
    obeyed: bool = False

    def meets(self, request: Request) -> bool:
        return self.times > 0 and self.method in ("*", request.method) and self.template in ("*", request.template)


Route = Callable[[World, Request], Reply]
_routes: dict[tuple[str, str], Route] = {}


def route(method: str, template: str) -> Callable[[Route], Route]:
    """Register what answers a path of GitHub's description, such as /repos/{owner}/{repo}/pulls/{pull_number}."""

    def register(function: Route) -> Route:
        _routes[method, template] = function
        return function

    return register


def registered() -> set[tuple[str, str]]:
    """Everything that the double answers, as (method, template)."""
    _load()
    return set(_routes)


def _load() -> None:
    # They register themselves, and import this module.
    from tests.github import (  # noqa: F401
        graph,
        routes,
        routes_app,
        routes_checks,
        routes_git,
        routes_login,
        routes_people,
    )


class Double:
    """GitHub on loopback for as long as the context lasts.

    `calls`: every request that arrived, in order. `checks` see each before it is answered; one may change the world, as
    somebody else would at that moment. `broken`: what is not in GitHub's description.
    """

    def __init__(self, repository: str = "octo/repo") -> None:
        self.world = World(repository)
        self.calls: list[Request] = []
        self.slept: list[float] = []
        self.faults: list[Fault] = []
        self.read_only = False
        self.checks: list[Callable[[Request], None]] = []
        self.broken: list[str] = []
        self._clients: list[Client] = []
        self._pace = Pace(lambda: time.monotonic() + sum(self.slept))  # as if they had slept
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        _load()
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for client in self._clients:
            client.close()
        self._server.shutdown()
        self._server.server_close()
        # Whoever sends something wrong on purpose clears the list.
        assert kind is not None or not self.broken, "not in GitHub's description:\n" + "\n".join(self.broken)

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The root of the interface, laid out as on GHES."""
        return self.host + ROOT

    def client(self, token: str | None = TOKEN, **options: Any) -> Client:
        ours = {"api_url": self.url, "sleep": self.slept.append, "pace": self._pace}
        client = Client(self.world.repository, token, **{**ours, **options})
        self._clients.append(client)
        return client

    def fail(
        self,
        method: str,
        template: str,
        status: int = 500,
        *,
        message: str = "Scripted",
        errors: list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        drop: bool = False,
        obeyed: bool = False,
    ) -> None:
        """Let the next `times` requests of that kind ("*": of any) get `status` instead of an answer: see Fault."""
        body = {"message": message} if errors is None else {"message": message, "errors": errors}
        self.faults.append(Fault(method, template, Reply(body, status, headers or {}), times, drop, obeyed))

    def limit(self, *, retry_after: int | None = None, times: int = 1) -> None:
        """Let the next requests meet a secondary rate limit, as GitHub words it."""
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.fail("*", "*", 403, message="You have exceeded a secondary rate limit.", headers=headers, times=times)

    def count(self, method: str, template: str) -> int:
        """How many requests of that kind arrived, refused ones included."""
        return sum(call.method == method and call.template == template for call in self.calls)

    @property
    def writes(self) -> list[Request]:
        """Every request that would change something, refused ones included."""
        return [call for call in self.calls if _changes(call)]

    def answer(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Reply | None:
        """Answer one request; None where the connection is to be dropped."""
        with self._lock:
            parts = urlsplit(target)
            # GHES has REST below /api/v3 and GraphQL beside it.
            path = parts.path.removeprefix(ROOT) if parts.path.startswith(ROOT + "/") else parts.path
            path = "/graphql" if path == "/api/graphql" else path
            template, variables = _match(method, path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            form = headers.get("content-type", "") == "application/x-www-form-urlencoded"
            body = dict(parse_qsl(content.decode())) if form else json.loads(content) if content else None
            root = f"http://{headers.get('host')}{ROOT}"
            asked = f"{path}?{parts.query}" if parts.query else path
            request = Request(method, template, variables, query, headers, body, root, asked)
            self.calls.append(request)
            try:
                return self._answer(request, path)
            except Refusal as refusal:
                return refusal.reply

    def _answer(self, request: Request, path: str) -> Reply | None:
        for fault in self.faults:
            if fault.meets(request):
                fault.times -= 1
                if fault.obeyed:
                    self._obey(request, path)
                return None if fault.drop else fault.reply
        return self._obey(request, path)

    def _obey(self, request: Request, path: str) -> Reply:
        if (request.method, request.template) not in _routes:
            self.broken.append(f"{request.method} {path}: the double has no route for it")
            raise Refusal(404, "Not Found")
        self._hold(request, lambda one: one.check_request(request))
        for check in self.checks:
            check(request)
        if self.read_only and _changes(request):
            raise Refusal(403, "Resource not accessible by integration")
        reply = _routes[request.method, request.template](self.world, request)
        if isinstance(reply.body, Page):
            reply = _cut(reply, reply.body, request, path)
        self._hold(request, lambda one: one.check_reply(request, reply), PUBLIC)
        return reply

    def _hold(self, request: Request, check: Callable[[Description], None], *names: str) -> None:
        """Hold a request or an answer against what GitHub says of itself, where that is installed."""
        for name in names or (PUBLIC, GHES):
            known = description(name)
            try:
                if known is not None:
                    check(known)
            except AssertionError as error:
                self.broken.append(f"{request.method} {request.template} ({name}): {error}")
                raise Refusal(400, str(error)) from None


def _changes(request: Request) -> bool:
    if request.template == "/graphql":
        return str(request.body.get("query", "")).lstrip().startswith("mutation")
    return request.method != "GET"


def _match(method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return the template that `path` fits and its variables; the most literal one where several do."""
    parts = path.split("/")
    found = [
        (sum(not name.startswith("{") for name in template.split("/")), template, variables)
        for verb, template in _routes
        if verb == method and (variables := _variables(template.split("/"), parts)) is not None
    ]
    if not found:
        return path, {}
    _, template, variables = max(found, key=lambda one: one[0])
    return template, variables


def _variables(names: list[str], parts: list[str]) -> dict[str, str] | None:
    if names[-1].strip("{}") in _GREEDY and len(parts) > len(names):
        parts = [*parts[: len(names) - 1], "/".join(parts[len(names) - 1 :])]
    if len(names) != len(parts):
        return None
    if any(not name.startswith("{") and name != part for name, part in zip(names, parts, strict=True)):
        return None
    return {n.strip("{}"): unquote(p) for n, p in zip(names, parts, strict=True) if n.startswith("{")}


def _cut(reply: Reply, page: Page, request: Request, path: str) -> Reply:
    """Return one page of a list, with links to the pages around it."""
    size = min(100, int(request.query.get("per_page", 30)))
    number = int(request.query.get("page", 1))
    last = max(1, -(-len(page.items) // size))
    items = page.items[(number - 1) * size : number * size]
    body: Any = items if page.key is None else {"total_count": len(page.items), page.key: items}

    def link(to: int, rel: str) -> str:
        query = urlencode({**request.query, "page": to})
        return f'<{request.root}{quote(path, safe="/%")}?{query}>; rel="{rel}"'

    links = [link(number + 1, "next"), link(last, "last")] if number < last else []
    return Reply(body, reply.status, {**reply.headers, **({"link": ", ".join(links)} if links else {})})


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = double.answer(self.command, self.path, headers, content)
            if reply is None:
                self.close_connection = True
                return
            body = reply.body if isinstance(reply.body, bytes) else b""
            if reply.body is not None and not isinstance(reply.body, bytes):
                body = json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json; charset=utf-8", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    return Handler
