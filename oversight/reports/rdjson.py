"""The face for reviewdog: its rdjson format (a `DiagnosticResult`).

reviewdog posts a comment for each diagnostic, so this face is quiet: findings always, hunks only where the
review budget flagged the change, and at most `HUNKS` of them. A change without a risk always says so. Messages
are rendered as Markdown there, and are escaped for it.
"""

from __future__ import annotations

from typing import Any

from oversight.reports import words
from oversight.reports.as_json import dumps
from oversight.reports.escape import data, markdown, terminal
from oversight.reports.fingerprint import HUNK_RULE
from oversight.reports.model import FlaggedBy, RiskReport, Status
from oversight.reviewers.model import Severity

HUNKS = 30
"""How many comments on hunks a pull request bears at most."""

_TEXT = 1_000
_SEVERITIES = {
    Severity.CRITICAL: "ERROR",
    Severity.HIGH: "ERROR",
    Severity.MEDIUM: "WARNING",
    Severity.LOW: "INFO",
}


def render(report: RiskReport) -> str:
    """Return the report as an rdjson document."""
    return dumps(as_dict(report), 2)


def as_dict(report: RiskReport) -> dict[str, Any]:
    """Return the report as a `DiagnosticResult` of plain values."""
    diagnostics = [
        _diagnostic(
            markdown(finding.message, _TEXT),
            finding.path,
            finding.line,
            None,
            _SEVERITIES[finding.severity],
            finding.principle,
        )
        for finding in words.by_gravity(report.findings)
    ]
    if FlaggedBy.BUDGET in report.flagged_by:
        diagnostics += [
            _diagnostic(_said(hunk.risk, hunk.reasons), hunk.path, hunk.start, hunk.end, "WARNING", HUNK_RULE)
            for hunk in words.in_reading_order(report.hunks)[:HUNKS]
            if words.known(hunk.risk)
        ]
    if report.status is not Status.SCORED:
        diagnostics.insert(0, _unscored(report))
    return {
        "source": {"name": "oversight"},
        "severity": "WARNING" if report.flagged or report.status is not Status.SCORED else "INFO",
        "diagnostics": diagnostics,
    }


def _said(risk: float, reasons: tuple[str, ...]) -> str:
    because = "; ".join(markdown(reason, _TEXT) for reason in reasons[:4])
    return f"Risk {words.percent(risk)}" + (f": {because}" if because else "")


def _unscored(report: RiskReport) -> dict[str, Any]:
    """Say that there is no risk, at the first file that there is: a diagnostic without a place is not posted."""
    message = f"{words.verdict(report).capitalize()}: {words.grounds(report)}."
    if report.error is not None:
        message += f" Why: {markdown(report.error, _TEXT)}"
    first = next(iter(report.change.files), None)
    path = "" if first is None else first.path
    line = first.hunks[0].span[0] if first is not None and first.hunks else None
    return _diagnostic(message, path, line, None, "ERROR", f"oversight/{report.status}")


def _diagnostic(
    message: str, path: str, start: int | None, end: int | None, severity: str, rule: str
) -> dict[str, Any]:
    """One diagnostic; its range is of whole lines, both inclusive, as ranges without columns are in rdjson."""
    location: dict[str, Any] = {"path": data(path)}
    if start is not None:
        location["range"] = {"start": {"line": max(start, 1)}, "end": {"line": max(end or start, 1)}}
    diagnostic: dict[str, Any] = {"message": message, "severity": severity, "code": {"value": terminal(rule, 200)}}
    return {**diagnostic, "location": location} if path else diagnostic
