"""Reports to show: one for each state that a face has to do justice to. All text in them is made up here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from oversight.changes.model import (
    Change,
    FileChange,
    FileStatus,
    Hunk,
    Line,
    LineKind,
    Provenance,
    ProvenanceKind,
)
from oversight.history.model import Completeness
from oversight.reports.model import (
    Coverage,
    Finding,
    FlaggedBy,
    HunkRisk,
    ModelInfo,
    RiskReport,
    Skipped,
    Status,
)
from oversight.reviewers.model import Severity

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07 @everyone closes #1 GH-2 octo/repo#3 <img src=x onerror=alert(1)> "
    "[ok](https://evil.example) "
    "![p](http://evil.example/p.png) `x` ``` | a | b |\r\n::error file=a::owned\n##[error]owned "
    "\u202eevil\u2066 \u200bzero\ufeff \udcff\ud800 www.evil.example ann@evil.example <!-- --> </details> &lt; {0} "
    "\\ \x9b31m"
)


def hunk(start: int, added: tuple[str, ...], deleted: tuple[str, ...] = ()) -> Hunk:
    """A hunk that replaces `deleted` by `added` at line `start` of both sides, after one line of context."""
    lines = [Line(LineKind.CONTEXT, start - 1, start - 1, "before")]
    lines += [Line(LineKind.DELETED, start + n, None, text) for n, text in enumerate(deleted)]
    lines += [Line(LineKind.ADDED, None, start + n, text) for n, text in enumerate(added)]
    return Hunk(start - 1, start - 1, "def charge():", tuple(lines))


def file(path: str, *hunks: Hunk, status: FileStatus = FileStatus.MODIFIED, **fields: object) -> FileChange:
    """A modified file."""
    return replace(FileChange(path, path, status, None, tuple(hunks)), **fields)  # type: ignore[arg-type]


def change(*files: FileChange, title: str = "Retry the charge when the gateway times out") -> Change:
    """A commit of a person."""
    return Change(
        id="3f9c1d2a7b10" + "0" * 28,
        repository="acme/shop",
        base="1" * 40,
        head="3f9c1d2a7b10" + "0" * 28,
        author="Ada Lovelace <ada@shop.example>",
        provenance=Provenance(ProvenanceKind.HUMAN),
        authored_at=datetime(2024, 5, 1, 12, 30, tzinfo=UTC),
        title=title,
        body="",
        files=files,
    )


def flagged_by_budget() -> RiskReport:
    """A risky change with everything known."""
    files = (
        file(
            "src/payments/charge.py", hunk(42, ("    retry()", "    charge()"), ("    charge()",)), hunk(90, ("done",))
        ),
        file("src/payments/refund with blank.py", hunk(7, ("x = 1",))),
        file("docs/charge.md", hunk(3, ("Charges are retried.",))),
    )
    made = change(*files)
    risks = (0.62, 0.04, 0.31, 0.0007)
    reasons = (
        ("in `charge`: a call is repeated inside an exception handler", "the file was repaired 7 times in a year"),
        (),
        ("its author has not touched this folder before",),
        ("only comments change",),
    )
    places = [(f.path, *h.span) for f in files for h in f.hunks]
    return RiskReport(
        id=made.id,
        change=made,
        status=Status.SCORED,
        risk=0.314,
        percentile=96.7,
        flagged=True,
        flagged_by=(FlaggedBy.BUDGET,),
        budget=10.0,
        hunks=tuple(HunkRisk(*place, risk, why) for place, risk, why in zip(places, risks, reasons, strict=True)),
        findings=(
            Finding("errors/swallowed", Severity.MEDIUM, files[0].path, 43, "An exception is caught and dropped."),
            Finding("size/large-function", Severity.LOW, files[0].path, None, "A function grows past 80 lines."),
        ),
        coverage=Coverage(4, 3, 7, 6, Completeness.FULL, (Skipped("assets/logo.png", "binary: no lines to read"),)),
        model=ModelInfo("oversight-base", "0.1.0", "0123456789abcdef" * 4),
        notes=("The percentile is taken among this repository's 500 changes before this one.",),
    )


def flagged_by_principle() -> RiskReport:
    """A change of low risk that loses its tests: a rule calls for a reader, the number stays what it is."""
    report = flagged_by_budget()
    tests = file("tests/test_charge.py", hunk(12, (), ("    assert charged == 1", "    assert not errors")))
    findings = (
        Finding("tests/assertions-lost", Severity.HIGH, "tests/test_charge.py", 12, "A test loses assertions."),
        Finding("tests/assertions-lost", Severity.HIGH, "tests/test_charge.py", 31, "A test loses assertions."),
        Finding("secrets/private-key", Severity.CRITICAL, "deploy/key.pem", None, "A private key is added."),
    )
    return replace(
        report,
        change=change(tests, title="Tidy the tests"),
        risk=0.0213,
        percentile=38.4,
        flagged_by=(FlaggedBy.PRINCIPLE,),
        hunks=(HunkRisk("tests/test_charge.py", 12, 12, 0.0213, ("two assertions are removed",)),),
        findings=findings,
        coverage=Coverage(1, 1, 2, 2, Completeness.FULL, ()),
    )


def not_flagged() -> RiskReport:
    """A change that nobody need read."""
    report = flagged_by_budget()
    return replace(
        report,
        risk=0.0004,
        percentile=12.0,
        flagged=False,
        flagged_by=(),
        findings=(),
        hunks=tuple(replace(one, risk=0.0004 / (n + 1)) for n, one in enumerate(report.hunks)),
        notes=(),
    )


def partial_context() -> RiskReport:
    """A change of a shallow clone: scored, with the past unknown."""
    report = flagged_by_budget()
    return replace(
        report,
        percentile=99.97,
        coverage=replace(report.coverage, context=Completeness.PARTIAL),
        notes=(
            "The percentile comes from the model's reference quantiles: this history has too few to compare with.",
            "History is incomplete here; fetch the whole of it for a better estimate.",
        ),
    )


def unscored() -> RiskReport:
    """A change of which nothing could be read."""
    lost = file("src/lost.c", unread="its blob is missing (partial clone)")
    return replace(
        flagged_by_budget(),
        change=change(lost),
        status=Status.UNSCORED,
        error="none of the changed files could be read",
        risk=None,
        percentile=None,
        flagged=True,
        flagged_by=(),
        hunks=(),
        findings=(),
        coverage=Coverage(
            1, 0, 0, 0, Completeness.NONE, (Skipped("src/lost.c", "its blob is missing (partial clone)"),)
        ),
        notes=(),
    )


def error() -> RiskReport:
    """A change whose scoring failed, with hunks that have no risk and a principle that fires all the same."""
    report = flagged_by_budget()
    return replace(
        report,
        status=Status.ERROR,
        error="the model gave no number for this change",
        risk=None,
        percentile=None,
        flagged_by=(FlaggedBy.PRINCIPLE,),
        hunks=tuple(replace(one, risk=None) for one in report.hunks),
        findings=(Finding("ci/permissions", Severity.HIGH, "", None, "A workflow gets more permissions."),),
        coverage=replace(report.coverage, lines_scored=0, files_scored=0),
        model=None,
        notes=(),
    )


def empty() -> RiskReport:
    """A commit without files."""
    report = not_flagged()
    bare = replace(
        change(title=""), repository=None, base=None, head=None, author=None, authored_at=None,
        provenance=Provenance(ProvenanceKind.UNKNOWN),
    )  # fmt: skip
    return replace(
        report,
        change=bare,
        hunks=(),
        coverage=Coverage(0, 0, 0, 0, Completeness.NONE, ()),
        notes=("No history was available, so measures of the past are unknown.",),
    )


def hostile() -> RiskReport:
    """Everything that the change has a say in says something bad."""
    files = (
        file(HOSTILE, hunk(5, (HOSTILE,))),
        file("../../etc/::warning::", hunk(2, ("x",))),
        file("//host/c:\\x", hunk(2, ("x",))),
    )
    made = replace(
        change(*files, title=HOSTILE),
        repository=HOSTILE,
        author=HOSTILE,
        provenance=Provenance(ProvenanceKind.AGENT, HOSTILE),
    )
    return replace(
        flagged_by_budget(),
        change=made,
        hunks=tuple(HunkRisk(f.path, *f.hunks[0].span, 0.5, (HOSTILE, "::error::")) for f in files),
        findings=(
            Finding(HOSTILE, Severity.HIGH, HOSTILE, 5, HOSTILE),
            Finding("a/b", Severity.LOW, "::x", 1, "::error::b"),
        ),
        flagged_by=(FlaggedBy.BUDGET, FlaggedBy.PRINCIPLE),
        coverage=Coverage(3, 2, 3, 2, Completeness.PARTIAL, (Skipped(HOSTILE, HOSTILE),)),
        model=ModelInfo(HOSTILE, HOSTILE, HOSTILE),
        notes=(HOSTILE,),
    )


def crowded(hunks: int = 500, findings: int = 300) -> RiskReport:
    """A huge change, with a finding of each kind of severity in turn."""
    report = flagged_by_budget()
    files = tuple(file(f"src/part{n % 7}/module{n}.py", hunk(10, (f"x = {n}",))) for n in range(hunks))
    order = list(Severity)
    return replace(
        report,
        change=change(*files, title="Move everything"),
        hunks=tuple(HunkRisk(f.path, *f.hunks[0].span, (n % 97) / 100, (f"reason {n}",)) for n, f in enumerate(files)),
        findings=tuple(
            Finding(f"kind/number-{n}", order[n % 4], f"src/module{n}.py", n + 1, f"Sentence {n}.")
            for n in range(findings)
        ),
    )


EXAMPLES: dict[str, Callable[[], RiskReport]] = {
    "flagged-by-budget": flagged_by_budget,
    "flagged-by-principle": flagged_by_principle,
    "not-flagged": not_flagged,
    "partial-context": partial_context,
    "unscored": unscored,
    "error": error,
    "empty": empty,
    "hostile": hostile,
}
