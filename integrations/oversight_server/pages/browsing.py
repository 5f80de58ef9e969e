"""The pages alone, for one person on one machine: no webhook, no queue of jobs, no GitHub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from oversight import __version__
from oversight.audit.budget.spending import Budget
from oversight.audit.store import Store
from oversight.audit.store.engine import locate
from oversight_server import errors
from oversight_server.database import open_database
from oversight_server.listening import listen, stay
from oversight_server.pages import access
from oversight_server.pages.desk import Desk
from oversight_server.pages.installing import install, local_desk
from oversight_server.pages.research.studies import Studies, studies_of

_HOST = "127.0.0.1"
_CONNECTIONS = 100


def browse(
    url: str | None, repository: Path | None, budget: Budget, names: Sequence[str], *, port: int,
    tell: Callable[[str], None], studies: Sequence[Path] = (),
) -> None:  # fmt: skip
    """Serve the pages of a database on loopback until somebody stops it. Raises StoreError, UsageError.

    `names` are those of the person, the first the one that goes on record; `tell` is given the address to open, which
    is good once. Diffs come from `repository`; None: there are none. `studies` are folders of `oversight research`.
    """
    shown = studies_of(studies)
    with Store.open(url) as store:
        engine = open_database(locate(url).render_as_string(hide_password=False))
        mine = access.local_access(engine, names[0])
        desk = local_desk(store, repository, budget, names)
        listening = listen(_HOST, port)
        tell(f"http://{_HOST}:{listening.getsockname()[1]}/login/token?token={mine.token.token if mine.token else ''}")
        stay(local_app(mine, desk, shown), listening, _CONNECTIONS)


def local_app(mine: access.Access, desk: Desk, studies: Studies | None = None) -> FastAPI:
    """Return the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(desk.close)

    app = FastAPI(
        title="oversight", version=__version__, lifespan=lifespan,
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.add_middleware(access.SecurityHeaders)
    errors.install(app, access.answer)
    access.install(app, mine)
    install(app, desk, studies)
    return app
