"""Who may do what in a repository: whatever GitHub says of them there, at this moment and not at the login.

    GitHub                     here
    admin                      ADMIN
    maintain, write            AUDITOR
    triage, read               VIEWER; of a public repository everybody may read: see `public` below
    none, no answer, no App    nothing: not even whether there is such a repository

GitHub is asked as the App, about names that the store knows; what it says is remembered for a minute.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from sqlalchemy import Engine, select

from oversight.audit.store.engine import reading
from oversight.audit.store.tables import repositories as known_repositories
from oversight_github.client import Forbidden, GitHubError, NotFound
from oversight_server.github_app import GitHubApp
from oversight_server.pages.access.people import Role
from oversight_server.pages.access.sessions import Session

_METADATA = {"metadata": "read"}
_ROLES = {"admin": Role.ADMIN, "maintain": Role.AUDITOR, "write": Role.AUDITOR, "triage": Role.VIEWER,
          "read": Role.VIEWER}  # fmt: skip
_NAME = re.compile(r"(?!\.+/)[A-Za-z0-9._-]{1,100}/(?!\.+$)[A-Za-z0-9._-]{1,100}")
_INSTALLATION_SECONDS = 3600.0
_AGAIN = 5.0  # seconds after which GitHub is asked again where it did not tell
_PATIENCE = 5.0
_AT_ONCE = 4
_MOST = 20_000

_log = logging.getLogger("oversight.server")


class Roles(Protocol):
    """Who may do what."""

    def of(self, session: Session, repositories: Iterable[str]) -> Mapping[str, Role]:
        """Return the repositories of these that somebody may see, each with what they may do there."""


class Everything:
    """Whoever is in may do all, as they might without the pages: the store is theirs."""

    def of(self, session: Session, repositories: Iterable[str]) -> Mapping[str, Role]:  # noqa: ARG002  # as all Roles
        """Return all of them."""
        return dict.fromkeys(repositories, Role.ADMIN)


class GitHubRoles:
    """What GitHub says. Thread-safe. `public`: whether everybody may view what is kept of public repositories."""

    def __init__(
        self, app: GitHubApp, engine: Engine, *, public: bool, seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._app = app
        self._engine = engine
        self._public = public
        self._seconds = seconds
        self._clock = clock
        self._said: dict[tuple[int, str], tuple[Role | None, float]] = {}
        self._installations: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def of(self, session: Session, repositories: Iterable[str]) -> Mapping[str, Role]:
        """Return the repositories of these that GitHub lets somebody read, and that the store knows."""
        names = [name for name in dict.fromkeys(repositories) if _NAME.fullmatch(name)]
        found = {name: self._remembered(session, name) for name in names}
        unknown = self._known([name for name, said in found.items() if said is None])
        roles = {name: said[0] for name, said in found.items() if said is not None}
        roles |= dict(zip(unknown, self._all_asked(session, unknown), strict=True))
        return {name: role for name in names if (role := roles.get(name)) is not None}

    def _all_asked(self, session: Session, names: list[str]) -> list[Role | None]:
        if len(names) < 2:
            return [self._asked(session, name) for name in names]
        with ThreadPoolExecutor(min(len(names), _AT_ONCE), thread_name_prefix="roles") as threads:
            return list(threads.map(lambda name: self._asked(session, name), names))

    def _known(self, names: list[str]) -> list[str]:
        """Return those that the store has something of; of others there is nothing to see, and GitHub is not asked."""
        keys = {name.lower() for name in names}
        if not keys:
            return []
        column = known_repositories.c.key
        with reading(self._engine) as connection:
            there = set(connection.execute(select(column).where(column.in_(keys))).scalars())
        return [name for name in names if name.lower() in there]

    def _remembered(self, session: Session, name: str) -> tuple[Role | None, float] | None:
        with self._lock:
            said = self._said.get((session.account or 0, name.lower()))
        return said if said is not None and said[1] > self._clock() else None

    def _asked(self, session: Session, name: str) -> Role | None:
        seconds = self._seconds
        try:
            role = self._ask(session, name)
        except (NotFound, Forbidden):  # no App there, nobody of that name, or no right to ask
            role = None
            with self._lock:
                self._installations.pop(name.lower(), None)
        except GitHubError as error:
            role, seconds = None, min(seconds, _AGAIN)
            _log.warning("GitHub did not say who may see a repository", exc_info=error, extra={"repository": name})
        with self._lock:
            now = self._clock()
            if len(self._said) >= _MOST:
                self._said = {key: said for key, said in self._said.items() if said[1] > now}
            if len(self._said) < _MOST:
                self._said[session.account or 0, name.lower()] = role, now + seconds
        return role

    def _ask(self, session: Session, name: str) -> Role | None:
        with self._app.client(self._installation(name), name, _METADATA, patience=_PATIENCE) as client:
            answer = client.get(client.here("collaborators", session.login, "permission"))
            # Logins are given up and taken by others, numbers never.
            if not isinstance(answer, dict) or _at(answer, "user", "id") != session.account:
                return None
            role = _ROLES.get(str(answer.get("permission")))
            if role is Role.VIEWER and answer.get("role_name", "read") == "read" and not self._public:
                return role if _at(client.get(client.here()), "private") is True else None
            return role

    def _installation(self, name: str) -> int:
        key = name.lower()
        with self._lock:
            known = self._installations.get(key)
        if known is not None and known[1] > self._clock():
            return known[0]
        found = self._app.installation_of(name, patience=_PATIENCE)
        with self._lock:
            self._installations[key] = found, self._clock() + _INSTALLATION_SECONDS
        return found


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
