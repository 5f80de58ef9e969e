"""The page of the queue: what waits, why, and nothing of that for those who want to judge blind."""

from __future__ import annotations

import re

from oversight_server.pages.access import Role
from tests.server.pages.scene import TOLD, Scene
from tests.server.thread import Served
from tests.server.visitor import Visitor, known_as, text_of

TITLES = ["Drop a check", "</h1><script>hit()", "Move a script", "Add a table", "Describe it"]


def titles(page: str) -> list[str]:
    """The titles of the list, in order."""
    places = {title: page.find(title) for title in TITLES}
    return sorted((title for title, place in places.items() if place >= 0), key=lambda title: places[title])


def test_what_waits_and_why(auditor: Visitor):
    """The riskiest first, then what was drawn, each with its reasons, and what the budget allows."""
    answer = auditor.open("/queue")
    assert answer.status == 200
    text = text_of(answer)
    assert titles(text) == TITLES
    for part in (
        "5 changes to judge", "agent-written", "flagged", TOLD, "riskier than 90% of the changes it is compared with",
        "look first at app.py:2", "drawn at random, with probability", "this week 15 free, 0 taken",
    ):  # fmt: skip
        assert part in text
    assert "<script>hit" not in answer.content.decode()
    assert "\u202e" not in text
    assert r"\u202egnp.exe {{ 7 * 7 }}" in text


def test_filters_and_pages(auditor: Visitor):
    """Of the address alone; what makes no sense there is as if it was not said, a page too far is the last one."""
    assert titles(text_of(auditor.open("/queue?show=drawn"))) == ["Describe it"]
    assert titles(text_of(auditor.open("/queue?by=agent"))) == ["Drop a check"]
    assert titles(text_of(auditor.open("/queue?in=OCTO/Repo&show=all&judged=any"))) == TITLES
    assert titles(text_of(auditor.open("/queue?by=%00&show=%ff&judged=x&page=99"))) == TITLES
    assert "No change fits" in text_of(auditor.open("/queue?in=octo/other"))
    assert "Nothing waits" not in text_of(auditor.open("/queue?judged=yes"))
    refused = auditor.open("/queue?page=0")
    assert (refused.status, "A field makes no sense." in text_of(refused)) == (422, True)
    assert auditor.open("/").headers["location"] == "/queue"


def test_blind_nothing_tells_what_anybody_thinks(auditor: Visitor, scene: Scene):
    """Neither words nor the order; filters that would tell are not there."""
    answer = auditor.send("/blind", {"on": "1", "next": "/queue?by=human"})
    assert (answer.status, answer.headers["location"]) == (303, "/queue?by=human")
    assert {"HttpOnly", "SameSite=strict"} <= set(auditor.attributes["oversight_blind"].split("; "))
    page = auditor.open("/queue?show=drawn").content.decode()
    listed = re.findall(r"/changes/octo/repo/([0-9a-f]{40})", page)
    assert listed == sorted(scene.commits.values())
    body = page.partition("</form>\n<ol")[2]
    assert not re.search("risk|flagged|drawn|principle|look first|door", body)
    assert not re.search("the riskiest alone|at random alone", page)
    assert auditor.send("/blind", {"on": "0", "next": "//evil.example"}).headers["location"] == "/queue"
    assert "flagged" in text_of(auditor.open("/queue"))


def test_nobody_sees_what_they_may_not(staged: Served):
    """No repository, no title, no number of it."""
    for path in ("/queue?judged=any&show=all", "/queue?in=octo/repo"):
        text = text_of(known_as(staged, "ann", octo__other=Role.ADMIN).open(path))
        assert titles(text) == []
        assert "octo/repo" not in text
        assert "0 changes" in text
        assert "Drawn at random 0," in text


def test_who_judges_may_have_more_chosen(auditor: Visitor, staged: Served):
    """In all of the repositories that it is about; whoever only looks may not."""
    assert "Add what came since" in text_of(auditor.open("/queue"))
    answer = auditor.send("/queue/fill", {"in": ""})
    assert (answer.status, answer.headers["location"]) == (303, "/queue?filled=0-0-0")
    assert "0 changes considered for the first time" in text_of(auditor.open("/queue?filled=0-0-0"))
    assert "considered for the first time" not in text_of(auditor.open("/queue?filled=x-0-0"))
    viewer = known_as(staged, "ann", octo__repo=Role.VIEWER)
    assert "Add what came since" not in text_of(viewer.open("/queue"))
    assert viewer.send("/queue/fill", {"in": "octo/repo"}).status == 403
    assert viewer.send("/queue/fill", {"in": "octo/none"}).status == 403


def test_an_empty_store_says_what_to_do(visitor: Visitor):
    """And is no error."""
    text = text_of(visitor.open("/queue"))
    assert "There is nothing on record yet" in text
    assert "oversight audit import" in text
