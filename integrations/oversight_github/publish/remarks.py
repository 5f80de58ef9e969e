"""A report as remarks, each one thing to say at one place, with fingerprints that outlast moved lines. No I/O."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from oversight.reports import words
from oversight.reports.escape import code, markdown, terminal
from oversight.reports.fingerprint import HUNK_RULE, Fingerprints
from oversight.reports.model import Finding, FlaggedBy, HunkRisk, RiskReport, Status
from oversight.reviewers.model import Severity
from oversight_github.anchors import Places

HUNKS = 5
"""How many hunks get a remark at most: those that the summary tells to read first."""

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_FLAGGING = frozenset({Severity.HIGH, Severity.CRITICAL})
_TEXT, _REASONS = 1_000, 4


@dataclass(frozen=True, slots=True)
class Remark:
    """What to say of lines `start` to `end` of the new file, both inclusive (None: of the file as a whole).

    A finding has its severity; a hunk that is to be read first has None, its risk, and reasons. `id` is the
    fingerprint, the first one where several lines of a hunk have the same fault, which is said once.
    """

    id: str
    rule: str
    severity: Severity | None
    path: str
    start: int | None
    end: int | None
    said: tuple[str, ...]
    risk: float | None = None

    @property
    def of_hunk(self) -> bool:
        """Whether it is about a hunk's risk, not a principle's finding."""
        return self.severity is None

    def as_markdown(self) -> str:
        """Return what it says as one paragraph of Markdown."""
        said = "; ".join(markdown(one, _TEXT) for one in self.said)
        if self.severity is None:
            risk = words.percent(self.risk).replace("<", "&lt;").replace(">", "&gt;")
            return f"**Worth reading first**: {said}{' ' * bool(said)}(risk {risk} by these lines alone)"
        return f"**{self.severity.value.capitalize()}**: {said} ({code(self.rule, 80)})"

    def as_text(self) -> str:
        """Return what it says as one line of plain text."""
        said = "; ".join(terminal(one, _TEXT) for one in self.said)
        if self.severity is None:
            return (
                f"Worth reading first: {said}{' ' * bool(said)}(risk {words.percent(self.risk)} by these lines alone)"
            )
        return said or terminal(self.rule, _TEXT)


@dataclass(frozen=True, slots=True)
class Remarks:
    """Everything a report has to say, less what people dismissed.

    `all` has the findings, the gravest first, then the hunks to read first; `present` the fingerprints of all that the
    report holds against the change, dismissed or not, and `hunks` those of them that are hunks; `shown` is the report
    without what was dismissed, its verdict as it was; `dismissed` counts what was left out.
    """

    all: tuple[Remark, ...]
    present: frozenset[str]
    hunks: frozenset[str]
    shown: RiskReport
    dismissed: int


def remarks(report: RiskReport, dismissed: Collection[str] = ()) -> Remarks:
    """Return what a report has to say; `dismissed` are the fingerprints that people do not want to hear of again.

    Findings that are said together are dismissed together.
    """
    groups, hunks = _grouped(report), list(zip(report.hunks, _hunk_marks(report), strict=True))
    # A hunk is a remark for as long as the budget asks for a reader: its risk alone is no fault.
    by_budget = FlaggedBy.BUDGET in report.flagged_by
    kept = [group for group in groups if not group.among(dismissed)]
    kept_hunks = [pair for pair in hunks if pair[1] not in dismissed]
    said = [group.remark() for group in kept] + (_of_hunks(kept_hunks, report) if by_budget else [])
    shown = replace(
        report,
        findings=tuple(finding for group in kept for finding in group.findings),
        hunks=tuple(hunk for hunk, _ in kept_hunks),
    )
    of_hunks = frozenset(mark for _, mark in hunks) if by_budget else frozenset()
    present = of_hunks.union(*(group.marks for group in groups))
    count = len(groups) - len(kept) + (len(hunks) - len(kept_hunks) if by_budget else 0)
    return Remarks(tuple(said), present, of_hunks, shown, count)


def after_dismissals(report: RiskReport, dismissed: Collection[str]) -> RiskReport:
    """Return the report with the flag that is left once people have dismissed findings; the findings stay.

    A principle's flag falls where each of its grave findings was dismissed; the model's, and that of a change without
    a risk, stay up. Doing it twice changes nothing.
    """
    grave = [group for group in _grouped(report) if group.findings[0].severity in _FLAGGING]
    if FlaggedBy.PRINCIPLE not in report.flagged_by or not grave:
        return report
    if not all(group.among(dismissed) for group in grave):
        return report
    flagged_by = tuple(ground for ground in report.flagged_by if ground is not FlaggedBy.PRINCIPLE)
    return replace(report, flagged_by=flagged_by, flagged=bool(flagged_by) or report.status is not Status.SCORED)


def of_no_lines(report: RiskReport) -> frozenset[str]:
    """Return the fingerprints of findings about whole files or the whole change, as of binary content.

    They stay the same whatever becomes of that content, so that a dismissal is good for what people saw alone.
    """
    return frozenset(mark for group in _grouped(report) if group.findings[0].line is None for mark in group.marks)


@dataclass(frozen=True, slots=True)
class _Group:
    """What one principle says in the same words of one hunk, in the order of lines, with the fingerprints."""

    findings: tuple[Finding, ...]
    marks: tuple[str, ...]

    def among(self, dismissed: Collection[str]) -> bool:
        return any(mark in dismissed for mark in self.marks)

    def remark(self) -> Remark:
        first, last = self.findings[0], self.findings[-1]
        return Remark(
            self.marks[0], first.principle, first.severity, first.path, first.line, last.line, (first.message,)
        )


def _grouped(report: RiskReport) -> list[_Group]:
    """Return the findings by what they say and where, the gravest first.

    Fingerprints number what is alike, and so are taken in the order of the file.
    """
    places, marks = Places(report.change), Fingerprints(report.change)
    groups: dict[tuple[object, ...], list[tuple[Finding, str]]] = {}
    for finding in sorted(report.findings, key=lambda one: (one.path, one.line or 0)):
        hunk = places.hunk(finding.path, finding.line)
        key = (finding.principle, finding.severity, finding.message, finding.path, finding.line is None, hunk)
        groups.setdefault(key, []).append((finding, marks.of_finding(finding)))
    found = [_Group(tuple(one for one, _ in group), tuple(mark for _, mark in group)) for group in groups.values()]
    return sorted(found, key=lambda group: -_RANK[group.findings[0].severity])


def _hunk_marks(report: RiskReport) -> list[str]:
    """Return the fingerprints of the hunks, in the report's order."""
    marks = Fingerprints(report.change)
    in_file = sorted(
        range(len(report.hunks)), key=lambda number: (report.hunks[number].path, report.hunks[number].start)
    )
    mark_of = {number: marks.of_hunk(report.hunks[number]) for number in in_file}
    return [mark_of[number] for number in range(len(report.hunks))]


def _of_hunks(hunks: list[tuple[HunkRisk, str]], report: RiskReport) -> list[Remark]:
    """Return the hunks to read first, but for those far below the riskiest and those that a finding points at."""
    mark_of = {(hunk.path, hunk.start): mark for hunk, mark in hunks}
    kept = [hunk for hunk in words.in_reading_order(report.hunks)[:HUNKS] if (hunk.path, hunk.start) in mark_of]
    highest = max((hunk.risk for hunk in kept if words.known(hunk.risk)), default=0.0)
    said = []
    for hunk in kept:
        pointed_at = any(
            one.path == hunk.path and one.line is not None and hunk.start <= one.line <= hunk.end
            for one in report.findings
        )
        if not words.known(hunk.risk) or hunk.risk < highest / 2 or pointed_at:
            continue
        mark = mark_of[hunk.path, hunk.start]
        reasons = tuple(hunk.reasons[:_REASONS])
        said.append(Remark(mark, HUNK_RULE, None, hunk.path, hunk.start, hunk.end, reasons, hunk.risk))
    return said
