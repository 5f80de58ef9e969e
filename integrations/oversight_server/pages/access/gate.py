"""What routes of pages depend on: somebody who is logged in, and forms that they have sent on purpose."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, cast
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from oversight_server import body
from oversight_server.errors import Problem
from oversight_server.pages.access.attempts import Attempts
from oversight_server.pages.access.github import GitHubLogin
from oversight_server.pages.access.people import Person
from oversight_server.pages.access.problems import LoginNeededError
from oversight_server.pages.access.roles import Roles
from oversight_server.pages.access.sessions import Session, Sessions, csrf_of
from oversight_server.pages.access.site import Site, from_here
from oversight_server.pages.access.tokens import TokenLogin

Fields = Mapping[str, str]
"""The fields of a form; of several that have one name the last."""

HEADER = "X-CSRF-Token"
FIELD = "csrf"

_SECONDS = 10.0
_FIELDS = 100
_FORM = "application/x-www-form-urlencoded"
# Bodies of forms are small enough to be covered by the limit on connections.
_LARGEST = body.FREE
_NO_BUDGET = body.Budget(0)


@dataclass(frozen=True)
class Access:
    """Who may come in to one site, and by which of the two ways; None for one that there is not.

    `attempts`: how often one address may fail to.
    """

    site: Site
    sessions: Sessions
    github: GitHubLogin | None = None
    token: TokenLogin | None = None
    attempts: Attempts = field(default_factory=lambda: Attempts(20, 60.0))

    def session(self, request: Request) -> tuple[str, Session, Roles] | None:
        """Return the key of a session, the session and its roles; None where nobody is logged in. Raises StoreError."""
        key = request.cookies.get(self.site.cookie(request))
        found = self.sessions.find(key)
        if key is None or found is None:
            return None
        way = self.github if found.via == "github" else self.token
        if way is None or way.issuer != found.issuer:
            return None
        # What a token opened on this machine stays shut for everybody who comes from elsewhere.
        return None if found.via == "token" and not from_here(request) else (key, found, way.roles)


def of(request: Request) -> Access:
    """Return who may come in to the application that a request is for."""
    return cast("Access", request.app.state.access)


def viewer(request: Request) -> Person:
    """Return who is logged in. Problem 401, which leads browsers to the login, where nobody is."""
    access = of(request)
    access.site.origin(request)
    found = access.session(request)
    if found is None:
        raise LoginNeededError
    key, session, roles = found
    person = Person(session.login, csrf_of(key), session.via, lambda names: roles.of(session, names))
    request.state.person = person
    return person


async def form(request: Request, person: Annotated[Person, Depends(viewer)]) -> Fields:  # noqa: ARG001  # who comes first
    """Return the fields of a form that a page of ours has sent, for somebody who is logged in. Raises Problem."""
    of(request).site.same(request)
    return await fields_of(request)


def csrf_checked(
    request: Request, person: Annotated[Person, Depends(viewer)], fields: Annotated[Fields, Depends(form)]
) -> Person:
    """Return who has sent a form on purpose: from a page of ours, with their session's mark. Raises Problem."""
    given = request.headers.get(HEADER) or fields.get(FIELD, "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), person.csrf.encode()):
        raise Problem(403, "the form is of another login", mend="reload the page and send it again")
    return person


async def fields_of(request: Request) -> Fields:
    """Return the fields of a form, whoever sent it. Raises Problem."""
    body.refuse_large(request, _LARGEST)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", _FORM):
        raise Problem(415, f"the form is no {_FORM}", mend="send it as browsers do", close=True)
    async with body.read(
        request, limit=_LARGEST, budget=_NO_BUDGET, seconds=_SECONDS, on_chunk=lambda _: None
    ) as content:
        try:
            return dict(parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS))
        except ValueError:
            raise Problem(400, "the form cannot be read", mend="send it as browsers do") from None
