"""Roles: what GitHub says at this moment, and nothing where it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from oversight.audit.store import Store
from oversight.audit.store.engine import writing
from oversight.audit.store.tables import repositories
from oversight_server.pages.access.people import Role
from oversight_server.pages.access.roles import GitHubRoles
from oversight_server.pages.access.sessions import Session
from tests.github.double import Double, Fault
from tests.github.exchange import Reply
from tests.github.routes_app import Installed
from tests.server.app_double import app_of, installed

NAME = "octo/repo"
PERMISSION = "/repos/{owner}/{repo}/collaborators/{username}/permission"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A store that knows octo/repo, and one that the App is not installed on."""
    with Store.open(f"sqlite:///{tmp_path / 'audit.db'}") as store:
        with writing(store.engine) as connection:
            for name in ("Octo/Repo", "other/repo", "local"):
                connection.execute(insert(repositories).values(key=name.lower(), name=name))
        yield store.engine


class Scene:
    """GitHub, and roles that are remembered for a minute of a clock that stands."""

    def __init__(self, github: Double, engine: Engine, *, public: bool = False) -> None:
        self.now = 0.0
        self.github = github
        there = github.world.app
        app = there if isinstance(there, Installed) else installed(github)
        self.roles = GitHubRoles(app_of(github, app), engine, public=public, seconds=60.0, clock=lambda: self.now)

    def of(self, login: str = "ann", *names: str, account: int | None = None) -> dict[str, Role]:
        number = self.github.world.user(login)["id"] if account is None else account
        session = Session(login, "github", "i" * 64, number, NOW, NOW)
        return dict(self.roles.of(session, names or (NAME,)))

    def says(self, permission: str, role_name: str | None = None, *, times: int = 1) -> None:
        """What GitHub says of ann from now on; by `role_name` what a newer one says besides."""
        told = {"permission": permission, "user": self.github.world.user("ann")}
        told |= {} if role_name is None else {"role_name": role_name}
        self.github.faults.append(Fault("GET", PERMISSION, Reply(told), times))


@pytest.fixture
def scene(github: Double, engine: Engine) -> Scene:
    return Scene(github, engine)


@pytest.mark.parametrize(
    ("permission", "role_name", "role"),
    [
        ("admin", "admin", Role.ADMIN),
        ("write", "maintain", Role.AUDITOR),
        ("write", "write", Role.AUDITOR),
        ("write", "release manager", Role.AUDITOR),
        ("read", "triage", Role.VIEWER),
        ("none", "none", None),
        ("none", None, None),
        ("owner of it all", None, None),
    ],
)
def test_a_role_is_what_somebody_has_on_github(scene: Scene, permission: str, role_name: str | None, role: Role | None):
    """Each of GitHub's own, those that organizations make up, and what nobody has heard of."""
    scene.says(permission, role_name)
    assert scene.of().get(NAME) is role


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("role_name", ["read", None])
def test_what_all_the_world_may_read_is_no_role(
    github: Double, engine: Engine, private: bool, public: bool, role_name: str | None
):
    """Who may read a private repository has a role there; of a public one the operator decides."""
    scene = Scene(github, engine, public=public)
    scene.says("read", role_name)
    github.faults.append(Fault("GET", "/repos/{owner}/{repo}", Reply({"private": private}), 1))
    assert scene.of().get(NAME) is (Role.VIEWER if private or public else None)


def test_what_github_takes_away_is_gone_in_a_minute(scene: Scene):
    """And asked for once in it, whoever looks how often."""
    scene.github.world.permissions["ann"] = "admin"
    assert [scene.of()[NAME] for _ in range(3)] == [Role.ADMIN] * 3
    assert scene.github.count("GET", PERMISSION) == 1
    scene.github.world.permissions["ann"] = "none"
    scene.now = 59.0
    assert scene.of() == {NAME: Role.ADMIN}
    scene.now = 60.0
    assert scene.of() == {}


def test_names_that_the_store_does_not_know_are_not_asked_about(scene: Scene):
    """So nobody has the server ask GitHub about the whole world; letters count alike in both cases."""
    scene.github.world.permissions["ann"] = "write"
    assert scene.of("ann", "octo/secret", "octo/../repo", "local", "a/b/c", "", "\0/\0", "x" * 5_000 + "/y") == {}
    assert scene.github.calls == []
    assert scene.of("ann", "OCTO/repo") == {"OCTO/repo": Role.AUDITOR}


def test_where_the_app_is_not_nobody_sees_anything(scene: Scene):
    """Among several the others are told, each by its name."""
    scene.github.world.permissions["ann"] = "write"
    assert scene.of("ann", "other/repo", NAME, "other/repo") == {NAME: Role.AUDITOR}


def test_a_name_that_somebody_else_took_opens_nothing(scene: Scene):
    """Whoever logged in is the number, and the name may be another's by now."""
    scene.github.world.permissions["ann"] = "admin"
    assert scene.of("ann", account=12345) == {}


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_without_an_answer_there_is_no_role(scene: Scene, status: int):
    """And soon another try: a GitHub that fails locks nobody out for a minute."""
    scene.github.world.permissions["ann"] = "admin"
    scene.github.fail("GET", PERMISSION, status)
    assert scene.of() == {}
    scene.now = 60.0 if status in (403, 404) else 5.0
    assert scene.of() == {NAME: Role.ADMIN}


@pytest.mark.parametrize(
    "answer", [[], {}, {"permission": "admin"}, {"permission": ["admin"], "user": {"id": 0}}, b"x"]
)
def test_answers_that_are_none_give_no_role(scene: Scene, answer: object):
    """What is missing or of another kind is no leave."""
    scene.github.faults.append(Fault("GET", PERMISSION, Reply(answer), 1))
    assert scene.of() == {}


def test_an_app_that_was_put_back_is_found_again(scene: Scene):
    """Its installation has another number then."""
    scene.github.world.permissions["ann"] = "write"
    assert scene.of() == {NAME: Role.AUDITOR}
    there = scene.github.world.app
    assert isinstance(there, Installed)
    there.installation = 78
    there.end_all()
    for _ in range(2):
        scene.now += 61.0
        found = scene.of()
    assert found == {NAME: Role.AUDITOR}
