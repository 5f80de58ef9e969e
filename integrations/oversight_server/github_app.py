"""Who the server is on GitHub: an App's key becomes short-lived tokens, each for one repository and no more rights.

    private key ── JWT, ten minutes at most ──> installation token, an hour ──> Client of one repository

A token is kept until shortly before its end, and made anew where GitHub refuses it all the same (a 401: the App was
installed again, its rights changed, a clock jumped). Clocks differ: times are GitHub's, as its answers tell them.
The key is held as a key, tokens in memory alone; neither is in a file, a log, a `repr` or an error.

JWTs are PyJWT's: signing is its one call here, and its refusals of odd keys are those of a library that is read by
many; writing the three parts of a JWT on top of `cryptography` would save a dependency of 30 KB and no more.
Tokens: https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from oversight.errors import ConfigError
from oversight_github.client import PUBLIC, Client, Forbidden, GitHubError, NotFound, Renewal, Unprocessable
from oversight_github.errors import foreign
from oversight_github.pace import Pace

PERMISSIONS: Mapping[str, str] = {"checks": "write", "contents": "read", "metadata": "read", "pull_requests": "write"}
"""What reviews need: code to read, check runs, comments and labels to write. The App's manifest asks for these."""

READING: Mapping[str, str] = {"contents": "read", "metadata": "read", "pull_requests": "read"}
"""What a review needs that posts nothing."""

BACKDATED = 60.0
"""Seconds that a JWT is older than it is, since clocks differ."""

LIFETIME = 540.0
"""Seconds from now to a JWT's end: with `BACKDATED` ten minutes, which is the most that GitHub takes."""

MARGIN = 300.0
"""Seconds before its end at which a token is made anew: most requests and fetches are done by then."""

_REMEMBERED = 60.0  # seconds for which a refusal of the App is believed without asking again
_LEAST_BITS = 2048
_UNAUTHORISED = 401
_NO_APP = "integration not found"  # GitHub's words for an id that is no App's, as 401 or 404
_ID = re.compile(r"[0-9]{1,20}|[A-Za-z0-9.]{8,40}")
_log = logging.getLogger("oversight.server")
_MEND = "set OVERSIGHT_GITHUB__PRIVATE_KEY to the whole text of the .pem file that GitHub made for the App"


class UnknownAppError(Forbidden):
    """GitHub does not know the App, or not with this key: the operator's to mend, and nothing that goes by."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            mend="check OVERSIGHT_GITHUB__APP_ID, that OVERSIGHT_GITHUB__PRIVATE_KEY is a key of that App which was "
            "not deleted, and OVERSIGHT_GITHUB__API_URL",
            status=401,
        )


@dataclass(frozen=True, slots=True)
class _Token:
    """An installation token; `ends` in seconds since 1970 by GitHub's clock."""

    text: str = field(repr=False)
    ends: float


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a token is for: one repository of one installation, and some rights on it."""

    installation: int
    repository: str
    permissions: tuple[tuple[str, str], ...]


class GitHubApp:
    r"""An App on one GitHub (github.com or GHES). Thread-safe.

    `app_id` is its id or its client id; `private_key` the PEM text that GitHub made for it, in which `\n` may stand
    for line ends, as in variables that hold one line. `api_url` is the API's root. Raises ConfigError for an id or a
    key that is none.
    """

    def __init__(
        self,
        app_id: str | int,
        private_key: str,
        *,
        api_url: str = PUBLIC,
        patience: float = 300.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = _issuer(str(app_id))
        self._key = _key(private_key)
        self._options: dict[str, Any] = {"api_url": api_url, "patience": patience, "sleep": sleep, "clock": clock}
        self._clock = clock
        self._ahead = 0.0
        self._refused: tuple[float, str] | None = None
        self._tokens: dict[_Scope, _Token] = {}
        self._making: dict[_Scope, threading.Lock] = {}
        self._paces: dict[int, Pace] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"GitHubApp({self._issuer!r}, api_url={self._options['api_url']!r})"

    @contextmanager
    def client(
        self,
        installation: int,
        repository: str,
        permissions: Mapping[str, str] = PERMISSIONS,
        *,
        patience: float | None = None,
    ) -> Iterator[Client]:
        """Give a client of one repository whose token never ends; for one thread. `repository` is "owner/name".

        `patience` bounds the seconds that one request spends waiting, None as the App does. All clients of an
        installation keep one pace: GitHub counts their requests together, whatever their tokens.
        """
        with self._lock:
            pace = self._paces.setdefault(installation, Pace())
        renewal = self.renewal(installation, repository, permissions)
        with Client(repository, renewal, pace=pace, **self._with(patience)) as client:
            yield client

    def renewal(self, installation: int, repository: str, permissions: Mapping[str, str] = PERMISSIONS) -> Renewal:
        """Return what gives good tokens for a repository, also to git; see `oversight_github.client.Renewal`.

        It raises GitHubError where GitHub makes none: NotFound where the App is installed there no more.
        """
        scope = _Scope(installation, repository, tuple(sorted(permissions.items())))
        return lambda refused: self._token(scope, refused)

    def installation_of(self, repository: str, *, patience: float | None = None) -> int:
        """Return the id of the installation on a repository. Raises NotFound where there is none, GitHubError."""
        with self._as_app(repository, patience) as client:
            try:
                found = client.get(client.here("installation"))
            except NotFound as error:
                raise NotFound(
                    "the App is not installed on this repository",
                    mend="install it there: the App's public page has a button for it",
                    status=error.status,
                ) from None
        identity = found.get("id") if isinstance(found, dict) else None
        if not isinstance(identity, int) or isinstance(identity, bool):
            raise foreign("an installation without an id")
        return identity

    @property
    def problem(self) -> UnknownAppError | None:
        """Why GitHub last refused to know the App, None where it knows it, or was not asked yet."""
        refused = self._refused
        return None if refused is None else UnknownAppError(refused[1])

    def forget(self, installation: int) -> None:
        """Drop the tokens of an installation that is no more."""
        with self._lock:
            self._paces.pop(installation, None)
            self._tokens = {one: token for one, token in self._tokens.items() if one.installation != installation}
            self._making = {one: lock for one, lock in self._making.items() if one.installation != installation}

    def _token(self, scope: _Scope, refused: str | None) -> str:
        with self._lock:
            making = self._making.setdefault(scope, threading.Lock())
        with making:  # of many threads that need it, one asks
            with self._lock:
                known = self._tokens.get(scope)
            if known is None or known.text == refused or known.ends - self._now() < MARGIN:
                known = self._made(scope)
                with self._lock:
                    now = self._now()
                    self._tokens = {one: token for one, token in self._tokens.items() if token.ends > now}
                    self._tokens[scope] = known
            return known.text

    def _made(self, scope: _Scope) -> _Token:
        """Have GitHub make a token; one whose answer gets lost harms nobody."""
        name = scope.repository.partition("/")[2]
        body = {"repositories": [name], "permissions": dict(scope.permissions)}
        with self._as_app(scope.repository) as client:
            try:
                answer = client.post(f"/app/installations/{scope.installation}/access_tokens", body, twice=True)
            except Unprocessable as error:
                raise Forbidden(
                    error.message,
                    mend="see that the App is installed on the repository with the permissions of its manifest; "
                    "who installed it has to accept new ones",
                    status=error.status,
                ) from None
        text, ends = (answer.get(name) if isinstance(answer, dict) else None for name in ("token", "expires_at"))
        if not isinstance(text, str) or not isinstance(ends, str):
            raise foreign("a token without a text or an end")
        try:
            moment = datetime.fromisoformat(ends)
        except ValueError:
            raise foreign("a token that ends at no moment") from None
        if moment.tzinfo is None:
            raise foreign("a token that ends at no moment")
        return _Token(text, moment.timestamp())

    @contextmanager
    def _as_app(self, repository: str, patience: float | None = None) -> Iterator[Client]:
        """Give a client that asks as the App itself; a refusal measures the clocks, and the next JWT minds them.

        Raises UnknownAppError, for a while without asking: GitHub shuts out who goes on with a key that is none.
        """
        client: Client
        refused = self._refused
        if refused is not None and self._clock() - refused[0] < _REMEMBERED:
            raise UnknownAppError(refused[1])

        def signed(_: str | None) -> str:
            if client.ahead is not None:
                self._ahead = client.ahead
            return self._jwt()

        with Client(repository, signed, **self._with(patience)) as client:
            try:
                yield client
                self._known(None)
            except GitHubError as error:
                if error.status != _UNAUTHORISED and _NO_APP not in error.message.lower():
                    raise
                self._known(error.message)
                raise UnknownAppError(error.message) from None
            finally:
                if client.ahead is not None:
                    self._ahead = client.ahead

    def _known(self, refusal: str | None) -> None:
        """Remember whether GitHub knows the App; log where that has changed."""
        before, self._refused = self._refused, None if refusal is None else (self._clock(), refusal)
        if refusal is not None and before is None:
            _log.error("GitHub does not know the App", extra={"fields": {"error": refusal}})
        elif refusal is None and before is not None:
            _log.info("GitHub knows the App again")

    def _with(self, patience: float | None) -> dict[str, Any]:
        return self._options if patience is None else {**self._options, "patience": patience}

    def _jwt(self) -> str:
        now = self._now()
        claims = {"iat": int(now - BACKDATED), "exp": int(now + LIFETIME) - 1, "iss": self._issuer}
        return jwt.encode(claims, self._key, algorithm="RS256")

    def _now(self) -> float:
        """Return the time by GitHub's clock, as far as it is known."""
        return self._clock() + self._ahead


def _issuer(app_id: str) -> str:
    if not _ID.fullmatch(app_id.strip()):
        raise ConfigError(
            "the App's id is none", mend="set OVERSIGHT_GITHUB__APP_ID to the number on the App's settings page"
        )
    return app_id.strip()


def _key(text: str) -> RSAPrivateKey:
    """Return the key of a PEM text. What is wrong with it is told without a word of it."""
    pem = text.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n") + "\n"
    try:
        key = load_pem_private_key(pem.encode("utf-8", "surrogateescape"), password=None)
    except TypeError:
        raise ConfigError("the App's private key is encrypted", mend=_MEND) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError("the App's private key is no key", mend=_MEND) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise ConfigError("the App's private key is no RSA key of 2048 bits or more", mend=_MEND)
    return key


__all__ = ["PERMISSIONS", "READING", "GitHubApp", "GitHubError", "UnknownAppError"]
