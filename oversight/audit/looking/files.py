"""Where changes are looked up: their diffs, and the past of their files. Loads no database."""

from __future__ import annotations

from typing import Protocol

from oversight.changes.model import Change
from oversight.changes.repository import Repository, Span
from oversight.errors import RepositoryError
from oversight.history.files import FileHistory
from oversight.history.index import Index, Progress


class Lookup(Protocol):
    """Where changes are looked up."""

    def read(
        self, commit: str, base: str | None, progress: Progress | None = None
    ) -> tuple[Change | None, str | None, tuple[FileHistory, ...]]:
        """Return the change from `base`, or from the parent, to `commit`; or why there is none; its files' past."""


class Files:
    """The repository in which changes are looked up, None where there is none, and `reason` why."""

    def __init__(self, repository: Repository | None, index: Index | None, reason: str | None = None) -> None:
        self._repository, self._index, self._reason = repository, index, reason

    def read(
        self, commit: str, base: str | None, progress: Progress | None = None
    ) -> tuple[Change | None, str | None, tuple[FileHistory, ...]]:
        """Return the change from `base`, or from the parent, to `commit`; or why there is none; its files' past."""
        if self._repository is None:
            return None, self._reason, ()
        try:
            span = self._repository.span(commit)
            if base is not None and base != span.base:
                span = Span(self._repository.resolve(base), span.head, single=False)
            change = self._repository.change(span)
        except RepositoryError as error:
            return None, str(error), ()
        return change, None, self._past(change, span, progress)

    def _past(self, change: Change, span: Span, progress: Progress | None) -> tuple[FileHistory, ...]:
        try:
            return () if self._index is None else tuple(self._index.histories(change, span, progress))
        except RepositoryError:  # a clone that lacks a part of its history still has the diff
            return ()
