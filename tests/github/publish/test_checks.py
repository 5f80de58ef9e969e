"""The check run: never green without a risk, told once, with its annotations in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from oversight.reports.model import Finding, FlaggedBy, RiskReport, Status
from oversight.reviewers.model import Severity
from oversight_github.publish import Outcome, Target, Wishes
from oversight_github.publish.checks import BUTTONS, conclusion_of, number_in, title_of
from oversight_github.shown import dated, read_shown
from tests.github.publish.scene import CHECK_ALONE, CHECK_RUN, CHECK_RUNS, Scene, outcomes
from tests.reports.examples import (
    change,
    crowded,
    error,
    file,
    flagged_by_budget,
    flagged_by_principle,
    hostile,
    hunk,
    not_flagged,
    unscored,
)  # fmt: skip


def many(count: int) -> RiskReport:
    """A flagged change with `count` findings, each in a hunk of its own."""
    files = tuple(file(f"src/m{n:03}.py", hunk(10, (f"x = {n}",))) for n in range(count))
    return replace(
        flagged_by_principle(),
        change=change(*files),
        hunks=(),
        findings=tuple(Finding("a/b", Severity.HIGH, one.path, 10, "A sentence.") for one in files),
    )


@pytest.mark.parametrize(
    ("report", "conclusion", "gated"),
    [
        (not_flagged, "success", "success"),
        (flagged_by_budget, "neutral", "failure"),
        (flagged_by_principle, "neutral", "failure"),
        (unscored, "failure", "failure"),
        (error, "failure", "failure"),
    ],
)
def test_conclusion(report: Callable[[], RiskReport], conclusion: str, gated: str) -> None:
    """Green is what was scored and not flagged; what was not scored is red with or without a gate."""
    assert conclusion_of(report(), gate=False) == conclusion
    assert conclusion_of(report(), gate=True) == gated


def test_no_flag_makes_an_unscored_change_green() -> None:
    """A report that contradicts itself fails closed."""
    assert conclusion_of(replace(unscored(), flagged=False), gate=False) == "failure"


def test_titles() -> None:
    """The list of checks shows the verdict, and why, in one line."""
    assert title_of(not_flagged()) == "Not flagged: riskier than 12% of other changes"
    assert title_of(flagged_by_budget()) == "Flagged: riskier than 96% of other changes"
    by_rule = "Flagged: a principle asks for a reader; riskier than 38% of other changes"
    assert title_of(flagged_by_principle()) == by_rule
    both = replace(flagged_by_budget(), flagged_by=(FlaggedBy.BUDGET, FlaggedBy.PRINCIPLE))
    assert title_of(both) == "Flagged: riskier than 96% of other changes; a principle asks for a reader"
    assert title_of(unscored()) == "Unscored: treat the change as unread"
    assert title_of(replace(flagged_by_budget(), percentile=None)) == "Flagged"


def test_commit_without_a_pull_request(scene: Scene) -> None:
    """A bare commit gets a check run and nothing else, whatever is asked for."""
    published = scene.publish(flagged_by_budget(), Target("e" * 40))
    assert outcomes(published) == {"check run": Outcome.DONE}
    (run,) = scene.github.world.check_runs
    assert (run["name"], run["head_sha"], run["status"]) == ("oversight", "e" * 40, "completed")
    assert "src/payments/charge.py" in run["output"]["summary"]


def test_annotations(scene: Scene) -> None:
    """Findings and the hunks to read first are annotated, without columns, a finding about a file at its first line."""
    scene.publish(flagged_by_budget(), Target("e" * 40))
    (found,) = scene.github.world.annotations.values()
    assert [(one["path"], one["start_line"], one["end_line"], one["annotation_level"]) for one in found] == [
        ("src/payments/charge.py", 43, 43, "warning"),
        ("src/payments/charge.py", 1, 1, "notice"),
        ("src/payments/refund with blank.py", 7, 7, "warning"),
    ]
    assert not any("column" in name for one in found for name in one)


def test_buttons_where_an_app_hears_of_them(scene: Scene) -> None:
    """Three, as GitHub takes them at most, within its lengths, also when the check run changes; else none."""
    wishes = replace(CHECK_ALONE, buttons=True)
    target = scene.open(flagged_by_budget())
    scene.publish(flagged_by_budget(), target, wishes)
    scene.publish(not_flagged(), target, wishes)
    made, changed = (call.body["actions"] for call in scene.github.calls if call.template in (CHECK_RUNS, CHECK_RUN))
    assert made == changed == list(BUTTONS)
    assert len(BUTTONS) == 3
    for button in BUTTONS:
        assert len(button["label"]) <= 20
        assert len(button["description"]) <= 40
        assert len(button["identifier"]) <= 20
    scene.publish(flagged_by_budget(), Target("e" * 40))
    assert "actions" not in scene.github.calls[-1].body


@pytest.mark.parametrize(
    ("external_id", "number"),
    [("oversight/7-dd5c5362/0123", 7), ("oversight/partial", None), ("other/7-dd5c5362/0", None), ("", None)],
)
def test_a_check_run_tells_its_pull_request(external_id: str, number: int | None) -> None:
    """By the id that we gave it."""
    assert number_in(external_id) == number


def test_batches(scene: Scene) -> None:
    """GitHub takes 50 annotations at once: the rest are appended, and the run claims to be whole at the end alone."""
    target = Target("e" * 40)
    scene.publish(many(120), target)
    assert [len(call.body["output"]["annotations"]) for call in scene.github.writes] == [50, 50, 20]
    ids = [call.body["external_id"] for call in scene.github.writes]
    assert ids[:2] == ["oversight/partial"] * 2
    assert ids[2] not in ids[:2]
    assert scene.writes() == [("POST", CHECK_RUNS), ("PATCH", CHECK_RUN), ("PATCH", CHECK_RUN)]
    scene.publish(many(120), target)
    assert scene.writes() == []


def test_at_most_250(scene: Scene) -> None:
    """A flood keeps to a number that a page can show, the gravest first."""
    report = crowded(0, 1_000)
    scene.publish(report, Target("e" * 40))
    (found,) = scene.github.world.annotations.values()
    assert len(found) == 250
    assert {one["annotation_level"] for one in found} == {"failure"}
    assert len(scene.github.world.check_runs[0]["output"]["summary"].encode()) <= 65_535


def test_what_was_interrupted_is_finished(scene: Scene) -> None:
    """A run that fails after its first batch is completed by the next, and no annotation is there twice."""
    target, report = Target("e" * 40), many(120)
    scene.github.fail("PATCH", CHECK_RUN, 500, times=9)
    published = scene.publish(report, target)
    assert outcomes(published) == {"check run": Outcome.FAILED}
    scene.github.faults.clear()
    scene.writes()
    published = scene.publish(report, target)
    assert outcomes(published) == {"check run": Outcome.DONE}
    assert scene.writes() == [("PATCH", CHECK_RUN)] * 2
    (found,) = scene.github.world.annotations.values()
    assert len({one["path"] for one in found}) == len(found) == 120


def test_another_report_on_the_same_head(scene: Scene) -> None:
    """A second look at a head changes its check run and adds none; what is annotated already is not sent again."""
    target = Target("e" * 40)
    scene.publish(flagged_by_budget(), target)
    scene.writes()
    report = replace(flagged_by_budget(), flagged_by=(FlaggedBy.BUDGET, FlaggedBy.PRINCIPLE), risk=0.4)
    new = Finding("a/new", Severity.HIGH, "docs/charge.md", 3, "Something else.")
    scene.publish(replace(report, findings=(*report.findings, new)), target, Wishes(gate=True))
    (call,) = scene.github.writes
    assert call.method == "PATCH"
    assert [one["title"] for one in call.body["output"]["annotations"]] == ["a/new"]
    (run,) = scene.github.world.check_runs
    assert run["conclusion"] == "failure"
    assert "Something else" in run["output"]["summary"]


PULL = Target("e" * 40, 7, base="main")


@pytest.mark.parametrize("other", [replace(PULL, number=8), replace(PULL, base="mine"), Target("e" * 40)])
def test_the_same_commit_elsewhere_makes_nothing_green(scene: Scene, other: Target) -> None:
    """Whoever may push can compare a commit with a branch of theirs, or push it twice: the worse verdict stays."""
    for number in (7, 8):
        scene.github.world.pull(number, head_sha="e" * 40)
    scene.publish(flagged_by_budget(), PULL, CHECK_ALONE)
    published = scene.publish(not_flagged(), other, CHECK_ALONE)
    assert outcomes(published) == {"check run": Outcome.SKIPPED}
    (run,) = scene.github.world.check_runs
    assert run["conclusion"] == "neutral"
    assert outcomes(scene.publish(unscored(), other, CHECK_ALONE)) == {"check run": Outcome.DONE}
    assert run["conclusion"] == "failure"


def test_a_pull_request_may_think_better_of_itself(scene: Scene) -> None:
    """As when people cleared its flag; and it knows better than a push of its head did."""
    scene.github.world.pull(7, head_sha="e" * 40)
    for before in (PULL, Target("e" * 40)):
        scene.publish(flagged_by_budget(), before, CHECK_ALONE)
        assert outcomes(scene.publish(not_flagged(), PULL, CHECK_ALONE)) == {"check run": Outcome.DONE}
        assert scene.github.world.check_runs.pop()["conclusion"] == "success"


def test_same_name_of_somebody_else(scene: Scene) -> None:
    """A check run that is called like ours but does not bear our id is left alone."""
    scene.api.post(scene.api.here("check-runs"), {"name": "oversight", "head_sha": "e" * 40, "external_id": "ci"})
    scene.publish(flagged_by_budget(), Target("e" * 40))
    assert [run["external_id"].partition("/")[0] for run in scene.github.world.check_runs] == ["ci", "oversight"]
    assert scene.github.world.check_runs[0]["conclusion"] is None


def test_annotations_that_github_does_not_take(scene: Scene) -> None:
    """A batch that is refused is left out, and the verdict told all the same."""
    scene.github.fail("POST", CHECK_RUNS, 422, message="Invalid request", times=1)
    published = scene.publish(many(120), Target("e" * 40))
    assert outcomes(published) == {"check run": Outcome.DONE}
    assert "70 annotations sent, 50 refused" in published.lines[0]
    (run,) = scene.github.world.check_runs
    assert run["conclusion"] == "neutral"


def test_refused_for_good(scene: Scene) -> None:
    """Where GitHub takes no check run at all, this is a failure that is told."""
    scene.github.fail("POST", CHECK_RUNS, 422, message="Invalid request", times=2)
    published = scene.publish(not_flagged(), Target("e" * 40))
    assert outcomes(published) == {"check run": Outcome.FAILED}


def test_hostile(scene: Scene) -> None:
    """A path that GitHub cannot be told has no annotation, and is in the summary."""
    # Of the model the change has no say.
    scene.publish(replace(hostile(), model=flagged_by_budget().model), Target("e" * 40))
    (found,) = scene.github.world.annotations.values()
    assert {one["path"] for one in found} == {"::x", "../../etc/::warning::"}
    assert all(one["message"].isprintable() and one["title"].isprintable() for one in found)


def test_verdicts_find_what_was_shown(scene: Scene) -> None:
    """The check run says in a hidden mark what people saw, and since when."""
    report = flagged_by_budget()
    scene.publish(report, Target("e" * 40), CHECK_ALONE)
    (run,) = scene.github.world.check_runs
    (shown,) = read_shown(dated(run["output"]["text"], run["completed_at"]))
    assert (shown.head, shown.flagged, shown.risk) == ("e" * 40, True, report.risk)


def test_status_of_the_report_is_what_counts(scene: Scene) -> None:
    """What could not be scored is red on GitHub, and says why."""
    scene.publish(replace(unscored(), status=Status.ERROR), Target("e" * 40))
    (run,) = scene.github.world.check_runs
    assert run["conclusion"] == "failure"
    assert run["output"]["title"] == "Error: treat the change as unread"
    assert "none of the changed files could be read" in run["output"]["summary"]


@pytest.mark.parametrize(("app", "made"), [("12345", {"id": 15368}), ("Iv1.abcdef", {"id": 7, "client_id": "Iv1.x"})])
def test_a_check_run_of_another_app_is_not_ours(scene: Scene, app: str, made: dict[str, object]) -> None:
    """A workflow that makes one with our name and id, all green, neither stands for ours nor is changed."""
    target = scene.open(flagged_by_budget())
    wishes = replace(CHECK_ALONE, app=app)
    scene.publish(flagged_by_budget(), target, wishes)
    (ours,) = scene.github.world.check_runs
    ours["app"] = made
    scene.publish(flagged_by_budget(), target, wishes)
    theirs, own = scene.github.world.check_runs
    assert theirs is ours
    own["app"] = {"id": int(app)} if app.isdecimal() else {"id": 9, "client_id": app}
    scene.writes()
    scene.publish(flagged_by_budget(), target, wishes)
    assert scene.writes() == []
