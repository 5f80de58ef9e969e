"""The dashboard on the server: for those who may see the repository, with the rows behind it, and blindness kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from oversight.audit.dashboard import html
from oversight.audit.store import Store, listing
from oversight_server.pages.access import Role
from tests.audit.builders import verdict
from tests.audit.dashboard.stores import NAME, NOW, change, whole
from tests.server.conftest import settings_of
from tests.server.recorder import Recorder
from tests.server.thread import Served
from tests.server.visitor import TOKEN, Visitor, known_as, text_of

SECRET = "octo/secret"


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose store has something for every section, of one repository, and one report on another."""
    settings = settings_of(tmp_path_factory.mktemp("pictured"), pages={"token": TOKEN})
    with Store.open(settings.database) as store:
        whole(store)
        told = change(99)
        told["change"] |= {"id": "e" * 40, "title": "Nobody may know"}
        store.add_report(told, source="import", repository=SECRET, at=NOW)
    with Served(settings, Recorder()) as server:
        yield server


@pytest.fixture
def owner(pictured: Served) -> Visitor:
    """Whose store it is."""
    somebody = Visitor(pictured.port)
    assert somebody.log_in().status == 303
    return somebody


def links(page: str) -> list[str]:
    return sorted({one.replace("&amp;", "&") for one in re.findall('href="(/[^"]*)"', page)})


def test_every_link_of_the_dashboard_leads_somewhere(owner: Visitor):
    """To rows, each of which is there, and to changes; the style sheet is the one of the file."""
    answer = owner.open(f"/dashboard?in={NAME}")
    assert answer.status == 200
    page = answer.content.decode()
    assert "67.8\u00a0%" in page
    found = links(page)
    rows = [one for one in found if one.startswith("/dashboard/rows/")]
    assert len(rows) > 20
    for path in rows:
        shown = owner.open(path)
        assert (shown.status, "There are no such rows" in text_of(shown)) == (200, False), path
    assert f"/changes/{NAME}/{50:040x}" in found
    (style,) = [one for one in found if one.endswith("/dashboard.css")]
    assert owner.open(style).content == html.STYLE.read_bytes()
    assert not re.search(r"<script(?! src)|<style| style=", page)


def test_what_is_shown_is_what_somebody_may_see(pictured: Served):
    """Of their own repositories one at a time, never all at once; others are as if there were none."""
    reader = known_as(pictured, "carol", octo__repo=Role.VIEWER)
    first = text_of(reader.open("/dashboard"))
    assert f"Oversight of {NAME}" in first
    for path in ("/dashboard", "/dashboard/rows/rest"):
        for name in (SECRET, "octo/none"):
            answer = reader.open(f"{path}?in={name}")
            assert (answer.status, "no such repository" in text_of(answer)) == (404, True)
    for path in ("/dashboard", "/dashboard/rows/rest", "/dashboard/rows/picked"):
        page = reader.open(path).content.decode()
        assert "secret" not in page
        assert "Nobody may know" not in page
    nobody = known_as(pictured, "dave")
    assert "Nothing is on record" in text_of(nobody.open("/dashboard"))
    assert nobody.open("/dashboard/rows/picked").status == 404
    assert Visitor(pictured.port).open("/dashboard").headers["location"].startswith("/login")


def test_whose_store_it_is_sees_all_together(owner: Visitor):
    """And each by itself, in whichever case it is written; a day that is none is refused, an empty one is not."""
    assert "Oversight of all repositories" in text_of(owner.open("/dashboard?in=&since=&until="))
    assert f"Oversight of {NAME}" in text_of(owner.open("/dashboard?in=OCTO/Repo"))
    assert "50 changes considered" in text_of(owner.open(f"/dashboard?in={NAME}&until=2026-03-20"))
    assert owner.open("/dashboard?since=yesterday").status == 422
    assert owner.open("/dashboard/rows/nothing").status == 404


def test_rows_are_paged(owner: Visitor, monkeypatch: pytest.MonkeyPatch):
    """Each is on one page."""
    monkeypatch.setattr("oversight_server.pages.picture.EACH", 30)
    seen: list[str] = []
    for number in (1, 2, 3):
        page = owner.open(f"/dashboard/rows/rest?in={NAME}&page={number}").content.decode()
        seen += re.findall(r'href="/changes/octo/repo/([0-9a-f]{40})"', page)
        assert (f"page={number + 1}" in page) == (number < 3)
    assert len(seen) == len(set(seen)) == 64


def test_who_saw_an_opinion_is_not_blind_afterwards(pictured: Served, owner: Visitor):
    """Rows that say what a review thinks are remembered, those of what waits are not; a wish to be blind hides more."""
    engine = pictured.app.state.access.sessions.engine
    picked, waiting, missed = (f"{number:040x}" for number in (99, 96, 50))
    reader = known_as(pictured, "erin", octo__repo=Role.AUDITOR)
    reader.open(f"/dashboard/rows/waiting?in={NAME}")
    assert not listing.has_seen(engine, "erin", waiting)
    reader.open(f"/dashboard/rows/picked?in={NAME}")
    assert listing.has_seen(engine, "erin", picked)
    assert not listing.has_seen(engine, "erin", missed)
    reader.open(f"/dashboard?in={NAME}")
    assert listing.has_seen(engine, "erin", missed)


def test_a_verdict_shows_at_once(pictured: Served, owner: Visitor):
    """What was gathered a moment ago is shown again, but not after somebody said something."""
    before = text_of(owner.open(f"/dashboard?in={NAME}"))
    assert "48 verdicts" in before
    engine = pictured.app.state.access.sessions.engine
    Store(engine).append([verdict("risky", change_id=f"{1:040x}", hours=3_000)])
    assert "49 verdicts" in text_of(owner.open(f"/dashboard?in={NAME}"))
