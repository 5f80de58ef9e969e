"""What a report has to say, said once, and without what people dismissed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from oversight.reports.fingerprint import Fingerprints
from oversight.reports.model import Finding, FlaggedBy, RiskReport
from oversight.reviewers.model import Severity
from oversight_github.publish import after_dismissals
from oversight_github.publish.remarks import remarks
from tests.reports.examples import (
    change,
    error,
    file,
    flagged_by_budget,
    flagged_by_principle,
    hunk,
    not_flagged,
    unscored,
)  # fmt: skip
from tests.reports.strategies import hostile

SAME = ("x = 1", "y = 2")
FILE = file("a.py", hunk(10, SAME), hunk(50, SAME))


def found(*lines: int, message: str = "Said.", severity: Severity = Severity.HIGH) -> tuple[Finding, ...]:
    return tuple(Finding("a/b", severity, "a.py", line, message) for line in lines)


def report(*findings: Finding) -> RiskReport:
    return replace(flagged_by_principle(), change=change(FILE), hunks=(), findings=findings)


def ids(one: RiskReport) -> list[str]:
    return [remark.id for remark in remarks(one).all]


def test_once_a_hunk() -> None:
    """What is said of several lines of one hunk is one remark; equal hunks have one each, told apart."""
    said = remarks(report(*found(10, 11, 50, 51)))
    assert [(remark.start, remark.end) for remark in said.all] == [(10, 11), (50, 51)]
    assert len({remark.id for remark in said.all}) == 2
    assert len(said.present) == 4


def test_other_words_are_another_remark() -> None:
    """A principle that says something else of the same lines says it apart."""
    said = remarks(report(*found(10), *found(10, message="Else.")))
    assert [remark.said for remark in said.all] == [("Said.",), ("Else.",)]


def test_fingerprints_are_those_of_the_report() -> None:
    """Remarks bear the fingerprints that SARIF has for the same findings."""
    one = flagged_by_budget()
    marks = Fingerprints(one.change)
    assert [remark.id for remark in remarks(one).all][:2] == [marks.of_finding(finding) for finding in one.findings]


def test_the_gravest_first() -> None:
    """Findings come by severity, then hunks by the order of reading."""
    one = report(*found(10, severity=Severity.LOW), *found(50, severity=Severity.CRITICAL))
    assert [remark.severity for remark in remarks(one).all] == [Severity.CRITICAL, Severity.LOW]


def test_hunks_are_said_for_the_budget_alone() -> None:
    """Where a principle alone flags, the hunks' risks are no remarks."""
    one = replace(flagged_by_budget(), flagged_by=(FlaggedBy.PRINCIPLE,))
    assert not any(remark.of_hunk for remark in remarks(one).all)
    assert remarks(one).hunks == frozenset()


def test_dismissed_together() -> None:
    """What is said together is dismissed together, by any of its fingerprints; the rest stays."""
    one = report(*found(10, 11, 50))
    first, _ = ids(one)
    said = remarks(one, {first})
    assert [remark.start for remark in said.all] == [50]
    assert [finding.line for finding in said.shown.findings] == [50]
    assert said.dismissed == 1
    assert said.present == remarks(one).present
    assert said.shown.flagged


def test_dismissed_hunks() -> None:
    """A hunk that was dismissed is not said again, and no other takes its place."""
    one = flagged_by_budget()
    hunks = [remark for remark in remarks(one).all if remark.of_hunk]
    said = remarks(one, {hunks[0].id})
    assert [remark for remark in said.all if remark.of_hunk] == hunks[1:]
    assert len(said.shown.hunks) == len(one.hunks) - 1


def test_after_dismissals() -> None:
    """A principle's flag falls with the last of its grave findings, and with nothing less."""
    one = report(*found(10, 50), *found(10, message="Low.", severity=Severity.LOW))
    first, second, low = ids(one)
    assert after_dismissals(one, {}) is after_dismissals(one, {first, low}) is one
    cleared = after_dismissals(one, {first, second})
    assert (cleared.flagged, cleared.flagged_by) == (False, ())
    assert cleared.findings == one.findings
    assert after_dismissals(cleared, {first, second}) == cleared


def test_what_no_dismissal_clears() -> None:
    """The budget's flag, and that of a change without a risk, are not a principle's to clear."""
    both = replace(flagged_by_budget(), flagged_by=(FlaggedBy.BUDGET, FlaggedBy.PRINCIPLE))
    both = replace(both, findings=(replace(both.findings[0], severity=Severity.HIGH),))
    assert after_dismissals(both, remarks(both).present).flagged_by == (FlaggedBy.BUDGET,)
    for one in (error(), unscored(), flagged_by_budget(), not_flagged()):
        assert after_dismissals(one, remarks(one).present).flagged == one.flagged


@given(hostile, hostile)
def test_no_text_dismisses(path: str, message: str) -> None:
    """Whatever a change says, what it is not dismissed for is said."""
    one = replace(
        report(Finding("a/b", Severity.HIGH, path, None, message)), change=change(file(path, hunk(3, ("x",))))
    )
    (remark,) = remarks(one, {message, path, "*", ""}).all
    assert remark.path == path
