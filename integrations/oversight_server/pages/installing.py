"""What an application needs to have the pages, with a GitHub behind them and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from oversight.audit.budget.entry import Entry
from oversight.audit.budget.spending import Budget, parse
from oversight.audit.looking.authors import wrote
from oversight.audit.store import Store
from oversight_github.client import GitHubError
from oversight_github.verdicts.pulls import Pulls
from oversight_server.errors import Problem
from oversight_server.github_app import READING, GitHubApp
from oversight_server.pages import assets, changes, picture, queueing
from oversight_server.pages.access import Person
from oversight_server.pages.desk import Desk
from oversight_server.pages.reading.library import Library
from oversight_server.pages.reading.sources import Local, OfGitHub, Sources
from oversight_server.pages.research.studies import Studies

if TYPE_CHECKING:
    from oversight_server.assembly import Assembly  # the queue of jobs, which a person offline does not wait for
    from oversight_server.settings import Settings

_PATIENCE = 10.0  # seconds that a page waits for GitHub's limits


def install(app: FastAPI, desk: Desk, studies: Studies | None = None) -> None:
    """Add the pages that work with `desk`, and those of `studies`; who may come in was installed before
    (`access.install`).
    """
    app.include_router(assets.router())
    app.include_router(queueing.router(desk))
    app.include_router(changes.router(desk))
    app.include_router(picture.router(desk))
    if studies is not None:
        from oversight_server.pages.research.routes import router  # research needs a system that has fork

        app.state.studies = studies
        app.include_router(router(studies))


def desk_of(settings: Settings, parts: Assembly) -> Desk:
    """Return what pages of a server work with: its clones, and the repositories of this machine that it may review.

    Raises StoreError.
    """
    named = {name.lower(): Local(path, parts.clones.index_of(name)) for name, path in settings.api.repositories.items()}
    others = None if parts.app is None else OfGitHub(parts.app, parts.clones, _PATIENCE)
    return Desk(
        parts.store or Store.open(settings.database),
        Library(Sources(named, others), megabytes=settings.reviews.megabytes),
        parse(settings.pages.budget, settings.pages.share),
        _names_of_login,
        lambda person, entry: _has_part(parts.app, person, entry),
        None if parts.app is None else settings.github.server_url,
    )


def local_desk(store: Store, repository: Path | None, budget: Budget, names: Sequence[str]) -> Desk:
    """Return what pages of one person on one machine work with: whatever repository that is, all changes are of it."""
    others = None if repository is None else Local(repository)
    library = Library(Sources({}, others), children=1)
    return Desk(store, library, budget, lambda _: names, lambda _, entry: wrote(entry, names))


def _names_of_login(person: Person) -> Sequence[str]:
    return (person.login, f"{person.login}@users.noreply.github.com")


def _has_part(app: GitHubApp | None, person: Person, entry: Entry) -> bool:
    """Whether somebody opened a pull request or wrote a commit of it, as GitHub tells.

    Raises Problem 503 where it does not.
    """
    if wrote(entry, _names_of_login(person)):
        return True
    if app is None or person.via != "github" or entry.number is None:
        return False
    try:
        installation = app.installation_of(entry.repository, patience=_PATIENCE)
        with app.client(installation, entry.repository, READING, patience=_PATIENCE) as client:
            return Pulls(client).has_part(entry.number, person.login)
    except GitHubError:
        raise Problem(
            503,
            "GitHub does not say whether this is your own change",
            mend="nothing was put on record: try again later",
        ) from None
