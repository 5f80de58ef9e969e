"""An App that leaves takes along what was kept, but for what people said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from oversight.audit.store import reading
from oversight.audit.store.tables import changes, opinions, reports
from oversight_server.queue.tables import jobs
from tests.server.handlers.test_verdicts import press
from tests.server.works import INSTALLATION, Gate, Works


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    """A pull request that was reviewed and judged."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}") as made:
        made.github.world.permissions = {"bob": "write"}
        made.open()
        made.deliver("opened")
        made.rest()
        press(made, "risky")
        made.rest()
        yield made


def kept(works: Works) -> list[int]:
    """How many rows there are of changes, reports, opinions and reviews."""
    tables = (changes, reports, opinions)
    with reading(works.store.engine) as connection:
        found = [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]
        found.append(connection.scalar(select(func.count()).where(jobs.c.kind == "review")) or 0)
    return found


@pytest.mark.parametrize("action", ["deleted", "suspend"])
@pytest.mark.parametrize("listed", [True, False])
def test_what_was_kept_of_an_installation_goes(works: Works, action: str, listed: bool):
    """Whether or not GitHub lists its repositories; what people said stays, and hangs together."""
    assert all(kept(works))
    repositories = [{"full_name": "octo/repo"}] if listed else []
    gone = {"action": action, "installation": {"id": INSTALLATION}, "repositories": repositories}
    works.send("installation", gone)
    works.rest()
    assert kept(works) == [0, 0, 0, 0]
    assert works.app.forgotten == [INSTALLATION]
    assert works.reviews.forgotten == ["octo/repo"]
    assert len(works.store.record().verdicts) == 1
    assert works.store.verify() is None


def test_a_repository_that_is_taken_away_is_forgotten(works: Works):
    """And no other."""
    removed = {"action": "removed", "installation": {"id": INSTALLATION}, "repositories_added": [],
               "repositories_removed": [{"full_name": "octo/other"}]}  # fmt: skip
    works.send("installation_repositories", removed)
    works.rest()
    assert all(kept(works))
    removed["repositories_removed"] = [{"full_name": "Octo/Repo"}]
    works.send("installation_repositories", removed)
    works.rest()
    assert kept(works) == [0, 0, 0, 0]


def test_what_is_being_reviewed_meanwhile_leaves_nothing(works: Works):
    """Neither on GitHub nor in the store."""
    gate = Gate()
    works.reviews.before = gate.wait
    works.push("b" * 40)
    works.deliver("synchronize")
    assert gate.reached.wait(60)
    works.send("installation", {"action": "deleted", "installation": {"id": INSTALLATION}})
    works.until(lambda: kept(works) == [0, 0, 0, 0])
    gate.opened.set()
    works.rest()
    assert kept(works) == [0, 0, 0, 0]
    assert works.posted == (1, 1)


def test_what_comes_after_an_app_has_left_stays(works: Works):
    """It was installed again: a removal that is done late takes no review of afterwards along."""
    gate = Gate()
    works.reviews.forget = gate.wait  # type: ignore[method-assign]
    works.send("installation", {"action": "deleted", "installation": {"id": INSTALLATION}})
    assert gate.reached.wait(60)
    held = Gate()
    works.reviews.before = held.wait
    works.open(8, head_sha="c" * 40)
    works.deliver("opened", 8)
    assert held.reached.wait(60)
    gate.opened.set()
    works.until(lambda: kept(works)[3] == 1)
    held.opened.set()
    works.rest()
    assert [run["head_sha"] for run in works.github.world.check_runs][-1] == "c" * 40
    assert works.reports() == [("c" * 40, 8)]
