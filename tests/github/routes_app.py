"""REST answers to a GitHub App about itself: who is asked is who has signed, or who holds a token that has not ended.

A double without an `Installed` lets everybody in, as it always did.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.github.double import Double, route
from tests.github.exchange import Refusal, Reply, Request
from tests.github.world import JSON, World

APP = {"/app/installations/{installation_id}/access_tokens", "/repos/{owner}/{repo}/installation"}
PEOPLE = {"/user", "/user/installations", "/applications/{client_id}/token"}
HOUR = 3600.0
_MOST = 600


@dataclass(frozen=True)
class Code:
    """What a code of a login stands for."""

    login: str
    callback: str
    challenge: str


@dataclass
class Registered:
    """The App as people log in by it. `viewer`: who is at the browser and says yes; None: they say no."""

    client_id: str = "Iv23liClientOfTests"
    client_secret: str = "a client secret of the tests"
    callback: str = ""
    viewer: str | None = "ann"
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def code(self, code: Code) -> str:
        self.made.append(f"{len(self.made):020x}")
        self.codes[self.made[-1]] = code
        return self.made[-1]

    def token(self, login: str) -> str:
        self.made.append(f"ghu_{len(self.made):036d}")
        self.tokens[self.made[-1]] = login
        return self.made[-1]


@dataclass
class Installed:
    """An App that is installed on the double's repository, and the tokens that it was given.

    `ends`: every token made so far, by its text, and when it ends by `clock`, GitHub's own. `repositories`: which ones
    each is for. `granted`: what who installed it has agreed to.
    """

    public_key: RSAPublicKey | None = None
    app_id: str = "12345"
    installation: int = 77
    lifetime: float = HOUR
    granted: dict[str, str] = field(
        default_factory=lambda: {
            "checks": "write",
            "contents": "read",
            "metadata": "read",
            "pull_requests": "write",
            "issues": "read",
        }
    )
    clock: Callable[[], float] = time.time
    ends: dict[str, float] = field(default_factory=dict)
    repositories: dict[str, list[str]] = field(default_factory=dict)
    permissions: dict[str, JSON] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    oauth: Registered = field(default_factory=Registered)
    _numbers: Any = field(default_factory=itertools.count)

    def admit(self, request: Request) -> None:
        """Raise Refusal for a request that has no leave, in GitHub's words. People have words of their own."""
        if request.template in PEOPLE or request.template.startswith("/login/oauth/"):
            return
        word, _, token = request.headers.get("authorization", "").partition(" ")
        if word != "Bearer":
            raise Refusal(401, "Requires authentication")
        if request.template in APP:
            self._signed(token)
        elif not self.good(token):
            self.refused.append(token)
            raise Refusal(401, "Bad credentials")

    def good(self, token: str) -> bool:
        return self.ends.get(token, 0.0) > self.clock()

    def end_all(self) -> None:
        """Let every token end at this moment, as where the App is taken off and put back."""
        self.ends = dict.fromkeys(self.ends, 0.0)

    def make(self, repositories: list[str], permissions: JSON) -> tuple[str, float]:
        # The length and the letters of GitHub's own.
        token = f"ghs_{next(self._numbers):036d}"
        self.ends[token] = self.clock() + self.lifetime
        self.repositories[token] = repositories
        self.permissions[token] = permissions
        return token, self.ends[token]

    def _signed(self, token: str) -> None:
        assert self.public_key is not None, "nobody can sign as an App without a key"
        try:
            claims = jwt.decode(
                token, self.public_key, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.PyJWTError:
            raise Refusal(401, "A JSON web token could not be decoded") from None
        now = self.clock()
        if claims["iss"] != self.app_id:
            raise Refusal(401, "Integration not found")
        if claims["iat"] > now:
            raise Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time of the assertion")
        if claims["exp"] <= now:
            raise Refusal(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
        if claims["exp"] > now + _MOST:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")


def install(double: Double, app: Installed) -> Installed:
    """From now on the double answers those alone who have leave."""
    double.world.app = app
    double.checks.append(app.admit)
    return app


def app_of(world: World) -> Installed:
    if not isinstance(world.app, Installed):
        raise Refusal(404, "Not Found")
    return world.app


@route("POST", "/app/installations/{installation_id}/access_tokens")
def make_token(world: World, request: Request) -> Reply:
    app = app_of(world)
    if int(request.variables["installation_id"]) != app.installation:
        raise Refusal(404, "Not Found")
    body = request.body or {}
    names = body.get("repositories", [])
    if any(name.lower() != world.repository.partition("/")[2] for name in names):
        raise Refusal(422, "There is at least one repository that does not exist or is not accessible to the parent.")
    wanted = body.get("permissions", app.granted)
    ranks = ("none", "read", "write")
    if any(ranks.index(level) > ranks.index(app.granted.get(name, "none")) for name, level in wanted.items()):
        raise Refusal(422, "The permissions requested are not granted to this installation.")
    token, ends = app.make(names, wanted)
    moment = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    chosen = "selected" if names else "all"
    return Reply({"token": token, "expires_at": moment, "permissions": wanted, "repository_selection": chosen}, 201)


@route("GET", "/repos/{owner}/{repo}/installation")
def installation_of(world: World, request: Request) -> Reply:
    app = app_of(world)
    # GitHub minds no case in names.
    if f"{request.variables['owner']}/{request.variables['repo']}".lower() != world.repository:
        raise Refusal(404, "Not Found")
    return Reply({"id": app.installation, "permissions": app.granted, "repository_selection": "all"})
