"""Inline comments: said once, where GitHub takes them, for as long as the finding is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oversight.changes.diff import render
from oversight.changes.model import FileChange
from oversight.reports.model import Finding, FlaggedBy, HunkRisk, RiskReport, Skipped
from oversight.reviewers.model import Severity
from oversight_github.markers import State, read_finding, read_summary
from oversight_github.publish import Outcome, Wishes
from tests.github.publish.scene import INLINE, INLINE_ALONE, INLINE_ONE, PULL, REVIEWS, Scene, outcomes
from tests.reports.examples import change, file, flagged_by_budget, flagged_by_principle, hunk, unscored

GRAPHQL = ("POST", "/graphql")
WITH_SUMMARY = Wishes(inline=True, check_run=False)


def findings(*places: tuple[str, int | None], files: Sequence[FileChange] = ()) -> RiskReport:
    """A change that a principle flags at these places, one file for each path, a hunk for each line."""
    lines: dict[str, list[int]] = {}
    for path, line in places:
        lines.setdefault(path, []).extend([] if line is None else [line])
    made = files or [file(path, *(hunk(n, (f"{path} {n}",)) for n in sorted(ns))) for path, ns in lines.items()]
    return replace(
        flagged_by_principle(),
        change=change(*made),
        hunks=(),
        findings=tuple(Finding("a/b", Severity.HIGH, path, line, f"Look at {path}.") for path, line in places),
    )


TWO = findings(("a.py", 10), ("b.py", 20))


def test_one_review(scene: Scene) -> None:
    """All comments on lines come in one review; the same report again writes nothing."""
    target = scene.open(TWO)
    scene.publish(TWO, target, INLINE_ALONE)
    assert scene.writes() == [("POST", REVIEWS)]
    assert [(one["path"], one["line"]) for one in scene.inline] == [("a.py", 10), ("b.py", 20)]
    assert all("/oversight dismiss <reason>" in one["body"] for one in scene.inline)
    published = scene.publish(TWO, target, INLINE_ALONE)
    assert outcomes(published) == {"inline comments": Outcome.UNCHANGED}
    assert scene.writes() == []


def test_several_lines(scene: Scene) -> None:
    """What a principle says of several lines of a hunk is said once, and spans them; so does a hunk."""
    report = flagged_by_budget()
    (path, *_) = (one.path for one in report.change.files)
    twice = tuple(Finding("a/b", Severity.HIGH, path, line, "Twice.") for line in (42, 43))
    scene.publish(replace(report, findings=twice), scene.open(report), INLINE_ALONE)
    first, other = scene.inline
    assert (first["start_line"], first["line"]) == (42, 43)
    assert other["body"].count("**Worth reading first**") == 1


def test_hunks_that_get_none(scene: Scene) -> None:
    """Hunks far below the riskiest get no comment, nor those that a finding points at, nor more than five."""
    files = tuple(file(f"{n}.py", hunk(10, (f"{n}",))) for n in range(9))
    risks = (0.8, 0.7, 0.79, 0.6, 0.5, 0.41, 0.3, 0.01, None)
    report = replace(
        flagged_by_budget(),
        change=change(*files),
        hunks=tuple(HunkRisk(one.path, 10, 10, risk, ()) for one, risk in zip(files, risks, strict=True)),
        findings=(Finding("a/b", Severity.LOW, "2.py", 10, "Low."),),
    )
    scene.publish(report, scene.open(report), INLINE_ALONE)
    assert [one["path"] for one in scene.inline] == ["2.py", "0.py", "1.py", "3.py", "4.py"]


def test_hunks_make_room_for_others(scene: Scene) -> None:
    """At most five hunks are commented on at a time: a sixth waits until one of them is settled."""
    files = tuple(file(f"{n}.py", hunk(10, (f"{n}",))) for n in range(8))
    report = replace(
        flagged_by_budget(),
        change=change(*files),
        hunks=tuple(HunkRisk(one.path, 10, 10, 0.5, ()) for one in files),
        findings=(),
    )
    scene.publish(report, scene.open(report), INLINE_ALONE)
    scene.publish(*scene.push(replace(report, hunks=report.hunks[::-1])), INLINE_ALONE)
    assert [one["path"] for one in scene.inline] == ["0.py", "1.py", "2.py", "3.py", "4.py"]
    scene.publish(*scene.push(replace(report, hunks=report.hunks[3:])), INLINE_ALONE)
    assert [one["path"] for one in scene.inline][5:] == ["5.py", "6.py", "7.py"]


def test_at_most_thirty(scene: Scene) -> None:
    """Thirty comments stand open at most, the gravest first; room is made as they are settled."""
    places = [(f"{n:02}.py", 10) for n in range(50)]
    report = findings(*places)
    grave = replace(report.findings[-1], severity=Severity.CRITICAL)
    report = replace(report, findings=(*report.findings[:-1], grave))
    scene.publish(report, scene.open(report), INLINE_ALONE)
    assert len(scene.inline) == 30
    assert scene.inline[0]["path"] == "49.py"
    fewer = replace(report, findings=tuple(one for one in report.findings if one.path >= "10.py"))
    scene.publish(*scene.push(fewer), INLINE_ALONE)
    assert len(scene.inline) == 40


def test_quiet(scene: Scene) -> None:
    """Findings of a change that nothing flags are in the check run, and bother nobody."""
    report = replace(TWO, flagged=False, flagged_by=())
    scene.publish(report, scene.open(report), INLINE_ALONE)
    assert scene.writes() == []


def test_what_another_job_says_at_the_same_time_is_not_said_again(scene: Scene) -> None:
    """Two jobs on one head, as of a push and of a comment that asks for a review: who is second looks right before."""
    target = scene.open(TWO)
    scene.publish(TWO, target, INLINE_ALONE)
    quicker = [(one["body"], one["path"], one["line"]) for one in scene.inline]
    scene.inline.clear()
    scene.threads.clear()
    scene.writes()

    def other() -> None:
        for body, path, line in quicker[:1]:
            scene.github.world.review_comment(scene.number, body, path=path, line=line)

    scene.meanwhile("GET", PULL, lambda: scene.meanwhile("GET", PULL, other))
    published = scene.publish(TWO, target, INLINE_ALONE)
    assert [(one["path"], one["line"]) for one in scene.inline] == [("a.py", 10), ("b.py", 20)]
    assert "1 posted" in published.lines[0]
    assert scene.writes() == [("POST", REVIEWS)]


def test_moved_lines(scene: Scene) -> None:
    """A push that moves a finding makes no new comment."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    moved = findings(
        ("a.py", 14), ("b.py", 20), files=[file("a.py", hunk(3, ("new",)), hunk(14, ("a.py 10",))), TWO.change.files[1]]
    )
    scene.writes()
    scene.publish(*scene.push(moved), INLINE_ALONE)
    assert scene.writes() == []


def test_lines_that_github_does_not_show(scene: Scene) -> None:
    """A line that is not in GitHub's diff costs no other comment: each is posted alone, and that one on its file."""
    theirs = [TWO.change.files[0], file("b.py", hunk(70, ("other",)))]
    target = scene.open(TWO, diff=render(theirs))
    published = scene.publish(TWO, target, INLINE_ALONE)
    assert scene.writes() == [("POST", REVIEWS), *[("POST", INLINE)] * 3]
    assert [(one["path"], one.get("line"), one["subject_type"]) for one in scene.inline] == [
        ("a.py", 10, "line"),
        ("b.py", None, "file"),
    ]
    assert "2 posted" in published.lines[0]
    scene.publish(TWO, target, INLINE_ALONE)
    assert scene.writes() == []


def test_files_that_github_does_not_show(scene: Scene) -> None:
    """What GitHub takes nowhere is in the summary; it is not tried again on the same head, but on the next one."""
    target = scene.open(TWO, diff=render(TWO.change.files[:1]))
    published = scene.publish(TWO, target, WITH_SUMMARY)
    assert "1 posted" in published.lines[0]
    body = scene.comments[0]["body"]
    assert "GitHub takes no comment at `b.py:20`" in body
    assert len(read_summary(body).unplaced) == 1  # type: ignore[union-attr]
    scene.writes()
    scene.publish(TWO, target, WITH_SUMMARY)
    assert scene.writes() == []
    scene.publish(*scene.push(TWO), WITH_SUMMARY)
    assert [one["path"] for one in scene.inline] == ["a.py", "b.py"]
    assert "GitHub takes no comment" not in scene.comments[0]["body"]


def test_findings_about_files(scene: Scene) -> None:
    """A finding about no line is a comment on its file; one about no file is in the summary alone."""
    report = findings(("a.py", None), ("", None), files=[file("a.py", hunk(3, ("x",)))])
    scene.publish(report, scene.open(report), WITH_SUMMARY)
    (one,) = scene.inline
    assert one["subject_type"] == "file"
    assert "the whole change" in scene.comments[0]["body"]
    assert "GitHub takes no comment" not in scene.comments[0]["body"]


def test_settled(scene: Scene) -> None:
    """What has gone is said to be settled, and its thread resolved; the next run writes nothing."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    scene.writes()
    report, target = scene.push(findings(("a.py", 10)))
    scene.publish(report, target, INLINE_ALONE)
    assert scene.writes() == [("PATCH", INLINE_ONE), GRAPHQL]
    assert [thread["resolved_by"] for thread in scene.threads] == [None, scene.github.world.viewer]
    assert f"**Settled**: the review of `{target.head[:12]}` does not bring it up any more." in scene.inline[1]["body"]
    assert "Look at b.py." in scene.inline[1]["body"]
    scene.publish(report, target, INLINE_ALONE)
    assert scene.writes() == []


def test_a_token_that_may_not_resolve(scene: Scene) -> None:
    """An Action's token that may not write contents cannot resolve threads: the comment says it."""
    scene.github.world.resolves = False
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    scene.writes()
    report, target = scene.push(findings(("a.py", 10)))
    published = scene.publish(report, target, INLINE_ALONE)
    assert scene.writes() == [("PATCH", INLINE_ONE)]
    assert "1 thread not resolved, which takes contents: write" in published.lines[0]
    assert "**Settled**" in scene.inline[1]["body"]
    scene.publish(report, target, INLINE_ALONE)
    assert scene.writes() == []


def test_a_token_that_says_it_may_resolve(scene: Scene) -> None:
    """A thread that GitHub then refuses to resolve stops no other comment from being settled or posted."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    report, target = scene.push(findings(("c.py", 5)))
    scene.meanwhile("PATCH", INLINE_ONE, lambda: setattr(scene.github.world, "resolves", False))
    published = scene.publish(report, target, INLINE_ALONE)
    assert "1 posted, 2 settled, 0 threads resolved, 2 threads not resolved" in published.lines[0]


def test_resolving_is_made_up_for(scene: Scene) -> None:
    """A thread that a run had no time to resolve is resolved by the next."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    report, target = scene.push(findings(("a.py", 10)))
    scene.github.world.resolves = False
    scene.publish(report, target, INLINE_ALONE)
    scene.github.world.resolves = True
    scene.publish(report, target, INLINE_ALONE)
    assert scene.threads[1]["resolved_by"] == scene.github.world.viewer


def test_people_in_a_thread(scene: Scene) -> None:
    """A thread that a person answered is theirs to resolve; one that a bot answered is not."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    for comment, login in zip(list(scene.inline), ("ann", "other[bot]"), strict=True):
        scene.github.world.review_comment(scene.number, "Why?", login=login, reply_to=comment["id"])
    report, target = scene.push(replace(TWO, findings=()))
    scene.publish(report, target, INLINE_ALONE)
    assert [thread["resolved_by"] for thread in scene.threads] == [None, scene.github.world.viewer]
    assert all("**Settled**" in thread["comments"][0]["body"] for thread in scene.threads)


def test_a_thread_too_long_to_read(scene: Scene) -> None:
    """A thread of more comments than are read has people in it."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    for number in range(120):
        scene.github.world.review_comment(
            scene.number, f"{number}", login="b[bot]", reply_to=scene.threads[0]["comments"][0]["id"]
        )
    scene.publish(*scene.push(replace(TWO, findings=())), INLINE_ALONE)
    assert [thread["resolved_by"] is None for thread in scene.threads] == [True, False]


def test_an_incremental_review_closes_nothing(scene: Scene) -> None:
    """A report on a part of the change cannot tell that a finding has gone."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    scene.writes()
    report, target = scene.push(findings(("c.py", 5)))
    scene.publish(report, replace(target, whole=False), INLINE_ALONE)
    assert scene.writes() == [("POST", REVIEWS)]
    assert all(thread["resolved_by"] is None for thread in scene.threads)


def test_a_review_that_failed_closes_nothing(scene: Scene) -> None:
    """Neither can one without a risk, nor one that has not seen the file."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    scene.writes()
    scene.publish(*scene.push(unscored()), INLINE_ALONE)
    blind = replace(findings(("a.py", 10)), coverage=replace(TWO.coverage, skipped=(Skipped("b.py", "too large"),)))
    scene.publish(*scene.push(blind), INLINE_ALONE)
    assert scene.writes() == []


def test_the_budget_lets_go(scene: Scene) -> None:
    """A hunk's comment is settled when the budget asks for no reader any more."""
    report = flagged_by_budget()
    scene.publish(replace(report, findings=()), scene.open(report), INLINE_ALONE)
    calm = replace(report, flagged=False, flagged_by=(), findings=())
    scene.publish(*scene.push(calm), INLINE_ALONE)
    assert all(thread["resolved_by"] for thread in scene.threads)


def test_what_a_person_resolved(scene: Scene) -> None:
    """What a person resolved is not said again, though it is still there."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    scene.threads[0]["resolved_by"] = "ann"
    scene.writes()
    scene.publish(*scene.push(TWO), INLINE_ALONE)
    assert scene.writes() == []


def test_what_comes_back(scene: Scene) -> None:
    """What we called settled is said again when it comes back."""
    scene.publish(TWO, scene.open(TWO), INLINE_ALONE)
    scene.publish(*scene.push(findings(("a.py", 10))), INLINE_ALONE)
    scene.publish(*scene.push(TWO, "e" * 40), INLINE_ALONE)
    assert [one["path"] for one in scene.inline] == ["a.py", "b.py", "b.py"]
    marks = [read_finding(one["body"]) for one in scene.inline]
    assert [mark.state for mark in marks if mark is not None] == [State.OPEN, State.SETTLED, State.OPEN]


def test_dismissed(scene: Scene) -> None:
    """What people dismissed is settled where it was said, not said again, and counted in the summary."""
    target = scene.open(TWO)
    scene.publish(TWO, target, WITH_SUMMARY)
    mark = read_finding(scene.inline[0]["body"])
    assert mark is not None
    dismissed = {mark.id: "generated"}
    scene.publish(TWO, target, WITH_SUMMARY, dismissed)
    assert "**Settled**: a person dismissed it." in scene.inline[0]["body"]
    assert scene.threads[0]["resolved_by"] == scene.github.world.viewer
    assert "Not listed: 1 finding that people dismissed." in scene.comments[0]["body"]
    assert "Look at a.py." not in scene.comments[0]["body"]
    scene.writes()
    scene.publish(TWO, target, WITH_SUMMARY, dismissed)
    assert scene.writes() == []


def test_dismissed_before_it_was_said(scene: Scene) -> None:
    """A finding that was dismissed elsewhere is never posted."""
    target = scene.open(TWO)
    scene.publish(TWO, target, INLINE_ALONE)
    ids = [read_finding(one["body"]).id for one in scene.inline]  # type: ignore[union-attr]
    for things in (scene.inline, scene.threads):
        things.clear()
    scene.publish(TWO, target, INLINE_ALONE, dict.fromkeys(ids, "no"))
    assert scene.inline == []


def test_somebody_else_copies_the_mark(scene: Scene) -> None:
    """A thread that somebody else began with our mark keeps no finding from being said, and is not touched."""
    target = scene.open(TWO)
    scene.publish(TWO, target, INLINE_ALONE)
    bodies = [one["body"] for one in scene.inline]
    for things in (scene.inline, scene.threads):
        things.clear()
    for body in bodies:
        scene.github.world.review_comment(scene.number, body, login="mallory", path="a.py", line=10)
    scene.publish(TWO, target, INLINE_ALONE)
    assert [one["user"]["login"] for one in scene.inline] == ["mallory"] * 2 + ["github-actions[bot]"] * 2
    scene.publish(*scene.push(replace(TWO, findings=())), INLINE_ALONE)
    assert [one["body"] for one in scene.inline[:2]] == bodies


def test_many_threads(scene: Scene) -> None:
    """Threads beyond the first page count, too."""
    target = scene.open(TWO)
    for number in range(70):
        scene.github.world.review_comment(scene.number, f"{number}", login="ann", path="a.py", line=10)
    scene.publish(TWO, target, INLINE_ALONE)
    scene.writes()
    scene.publish(TWO, target, INLINE_ALONE)
    assert scene.writes() == []


def test_two_reviews_of_one_pull_request(scene: Scene) -> None:
    """A review does not settle what one of another name has found."""
    scene.publish(TWO, scene.open(TWO), replace(INLINE_ALONE, name="api"))
    scene.writes()
    scene.publish(*scene.push(replace(TWO, findings=())), replace(INLINE_ALONE, name="web"))
    assert scene.writes() == []


def test_both_grounds(scene: Scene) -> None:
    """A change that is flagged twice over has its findings before its hunks."""
    report = replace(flagged_by_budget(), flagged_by=(FlaggedBy.BUDGET, FlaggedBy.PRINCIPLE))
    scene.publish(report, scene.open(report), INLINE_ALONE)
    assert ["**Worth reading first**" in one["body"] for one in scene.inline] == [False, True, False]
    assert scene.inline[-1]["subject_type"] == "file"
