"""What every answer says to browsers, whoever asks and whatever is wrong."""

from __future__ import annotations

import pytest

from oversight_server.pages.access.headers import HEADERS, POLICY
from oversight_server.pages.assets import path_of
from tests.server.thread import Served
from tests.server.visitor import HTML, Visitor

ASKED = [
    ("GET", "/", 303), ("GET", "/login", 200), ("GET", "/nowhere", 404), ("POST", "/login", 405),
    ("POST", "/logout", 401), ("POST", "/login/token", 403), ("GET", "/healthz", 200), ("GET", "/readyz", 200),
    ("GET", "/metrics", 200), ("GET", "/openapi.json", 200), ("POST", "/webhooks/github", 401),
    ("POST", "/api/review", 401), ("GET", "/api/jobs/dead", 401), ("GET", "/broken", 500), ("GET", "/%ff%00", 404),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def broken(pages: Served) -> None:
    """A route that does what no route should."""

    @pages.app.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret")


@pytest.mark.parametrize("accept", [HTML, "*/*"], ids=["browser", "program"])
@pytest.mark.parametrize(("method", "path", "status"), ASKED)
def test_every_answer_has_every_header_once(pages: Served, accept: str, method: str, path: str, status: int):
    """Pages, refusals, what nobody foresaw, and answers to programs."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{pages.port}\r\nAccept: {accept}\r\nConnection: close\r\n"
    answered = pages.raw(f"{head}Content-Length: 0\r\n\r\n".encode())
    lines = answered.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    # Browsers are led to the login.
    assert int(lines[0].split()[1]) == (303 if path == "/logout" and accept == HTML else status)
    sent = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines[1:])]
    for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
        assert [given for known, given in sent if known == name.lower()] == [value]
    assert b"a secret" not in answered


def test_the_policy_lets_nothing_run_that_is_not_of_the_pages():
    """No inline script or style, no other host, no frame, no plugin, no base."""
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert {value for name, value in rules.items() if name.endswith("-src") and name != "default-src"} == {"'self'"}
    assert "unsafe" not in POLICY


def test_what_may_be_kept_says_so_itself(pages: Served):
    """Style sheets may, and need no login; they have all the other headers."""
    asset = Visitor(pages.port).open(path_of("style.css"))
    assert (asset.status, asset.headers["x-content-type-options"]) == (200, "nosniff")
    assert "immutable" in asset.headers["cache-control"]
