"""The gate: strangers learn nothing and cost little, and only forms that somebody sent on purpose are heard."""

from __future__ import annotations

import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI

from oversight_server import errors
from oversight_server.database import open_database
from oversight_server.pages.access import (
    Fields,
    Person,
    Role,
    SecurityHeaders,
    answer,
    csrf_checked,
    form,
    install,
    local_access,
    viewer,
)
from oversight_server.pages.access.sessions import Sessions
from oversight_server.pages.access.tokens import TokenLogin
from oversight_server.settings import Settings
from tests.server.conftest import settings_of
from tests.server.process import Process
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import TOKEN, Visitor, known_as, text_of

JSON = {"Accept": "application/json"}
ELSEWHERE = {"X-Forwarded-For": "192.0.2.1"}


@pytest.fixture(scope="module", autouse=True)
def routes(pages: Served) -> None:
    """One page to look at, and one form to send."""

    @pages.app.get("/seen/{what}")
    def seen(what: int, person: Annotated[Person, Depends(viewer)]) -> dict[str, object]:
        role = person.role("octo/repo")
        return {"who": person.login, "role": role and role.name, "all": dict(person.roles(["octo/repo", "a/b"]))}

    @pages.app.post("/said")
    def said(
        person: Annotated[Person, Depends(csrf_checked)], fields: Annotated[Fields, Depends(form)]
    ) -> dict[str, object]:
        return {"who": person.login, "fields": dict(fields)}


@pytest.fixture
def stranger(pages: Served) -> Visitor:
    return Visitor(pages.port)


def test_strangers_are_led_to_the_login(stranger: Visitor):
    """A browser by a redirection that comes back, htmx by a header, a program by the one shape of errors."""
    assert stranger.open("/seen/7?a=1").headers["location"] == "/login?next=/seen/7%3Fa%3D1"
    assert stranger.send("/said").headers["location"] == "/login?next=/queue"
    asked = stranger.open("/seen/7", Accept="*/*", HX_Request="true", HX_Current_URL="http://x:1/seen/8?b=2")
    assert (asked.status, asked.headers["hx-redirect"]) == (401, "/login?next=/seen/8%3Fb%3D2")
    for url in ("http://[", "//evil.example.com//evil.example.com", "\\", ""):
        told = stranger.open("/seen/7", HX_Request="true", HX_Current_URL=url)
        assert told.headers["hx-redirect"] == "/login?next=/queue"
    told = stranger.open("/seen/7", **JSON)
    assert (told.status, told.json) == (
        401, {"title": "Unauthorized", "status": 401, "detail": "nobody is logged in", "mend": "log in at /login"}
    )  # fmt: skip


def test_they_learn_nothing_of_what_there_is(stranger: Visitor):
    """Not even whether an address makes sense."""
    known, unknown = (stranger.open(f"/seen/{what}", **JSON) for what in ("7", "nonsense"))
    same = [(one.status, one.content, {**one.headers, "date": ""}) for one in (known, unknown)]
    assert same[0] == same[1]


def test_their_bodies_are_not_read(pages: Served):
    """A megabyte that is announced is answered before the first byte of it comes."""
    with socket.create_connection(("127.0.0.1", pages.port), timeout=30) as connection:
        head = f"POST /said HTTP/1.1\r\nHost: 127.0.0.1:{pages.port}\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_keys_that_are_none_open_nothing(stranger: Visitor):
    """Nor do they reach the database."""
    for key in ("", "x" * 43, "x" * 10_000, "%00", '"' + "x" * 43 + '"', "' OR 1=1 --"):
        stranger.take_key(key)
        assert stranger.open("/seen/7", **JSON).status == 401


def test_somebody_who_is_in_may_do_what_their_roles_say(pages: Served, visitor: Visitor):
    """By the token everything; otherwise what GitHub says, repository by repository."""
    assert visitor.open("/seen/7").json["role"] == "ADMIN"
    ann = known_as(pages, "ann", octo__repo=Role.AUDITOR)
    assert ann.open("/seen/7").json == {"who": "ann", "role": "AUDITOR", "all": {"octo/repo": 2}}
    assert known_as(pages, "bob").open("/seen/7").json == {"who": "bob", "role": None, "all": {}}


def test_a_form_that_was_sent_on_purpose_is_heard(visitor: Visitor):
    """With the mark of the session in a field or, as htmx sends it, in a header."""
    sent = visitor.send("/said", {"note": "Größe & <b>", "empty": ""})
    assert sent.json["fields"] == {"csrf": visitor.csrf, "note": "Größe & <b>", "empty": ""}
    assert visitor.send("/said", {"csrf": ""}, X_CSRF_Token=visitor.csrf).status == 200


def test_a_forged_mark_is_not(pages: Served, visitor: Visitor):
    """None, a wrong one, that of another session, or one in the address."""
    other = known_as(pages, "ann", octo__repo=Role.ADMIN)
    for mark in ("", "x", "ü", "0" * 64, other.csrf, visitor.csrf + "0", visitor.csrf.upper() + "g"):
        answered = visitor.send("/said", {"csrf": mark})
        assert answered.status == 403, mark
        assert "The form is of another login" in text_of(answered)
    assert visitor.send(f"/said?csrf={visitor.csrf}", {"csrf": ""}).status == 403
    assert visitor.send("/said", X_CSRF_Token="x").status == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_send_no_forms_here(visitor: Visitor, sent: dict[str, str]):
    """Even where they know the mark: not into pages, not out of the session, not into a login."""
    for path in ("/said", "/logout", "/login/token"):
        assert visitor.send(path, {"token": TOKEN}, **sent).status == 403
    assert visitor.open("/seen/7").status == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"note=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"%d=" % number for number in range(101)), "application/x-www-form-urlencoded", 400),
        (b"note=\xff", "application/x-www-form-urlencoded", 400),
        (b'{"note": 1}', "application/json", 415),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
        (b"note=1", "text/plain", 415),
    ],
)
def test_forms_are_small_and_of_one_kind(visitor: Visitor, content: bytes, kind: str, status: int):
    """What cannot be one is refused without being understood."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    headers = {"Cookie": cookie, "Content-Type": kind, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": visitor.csrf}
    assert visitor.request("POST", "/said", content, headers).status == status


def test_a_session_that_is_over_leads_to_the_login(pages: Served, visitor: Visitor):
    """Its cookie is still there, and opens nothing."""
    kept = pages.app.state.access
    later = Sessions(kept.sessions.engine, idle=timedelta(0), longest=timedelta(hours=1))
    pages.app.state.access = replace(kept, sessions=later)
    try:
        assert visitor.open("/seen/7").headers["location"] == "/login?next=/seen/7"
    finally:
        pages.app.state.access = kept


def test_a_token_is_for_this_machine(pages: Served, visitor: Visitor, stranger: Visitor):
    """Neither the token nor a session that it began opens anything to who comes through somebody else."""
    assert visitor.open("/seen/7", **ELSEWHERE).status == 303
    assert visitor.open("/seen/7").status == 200
    assert stranger.send("/login/token", {"token": TOKEN}, **ELSEWHERE).status == 403
    assert stranger.cookies == {}
    assert "open on the machine alone" in text_of(stranger.open("/login", **ELSEWHERE))
    assert 'name="token"' in stranger.open("/login").content.decode()


def test_a_token_that_stays_good_is_in_no_address(stranger: Visitor):
    """Histories of browsers keep addresses."""
    assert stranger.open(f"/login/token?token={TOKEN}").status == 405


def test_wrong_tokens_are_few(pages: Served, stranger: Visitor, monkeypatch: pytest.MonkeyPatch):
    """After some of them not even the right one is looked at, until a moment has passed."""
    monkeypatch.setattr(pages.app.state.access.attempts, "_spent", OrderedDict())
    guesses = ["", TOKEN[:-1], TOKEN + " ", "ü" * 10, "\0", *map(str, range(30))]
    statuses = [stranger.send("/login/token", {"token": guess}).status for guess in guesses]
    assert set(statuses) == {403, 429}
    assert statuses == sorted(statuses)
    last = stranger.log_in()
    assert (last.status, stranger.cookies) == (429, {})
    assert int(last.headers["retry-after"]) > 0


def test_the_cookie_of_a_server_on_loopback_has_its_port_in_its_name(pages: Served, visitor: Visitor):
    """Browsers send cookies to all ports of a machine alike."""
    assert list(visitor.cookies) == [f"oversight-{pages.port}"]
    attributes = visitor.attributes[f"oversight-{pages.port}"].lower().split("; ")
    assert {"httponly", "samesite=lax", "path=/"} <= set(attributes)
    assert "secure" not in attributes


@pytest.fixture
def alone(tmp_path: Path, settings: Settings) -> Iterator[Served]:
    """Pages for one person, as without webhooks and GitHub: a link that is good once."""
    engine = open_database(f"sqlite:///{tmp_path / 'audit.db'}")
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    errors.install(app, answer)
    install(app, local_access(engine, "Ann <ann@example.com>"))

    @app.get("/queue")
    def queue(person: Annotated[Person, Depends(viewer)]) -> dict[str, object]:
        return {"who": person.login, "role": person.role("anything")}

    with Served(settings, None, app=app) as served:
        yield served
    engine.dispose()


def test_a_link_is_good_once_and_for_this_process(alone: Served):
    """Who opened it is in; who opens it again, or has a session of an earlier process, is not."""
    access = alone.app.state.access
    link = f"/login/token?token={access.token.token}"
    browser, second = Visitor(alone.port), Visitor(alone.port)
    assert browser.open(link, **ELSEWHERE).status == 403
    browser.host = "rebound.example.com"
    assert browser.open(link).status == 421
    browser.host = f"localhost:{alone.port}"
    opened = browser.open(link, Sec_Fetch_Site="none")
    assert (opened.status, opened.headers["location"]) == (303, "/queue")
    assert browser.open("/queue").json == {"who": "Ann <ann@example.com>", "role": 3}
    assert browser.open(link).headers["location"] == "/queue"
    assert second.open(link).status == 403
    assert "address that the terminal shows" in text_of(second.open("/login"))
    assert access.token.token not in repr(access)
    alone.app.state.access = replace(access, token=TokenLogin(access.token.login))
    assert browser.open("/queue").status == 303


def test_with_another_token_everybody_is_out(start: Callable[..., Process], tmp_path: Path):
    """Once the server starts again and is told another one; its log shows neither, and no key."""
    first = start(OVERSIGHT_PAGES__TOKEN=TOKEN)
    ann = Visitor(first.port)
    assert ann.log_in().status == 303
    assert first.event("login")["via"] == "token"
    key = ann.key
    assert key is not None
    assert ann.open("/login").headers["location"] == "/queue"
    first.stop()
    assert not any(secret in line for secret in (key, TOKEN) for line in first.written)
    with Served(settings_of(tmp_path, pages={"token": "another-token-of-the-tests"}), Recorder()) as second:
        back = Visitor(second.port)
        back.take_key(key)
        assert back.open("/login").status == 200
        assert back.send("/login/token", {"token": TOKEN}).status == 403
