"""`/login`, in both ways, and `/logout`.

Before somebody is known nothing is stored, and no page tells what there is. What a stranger can make the server do is a
digest, or, with a state of their own making, one request to GitHub: how often is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from oversight_github.client import Forbidden, GitHubError
from oversight_github.oauth import Identity
from oversight_server.errors import Problem
from oversight_server.pages.access import gate
from oversight_server.pages.access.gate import Access, Fields, csrf_checked
from oversight_server.pages.access.github import CALLBACK, SECONDS, GitHubLogin
from oversight_server.pages.access.people import Person
from oversight_server.pages.access.problems import LOGIN
from oversight_server.pages.access.site import HOME, from_here, within
from oversight_server.pages.access.tokens import TokenLogin
from oversight_server.pages.rendering import page
from oversight_server.settings import variable

_log = logging.getLogger("oversight.server")


class Desk:
    """Lets people in and out."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._attempts = access.attempts

    def show(self, request: Request, target: Annotated[str | None, Query(alias="next")] = None) -> Response:
        """Show the ways to log in; who is in already goes on."""
        access = self._access
        access.site.origin(request)
        if access.session(request) is not None:
            return RedirectResponse(within(target), 303)
        token = access.token if from_here(request) else None
        ways = {"github": access.github is not None, "token": token is not None and not token.once,
                "link": token is not None and token.once}  # fmt: skip
        return page(request, "login.html", target=within(target), **ways)

    def to_github(self, request: Request, target: Annotated[str | None, Query(alias="next")] = None) -> Response:
        """Send a browser to GitHub, with what it has to come back with."""
        self._access.site.origin(request)
        cookie, address = self._github.begin(within(target))
        response = RedirectResponse(address, 303)
        self._set(response, f"{self._cookie(request)}-login", cookie, seconds=SECONDS)
        return response

    def from_github(
        self, request: Request, code: str | None = None, state: str | None = None, error: str | None = None
    ) -> Response:
        """Let in who comes back from GitHub with what it left with."""
        self._access.site.origin(request)
        name = f"{self._cookie(request)}-login"
        begun = request.cookies.get(name)
        if begun is None or not self._github.state_holds(begun, state):
            raise Problem(400, "this login was not begun in this browser, or is over", mend="begin again")
        spent = {"Set-Cookie": self._removal(name)}
        if error is not None:
            raise Problem(403, "GitHub was told not to say who you are", mend="begin again", headers=spent)
        try:
            who, target = self._confirmed(request, begun, code)
        except Problem as problem:
            problem.headers |= spent
            raise
        response = self._let_in(request, target, who.login, self._github, account=who.account)
        response.headers.append("Set-Cookie", spent["Set-Cookie"])
        return response

    def _confirmed(self, request: Request, begun: str, code: str | None) -> tuple[Identity, str]:
        """Return who GitHub says it is, and where they wanted to go. Raises Problem."""
        self._attempts.check(_caller(request))
        try:
            who, target = self._github.finish(begun, code)
        except GitHubError as failure:
            self._attempts.failed(_caller(request))
            _log.warning("login through GitHub failed", exc_info=failure)
            if isinstance(failure, Forbidden):
                raise Problem(403, "GitHub does not confirm the login", mend="begin again") from None
            raise Problem(503, "GitHub does not say who you are", mend="try again in a moment") from None
        if not (who.installations or self._github.public):
            _log.info("login refused", extra={"fields": {"via": "github", "who": who.login}})
            raise Problem(403, "nothing here is yours to see", mend="ask for a role in a repository")
        return who, target

    async def sent(self, request: Request) -> Fields:
        """Return the form of a stranger who may try a token, and read none of another's. Raises Problem."""
        self._access.site.same(request)
        self._check_token_may_be_used(request)
        return await gate.fields_of(request)

    def with_token(self, request: Request, fields: Fields) -> Response:
        """Let in who has the token."""
        return self._admitted(request, fields.get("token", ""), fields.get("next"))

    def with_link(self, request: Request, token: str = "") -> Response:
        """Let in who opens the address with the token; who is in already goes on, since it was good once."""
        self._access.site.origin(request)
        if self._access.session(request) is not None:
            return RedirectResponse(HOME, 303)
        self._check_token_may_be_used(request)
        return self._admitted(request, token, HOME)

    def log_out(self, request: Request) -> Response:
        """End a session."""
        name = self._cookie(request)
        self._access.sessions.end(request.cookies.get(name))
        response = RedirectResponse(LOGIN, 303)
        response.headers.append("Set-Cookie", self._removal(name))
        return response

    def _check_token_may_be_used(self, request: Request) -> None:
        if not from_here(request):
            raise Problem(403, "a token opens the pages on this machine alone", mend="open them there")
        self._attempts.check(_caller(request))

    def _admitted(self, request: Request, given: str, target: str | None) -> Response:
        if not self._token.admits(given):
            self._attempts.failed(_caller(request))
            _log.warning("login with a wrong token")
            if self._token.once:
                raise Problem(403, "the address was used before, or is another one's", mend="start the command again")
            raise Problem(403, "that is not the token", mend=f"the server was given it as {variable('pages', 'token')}")
        return self._let_in(request, within(target), self._token.login, self._token)

    def _let_in(
        self, request: Request, target: str, login: str, way: GitHubLogin | TokenLogin, account: int | None = None
    ) -> RedirectResponse:
        """Begin a session under a new key, whatever key the browser came with."""
        name, sessions = self._cookie(request), self._access.sessions
        sessions.end(request.cookies.get(name))
        key = sessions.begin(login, via=way.via, issuer=way.issuer, account=account)
        _log.info("login", extra={"fields": {"via": way.via, "who": login}})
        response = RedirectResponse(target, 303)
        self._set(response, name, key)
        return response

    @property
    def _github(self) -> GitHubLogin:
        assert self._access.github is not None  # noqa: S101  # its routes are there with it alone
        return self._access.github

    @property
    def _token(self) -> TokenLogin:
        assert self._access.token is not None  # noqa: S101  # likewise
        return self._access.token

    def _cookie(self, request: Request) -> str:
        return self._access.site.cookie(request)

    def _set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._access.site.secure, httponly=True, samesite="lax"
        )

    def _removal(self, name: str) -> str:
        response = Response()
        self._set(response, name, "", seconds=0)
        return response.headers["set-cookie"]


def _caller(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def router(access: Access) -> APIRouter:
    """Return the routes of those ways to log in that there are."""
    routes, desk = APIRouter(include_in_schema=False), Desk(access)

    @routes.post("/logout")
    def log_out(request: Request, person: Annotated[Person, Depends(csrf_checked)]) -> Response:  # noqa: ARG001
        return desk.log_out(request)

    routes.get(LOGIN)(desk.show)
    if access.github is not None:
        routes.get("/login/github")(desk.to_github)
        routes.get(CALLBACK)(desk.from_github)
    if access.token is not None:

        @routes.post("/login/token")
        async def with_token(request: Request) -> Response:
            fields = await desk.sent(request)
            return await asyncio.to_thread(desk.with_token, request, fields)

        if access.token.once:  # an address with a token that stays good would stay in the browser's history
            routes.get("/login/token")(desk.with_link)
    return routes
