"""The parts that do the work, made from the settings and put together."""

from __future__ import annotations

from dataclasses import dataclass

from oversight.audit.store import Store
from oversight_github.code.clone import Limits
from oversight_server.children.pool import Bounds, Pool
from oversight_server.clones import Clones
from oversight_server.github_app import GitHubApp
from oversight_server.metrics import Metrics
from oversight_server.queue.jobs import Jobs
from oversight_server.reviewing import Reviews
from oversight_server.services import Options, Services
from oversight_server.settings import Settings, variable

_MEGABYTE = 1024 * 1024
_MEND = f"raise {variable('clones', 'seconds')} or {variable('clones', 'largest_megabytes')}, if that is worth it"
_PATIENCE = 30.0  # seconds that a request waits for GitHub's limits; a job that has to wait longer leaves its place


@dataclass(frozen=True)
class Assembly:
    """What reviews, the App it reviews for, and its queue; without an App there is none of the latter two."""

    reviews: Reviews
    clones: Clones
    app: GitHubApp | None = None
    jobs: Jobs | None = None
    store: Store | None = None

    def close(self) -> None:
        """End all children, and let go of the database. What was under way is done again by whoever comes next."""
        self.reviews.close()
        if self.store is not None:
            self.store.close()


def assemble(settings: Settings, metrics: Metrics) -> Assembly:
    """Put together what the settings ask for. Raises ConfigError for an App that is none, and StoreError."""
    app = app_of(settings)
    clones = clones_of(settings)
    reviews = reviews_of(settings, app, clones)
    if app is None:
        return Assembly(reviews, clones)
    store = Store.open(settings.database)
    return Assembly(reviews, clones, app, Jobs(Services(app, reviews, store, metrics, Options.of(settings))), store)


def app_of(settings: Settings) -> GitHubApp | None:
    """Return the App, None where the settings name none. Raises ConfigError."""
    github = settings.github
    if github.app_id is None or github.private_key is None:
        return None
    key = github.private_key.get_secret_value()
    return GitHubApp(github.app_id, key, api_url=github.api_url, patience=_PATIENCE)


def clones_of(settings: Settings) -> Clones:
    """Return where clones are kept."""
    return Clones(
        settings.data_dir.expanduser().absolute() / "clones",
        server_url=settings.github.server_url,
        most_bytes=settings.clones.megabytes * _MEGABYTE,
        limits=Limits(settings.clones.seconds, settings.clones.largest_megabytes * _MEGABYTE, _MEND),
    )


def reviews_of(settings: Settings, app: GitHubApp | None, clones: Clones) -> Reviews:
    """Return what reviews; it starts its processes when they are needed."""
    asked = settings.reviews
    first = {"do": "start", "model": settings.model, "megabytes": asked.megabytes}
    bounds = Bounds(children=asked.processes, seconds=asked.seconds, answers=asked.reuse)
    return Reviews(Pool(first, bounds), clones, app, local=settings.api.repositories, budget=asked.budget)
