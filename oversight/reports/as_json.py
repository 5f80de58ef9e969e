"""The JSON report: exactly the fields of `schema.json`, which is the contract."""

from __future__ import annotations

import json
import re
from typing import Any

from oversight.changes.model import Change
from oversight.reports.escape import data
from oversight.reports.model import Coverage, RiskReport
from oversight.reports.words import known

SCHEMA_VERSION = "1.1"
"""Goes up in its first part when a field is removed or changes its meaning, in its second when one is added."""

TITLE = 1_000
"""Characters of a title, and of a name."""

_TEXT = 2_000
_ENCODER = json.JSONEncoder(allow_nan=False)
_HASH_BEFORE_HASH = re.compile(r"#(?=#)")


def dumps(value: Any, depth: int) -> str:
    r"""Return `value` as ASCII JSON with a newline at the end; its first `depth` levels have a line for each entry.

    What lies deeper stays on its entry's line: a hunk is a line, and a hundred thousand of them are written
    by the encoder in C. ASCII, so that neither a terminal nor a log meets a control or bidi character:
    JSON's own `\u` escapes keep them whole for whoever parses it. `##` is broken in the same way: a workflow
    log would take `##[` for a command. NaN and infinities are refused, since JSON has none.
    """
    return _HASH_BEFORE_HASH.sub(r"\\u0023", _laid_out(value, depth, "\n")) + "\n"


def _laid_out(value: Any, depth: int, newline: str) -> str:
    if depth == 0 or not value or not isinstance(value, dict | list):
        return _ENCODER.encode(value)
    inner = f"{newline}  "
    if isinstance(value, dict):
        entries = [f"{_ENCODER.encode(key)}: {_laid_out(one, depth - 1, inner)}" for key, one in value.items()]
        return f"{{{inner}{f',{inner}'.join(entries)}{newline}}}"
    return f"[{inner}{f',{inner}'.join(_laid_out(one, depth - 1, inner) for one in value)}{newline}]"


def render(report: RiskReport) -> str:
    """Return the report as a JSON document."""
    return dumps(as_dict(report), 2)


def as_dict(report: RiskReport) -> dict[str, Any]:
    """Return the report as plain values, in the order of the contract. What is unknown is None."""
    return {
        "schema_version": SCHEMA_VERSION,
        "id": data(report.id),
        "status": str(report.status),
        "error": None if report.error is None else data(report.error, _TEXT),
        "risk": _number(report.risk),
        "percentile": _number(report.percentile),
        "flagged": report.flagged,
        "flagged_by": [str(ground) for ground in report.flagged_by],
        "budget": _number(report.budget),
        "change": _change(report.change),
        "hunks": [
            {
                "path": data(hunk.path),
                "start": hunk.start,
                "end": hunk.end,
                "risk": _number(hunk.risk),
                "reasons": [data(reason, _TEXT) for reason in hunk.reasons],
                "weight": _number(hunk.weight),
            }
            for hunk in report.hunks
        ],
        "findings": [
            {
                "principle": data(finding.principle),
                "severity": str(finding.severity),
                "path": data(finding.path),
                "line": finding.line,
                "message": data(finding.message, _TEXT),
            }
            for finding in report.findings
        ],
        "coverage": _coverage(report.coverage),
        "model": None
        if report.model is None
        else {
            "name": data(report.model.name),
            "version": data(report.model.version),
            "sha256": data(report.model.sha256),
        },
        "notes": [data(note, _TEXT) for note in report.notes],
    }


def _change(change: Change) -> dict[str, Any]:
    """What was reviewed, without its text: ids, who and when, the title, and its size."""
    return {
        "id": data(change.id),
        "repository": _text(change.repository),
        "base": _text(change.base),
        "head": _text(change.head),
        "author": _text(change.author),
        "provenance": {"kind": str(change.provenance.kind), "name": _text(change.provenance.name)},
        "authored_at": None if change.authored_at is None else change.authored_at.isoformat(),
        "title": data(change.title, TITLE),
        "files": len(change.files),
        "added": change.added,
        "deleted": change.deleted,
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "files_total": coverage.files_total,
        "files_scored": coverage.files_scored,
        "lines_total": coverage.lines_total,
        "lines_scored": coverage.lines_scored,
        "context": str(coverage.context),
        "skipped": [{"path": data(part.path), "reason": data(part.reason, _TEXT)} for part in coverage.skipped],
    }


def _text(text: str | None) -> str | None:
    return None if text is None else data(text, TITLE)


def _number(number: float | None) -> float | None:
    """Return a number as JSON can hold it. NaN means unknown, here as everywhere else."""
    return float(number) if known(number) else None
