"""The main job: a revision or a diff becomes a report."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from oversight import assessment, neighbours
from oversight.changes.repository import Repository
from oversight.config import Paths, Settings
from oversight.errors import ModelError
from oversight.history.index import Index
from oversight.history.schema import cache_directory
from oversight.reports.model import RiskReport, Status
from oversight.review import Reviewer
from oversight.reviewers.principles import Principles
from oversight.students.runtime import load
from tests.builders import GitRepository, file_diff


@pytest.fixture
def reviewer(model: Path) -> Reviewer:
    return Reviewer(load(model), Principles(), Settings())


def test_nothing_is_reviewed_by_a_model_in_the_shadow(shadow: Path):
    """Whoever reviews, in a terminal, the Action or the server; measurements that nobody acts on may ask it."""
    with pytest.raises(ModelError, match="in the shadow"):
        Reviewer(load(shadow), Principles(), Settings())
    report = Reviewer(load(shadow), Principles(), Settings(), measuring=True).diff(
        file_diff("a.c", ["x"], ["y"]).encode()
    )
    assert report.status is Status.SCORED


def test_a_hunk_has_its_own_risk_and_reasons(reviewer: Reviewer):
    """Each hunk is placed, scored and given a reason in words."""
    before = ["int f(char *p)", "{", "  if (!p)", "    return 0;", "  return *p;", "}"]
    report = reviewer.diff(file_diff("src/f.c", before, [*before[:2], *before[4:]]).encode())
    (hunk,) = report.hunks
    assert (hunk.path, report.status) == ("src/f.c", Status.SCORED)
    assert hunk.risk is not None
    assert any("removes a condition" in reason for reason in hunk.reasons)


@pytest.mark.parametrize("path", ["a.pl", "a.lua", "a.xyz", "Makefile"])
def test_a_language_without_a_grammar_is_scored_from_its_text(reviewer: Reviewer, path: str):
    """And no keyword is taken for the name of what surrounds a hunk."""
    report = reviewer.diff(file_diff(path, ["x"], ["if x then", "y"], section="function (a, b)").encode())
    assert report.status is Status.SCORED
    assert report.hunks[0].risk is not None
    assert not any("in `function`" in reason or "in function" in reason for reason in report.hunks[0].reasons)
    assert report.hunks[0].reasons == ("changes 2 lines",)


def test_files_that_settings_leave_out_are_in_the_receipt_and_their_past_counts(model: Path, tmp_path: Path):
    """What is not judged is named; the measures of the past stay those of the whole change."""
    repository = GitRepository.create(tmp_path / "project")
    repository.commit("Start", {"a.py": "x = 1\n", "gen/b.py": "y = 1\n"})
    repository.commit("Both", {"a.py": "x = 2\n", "gen/b.py": "eval(y)\n"})
    reports = []
    for paths in (Paths(), Paths(exclude=("gen",))):
        reviewer = Reviewer(load(model), Principles(), Settings(paths=paths))
        with Repository.open(repository.path) as opened, Index.open(opened) as index:
            reports.append(reviewer.revision(opened, opened.span("HEAD"), index))
    whole, part = reports
    assert [entry.path for entry in part.coverage.skipped] == ["gen/b.py"]
    assert (part.coverage.files_total, part.coverage.files_scored) == (2, 1)
    assert {hunk.path for hunk in part.hunks} == {"a.py"}
    assert {finding.path for finding in whole.findings} > {finding.path for finding in part.findings}
    assert [hunk.risk for hunk in part.hunks] == [hunk.risk for hunk in whole.hunks if hunk.path == "a.py"]


def test_nothing_but_binary_files_and_submodules_is_still_placed(reviewer: Reviewer):
    """A change without lines has a risk from what it touches, and the receipt says why nothing was read."""
    diff = b"diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n"
    report = reviewer.diff(diff)
    assert report.status is Status.SCORED
    assert (report.coverage.files_total, report.coverage.files_scored) == (1, 0)
    assert "binary" in report.coverage.skipped[0].reason


def test_the_same_change_gives_the_same_report(reviewer: Reviewer):
    """Nothing in a report depends on when or where it was made."""
    diff = file_diff("a.py", ["x = 1"], ["if x:", "    y()"]).encode()
    assert reviewer.diff(diff) == reviewer.diff(diff)


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A history in which a handful of neighbours is enough: from the tenth commit on there is a scale of its own."""
    for module, name, value in (
        (assessment, "ENOUGH", 5), (neighbours, "ENOUGH", 5), (neighbours, "RECENT", 6), (neighbours, "BLOCK", 5),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    repository = GitRepository.create(tmp_path / "project")
    for number in range(14):
        body = "".join(f"    if x > {n}:\n        return {n}\n" for n in range(number % 5))
        repository.commit(f"Step {number}", {f"m{number % 3}.py": f"def step{number}(x):\n{body}    return x\n"})
    return repository


def review_of(reviewer: Reviewer, repository: GitRepository, revision: str = "HEAD") -> RiskReport:
    with Repository.open(repository.path) as opened, Index.open(opened) as index:
        return reviewer.revision(opened, opened.span(revision), index)


def test_a_report_says_whose_scale_and_whose_risks_a_change_was_placed_among(reviewer: Reviewer, grown: GitRepository):
    """The repository's own once there are enough of them, the model's until then; the scale waits for its anchor."""
    sources = []
    for place in (4, 5, 9):
        notes = review_of(reviewer, grown, grown.commits[place]).notes
        scale = any("measured against the changes before it" in note for note in notes)
        assert scale != any("measured against those that the model learned from" in note for note in notes)
        sources.append((scale, any("this repository's 5 changes" in note for note in notes)))
        sources.append((scale, any("reference quantiles" in note for note in notes)))
    assert sources == [(False, False), (False, True), (True, True), (True, False), (True, False), (True, False)]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE readings SET profile = zeroblob(3)",
        "UPDATE readings SET profile = 'text'",
        "UPDATE readings SET pooled = 'text'",
        "UPDATE readings SET pooled = 9e999",
        "DELETE FROM readings WHERE rowid % 2",
        "DROP TABLE readings",
    ],
)
def test_what_is_damaged_in_the_cache_is_read_again(reviewer: Reviewer, grown: GitRepository, damage: str):
    """A cache costs time when it is lost and never changes a report."""
    expected = review_of(reviewer, grown)
    with Repository.open(grown.path) as opened:
        path = cache_directory() / f"{opened.key}.sqlite3"
    with sqlite3.connect(path) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM readings").fetchone()
        connection.execute(damage)
    connection.close()
    assert kept == 13
    assert review_of(reviewer, grown) == expected


def test_a_change_does_not_move_its_own_scale(reviewer: Reviewer, grown: GitRepository):
    """However large a change is, what is read and placed before it is the same, and so is the next one of a twin."""
    grown.branch("twin", "HEAD")
    reports = []
    for branch, lines in (("main", 1), ("twin", 3_000)):
        grown.switch(branch)
        grown.commit("Next", {"m0.py": "x = 1\n" * lines})
        with Repository.open(grown.path) as opened, Index.open(opened) as index:
            span = opened.span("HEAD")
            found = reviewer._neighbours(opened, span, index, lambda *_: None)
            reports.append((found, reviewer.revision(opened, span, index)))
    (one, small), (other, large) = reports
    scales = [neighbours.scale_of(found.before, reviewer.model) for found in (one, other)]
    assert scales[0] is not None
    assert scales[1] is not None
    assert scales[0].tobytes() == scales[1].tobytes()
    assert small.risk != large.risk
