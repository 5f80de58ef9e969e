"""What the tests of pages share: a server with a scene, one for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.conftest import settings_of
from tests.server.pages.scene import NAME, Scene, made, told
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import TOKEN, Visitor


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A repository with changes of every kind; nothing is added to it."""
    return made(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def staged(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with pages, on which all changes of the scene wait."""
    folder = tmp_path_factory.mktemp("staged")
    settings = settings_of(folder, pages={"token": TOKEN}, api={"repositories": {NAME: str(scene.repository.path)}})
    told(scene, settings.database)
    with Served(settings, Recorder()) as server:
        yield server


@pytest.fixture
def auditor(staged: Served) -> Visitor:
    """Somebody who has logged in by the token, and may do everything everywhere."""
    somebody = Visitor(staged.port)
    assert somebody.log_in().status == 303
    return somebody
