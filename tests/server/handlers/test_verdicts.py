"""Verdicts by button, comment and label: whose counts, what they do, what is told of them, and once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from oversight.audit.verdict import Decision, Selection, Verdict
from oversight_server.inbox import Delivery
from tests.github.exchange import Request
from tests.github.routes_checks import ACTIONS
from tests.github.world import JSON
from tests.server.works import CHECK_RUN, CHECK_RUNS, FAST, HEAD, Works

B = "b" * 40
REACTIONS = "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    """A flagged pull request of ann's that was reviewed; bob may write, eve may not."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}") as made:
        made.github.world.permissions = {"ann": "write", "bob": "write", "eve": "read"}
        made.open()
        made.deliver("opened")
        made.rest()
        assert made.run["conclusion"] == "neutral"
        yield made


def press(works: Works, button: str, who: str = "bob", *, identity: str | None = None, **more: Any) -> str:
    """Somebody presses a button of the newest check run."""
    payload: JSON = {**works.origin(who), "action": "requested_action", "check_run": works.run,
                     "requested_action": {"identifier": button}, **more}  # fmt: skip
    return works.send("check_run", payload, identity)


def say(works: Works, body: str, who: str = "bob") -> JSON:
    """Somebody comments."""
    made = works.github.world.comment(7, body, login=who)
    works.send("issue_comment", {**works.origin(who), "action": "created", "comment": made,
                                 "issue": {"number": 7, "pull_request": {}}})  # fmt: skip
    return made


def verdicts(works: Works) -> tuple[Verdict, ...]:
    return works.store.record().verdicts


def test_a_button_clears_a_flag_and_is_on_the_ledger(works: Works):
    """With what had been shown, why, and how likely that was; the check run says so."""
    press(works, "safe")
    works.rest()
    (verdict,) = verdicts(works)
    assert (verdict.change_id, verdict.who, verdict.decision, verdict.own) == (HEAD, "bob", Decision.SAFE, False)
    assert (verdict.source.kind, verdict.source.repository, verdict.source.number) == ("button", "octo/repo", 7)
    assert verdict.source.id == works.run["id"]
    assert (verdict.shown.selection, verdict.shown.propensity, verdict.shown.flagged) == (Selection.FLAGGED, 1.0, True)
    assert verdict.shown.risk == pytest.approx(0.314)
    assert works.run["conclusion"] == "success"
    assert "cleared for this very head by bob" in works.run["output"]["summary"]
    assert works.posted == (1, 1)
    assert works.store.verify() is None


def test_it_is_good_for_the_head_that_it_was_given_for(works: Works):
    """What is pushed afterwards nobody has seen."""
    press(works, "safe")
    works.rest()
    works.push(B)
    works.deliver("synchronize")
    works.rest()
    assert works.run["head_sha"] == B
    assert works.run["conclusion"] == "neutral"


def test_a_button_of_an_old_head_judges_that_head(works: Works):
    """And clears nothing of the newer one."""
    old = dict(works.run)
    works.push(B)
    works.deliver("synchronize")
    works.rest()
    press(works, "safe", check_run=old)
    works.rest()
    assert [verdict.change_id for verdict in verdicts(works)] == [HEAD]
    assert works.run["conclusion"] == "neutral"


def test_a_verdict_given_while_a_newer_review_waits_to_be_posted_is_of_what_was_shown(works: Works):
    """Rate limits hold requests up for minutes: nobody had seen the newer head when they spoke."""
    world, made = works.github.world, list[JSON]()

    def speak(request: Request) -> None:
        if (request.method, request.template) == ("POST", CHECK_RUNS) and not made:
            made.append(world.comment(7, "/oversight safe", login="bob"))

    works.github.checks.append(speak)
    works.push(B)
    works.deliver("synchronize")
    works.rest()
    works.send("issue_comment", {**works.origin("bob"), "action": "created", "comment": made[0],
                                 "issue": {"number": 7, "pull_request": {}}})  # fmt: skip
    works.rest()
    assert [verdict.change_id for verdict in verdicts(works)] == [HEAD]
    assert (works.run["head_sha"], works.run["conclusion"]) == (B, "neutral")


@pytest.mark.parametrize("app", [12345, None])
def test_a_check_run_of_another_app_tells_of_nothing(tmp_path: Path, app: int | None):
    """Any workflow can make one with our name, our id and our marks."""
    ours = replace(FAST, wishes=replace(FAST.wishes, app=str(ACTIONS)))
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}", ours) as works:
        works.github.world.permissions = {"bob": "write"}
        works.open()
        works.deliver("opened")
        works.rest()
        works.run["app"] = None if app is None else {"id": app}
        press(works, "safe")
        works.rest()
        assert verdicts(works) == ()


@pytest.mark.parametrize("button", ["risky", "unsure"])
def test_what_changes_nothing_is_told_in_the_check_run(works: Works, button: str):
    """No review is needed for it."""
    press(works, button)
    works.rest()
    assert [verdict.decision.value for verdict in verdicts(works)] == [button]
    assert works.run["output"]["summary"].endswith(f"\n\nRecorded: {button}, by bob.")
    assert works.reviews.calls == [HEAD]
    works.deliver("reopened")
    works.rest()
    assert f"Recorded: {button}" in works.run["output"]["summary"]


def test_a_warning_takes_a_clearing_back(works: Works):
    """Whoever gives it."""
    press(works, "safe")
    works.rest()
    works.github.world.permissions["dan"] = "admin"
    press(works, "risky", "dan")
    works.rest()
    assert works.run["conclusion"] == "neutral"


def test_authors_clear_nothing_of_their_own(works: Works):
    """Their word is on record, and has no effect, which the check run says."""
    press(works, "safe", "ann")
    works.rest()
    assert [(verdict.who, verdict.own, verdict.counts) for verdict in verdicts(works)] == [("ann", True, False)]
    assert works.run["conclusion"] == "neutral"
    assert "which has no effect" in works.run["output"]["summary"]


@pytest.mark.parametrize("who", ["eve", "stranger"])
def test_who_may_not_write_may_not_judge(works: Works, who: str):
    """GitHub is asked for it, and nothing is written anywhere."""
    press(works, "safe", who)
    works.rest()
    assert verdicts(works) == ()
    assert works.run["conclusion"] == "neutral"
    assert works.github.count("PATCH", CHECK_RUN) == 0


def test_where_github_does_not_tell_nobody_may(works: Works):
    """An App that may not ask who has write access hears nobody."""
    works.github.fail("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", 403, times=99)
    press(works, "safe")
    works.rest()
    assert verdicts(works) == ()


def test_a_verdict_of_what_was_not_shown_yet_is_none(works: Works):
    """The marks of the check run say since when anybody could have seen it."""
    payload = {**works.origin("bob"), "action": "requested_action", "check_run": works.run,
               "requested_action": {"identifier": "safe"}}  # fmt: skip
    early = works.now() - timedelta(days=1)
    works.jobs.enqueue(Delivery("early", "check_run", json.dumps(payload).encode(), early))
    works.rest()
    assert verdicts(works) == ()


def test_a_check_run_without_our_marks_tells_of_nothing(works: Works):
    """As if another had been put in its place."""
    works.run["output"]["text"] = "no mark"
    press(works, "safe")
    works.rest()
    assert verdicts(works) == ()


def test_a_button_that_is_pressed_again_says_nothing_new(works: Works):
    """However often, by whichever delivery; who thinks better of it in between says something each time."""
    for identity, buttons in (("d-1", 1), ("d-1", 1), ("d-2", 1)):
        press(works, "unsure", identity=identity)
        works.rest()
        assert len(verdicts(works)) == buttons
    for button in ("risky", "unsure"):
        press(works, button)
        works.rest()
    assert [verdict.decision.value for verdict in verdicts(works)] == ["unsure", "risky", "unsure"]
    assert works.run["output"]["summary"].count("Recorded: unsure, by bob.") == 1


def test_who_clears_a_flag_twice_does_not_put_it_up_again(works: Works):
    """By button and by comment: the second time nothing was flagged any more, and nothing is taken back."""
    press(works, "safe")
    works.rest()
    press(works, "safe")
    works.rest()
    assert (len(verdicts(works)), works.run["conclusion"]) == (1, "success")
    say(works, "/oversight safe")
    works.rest()
    say(works, "/oversight review")
    works.rest()
    assert works.run["conclusion"] == "success"


def test_a_comment_is_a_verdict_with_a_receipt(works: Works):
    """A reaction, and the check run follows."""
    made = say(works, "/oversight safe looked at it")
    works.rest()
    (verdict,) = verdicts(works)
    assert (verdict.source.kind, verdict.source.id, verdict.note) == ("comment", made["id"], "looked at it")
    assert made["reacted"] == ["+1"]
    assert works.run["conclusion"] == "success"
    assert works.posted == (1, 1)


def test_a_comment_of_somebody_without_rights_is_refused(works: Works):
    """Without a word: a storm of them costs one request each, and nothing of what may be written."""
    before = len(works.github.calls)
    made = [say(works, f"/oversight {word}", "eve") for word in ("safe", "approve", "review", "dismiss")]
    works.rest()
    assert verdicts(works) == ()
    assert [one.get("reacted", []) for one in made] == [[]] * 4
    assert len(works.github.calls) - before == len(made)
    assert works.run["conclusion"] == "neutral"


def test_a_command_that_is_none_is_told_so(works: Works):
    """To those who may give one, by a reaction."""
    made = say(works, "/oversight approve")
    works.rest()
    assert made["reacted"] == ["confused"]
    assert verdicts(works) == ()


def test_a_comment_that_others_edited_says_nothing(works: Works):
    """Neither where who edited it may write nor where they may not."""
    made = works.github.world.comment(7, "/oversight safe", login="bob")
    made["updated_at"], made["edited_by"] = works.github.world.now(), "eve"
    for who in ("eve", "ann"):
        works.send("issue_comment", {**works.origin(who), "action": "edited", "comment": made,
                                     "issue": {"number": 7, "pull_request": {}}})  # fmt: skip
        works.rest()
        assert verdicts(works) == ()


def test_a_review_is_asked_for_by_comment(works: Works):
    """By who may, and it is another attempt."""
    made = say(works, "/oversight review")
    works.rest()
    assert made["reacted"] == ["eyes"]
    assert works.reviews.calls == [HEAD, HEAD]
    say(works, "/oversight review", "eve")
    works.rest()
    assert works.reviews.calls == [HEAD, HEAD]
    assert works.posted == (1, 1)


def test_a_comment_that_is_gone_when_its_turn_comes_says_nothing(works: Works):
    """GitHub is asked for what it says."""
    made = works.github.world.comment(7, "/oversight safe", login="bob")
    works.github.world.comments[7].remove(made)
    works.send("issue_comment", {**works.origin("bob"), "action": "created", "comment": made,
                                 "issue": {"number": 7, "pull_request": {}}})  # fmt: skip
    works.rest()
    assert (verdicts(works), works.dead()) == ((), [])


def test_a_label_is_a_verdict(works: Works):
    """Of who put it there."""
    works.github.world.set_labels(7, ["oversight: safe"], login="bob")
    works.touch()
    works.deliver("labeled", label={"name": "oversight: safe"})
    works.rest()
    assert [(verdict.source.kind, verdict.who) for verdict in verdicts(works)] == [("label", "bob")]
    assert works.run["conclusion"] == "success"


def test_a_check_that_is_run_again_is_reviewed_again(works: Works):
    """And what is there already stays."""
    works.send("check_run", {**works.origin("bob"), "action": "rerequested", "check_run": works.run})
    works.rest()
    suite = {"head_sha": HEAD, "pull_requests": []}
    works.send("check_suite", {**works.origin("bob"), "action": "rerequested", "check_suite": suite})
    works.rest()
    assert works.reviews.calls == [HEAD] * 3
    assert works.posted == (1, 1)


def test_how_a_judged_head_landed_is_on_record(works: Works):
    """As one commit, when it is merged."""
    world = works.github.world
    squashed = world.commit(world.tree({}), [world.commit(world.tree({}), [], "Root")], "A change (#7)")
    hunks = [hunk for file in world.files(7) for hunk in file.hunks]
    counts = {"additions": sum(len(one.added) for one in hunks), "deletions": sum(len(one.deleted) for one in hunks)}
    world.commits[squashed]["stats"] = {**counts, "total": sum(counts.values())}
    press(works, "risky")
    works.rest()
    works.close(merged=True)
    world.pulls[7].update(merged_at=world.now(), merge_commit_sha=squashed)
    works.deliver("closed")
    works.rest()
    assert works.dead() == []
    assert [(one.change_id, one.commit, one.number) for one in works.store.record().landings] == [(HEAD, squashed, 7)]
