"""The main job on one page: a revision or a diff becomes a RiskReport.

revision ──> change ──> syntax ──> principles ──> opinions ──────────────┐
│          └─────> features ────> student ───> risk ──────┼──> RiskReport
history ──> context ─────┘             recent ──> percentile ┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from oversight.assessment import RECENT, assess, examine, failed, keep_covered, score
from oversight.changes.diff import change_from_diff
from oversight.changes.model import Change
from oversight.changes.repository import Repository, Span, change_of
from oversight.config import Settings
from oversight.errors import OversightError, UnscoredError
from oversight.history.context import context_of_diff
from oversight.history.index import Index
from oversight.history.model import Context
from oversight.reports.model import RiskReport
from oversight.reviewers.principles import Principles

if TYPE_CHECKING:
    from oversight.students.runtime import Model

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps were just done, and how many there are (0: unknown)."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What stays the same from change to change: the model, the principles and the settings."""

    model: Model
    principles: Principles
    settings: Settings

    def revision(
        self, repository: Repository, span: Span, index: Index, progress: Progress | None = None
    ) -> RiskReport:
        """Review what `span` names, among the changes that the repository's history had before it."""
        tell = progress or (lambda _what, _done, _total: None)
        change = keep_covered(repository.change(span), self.settings.paths)
        context = index.context_of(change, span, lambda done: tell("reading history", done, 0))
        recent = () if repository.shallow else self._recent(repository, span, index, tell)
        return self._report(change, context, recent)

    def diff(self, source: bytes | BinaryIO) -> RiskReport:
        """Review a bare diff: no repository, so no history."""
        change = keep_covered(change_from_diff(source), self.settings.paths)
        return self._report(change, context_of_diff(change), ())

    def _report(self, change: Change, context: Context, recent: tuple[float, ...]) -> RiskReport:
        try:
            return assess(examine(change, context, self.principles), self.model, recent, self.settings.budget)
        except OversightError:
            raise
        except Exception as error:  # a bug of ours on somebody's change must not look like a clean review
            return failed(change, context, f"{type(error).__name__}: {error}", self.settings.budget)

    def _recent(self, repository: Repository, span: Span, index: Index, tell: Progress) -> tuple[float, ...]:
        """The risks of the changes before this one; those that the model has not seen yet are scored and kept."""
        known = dict(index.recent(self.model.info.sha256, span, RECENT))
        missing = [sha for sha, risk in known.items() if risk is None]
        found: dict[str, float] = {}
        for patch in repository.patches(missing):
            change = change_of(patch, repository.name)
            context = index.context_of(change, Span(patch.parent, patch.sha, single=True))
            try:
                found[patch.sha] = score(examine(change, context, self.principles), self.model).risk
            except UnscoredError:
                continue
            tell("scoring recent changes", 1, len(missing))
        if found:
            index.store_risks(self.model.info.sha256, found)
        risks = (found.get(sha) if risk is None else risk for sha, risk in known.items())
        return tuple(risk for risk in risks if risk is not None)
