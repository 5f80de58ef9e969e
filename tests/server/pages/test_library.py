"""Changes for pages: read in children, from this machine and from clones, and nothing that goes wrong is an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from oversight_github.code import clone
from oversight_server.children.pool import Bounds
from oversight_server.pages.reading.library import Library
from oversight_server.pages.reading.sources import Ask, Local, OfGitHub, Sources
from tests.builders import GitRepository
from tests.server.forge import NAME, Forge

SLEEPER = """
from oversight_server.children.child import main
from oversight_server.pages.reading.child import Looker
import time
class Sleeper(Looker):
    def do(self, message):
        if message["colours"]:
            time.sleep(60)
        return super().do(message)
main(lambda message: (Sleeper(), {}))
"""


class Counting:
    """A source that counts what it is asked."""

    def __init__(self, source: Local | OfGitHub) -> None:
        self.source, self.asked = source, 0

    def look(self, repository: str, message: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
        self.asked += 1
        return self.source.look(repository, message, ask)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """Two commits on a branch beside two others."""
    made = GitRepository.create(tmp_path_factory.mktemp("library") / "project")
    made.commit("Start", {"a.py": "x = 1\n"})
    made.commit("Fix it", {"a.py": "x = 2\n"})
    made.commit("Next", {"a.py": "x = 3\n", "b.py": "def f(): pass\n"})
    return made


@pytest.fixture(scope="module")
def library(project: GitRepository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library of that repository, by any name but one."""
    index = tmp_path_factory.mktemp("index")
    gone = Local(tmp_path_factory.mktemp("nothing"), index)
    made = Library(Sources({"octo/gone": gone}, Counting(Local(project.path, index))), children=1)
    yield made
    made.close()


def test_a_change_with_its_past_and_its_colours(library: Library, project: GitRepository):
    """Against its parent, or against the base that a report names; and once."""
    newest = project.commits[-1]
    reading = library.look("any/name", newest, None)
    assert reading.change is not None
    assert reading.change.title == "Next"
    assert [(one.path, one.changes, one.repairs) for one in reading.past] == [("a.py", 2, 1)]
    assert reading.colours[1][0][0]
    assert library.look("Any/Name", newest, None) is reading
    whole = library.look("any/name", newest, project.commits[0])
    assert whole.change is not None
    assert [line.text for line in whole.change.files[0].hunks[0].lines] == ["x = 1", "x = 3"]


def test_what_cannot_be_had_is_said(library: Library, project: GitRepository):
    """A commit, a base, a repository that is not there; nothing is remembered of that."""
    for repository, commit, base, why in (
        ("octo/repo", "1" * 40, None, "there is no commit"),
        ("octo/repo", project.commits[-1], "2" * 40, "there is no commit"),
        ("octo/gone", project.commits[-1], None, "repository"),
    ):
        reading = library.look(repository, commit, base)
        assert reading.change is None
        assert why in (reading.missing or "")
    nowhere = Library(Sources({}, None)).look("octo/repo", "1" * 40, None)
    assert "no repository of that name" in (nowhere.missing or "")


def test_a_change_that_takes_too_long_is_shown_without_what_takes_longest(project: GitRepository, tmp_path: Path):
    """Its child is ended, and the next one is not asked for colours."""
    library = Library(Local(project.path, tmp_path), children=1, seconds=2.0)
    library._pool.command = (sys.executable, "-I", "-c", SLEEPER)
    reading = library.look("octo/repo", project.commits[-1], None)
    assert reading.change is not None
    assert (reading.colours, reading.past) == ((), ())
    assert "too long" in (reading.note or "")
    library._pool.bounds = Bounds(1, 0.01)
    assert "too long" in (library.look("octo/repo", project.commits[-2], None).missing or "")
    library.close()


@pytest.mark.parametrize("most", [-1, 1_000_000])
def test_a_repository_of_github_is_read_from_a_clone(forge: Forge, most: int, monkeypatch: pytest.MonkeyPatch):
    """Fetched where it is not there yet, contents too where the clone has none, and not again."""
    monkeypatch.setattr(clone, "WHOLE_KILOBYTES", most)
    pull = forge.pull()
    source = Counting(OfGitHub(forge.app, forge.clones(), 1.0))
    library = Library(source, children=1)
    reading = library.look(NAME, pull.head_sha, forge.origin.git("merge-base", "main", "topic"))
    assert reading.missing is None
    assert reading.change is not None
    assert [file.path for file in reading.change.files] == ["a.py"]
    assert [line.text for line in reading.change.files[0].hunks[0].added] == [
        "    return requests.get(x, verify=False)"
    ]
    fetched = len(forge.server.admitted)
    assert library.look(NAME, pull.head_sha, None).change is not None
    assert len(forge.server.admitted) == fetched
    assert "not installed" in (library.look("octo/other", pull.head_sha, None).missing or "")
    library.close()
