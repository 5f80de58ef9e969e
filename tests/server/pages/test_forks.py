"""A private fork of a public repository: the same commits in both, and who may see one learns nothing of the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from oversight.audit.budget.spending import parse
from oversight.audit.store import Store
from oversight.audit.store.queue import Scope, fill
from oversight.audit.verdict import Landing, Source
from oversight_server.pages.access import Role
from oversight_server.queue.tables import metadata as books
from oversight_server.renaming import rename
from tests.audit.builders import verdict
from tests.server.conftest import settings_of
from tests.server.pages.scene import NAME, NOW, REPORT, Scene, told
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import TOKEN, Visitor, known_as, text_of

SECRET = "hidden/fork"
NOTE = "nobody outside may read this"
SAID = Source("pages", SECRET)


@pytest.fixture(scope="module")
def forked(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on which mallory has judged three changes in the fork: two that both have, and one without a report."""
    repositories = {name: str(scene.repository.path) for name in (NAME, SECRET)}
    settings = settings_of(
        tmp_path_factory.mktemp("forked"), pages={"token": TOKEN}, api={"repositories": repositories}
    )
    told(scene, settings.database)
    shared = [scene.commits[what] for what in ("check", "notes")]
    with Store.open(settings.database) as store:
        for commit in shared:
            report = {**REPORT, "id": commit, "change": {**REPORT["change"], "id": commit, "head": commit}}
            store.add_report(report, source="import", repository=SECRET, number=99, at=NOW)
        fill(store.engine, parse("100%", 0.2), Scope(), now=NOW + timedelta(hours=1), seed="b")
        first = scene.repository.git("rev-list", "--max-parents=0", "HEAD").strip()
        hours = ((commit, hour) for hour, commit in enumerate([*shared, first]))
        store.append(
            [
                *(verdict(who="mallory", change_id=one, note=NOTE, source=SAID, hours=at) for one, at in hours),
                verdict(who="mallory", change_id="d" * 40, note=NOTE, source=SAID, hours=9),
                Landing("d" * 40, scene.commits["moved"], SECRET, 5, NOW),
                # As pages wrote it when they did not say where: on a change that only one of the two may have had.
                verdict(who="mallory", change_id=scene.commits["large"], note=NOTE, source=Source("pages"), hours=10),
            ]
        )
    with Served(settings, Recorder()) as server:
        yield server


def pages(scene: Scene, somebody: Visitor) -> str:
    """All that somebody reads of the public repository."""
    first = scene.repository.git("rev-list", "--max-parents=0", "HEAD").strip()
    paths = [scene.path(what) for what in scene.commits] + [f"/changes/{NAME}/{first}"]
    paths += ["/queue?judged=any&show=all", "/queue", f"/dashboard?in={NAME}"]
    paths += [f"/dashboard/rows/{key}?in={NAME}" for key in ("picked", "drawn", "waiting", "verdicts", "elsewhere")]
    answers = [somebody.open(path) for path in paths]
    assert {one.status for one in answers} == {200}
    return "\n".join(one.content.decode() for one in answers)


def test_what_is_said_of_a_commit_in_one_repository_is_not_told_in_another(forked: Served, scene: Scene):
    """On no page: neither who said what and why, nor that there is such a repository; and the change waits on."""
    reader = known_as(forked, "vi", octo__repo=Role.VIEWER)
    shown = pages(scene, reader)
    for word in ("mallory", NOTE, SECRET):
        assert word not in shown
    assert scene.commits["check"] in reader.open("/queue").content.decode()
    insider = known_as(forked, "mo", hidden__fork=Role.VIEWER)
    assert NOTE in text_of(insider.open(f"/changes/{SECRET}/{scene.commits['check']}"))
    gone = insider.open("/queue").content.decode()
    assert scene.commits["check"] not in gone


def test_whose_store_it_is_reads_all_of_it_and_each_where_it_was_said(forked: Served, scene: Scene):
    """Also what names no repository."""
    owner = Visitor(forked.port)
    assert owner.log_in().status == 303
    assert NOTE not in text_of(owner.open(scene.path("check")))
    assert NOTE in text_of(owner.open(scene.path("large")))
    assert NOTE in text_of(owner.open(f"/changes/{SECRET}/{scene.commits['notes']}"))


def test_a_verdict_on_a_change_without_a_report_names_the_repository(forked: Served, scene: Scene):
    """Otherwise it would be read wherever that commit is."""
    auditor = known_as(forked, "al", hidden__fork=Role.AUDITOR)
    path = f"/changes/{SECRET}/{scene.commits['moved']}"
    assert auditor.send(f"{path}/verdict", {"decision": "risky", "note": NOTE, "said": "0"}).status == 303
    store = Store(forked.app.state.access.sessions.engine)
    assert [one.source for one in store.record().verdicts if one.who == "al"] == [SAID]
    assert NOTE in text_of(auditor.open(path))
    assert NOTE not in text_of(known_as(forked, "vi", octo__repo=Role.VIEWER).open(scene.path("moved")))


def test_what_was_said_goes_along_to_a_new_name(forked: Served, scene: Scene):
    """Pages of the new name tell it; the queue and the dashboard count it."""
    engine = forked.app.state.access.sessions.engine
    books.create_all(engine)  # of a GitHub App, which this server has not
    rename(engine, SECRET, "hidden/renamed")
    somebody = known_as(forked, "mo", hidden__renamed=Role.VIEWER)
    assert NOTE in text_of(somebody.open(f"/changes/hidden/renamed/{scene.commits['check']}"))
    assert scene.commits["check"] not in somebody.open("/queue").content.decode()
    rows = somebody.open("/dashboard/rows/elsewhere?in=hidden/renamed").content.decode()
    assert f"/changes/hidden/renamed/{'d' * 40}" in rows or f"/changes/hidden/renamed/{scene.commits['moved']}" in rows
    assert SECRET not in rows
