"""A repository that is called something else, or is no more: what is kept follows it, or goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from oversight.audit.store import reading
from oversight.audit.store.tables import changes, reports, repositories
from oversight_server.handlers.ledger import LedgerPlace
from oversight_server.queue.tables import former_names, jobs
from oversight_server.renaming import names_of, rename
from tests.server.handlers.test_verdicts import press, say
from tests.server.works import HEAD, INSTALLATION, Works


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    """A flagged pull request that bob has cleared."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}") as made:
        made.github.world.permissions = {"bob": "write"}
        made.open()
        made.deliver("opened")
        made.rest()
        press(made, "safe")
        made.rest()
        yield made


def kept(works: Works) -> set[tuple[str, str]]:
    """What the names of repositories stand in."""
    found = set[tuple[str, str]]()
    known = select(repositories.c.name).join_from(reports, changes).join(repositories)
    with reading(works.store.engine) as connection:
        found |= {("report", name) for name in connection.execute(known).scalars()}
        found |= {("job", name) for name in connection.execute(select(jobs.c.place)).scalars() if "/" in name}
        found |= {("former", name) for name in connection.execute(select(former_names.c.key)).scalars()}
    return found


def move(works: Works, name: str) -> None:
    """Somebody renames the repository, which GitHub tells of under its new name."""
    world = works.github.world
    owner, _, before = world.repository.partition("/")
    world.repository = name
    old = {"owner": {"from": {"user": {"login": owner}}}}
    if name.startswith(f"{owner}/"):
        old = {"repository": {"name": {"from": before}}}
    action = "transferred" if "owner" in old else "renamed"
    works.send("repository", {**works.origin(), "action": action, "changes": old})
    works.rest()


def test_what_is_kept_follows_a_repository_to_its_new_name(works: Works):
    """And nothing stays under the old one but what people said, which is a chain."""
    move(works, "octo/new")
    assert kept(works) == {("report", "octo/new"), ("job", "octo/new"), ("former", "octo/repo")}
    assert works.reviews.forgotten == ["octo/repo"]
    move(works, "acme/new")
    assert kept(works) == {("report", "acme/new"), ("job", "acme/new"), ("former", "octo/repo"), ("former", "octo/new")}
    assert works.dead() == []
    assert works.store.verify() is None


def test_what_people_said_counts_under_the_new_name(works: Works):
    """A flag that was cleared stays so, and nothing is put on record a second time."""
    made = say(works, "/oversight safe")
    works.rest()
    before = len(works.store.record().verdicts)
    move(works, "acme/repo")
    works.send("issue_comment", {**works.origin("bob"), "action": "created", "comment": made,
                                 "issue": {"number": 7, "pull_request": {}}})  # fmt: skip
    works.rest()
    assert len(works.store.record().verdicts) == before
    assert {one.source.repository for one in LedgerPlace(works.store, "acme/repo").about(7)} == {"acme/repo"}
    works.deliver("reopened")
    works.rest()
    assert works.run["conclusion"] == "success"
    assert works.reviews.calls.count(HEAD) == len(works.reviews.calls)


def test_what_came_under_the_new_name_before_is_kept(works: Works):
    """Deliveries overtake each other; what both names have is kept once."""
    works.github.world.repository = "octo/new"
    works.open(8, head_sha="c" * 40)
    works.deliver("opened", 8)
    works.deliver("reopened", 7)
    works.rest()
    assert ("report", "octo/new") in kept(works)
    works.github.world.repository = "octo/repo"
    move(works, "octo/new")
    assert kept(works) == {("report", "octo/new"), ("job", "octo/new"), ("former", "octo/repo")}
    assert {head for head, _ in works.reports()} == {HEAD, "c" * 40}


def test_a_repository_that_is_deleted_is_forgotten(works: Works):
    """With all the names that it has had."""
    move(works, "octo/new")
    works.send("repository", {**works.origin(), "action": "deleted"})
    works.rest()
    assert kept(works) == set()
    assert works.reviews.forgotten == ["octo/repo", "octo/new"]


def test_what_is_called_as_before_again_has_had_the_other_name(works: Works):
    """Names go round."""
    engine = works.store.engine
    for _ in range(2):
        rename(engine, "octo/repo", "Octo/New")
        assert names_of(engine, "octo/new") == ("octo/new", "octo/repo")
        rename(engine, "octo/new", "octo/repo")
        assert names_of(engine, "octo/repo") == ("octo/repo", "octo/new")
    rename(engine, "octo/repo", "OCTO/repo")
    assert names_of(engine, "OCTO/repo") == ("OCTO/repo", "octo/new")


def test_a_repository_of_another_installation_stays(works: Works):
    """Only what is named goes."""
    works.send("repository", {**works.origin(), "action": "deleted", "installation": {"id": INSTALLATION},
                              "repository": {"full_name": "octo/other"}})  # fmt: skip
    works.rest()
    assert ("report", "octo/repo") in kept(works)
