"""A server with pages behind an address of its own, and a GitHub through which people log in to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import insert

from oversight.audit.store.engine import writing
from oversight.audit.store.tables import repositories
from oversight_server.pages.access import github as way
from tests.github.double import Double
from tests.github.routes_app import Installed
from tests.server.app_double import installed, pem
from tests.server.client import Answer
from tests.server.conftest import settings_of
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import Visitor

HOST = "oversight.example.com"


@dataclass
class Place:
    """A GitHub, the App on it, and the server: ann may write in octo/repo, which the store knows."""

    github: Double
    app: Installed
    served: Served

    def browser(self) -> Visitor:
        """A browser of its own, without cookies."""
        return Visitor(self.served.port, host=HOST)

    def back(self, address: str, *, viewer: str | None = "ann") -> str:
        """Say yes at GitHub as `viewer`, or no, and return the path that GitHub leads back to."""
        self.app.oauth.viewer = viewer
        parts = urlsplit(httpx.get(address, trust_env=False, timeout=60).headers["location"])
        assert f"{parts.scheme}://{parts.netloc}" == f"https://{HOST}"
        return f"{parts.path}?{parts.query}"

    def log_in(self, browser: Visitor, viewer: str | None = "ann", path: str = "/login/github") -> Answer:
        """Go the whole way."""
        return browser.open(self.back(browser.open(path).headers["location"], viewer=viewer))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all tests of a module."""
    with Double() as double:
        app = installed(double)
        app.oauth.callback = f"https://{HOST}{way.CALLBACK}"
        github = {
            "app_id": app.app_id, "private_key": pem(), "api_url": double.url, "server_url": double.host,
            "client_id": app.oauth.client_id, "client_secret": app.oauth.client_secret,
        }  # fmt: skip
        folder = tmp_path_factory.mktemp("place")
        settings = settings_of(folder, github=github, pages={"url": f"https://{HOST}", "role_seconds": 0})
        double.world.permissions["ann"] = "write"
        with Served(settings, Recorder()) as served:
            with writing(served.app.state.access.sessions.engine) as connection:
                connection.execute(insert(repositories).values(key="octo/repo", name="octo/repo"))
            yield Place(double, app, served)
