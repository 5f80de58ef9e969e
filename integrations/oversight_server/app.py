"""The application: what it is made of, and what starts and stops with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from oversight import __version__
from oversight_server import api, dead_letters, errors, health, webhooks
from oversight_server.assembly import assemble
from oversight_server.database import open_database
from oversight_server.dispatcher import Dispatcher, Jobs
from oversight_server.inbox import Inbox
from oversight_server.metrics import Metrics
from oversight_server.pages import access
from oversight_server.pages.installing import desk_of, install
from oversight_server.pages.research.studies import studies_of
from oversight_server.settings import Settings

_GRACE = 20.0


def create_app(settings: Settings, *, jobs: Jobs | None = None) -> FastAPI:
    """Return the application. Raises StoreError, since the database is opened and migrated at once, and ConfigError.

    `jobs` is what deliveries are handed to, None for the queue that the settings ask for; it starts and stops with the
    application. Where they name no App there is none, and deliveries are kept until a server comes that has one.
    """
    engine = open_database(settings.database)
    inbox, metrics = Inbox(engine), Metrics()
    parts = assemble(settings, metrics)
    admission = access.access_of(settings, engine, parts.app)
    desk = None if admission is None else desk_of(settings, parts)
    studies = studies_of(settings.pages.folders, settings.pages.logins)
    jobs = parts.jobs if jobs is None else jobs
    dispatcher = Dispatcher(inbox, jobs, keep=timedelta(days=settings.retention.deliveries_days)) if jobs else None
    state = health.Health(settings, engine, inbox, jobs, dispatcher, parts.app)
    metrics.watch(state.gauges)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        inbox.start()
        if jobs is not None and dispatcher is not None:
            await asyncio.to_thread(jobs.start)
            dispatcher.start()
        sweeping = None if admission is None else asyncio.create_task(admission.sessions.sweep())
        try:
            yield
        finally:
            if sweeping is not None:
                sweeping.cancel()
            # What was answered is on disk; what the queue does not have yet is found there by the next process.
            await asyncio.to_thread(inbox.close, _GRACE)
            if jobs is not None and dispatcher is not None:
                await asyncio.to_thread(dispatcher.close, _GRACE)
                await asyncio.to_thread(jobs.stop, settings.queue.stop_seconds)
            if desk is not None:
                await asyncio.to_thread(desk.close)
            await asyncio.to_thread(parts.close)
            engine.dispose()

    app = FastAPI(
        title="oversight", version=__version__, lifespan=lifespan,
        docs_url=None, redoc_url=None,  # these pages would load scripts from elsewhere
        redirect_slashes=False,  # to whatever host the request names
    )  # fmt: skip
    app.add_middleware(access.SecurityHeaders)
    errors.install(app, access.answer)
    receiver = webhooks.Receiver(settings, inbox, metrics)
    app.include_router(webhooks.router(receiver))
    app.include_router(health.router(state, metrics, settings))
    app.include_router(api.router(settings, parts, metrics))
    app.include_router(dead_letters.router(parts.jobs, settings))
    if admission is not None:
        access.install(app, admission)
    if desk is not None:
        install(app, desk, studies)
    return app
