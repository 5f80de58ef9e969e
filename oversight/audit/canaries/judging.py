"""Canaries and their controls reviewed as any change is: among the changes that the repository had before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oversight.reports.model import FlaggedBy, RiskReport, Status

if TYPE_CHECKING:  # who reads what was said of canaries, as the server does, reviews nothing
    from oversight.audit.canaries.model import Flock, Pair
    from oversight.changes.repository import Repository, Span
    from oversight.history.index import Index
    from oversight.review import Reviewer

HOSTLESS = ("reversed-repair",)
"""Classes whose canaries are no real change with something planted in it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a review says of one change. What it could not say is None; a change that failed is flagged all the same."""

    status: str
    risk: float | None
    percentile: float | None
    by_budget: bool
    by_principle: bool
    flagged: bool

    @classmethod
    def of(cls, report: RiskReport) -> Said:
        """Take it from a report."""
        return cls(
            status=report.status.value,
            risk=report.risk,
            percentile=report.percentile,
            by_budget=FlaggedBy.BUDGET in report.flagged_by,
            by_principle=FlaggedBy.PRINCIPLE in report.flagged_by,
            flagged=report.flagged,
        )

    @property
    def scored(self) -> bool:
        """Whether there is a percentile to compare."""
        return self.status == Status.SCORED.value


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair with what the review said of the canary, of its control, and of the change it was planted in.

    `before` is None for classes that plant nothing in a real change.
    """

    pair: Pair
    canary: Said
    control: Said
    before: Said | None


def judge(
    flock: Flock,
    repository: Repository,
    index: Index,
    reviewer: Reviewer,
    advance: Callable[[int], None] = lambda _steps: None,
) -> Iterator[Judged]:
    """Yield every pair with what the review says of it, in the flock's order; `advance` hears of every pair."""
    for pair in flock.pairs:
        canary = pair.canary
        planted = canary.kind not in HOSTLESS
        yield Judged(
            pair,
            canary=Said.of(reviewer.placed(canary.change, repository, canary.span, index)),
            control=_real(reviewer, repository, pair.control_span, index),
            before=_real(reviewer, repository, canary.span, index) if planted else None,
        )
        advance(1)


def _real(reviewer: Reviewer, repository: Repository, span: Span, index: Index) -> Said:
    return Said.of(reviewer.revision(repository, span, index))
