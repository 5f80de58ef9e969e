"""All steps together: twice is once, nothing for a head that has gone, and no step's failure is another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from oversight.reports.model import RiskReport
from oversight_github.client import Client
from oversight_github.publish import Comment, Outcome, Target, Wishes, publish
from tests.github.double import TOKEN
from tests.github.publish.scene import ALL, CHECK_RUNS, COMMENTS, INLINE_ONE, LABELS, REVIEWS, Scene, outcomes
from tests.github.routes import PULL
from tests.reports.examples import (
    HOSTILE,
    crowded,
    error,
    flagged_by_budget,
    flagged_by_principle,
    hostile,
    not_flagged,
    partial_context,
    unscored,
)  # fmt: skip

EVERYTHING = replace(ALL, comment=Comment.ALWAYS)
STEPS = ["check run", "inline comments", "summary comment", "labels"]


def harmless_model(report: RiskReport) -> RiskReport:
    """The report with a model of ours, of which no change has a say."""
    return replace(report, model=flagged_by_budget().model)


@pytest.mark.parametrize(
    "make", [flagged_by_budget, flagged_by_principle, not_flagged, partial_context, unscored, error, hostile, crowded]
)
def test_twice_is_once(scene: Scene, make: Callable[[], RiskReport]) -> None:
    """Whatever the report says: the second run with it writes nothing."""
    report = harmless_model(make())
    target = scene.open(report)
    first = scene.publish(report, target, EVERYTHING)
    assert not first.failed
    assert list(outcomes(first)) == STEPS
    assert scene.writes()
    second = scene.publish(report, target, EVERYTHING)
    assert set(outcomes(second).values()) == {Outcome.UNCHANGED}
    assert scene.writes() == []


def test_least_rights_first(scene: Scene) -> None:
    """The check run comes first, and what needs to write to the pull request after it."""
    scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), ALL)
    order = [CHECK_RUNS, REVIEWS, COMMENTS, LABELS]
    assert [path for _, path in scene.writes() if path in order] == order


def test_only_what_is_wished(scene: Scene) -> None:
    """What nobody asked for is neither written nor asked about."""
    target = scene.open(flagged_by_budget())
    published = scene.publish(flagged_by_budget(), target, Wishes())
    assert list(outcomes(published)) == ["check run", "summary comment"]
    assert {path for _, path in scene.writes()} == {CHECK_RUNS, COMMENTS}


def test_read_only_token(scene: Scene) -> None:
    """The token of a fork's pull request may write nothing: each step says so, none of them is a failure."""
    scene.github.read_only = True
    published = scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), ALL)
    assert outcomes(published) == dict.fromkeys(STEPS, Outcome.REFUSED)
    assert all("Resource not accessible by integration" in line for line in published.lines)
    assert not published.failed


def test_checks_alone(scene: Scene) -> None:
    """A token that may write checks and see no pull request writes the check run all the same."""
    target = scene.open(flagged_by_budget())
    for method, path in (("GET", PULL), ("POST", "/graphql"), ("GET", LABELS)):
        scene.github.fail(method, path, 403, message="Resource not accessible by integration", times=99)
    published = scene.publish(flagged_by_budget(), target, ALL)
    assert outcomes(published) == dict.fromkeys(STEPS, Outcome.REFUSED) | {"check run": Outcome.DONE}


def test_nothing_is_there(scene: Scene) -> None:
    """A pull request or repository that the token cannot see is a want of rights."""
    published = scene.publish(flagged_by_budget(), Target("a" * 40, 404), replace(ALL, check_run=False))
    assert set(outcomes(published).values()) == {Outcome.REFUSED}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_alone(scene: Scene, step: str) -> None:
    """What GitHub fails at is told, and the other steps are done."""
    path = dict(zip(STEPS, [CHECK_RUNS, REVIEWS, COMMENTS, LABELS], strict=True))[step]
    scene.github.fail("POST", path, 500, times=99)
    published = scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), ALL)
    expected = dict.fromkeys(STEPS, Outcome.DONE) | {step: Outcome.FAILED}
    assert outcomes(published) == expected
    assert [failed.what for failed in published.failed] == [step]


def test_all_fails(scene: Scene) -> None:
    """Where GitHub fails at everything, each step says so for itself."""
    target = scene.open(flagged_by_budget())
    scene.github.fail("*", "*", 502, times=999)
    published = scene.publish(flagged_by_budget(), target, ALL)
    assert outcomes(published) == dict.fromkeys(STEPS, Outcome.FAILED)


def test_a_bug_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of our own takes nothing back that was written, and is told."""
    monkeypatch.setattr("oversight_github.publish.publish_labels", lambda *_: 1 / 0)
    published = scene.publish(flagged_by_budget(), scene.open(flagged_by_budget()), ALL)
    assert outcomes(published)["labels"] is Outcome.FAILED
    assert "ZeroDivisionError" in published.lines[-1]


@pytest.mark.parametrize("gone", ["pushed", "closed"])
def test_superseded(scene: Scene, gone: str) -> None:
    """Nothing is written for a head that the pull request has left, nor on one that is closed."""
    target = scene.open(flagged_by_budget())
    found = scene.github.world.pulls[scene.number]
    if gone == "pushed":
        found["head"]["sha"] = "f" * 40
    else:
        found["state"] = "closed"
    published = scene.publish(flagged_by_budget(), target, ALL)
    assert outcomes(published) == dict.fromkeys(STEPS, Outcome.SKIPPED)
    assert scene.writes() == []


def pushed(scene: Scene) -> None:
    scene.github.world.pulls[scene.number]["head"]["sha"] = "f" * 40


def test_a_push_in_between(scene: Scene) -> None:
    """A push while the check run is being written keeps the rest from being written."""
    target = scene.open(flagged_by_budget())
    scene.meanwhile("POST", CHECK_RUNS, lambda: pushed(scene))
    published = scene.publish(flagged_by_budget(), target, ALL)
    assert outcomes(published) == dict.fromkeys(STEPS, Outcome.SKIPPED) | {"check run": Outcome.DONE}
    assert scene.writes() == [("POST", CHECK_RUNS)]


def test_a_push_before_an_update(scene: Scene) -> None:
    """What stands is not changed, settled or relabelled for a head that has gone meanwhile."""
    scene.publish(flagged_by_principle(), scene.open(flagged_by_principle()), EVERYTHING)
    report, target = scene.push(not_flagged())
    scene.writes()
    scene.meanwhile("POST", CHECK_RUNS, lambda: pushed(scene))
    scene.publish(report, target, EVERYTHING)
    assert scene.writes() == [("POST", CHECK_RUNS)]


def test_the_life_of_a_pull_request(scene: Scene) -> None:
    """Flagged, pushed to, clean: one check run a head, one summary, each finding said once and settled at the end."""
    report = flagged_by_principle()
    target = scene.open(report)
    scene.publish(report, target, ALL)
    scene.publish(report, target, ALL)
    fewer, target = scene.push(replace(report, findings=report.findings[:1]), "d" * 40)
    scene.publish(fewer, target, ALL)
    clean, target = scene.push(not_flagged(), "e" * 40)
    published = scene.publish(clean, target, ALL)
    assert [run["conclusion"] for run in scene.github.world.check_runs] == ["neutral", "neutral", "success"]
    assert len(scene.comments) == 1
    assert "**Not flagged**" in scene.comments[0]["body"]
    assert all(thread["resolved_by"] for thread in scene.threads)
    assert scene.labels == ["oversight: reviewed"]
    assert not published.failed


def test_hostile_text_reaches_no_log(scene: Scene) -> None:
    """What GitHub says, and what a change is called, is shown in the result without obeying it."""
    target = scene.open(flagged_by_budget())
    scene.github.fail("POST", CHECK_RUNS, 400, message=HOSTILE, times=9)
    for line in scene.publish(flagged_by_budget(), target, ALL).lines:
        assert line.isprintable()
        assert "##[" not in line
        assert TOKEN not in line


def test_no_network() -> None:
    """Where there is no GitHub at all, each step says so."""
    with Client("octo/repo", TOKEN, api_url="http://127.0.0.1:9", sleep=lambda _: None) as api:
        published = publish(flagged_by_budget(), Target("a" * 40, 7), api, ALL)
    assert set(outcomes(published).values()) == {Outcome.FAILED}


def test_a_target_is_a_sha() -> None:
    """A branch is no target: it moves."""
    with pytest.raises(ValueError, match="full sha"):
        Target("main", 7)


def test_settling_may_be_refused(scene: Scene) -> None:
    """A token that may comment and not edit is told of, and the rest is done."""
    scene.publish(flagged_by_principle(), scene.open(flagged_by_principle()), ALL)
    scene.github.fail("PATCH", INLINE_ONE, 403, message="Resource not accessible by integration", times=9)
    published = scene.publish(*scene.push(not_flagged()), ALL)
    assert outcomes(published)["inline comments"] is Outcome.REFUSED
    assert outcomes(published)["summary comment"] is Outcome.DONE
