"""`/healthz`: the process is alive. `/readyz`: what is missing for full work. `/metrics`: figures for Prometheus.

`/readyz` answers 503 where deliveries cannot be kept or reviewed at all, and 200 with a list where something is missing
that part of the work needs. Anybody may ask, so the checks run once in `_FRESH` seconds at most, however often they are
asked for, and name neither paths nor addresses.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Engine

from oversight.changes.quarantine import git_version
from oversight.errors import OversightError, StoreError
from oversight.students.runtime import open_model
from oversight_server.database import is_current
from oversight_server.dispatcher import Dispatcher, Jobs
from oversight_server.errors import Problem
from oversight_server.github_app import GitHubApp
from oversight_server.inbox import Inbox
from oversight_server.metrics import Gauges, Metrics
from oversight_server.settings import Settings, variable

_FRESH = 5.0
_OLDEST = 300.0  # seconds that a delivery may wait for the queue before something is wrong
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not as it should be. `fatal`: nothing can be reviewed until it is mended."""

    what: str
    mend: str
    fatal: bool


class Health:
    """Knows how the server is."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        inbox: Inbox,
        jobs: Jobs | None,
        dispatcher: Dispatcher | None,
        app: GitHubApp | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._app = app
        self._lock = asyncio.Lock()
        self._found: tuple[float, tuple[Missing, ...]] | None = None

    async def missing(self) -> tuple[Missing, ...]:
        """Return what is missing, as of a few seconds ago at most."""
        async with self._lock:
            if self._found is None or time.monotonic() - self._found[0] > _FRESH:
                try:
                    async with asyncio.timeout(_PATIENCE):
                        found = await asyncio.to_thread(lambda: tuple(self._look()))
                except TimeoutError:
                    found = (Missing("the checks take too long", "see whether the database answers", fatal=True),)
                self._found = time.monotonic(), found
            return self._found[1]

    def _look(self) -> Iterator[Missing]:
        yield from self._of_settings()
        for name, check in (("database", self._database), ("git", self._git), ("model", self._model)):
            try:
                check()
            except OversightError as error:
                yield Missing(f"{name}: {error.message}", error.mend, fatal=True)
        if not (self._inbox.alive and self._working()):
            yield Missing("the queue does not run", "restart the server, and see its log", fatal=True)

    def _working(self) -> bool:
        return self._dispatcher is None or self._jobs is None or (self._dispatcher.alive and self._jobs.alive)

    def _of_settings(self) -> Iterator[Missing]:
        github = self._settings.github
        if github.app_id is None:
            yield Missing("the GitHub App", f"set {variable('github', 'app_id')}", fatal=False)
        if github.private_key is None:
            yield Missing("the App's private key", f"set {variable('github', 'private_key')}", fatal=False)
        if self._app is not None and (problem := self._app.problem) is not None:
            # As without an App: deliveries are kept, and reviewed when it is mended.
            yield Missing(f"the GitHub App: {problem.message}", problem.mend, fatal=False)
        if self._settings.api_token is None:
            yield Missing("a token for the API", f"set {variable('api_token')}", fatal=False)

    def _database(self) -> None:
        if not is_current(self._engine):
            raise StoreError("its tables are those of another version", mend="restart the server with the newest one")
        number, oldest = self._inbox.waiting()
        # Without an App they wait for one, which is told by itself.
        if oldest is not None and self._jobs is not None and (datetime.now(UTC) - oldest).total_seconds() > _OLDEST:
            raise StoreError(f"{number} deliveries are not moved on", mend="see the server's log")

    def _git(self) -> None:
        git_version()

    def _model(self) -> None:
        open_model(self._settings.model).check_in_use()

    def gauges(self) -> Gauges:
        """Return the figures that are asked for when Prometheus asks. Runs in a thread."""
        number: float | None = None
        age: float | None = None
        try:
            number, oldest = self._inbox.waiting()
            age = 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())
        except StoreError:
            number = age = None
        return {
            "oversight_inbox_waiting": ("Deliveries that the queue does not have yet.", number),
            "oversight_inbox_oldest_seconds": ("Age of the oldest of them, 0 where there is none.", age),
            **{f"oversight_queue_{name}": (f"Jobs that are {name}.", count) for name, count in self._counts().items()},
        }

    def _counts(self) -> dict[str, float]:
        try:
            return {} if self._jobs is None else dict(self._jobs.stats())
        except OversightError:
            return {}


def router(health: Health, metrics: Metrics, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/healthz", summary="Whether the process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz", summary="What is missing for full work", responses={503: {"description": "Cannot work"}})
    async def readyz() -> JSONResponse:
        missing = await health.missing()
        fatal = any(one.fatal for one in missing)
        status = "unavailable" if fatal else "limited" if missing else "ready"
        return JSONResponse({"status": status, "missing": [asdict(one) for one in missing]}, 503 if fatal else 200)

    @routes.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def metrics_text(request: Request) -> Response:
        if settings.metrics_protected:
            require_token(request, settings)
        text = await asyncio.to_thread(metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def require_token(request: Request, settings: Settings) -> None:
    """Raise Problem 401 unless the request bears the API token, compared in constant time."""
    given = request.headers.get("authorization", "")
    token = settings.api_token.get_secret_value() if settings.api_token is not None else None
    expected = f"Bearer {token}"
    if token is None or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Problem(
            401,
            "the API token is missing or wrong",
            mend="send it as Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": "Bearer"},
        )
