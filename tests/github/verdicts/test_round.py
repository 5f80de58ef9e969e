"""The whole way round: a review is published, people answer it, and the next review minds their answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from oversight.audit.verdict import Decision, Record, Selection, Verdict
from oversight.reports.model import RiskReport
from oversight_github.client import Client
from oversight_github.events import Comment
from oversight_github.publish import Comment as When
from oversight_github.publish import Target, Wishes, publish
from oversight_github.verdicts.gather import Gatherer
from oversight_github.verdicts.handle import handle, heard
from tests.github.double import Double
from tests.github.publish.scene import CHECK_ALONE, CHECK_RUN, CHECK_RUNS, COMMENT, Scene
from tests.github.world import JSON
from tests.reports.examples import flagged_by_budget, flagged_by_principle, not_flagged

WISHES = Wishes(comment=When.AUTO, inline=True)


class Loop:
    """Pull request 7 of ann, which is reviewed and answered."""

    def __init__(self, github: Double, api: Client) -> None:
        self.github, self.api, self.scene = github, api, Scene(github, api)
        for login in ("ann", "bob"):
            github.world.permissions[login] = "write"

    def review(self, report: RiskReport, target: Target) -> None:
        number = target.number or 0
        said = heard(self.api, number, target.head)
        done = publish(report, target, self.api, WISHES, said.dismissed, clock=self.now)
        assert not done.failed, done.lines

    def now(self) -> datetime:
        return datetime.fromisoformat(self.github.world.now())

    def say(self, body: str, *, reply_to: JSON | None = None, login: str = "bob") -> Verdict:
        world = self.github.world
        if reply_to is None:
            made = world.comment(7, body, login=login)
        else:
            made = world.review_comment(7, body, login=login, reply_to=reply_to["id"], path=reply_to["path"])
        event = Comment("created", made["id"], 7, True, body, login, "NONE", "User", inline=reply_to is not None)
        (verdict,) = handle(event, self.api).added
        assert isinstance(verdict, Verdict)
        return verdict


@pytest.fixture
def loop(github: Double, api: Client) -> Loop:
    return Loop(github, api)


def test_an_answer_is_tied_to_what_was_published(loop: Loop):
    """Risk, percentile, flag and model of the report, rounded as the mark tells them."""
    report = flagged_by_budget()
    target = loop.scene.open(report)
    loop.review(report, target)
    verdict = loop.say("/oversight risky the check is gone")
    assert (verdict.change_id, verdict.decision) == (target.head, Decision.RISKY)
    assert (verdict.shown.selection, verdict.shown.flagged) == (Selection.FLAGGED, True)
    assert verdict.shown.risk == pytest.approx(report.risk, abs=1e-6)
    assert verdict.shown.percentile == pytest.approx(report.percentile, abs=1e-4)


def test_an_unflagged_review_leaves_enough_to_answer(loop: Loop):
    """There is no summary, but a check run."""
    report = not_flagged()
    loop.review(report, loop.scene.open(report))
    assert loop.scene.comments == []
    verdict = loop.say("/oversight risky it was missed")
    assert (verdict.shown.selection, verdict.shown.flagged) == (Selection.REQUEST, False)
    assert verdict.shown.risk == pytest.approx(report.risk, abs=1e-6)


def test_an_answer_given_before_a_push_stays_with_the_head_before(loop: Loop):
    """The summary has moved on; its marks have not forgotten."""
    report = flagged_by_budget()
    first = loop.scene.open(report)
    loop.review(report, first)
    made = loop.github.world.comment(7, "/oversight safe", login="bob")
    pushed, second = loop.scene.push(report)
    loop.review(replace(pushed, risk=0.99), second)
    event = Comment("created", made["id"], 7, True, made["body"], "bob", "NONE", "User")
    (verdict,) = handle(event, loop.api).added
    assert isinstance(verdict, Verdict)
    assert verdict.change_id == first.head
    assert loop.say("/oversight risky").change_id == second.head


def test_an_answer_given_while_a_newer_review_waits_to_be_posted_is_of_the_older(loop: Loop):
    """Rate limits hold requests up for minutes: what counts is when GitHub has what is shown, not when it was sent."""
    report, world = flagged_by_budget(), loop.github.world
    first = loop.scene.open(report)
    loop.review(report, first)
    said: list[JSON] = []
    for method, path in (("POST", CHECK_RUNS), ("PATCH", COMMENT)):
        loop.scene.meanwhile(method, path, lambda: said.append(world.comment(7, "/oversight safe", login="bob")))
    pushed, second = loop.scene.push(report)
    loop.review(pushed, second)
    found = [Gatherer(loop.api, Record()).comment(one["id"], inline=False) for one in said]
    # By the time that the summary was changed, people had the check run of the newer head.
    assert [one.change_id for told in found for one in told.verdicts] == [first.head, second.head]


@pytest.mark.parametrize("anew", [True, False])
def test_what_an_update_shows_of_the_same_head_has_not_been_shown_before(loop: Loop, anew: bool):
    """A flag that goes up while somebody answers is not cleared by them, whichever time GitHub names afterwards."""
    world, target = loop.github.world, loop.scene.open(not_flagged())
    world.completes_anew = anew
    loop.review(not_flagged(), target)
    said: list[JSON] = []
    loop.scene.meanwhile("PATCH", CHECK_RUN, lambda: said.append(world.comment(7, "/oversight safe", login="bob")))
    flagged = replace(flagged_by_budget(), change=not_flagged().change)
    publish(flagged, target, loop.api, CHECK_ALONE, clock=loop.now)
    (verdict,) = Gatherer(loop.api, Record()).comment(said[0]["id"], inline=False).verdicts
    assert verdict.shown.flagged is False
    loop.now()  # marks tell whole seconds
    assert loop.say("/oversight risky").shown.flagged is True


def test_a_dismissed_finding_is_not_said_again(loop: Loop):
    """On the next push, with the reason remembered; the author cannot do that."""
    report = flagged_by_principle()
    loop.review(report, loop.scene.open(report))
    comment = loop.scene.inline[0]
    loop.say("/oversight dismiss it is mine", reply_to=comment, login="ann")
    assert heard(loop.api, 7, "a" * 40).dismissed == {}
    verdict = loop.say("/oversight dismiss a test key", reply_to=comment)
    assert heard(loop.api, 7, "a" * 40).dismissed == {verdict.finding: "a test key"}
    before = len(loop.scene.inline)
    pushed, second = loop.scene.push(report)
    loop.review(pushed, second)
    assert all(verdict.finding not in one["body"] for one in loop.scene.inline[before:] if verdict.finding)
