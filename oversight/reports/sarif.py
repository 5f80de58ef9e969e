"""The face for code scanning: SARIF 2.1.0 as plain values, one run.

Each principle that fires is a rule, and the hunks that the model scored come under one more. A finding's level
follows its severity; a hunk is a `warning` where the review budget flagged the change, a `note` elsewhere.
GitHub reads 25,000 results a run and 10 MB of gzip: findings come first, the gravest before, then hunks in
the order of reading, and what does not fit is dropped with a notification that says so.

`partialFingerprints` bears a key of our own: GitHub's upload action computes `primaryLocationLineHash` itself
and warns of every other value. Who uploads through GitHub's API, where nobody computes it, copies ours there.
"""

from __future__ import annotations

from gzip import compress
from typing import Any
from urllib.parse import quote

import oversight
from oversight.reports import words
from oversight.reports.as_json import dumps
from oversight.reports.escape import data, sarif, terminal
from oversight.reports.fingerprint import HUNK_RULE, Fingerprints
from oversight.reports.model import Finding, FlaggedBy, HunkRisk, RiskReport, Status
from oversight.reviewers.model import Severity

RESULTS_LIMIT = 25_000
GZIP_LIMIT = 10_000_000
FINGERPRINT = "oversightContent/v1"
CATEGORY = "oversight/review/"

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_TEXT = 1_000
_RULE = 200
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}


def render(report: RiskReport) -> str:
    """Return the report as a SARIF log that keeps to GitHub's limits."""
    limit = RESULTS_LIMIT
    while True:
        log = as_dict(report, limit)
        text = dumps(log, 4)
        results = len(log["runs"][0]["results"])
        # What is small raw is small compressed: nearly every report takes this way out.
        if len(text) <= GZIP_LIMIT or not results or len(compress(text.encode("ascii"), 6)) <= GZIP_LIMIT:
            return text
        limit = results // 2


def as_dict(report: RiskReport, limit: int = RESULTS_LIMIT) -> dict[str, Any]:
    """Return the report as a SARIF log with at most `limit` results."""
    findings = [finding for finding in words.by_gravity(report.findings) if finding.path]
    hunks = [(hunk, hunk.risk) for hunk in words.in_reading_order(report.hunks) if words.known(hunk.risk)]
    kept_findings, kept_hunks = findings[:limit], hunks[: max(limit - len(findings), 0)]
    dropped = len(findings) + len(hunks) - len(kept_findings) - len(kept_hunks)
    rules = _rules(report)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    marks = Fingerprints(report.change)
    hunk_level = "warning" if FlaggedBy.BUDGET in report.flagged_by else "note"
    results = [_finding(finding, index, marks) for finding in kept_findings]
    results += [_hunk(hunk, risk, hunk_level, marks) for hunk, risk in kept_hunks]
    run = {
        "tool": {"driver": {"name": "oversight", "version": oversight.__version__, "rules": rules}},
        "automationDetails": {"id": CATEGORY + quote(_bytes(report.change.id), safe="")},
        "invocations": [
            {
                "executionSuccessful": report.status is Status.SCORED,
                "toolExecutionNotifications": _notifications(report, dropped),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "status": str(report.status),
            "risk": report.risk if words.known(report.risk) else None,
            "percentile": report.percentile if words.known(report.percentile) else None,
            "flagged": report.flagged,
        },
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def uri(path: str) -> str:
    """Return a path as a relative URI reference: its bytes percent-encoded, never absolute, never climbing.

    >>> uri("a b/ü.py"), uri("//host/x"), uri("../up"), uri("c:/x")
    ('a%20b/%C3%BC.py', '%2F%2Fhost/x', '%2E%2E/up', 'c%3A/x')
    """
    body = path.lstrip("/")
    segments = ("%2E" * len(part) if part in {".", ".."} else quote(_bytes(part), safe="") for part in body.split("/"))
    return "%2F" * (len(path) - len(body)) + "/".join(segments)


def _bytes(text: str) -> bytes:
    """The bytes that a path was read from; a surrogate that stands for none becomes a replacement character."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return data(text).encode("utf-8")


def _rules(report: RiskReport) -> list[dict[str, Any]]:
    """One rule for risky hunks and one a principle, each with the gravest level that it appears with."""
    rules = [
        {
            "id": HUNK_RULE,
            "name": "RiskyHunk",
            "shortDescription": {"text": "How risky the model holds a hunk to be"},
            "fullDescription": {
                "text": "Risk is the probability that people will later repair or withdraw a change. "
                "That of a hunk comes from its own lines alone."
            },
            "defaultConfiguration": {"level": "note"},
            "properties": {"tags": ["risk"], "problem.severity": "recommendation"},
        }
    ]
    seen = {HUNK_RULE}
    for finding in words.by_gravity(report.findings):
        rule = terminal(finding.principle, _RULE)
        if rule in seen:
            continue
        seen.add(rule)
        title = sarif(finding.principle.replace("/", ": ").replace("-", " "), 200)
        level = _LEVELS[finding.severity]
        rules.append(
            {
                "id": rule,
                "shortDescription": {"text": title},
                "fullDescription": {"text": f"The principle “{title}” of the constitution fires."},
                "defaultConfiguration": {"level": level},
                "properties": {
                    "tags": ["principle"],
                    "problem.severity": "recommendation" if level == "note" else level,
                },
            }
        )
    return rules


def _finding(finding: Finding, index: dict[str, int], marks: Fingerprints) -> dict[str, Any]:
    rule = terminal(finding.principle, _RULE)
    return {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": sarif(finding.message, _TEXT) or rule},
        "locations": [_location(finding.path, finding.line, finding.line)],
        "partialFingerprints": {FINGERPRINT: marks.of_finding(finding)},
    }


def _hunk(hunk: HunkRisk, risk: float, level: str, marks: Fingerprints) -> dict[str, Any]:
    reasons = "; ".join(sarif(reason, _TEXT) for reason in hunk.reasons[:4])
    said = f"Risk {words.percent(risk)}"
    return {
        "ruleId": HUNK_RULE,
        "ruleIndex": 0,
        "level": level,
        "message": {"text": f"{said}: {reasons}" if reasons else f"{said}."},
        "locations": [_location(hunk.path, hunk.start, hunk.end)],
        "partialFingerprints": {FINGERPRINT: marks.of_hunk(hunk)},
        "rank": round(100 * risk, 3),
    }


def _location(path: str, start: int | None, end: int | None) -> dict[str, Any]:
    """A file and lines. GitHub wants a line in any case: the first stands for a file as a whole."""
    first = max(start or 1, 1)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": first, "endLine": max(end or first, first)},
        }
    }


def _notifications(report: RiskReport, dropped: int) -> list[dict[str, Any]]:
    """What a reader of the results alone would miss: that there is no risk, what was left out, and why."""
    said: list[tuple[str, str]] = []
    if report.status is not Status.SCORED:
        reason = f" Why: {sarif(report.error, _TEXT)}" if report.error is not None else ""
        said.append(("error", f"{words.verdict(report).capitalize()}: {words.grounds(report)}.{reason}"))
    said += [
        (_LEVELS[finding.severity], f"{sarif(finding.principle, 200)}: {sarif(finding.message, _TEXT)}")
        for finding in words.by_gravity(report.findings)
        if not finding.path
    ]
    if dropped:
        said.append(
            ("warning", f"{words.counted(dropped, 'result')} of lower rank left out, to keep to GitHub's limits.")
        )
    if report.coverage.skipped:
        shown = "; ".join(
            f"{sarif(part.path, 200)} ({sarif(part.reason, 200)})" for part in report.coverage.skipped[:20]
        )
        said.append(("warning", f"{words.counted(len(report.coverage.skipped), 'file')} not scored: {shown}"))
    said += [("note", sarif(note, _TEXT)) for note in report.notes]
    return [{"level": level, "message": {"text": text}} for level, text in said]
