"""The main job on one page: a revision or a diff becomes a RiskReport.

revision ──> change ──> syntax ──> principles ──> opinions ─────────────────────┐
│          └─────> features ──> student ──> reading ─> risk ─────┼──> RiskReport
history ──> context ─────┘         readings before ─> scale ─┴─> percentile ┘
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from oversight.assessment import assess, examine, failed, keep_covered, reading_of
from oversight.changes.diff import change_from_diff
from oversight.changes.model import Change
from oversight.changes.repository import Repository, Span, change_of
from oversight.config import Paths, Settings
from oversight.errors import OversightError
from oversight.history.context import context_of_diff
from oversight.history.index import Index
from oversight.history.model import Context
from oversight.history.readings import Reading
from oversight.neighbours import Neighbours, first_of
from oversight.reports.model import RiskReport
from oversight.reviewers.principles import Principles
from oversight.students.batch import PROFILE

if TYPE_CHECKING:
    from oversight.students.runtime import Model

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps were just done, and how many there are (0: unknown)."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What stays the same from change to change: the model, the principles and the settings.

    `ModelError` for a model in the shadow, by which nothing is flagged; but for `measuring`, where nobody acts on it.
    """

    model: Model
    principles: Principles
    settings: Settings
    measuring: bool = False

    def __post_init__(self) -> None:
        if not self.measuring:
            self.model.check_in_use()

    def revision(
        self, repository: Repository, span: Span, index: Index, progress: Progress | None = None
    ) -> RiskReport:
        """Review what `span` names, among the changes that the repository's history had before it."""
        return self.placed(repository.change(span), repository, span, index, progress)

    def placed(
        self, change: Change, repository: Repository, span: Span, index: Index, progress: Progress | None = None
    ) -> RiskReport:
        """Review a change, whichever it is, as if it stood in the history where `span` does."""
        tell = progress or (lambda _what, _done, _total: None)
        # The past is that of the whole change: settings say what is judged, not what happened.
        context = index.context_of(change, span, lambda done: tell("reading history", done, 0))
        neighbours = None if repository.shallow else self._neighbours(repository, span, index, tell)
        return self._report(keep_covered(change, self.settings.paths), context, neighbours)

    def diff(self, source: bytes | BinaryIO) -> RiskReport:
        """Review a bare diff: no repository, so no history."""
        return self.change(change_from_diff(source))

    def change(self, change: Change) -> RiskReport:
        """Review a change of which nothing is known but itself, whichever way it was read."""
        covered = keep_covered(change, self.settings.paths)
        return self._report(covered, context_of_diff(covered), None)

    def _report(self, change: Change, context: Context, neighbours: Neighbours | None) -> RiskReport:
        try:
            return assess(examine(change, context, self.principles), self.model, neighbours, self.settings.budget)
        except OversightError:
            raise
        except Exception as error:  # a bug of ours on somebody's change must not look like a clean review
            return failed(change, context, f"{type(error).__name__}: {error}", self.settings.budget)

    def _neighbours(self, repository: Repository, span: Span, index: Index, tell: Progress) -> Neighbours:
        """The readings of the changes before this one; those that the model has not seen yet are read and kept."""
        judge, position = self._judge(), index.position(span)
        known = dict(index.recent(judge, span, position - first_of(position), width=len(PROFILE)))
        missing = [sha for sha, reading in known.items() if reading is None]
        found: dict[str, Reading] = {}
        for patch in repository.patches(missing):
            change = change_of(patch, repository.name)
            context = index.context_of(change, Span(patch.parent, patch.sha, single=True))
            covered = keep_covered(change, self.settings.paths)
            reading = reading_of(covered, context, self.principles, self.model)
            if reading is not None:
                found[patch.sha] = reading
            tell("reading recent changes", 1, len(missing))
        if found:
            index.store_readings(judge, found)
        readings = [found.get(sha) if reading is None else reading for sha, reading in known.items()]
        return Neighbours.of(readings, position)

    def _judge(self) -> str:
        """Name what a reading depends on: the model, and the files it was shown where the settings leave some out."""
        paths = self.settings.paths
        if paths == Paths():
            return self.model.info.sha256
        shown = json.dumps([paths.include, paths.exclude]).encode()
        return f"{self.model.info.sha256}:{hashlib.sha256(shown).hexdigest()}"
