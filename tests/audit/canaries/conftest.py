"""One history and one flock of canaries that several tests look at, and change nothing in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from oversight.audit.canaries.classes import names
from oversight.audit.canaries.making import make
from oversight.audit.canaries.model import Flock
from oversight.audit.canaries.past import read_past
from oversight.changes.repository import Repository
from oversight.history.index import Index
from tests.audit.canaries.histories import build
from tests.builders import GitRepository

Make = Callable[..., Flock]


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    """A history that canaries can be made from, for reading only."""
    return build(tmp_path_factory.mktemp("canaries") / "project")


def made(history: GitRepository, *, count: int = 24, seed: int = 0, classes: Sequence[str] = names()) -> Flock:
    """A flock from a history, with an index in memory."""
    with Repository.open(history.path) as repository, Index(repository, None) as index:
        head = repository.resolve("HEAD")
        past = read_past(repository, head, index)
        return make(repository, head, past, classes, count=count, seed=seed)


@pytest.fixture(scope="session")
def flock(history: GitRepository) -> Flock:
    """A flock of that history."""
    return made(history)
