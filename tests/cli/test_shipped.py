"""The shipped model, as somebody has it right after installing."""

from __future__ import annotations

from oversight.students.runtime import load_named
from tests.builders import GitRepository, file_diff
from tests.cli.conftest import Oversight


def test_a_review_needs_no_options(oversight: Oversight, repository: GitRepository):
    """Without --model the shipped one speaks, and the report names it by its sha256."""
    report = oversight("review", "--repo", repository.path, "--format", "json", shipped=True).json
    assert report["status"] == "scored"
    assert report["model"]["sha256"] == load_named("default").info.sha256
    named = oversight("review", "--repo", repository.path, "--format", "json", "--model", "default", shipped=True).json
    assert named == report


def test_a_bare_diff_needs_no_options_either(oversight: Oversight):
    """The shipped model has a reference for changes without a history."""
    diff = file_diff("a.py", ["x = 1"], ["x = 2"]).encode()
    report = oversight("review", "--diff", "-", "--format", "json", stdin=diff, shipped=True).json
    assert (report["status"], report["coverage"]["context"]) == ("scored", "none")
    assert 0 < report["risk"] < 1
    assert 0 <= report["percentile"] <= 100


def test_the_doctor_is_content(oversight: Oversight):
    """Everything that a review needs is there."""
    assert oversight("doctor", shipped=True).code == 0
