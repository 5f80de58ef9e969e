"""What people said has its effect on a report: what they dismissed, and the flag that they cleared. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from oversight.reports import RiskReport
from oversight.reports.model import Status
from oversight_github.publish import after_dismissals, of_no_lines
from oversight_github.verdicts.handle import Heard


def minded(report: RiskReport, said: Heard) -> tuple[RiskReport, Mapping[str, str]]:
    """Return the report with the flag that is left by what people said, and the findings that they dismissed."""
    unseen = of_no_lines(report) - said.of_head
    dismissed = {mark: why for mark, why in said.dismissed.items() if mark not in unseen}
    report = after_dismissals(report, dismissed)
    if said.cleared is None or report.status is not Status.SCORED or not report.flagged:
        return report, dismissed
    because = f": {said.cleared.note}" if said.cleared.note else ""
    note = f"The flag was cleared for this very head by {said.cleared.who}{because}"
    return replace(report, flagged=False, flagged_by=(), notes=(*report.notes, note)), dismissed
