"""The report on a change that could not be had."""

from __future__ import annotations

from dataclasses import replace

from oversight.changes.diff import change_from_diff
from oversight.changes.patches import EVERYTHING
from oversight.config import Settings
from oversight.errors import OversightError
from oversight.history.model import Completeness
from oversight.reports import RiskReport
from oversight.reports.model import Coverage, Skipped, Status


def unscored(error: OversightError, head: str | None, repository: str | None, budget: float | None) -> RiskReport:
    """Return a report that says why; nothing was read, and how much there is of it, is unknown."""
    nothing = change_from_diff(b"")
    change = replace(nothing, id=head or nothing.id, head=head, repository=repository)
    return RiskReport(
        id=change.id, change=change, status=Status.UNSCORED, risk=None, percentile=None, flagged=True,
        flagged_by=(), budget=budget or Settings().budget, hunks=(), findings=(),
        coverage=Coverage(1, 0, None, 0, Completeness.NONE, (Skipped(EVERYTHING, error.message),)),
        model=None, error=error.message,
    )  # fmt: skip
