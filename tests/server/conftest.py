"""What the tests of the server share: databases of both kinds, a server in this process, and one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from oversight_server.children.pool import Pool
from oversight_server.database import open_database
from oversight_server.inbox import Inbox
from oversight_server.settings import Settings
from tests.github.conftest import github  # noqa: F401  # fixture
from tests.github.double import Double
from tests.postgres import cluster, postgres  # noqa: F401  # fixtures
from tests.server.client import SECRET
from tests.server.forge import Forge, forged, pool_of
from tests.server.process import Process
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import TOKEN, Visitor


@pytest.fixture(autouse=True)
def straight_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine stands between a test and its own server."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'audit.db'}"
    url: str = request.getfixturevalue("postgres").url
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the server's tables, of either kind."""
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def inbox(engine: Engine) -> Iterator[Inbox]:
    """An inbox on a database of either kind."""
    with running(engine) as made:
        yield made


@contextmanager
def running(engine: Engine) -> Iterator[Inbox]:
    """An inbox that writes, for the length of the block."""
    inbox = Inbox(engine)
    inbox.start()
    try:
        yield inbox
    finally:
        inbox.close(30)
        assert not inbox.alive


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The least that a server needs, on SQLite."""
    return settings_of(tmp_path)


def settings_of(directory: Path, **more: object) -> Settings:
    """Settings with the secret of the tests, on SQLite in `directory` unless `more` says otherwise."""
    return Settings.model_validate({"webhook_secret": SECRET, "data_dir": directory, **more})


@pytest.fixture
def recorder() -> Recorder:
    """A queue that remembers what it was given."""
    return Recorder()


@pytest.fixture
def served(settings: Settings, recorder: Recorder) -> Iterator[Served]:
    """A server in a thread of this process, on SQLite, with a queue that remembers."""
    with Served(settings, recorder) as server:
        yield server


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with pages, to which the token of the tests lets people in; one for all tests of a module."""
    with Served(settings_of(tmp_path_factory.mktemp("pages"), pages={"token": TOKEN}), Recorder()) as server:
        yield server


@pytest.fixture
def visitor(pages: Served) -> Visitor:
    """Somebody who has logged in by the token, and may do everything everywhere."""
    somebody = Visitor(pages.port)
    assert somebody.log_in().status == 303
    return somebody


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start `oversight serve` as a process of its own, with variables; none outlives its test."""
    started: list[Process] = []

    def call(**variables: str) -> Process:
        given = {"OVERSIGHT_DATA_DIR": str(tmp_path), "OVERSIGHT_WEBHOOK_SECRET": SECRET}
        started.append(Process({**given, **variables}))
        return started[-1]

    yield call
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def pool(model: Path) -> Iterator[Pool]:
    """Children with the small model, shared by all tests that do not end them."""
    children = pool_of(model)
    yield children
    children.close()


@pytest.fixture
def forge(tmp_path: Path, github: Double, pool: Pool) -> Iterator[Forge]:  # noqa: F811  # a fixture
    """A GitHub with an App and a repository."""
    with forged(tmp_path, github, pool) as made:
        yield made
