"""The summary comment: one, ours, quiet, and changed in place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from oversight.reports.model import RiskReport
from oversight_github.markers import read_summary, without_mark
from oversight_github.publish import Comment, Outcome, Wishes
from oversight_github.shown import Shown, dated, read_shown
from tests.github.publish.scene import COMMENT, COMMENTS, SUMMARY_ALONE, Scene, outcomes
from tests.github.world import JSON
from tests.reports.examples import (
    crowded,
    error,
    flagged_by_budget,
    flagged_by_principle,
    hostile,
    not_flagged,
    unscored,
)

ALWAYS = Wishes(comment=Comment.ALWAYS, check_run=False)


@pytest.mark.parametrize("make", [flagged_by_budget, flagged_by_principle, unscored, error])
def test_calls_for_a_reader(scene: Scene, make: Callable[[], RiskReport]) -> None:
    """What is flagged or could not be scored is told once; the same report again writes nothing."""
    target = scene.open(make())
    scene.publish(make(), target, SUMMARY_ALONE)
    assert scene.writes() == [("POST", COMMENTS)]
    published = scene.publish(make(), target, SUMMARY_ALONE)
    assert outcomes(published) == {"summary comment": Outcome.UNCHANGED}
    assert scene.writes() == []
    (comment,) = scene.comments
    assert "/oversight safe" in comment["body"]


def test_quiet(scene: Scene) -> None:
    """Where nothing calls for a reader there is no comment, unless one is wanted in any case."""
    target = scene.open(not_flagged())
    assert outcomes(scene.publish(not_flagged(), target, SUMMARY_ALONE)) == {"summary comment": Outcome.SKIPPED}
    assert scene.writes() == []
    scene.publish(not_flagged(), target, ALWAYS)
    assert scene.writes() == [("POST", COMMENTS)]


def test_never(scene: Scene) -> None:
    """Who wants none gets none, and no step in the result."""
    target = scene.open(flagged_by_budget())
    published = scene.publish(flagged_by_budget(), target, Wishes(comment=Comment.NEVER, check_run=False))
    assert published.steps == ()
    assert scene.github.calls == [call for call in scene.github.calls if call.method == "GET"]


def test_a_flag_that_falls(scene: Scene) -> None:
    """A push that lowers the flag changes the comment that is there, which says so."""
    scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), SUMMARY_ALONE)
    scene.writes()
    report, target = scene.push(not_flagged())
    scene.publish(report, target, SUMMARY_ALONE)
    assert scene.writes() == [("PATCH", COMMENT)]
    (comment,) = scene.comments
    assert "**Not flagged**" in comment["body"]
    assert "/oversight dismiss" not in comment["body"]
    mark = read_summary(comment["body"])
    assert mark is not None
    assert mark.head == target.head


def test_somebody_else_copies_the_mark(scene: Scene) -> None:
    """A comment of somebody else is never taken for ours, whatever it begins with."""
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    stolen = scene.comments.pop()["body"]
    scene.github.world.comment(scene.number, stolen, login="mallory")
    scene.github.world.comment(scene.number, stolen, login="other[bot]")
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert [one["user"]["login"] for one in scene.comments] == ["mallory", "other[bot]", "github-actions[bot]"]


def test_a_quote_of_ours_is_no_summary(scene: Scene) -> None:
    """A comment of the same account that contains the mark further down, as an echo does, is left alone."""
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    echo = f"Somebody said: {scene.comments.pop()['body']}"
    scene.github.world.comment(scene.number, echo)
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert [one["body"] == echo for one in scene.comments] == [True, False]


def test_found_on_the_second_page(scene: Scene) -> None:
    """A long conversation hides no comment of ours."""
    target = scene.open(flagged_by_budget())
    for number in range(130):
        scene.github.world.comment(scene.number, f"Comment {number}.", login="ann")
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    scene.writes()
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert scene.writes() == []


def test_two_of_ours(scene: Scene) -> None:
    """Of two summaries the oldest stays, and says what is; the newer one goes."""
    target = scene.open(flagged_by_budget())
    scene.publish(not_flagged(), target, ALWAYS)
    scene.github.world.comment(scene.number, scene.comments[0]["body"])
    scene.writes()
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert scene.writes() == [("PATCH", COMMENT), ("DELETE", COMMENT)]
    (comment,) = scene.comments
    assert "**Flagged**" in comment["body"]


def test_two_runs_at_once(scene: Scene) -> None:
    """A run that finds that another one commented before it did takes its own comment back and updates the older."""
    target = scene.open(flagged_by_budget())
    scene.publish(not_flagged(), target, ALWAYS)
    other = scene.comments.pop()["body"]
    scene.meanwhile("POST", COMMENTS, lambda: scene.github.world.comment(scene.number, other))
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    (comment,) = scene.comments
    assert "**Flagged**" in comment["body"]
    scene.writes()
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert scene.writes() == []


def test_two_runs_that_tidy_up(scene: Scene) -> None:
    """Of two runs that delete the newer summary the slower one finds it gone, which is no fault."""
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    scene.github.world.comment(scene.number, scene.comments[0]["body"])
    scene.meanwhile("DELETE", COMMENT, scene.comments.pop)
    assert outcomes(scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)) == {"summary comment": Outcome.DONE}
    assert len(scene.comments) == 1


def test_two_reviews_of_one_pull_request(scene: Scene) -> None:
    """Reviews of other names, as of a monorepo's parts, have comments of their own."""
    target = scene.open(flagged_by_budget())
    for name in ("api", "web", "api"):
        scene.publish(flagged_by_budget(), target, replace(SUMMARY_ALONE, name=name))
    assert ["`api`" in one["body"] for one in scene.comments] == [True, False]
    assert ["`web`" in one["body"] for one in scene.comments] == [False, True]


def test_edited_by_hand(scene: Scene) -> None:
    """A summary that somebody edited says again what is; one whose mark is gone is theirs."""
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    whole = scene.comments[0]["body"]
    scene.comments[0]["body"] = whole.replace("**Flagged**", "**Fine**").replace("\n", "\r\n")
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    mark = re.compile(r"at=\d+\+?")  # it says now since when that was there
    assert mark.sub("", scene.comments[0]["body"]) == mark.sub("", whole)
    scene.comments[0]["body"] = "Never mind."
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert [one["body"] == whole for one in scene.comments] == [False, True]


def test_marks_that_somebody_wrote_are_not_kept(scene: Scene) -> None:
    """Heads that were never shown would become ours with our next edit, and verdicts be tied to them."""
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    (comment,) = scene.comments
    first, mark, rest = comment["body"].split("\n", 2)
    forged = mark.replace(target.head, "e" * 40)
    comment.update(body="\n".join([first, mark, forged, rest]), edited_by="ann")
    report, pushed = scene.push(flagged_by_budget())
    scene.publish(report, pushed, SUMMARY_ALONE)
    assert [one.head for one in shown_in(comment)] == [pushed.head]


def test_what_github_changes_is_no_change(scene: Scene) -> None:
    """Other line ends, and blanks at the end, are no reason to write."""
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    scene.comments[0]["body"] = scene.comments[0]["body"].strip().replace("\n", "\r\n")
    scene.writes()
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert scene.writes() == []


@pytest.mark.parametrize("report", [crowded(5_000, 5_000), replace(hostile(), model=None)], ids=["crowded", "hostile"])
def test_limit(scene: Scene, report: RiskReport) -> None:
    """A comment keeps to GitHub's limit in bytes, and still says how to answer."""
    scene.publish(report, scene.open(report, diff=b""), SUMMARY_ALONE)
    body = scene.comments[0]["body"]
    assert len(body.encode("utf-8")) <= 65_535
    assert body.endswith(".</sub>\n")
    assert "Coverage: " in body


def test_places_lead_into_the_diff(scene: Scene) -> None:
    """A place can be clicked; the address holds a hash of the path and never the path."""
    scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), SUMMARY_ALONE)
    address = "https://github.test/octo/repo/pull/7/files#diff-"
    assert f"[`src/payments/charge.py:42-43`]({address}12746aec" in scene.comments[0]["body"]


def test_an_address_that_is_none(scene: Scene) -> None:
    """Where GitHub gives no plain address, places are not linked."""
    target = scene.open(flagged_by_budget())
    scene.github.world.pulls[scene.number]["html_url"] = "https://github.test/a) [x](b"
    scene.publish(flagged_by_budget(), target, SUMMARY_ALONE)
    assert "](" not in scene.comments[0]["body"]


def test_verdicts_find_what_was_shown(scene: Scene) -> None:
    """The summary keeps what it showed of earlier heads, the newest first."""
    scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), SUMMARY_ALONE)
    report, target = scene.push(not_flagged())
    scene.publish(report, target, SUMMARY_ALONE)
    assert [one.flagged for one in shown_in(scene.comments[0])] == [False, True]
    assert read_shown(without_mark(scene.comments[0]["body"])) == shown_in(scene.comments[0])[1:]


def shown_in(comment: JSON) -> tuple[Shown, ...]:
    """What a summary says that it showed of which head."""
    return read_shown(dated(comment["body"], comment["updated_at"]))
