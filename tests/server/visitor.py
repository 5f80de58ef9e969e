"""Somebody in front of a browser: keeps cookies, and sends forms as the pages' own would be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import Literal, Self
from urllib.parse import urlencode

from oversight_server.pages.access import Role
from oversight_server.pages.access.sessions import Session, csrf_of
from tests.server.client import Answer, Client
from tests.server.thread import Served

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"
TOKEN = "a-token-of-the-tests-for-pages"


class Visitor(Client):
    """A browser, as far as servers can tell. `host`: what it has in its address line."""

    def __init__(self, port: int, *, host: str | None = None) -> None:
        super().__init__(port)
        self.host = host or f"127.0.0.1:{port}"
        self.cookies: dict[str, str] = {}
        self.attributes: dict[str, str] = {}

    @property
    def key(self) -> str | None:
        """The session's, None where nobody is logged in."""
        return next((value for name, value in self.cookies.items() if not name.endswith("-login")), None)

    @property
    def csrf(self) -> str:
        """What a page puts into its forms."""
        return csrf_of(self.key) if self.key else ""

    def open(self, path: str, **headers: str) -> Answer:
        """Open an address of the site, without going where it leads."""
        return self._sent("GET", path, None, {"Sec-Fetch-Site": "same-origin", **_named(headers)})

    def send(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Answer:
        """Send a form of one of our pages, with what the page puts in."""
        content = urlencode({"csrf": self.csrf, **(fields or {})}).encode()
        own = {"Content-Type": FORM, "Origin": "null", "Sec-Fetch-Site": "same-origin"}
        return self._sent("POST", path, content, {**own, **_named(headers)})

    def log_in(self, token: str = TOKEN) -> Answer:
        """Log in by the token that the server was told."""
        return self.send("/login/token", {"token": token})

    def take_key(self, key: str) -> None:
        """Have the cookie of a session, however one came by it."""
        self.cookies[f"oversight-{self.port}"] = key

    def _sent(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"Host": self.host, "Accept": HTML, **({"Cookie": cookie} if cookie else {})}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, content, {**own, **headers})
            response = connection.getresponse()
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    self._keep(value)
            return Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def _keep(self, cookie: str) -> None:
        pair, _, attributes = cookie.partition("; ")
        name, _, value = pair.partition("=")
        self.attributes[name] = attributes
        if "Max-Age=0" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value.strip('"')


class Vouched:
    """A way to log in by which people may do in repositories what the test says, as GitHub would say it."""

    via: Literal["github"] = "github"
    issuer = "of the tests"

    def __init__(self) -> None:
        self.people: dict[str, Mapping[str, Role]] = {}

    @property
    def roles(self) -> Self:
        return self

    def of(self, session: Session, repositories: Iterable[str]) -> Mapping[str, Role]:
        may = self.people.get(session.login, {})
        return {name: may[name] for name in repositories if name in may}


def known_as(served: Served, login: str, **repositories: Role) -> Visitor:
    """Somebody who has logged in, and may do that in `repositories`, in whose names `__` stands for the slash."""
    access = served.app.state.access
    way = access.github if isinstance(access.github, Vouched) else Vouched()
    way.people[login] = {name.replace("__", "/"): role for name, role in repositories.items()}
    served.app.state.access = replace(access, github=way)
    visitor = Visitor(served.port)
    visitor.take_key(access.sessions.begin(login, via=way.via, issuer=way.issuer, account=1))
    return visitor


def text_of(answer: Answer) -> str:
    """What a page says to whoever reads it."""
    read: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            read.append(data)

    Reader().feed(answer.content.decode())
    return " ".join(" ".join(read).split())


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
