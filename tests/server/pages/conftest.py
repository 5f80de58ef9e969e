"""What the tests of pages share: a server with a scene, one for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oversight.research.model import Configuration, Experiment, Proposal, Screen, Submission
from oversight.research.study import Result, Study
from oversight.research.vault.client import Vault
from tests.research.grounds import HOSTILE, tried
from tests.server.conftest import settings_of
from tests.server.pages.scene import NAME, Scene, made, told
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import TOKEN, Visitor


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A repository with changes of every kind; nothing is added to it."""
    return made(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study in a folder of some, with a notebook of 25 entries, one of them hostile, and a copy that was refused."""
    made = tried(tmp_path_factory.mktemp("studies") / "first")
    copied = Configuration("naive", {"head.variance": 0.004})
    with Vault(made.vault) as vault:
        asked = Experiment(3, 2, "filter", Proposal(copied, "as the one before"))
        submission = Submission(asked.name, "filter", copied, made.kept("e0002") or {}, {"screen": 0.6})
        made.record(Result(asked, Screen(0.6, 0.6), vault.ask(submission), 1.0))
    for number in range(24):
        made.find("e0001", "mixer", f"finding {number}")
    made.find("e0002", HOSTILE, "</span><script>hit()</script> \u202e and more")
    return made


@pytest.fixture(scope="module")
def staged(scene: Scene, studied: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with pages, on which all changes of the scene wait; of studies ann may read as well."""
    folder = tmp_path_factory.mktemp("staged")
    pages = {"token": TOKEN, "studies": str(studied.folder.parent), "study_readers": "Ann"}
    settings = settings_of(folder, pages=pages, api={"repositories": {NAME: str(scene.repository.path)}})
    told(scene, settings.database)
    with Served(settings, Recorder()) as server:
        yield server


@pytest.fixture
def auditor(staged: Served) -> Visitor:
    """Somebody who has logged in by the token, and may do everything everywhere."""
    somebody = Visitor(staged.port)
    assert somebody.log_in().status == 303
    return somebody
