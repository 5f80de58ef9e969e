"""Verdicts for tests, of which a test names what matters to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict

HEAD, OTHER = "1" * 40, "2" * 40
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours after the start."""
    return START + timedelta(hours=hours)


def verdict(decision: str = "risky", *, who: str = "ann", hours: float = 0.0, **other: Any) -> Verdict:
    """A verdict on a flagged change, from a comment that no other verdict has."""
    shown = Shown(Selection.FLAGGED, 1.0, flagged=True, risk=0.5, percentile=97.0, model="a" * 64)
    source = Source("comment", "octo/repo", 7, 1 + int(hours * 3600) + sum(map(ord, who)) * 1_000_000)
    said = Verdict(HEAD, who, Decision(decision), "because", at(hours), shown, source)
    return replace(said, **other)
