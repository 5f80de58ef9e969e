"""All that is known of one change: its diff, what machines and people said of it, and how its files fared before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from oversight.audit.budget.entry import Entry
from oversight.audit.store import Store, ledger, reading, reports
from oversight.audit.verdict import Selection, Shown, Verdict
from oversight.changes.model import Change
from oversight.changes.repository import Repository, Span
from oversight.errors import RepositoryError
from oversight.history.files import FileHistory
from oversight.history.index import Index, Progress


@dataclass(frozen=True, slots=True)
class Dossier:
    """A change. `reported`: the store has a report on it, which `entry` tells; otherwise that holds no opinion.

    `change` is None where the repository has no such commit, and `missing` then says why.
    """

    entry: Entry
    reported: bool
    change: Change | None
    missing: str | None
    histories: tuple[FileHistory, ...]
    said: tuple[Verdict, ...]

    def shown(self, *, blind: bool) -> Shown:
        """What somebody is shown who judges it now; blind is nobody where there is no opinion to hide."""
        return self.entry.shown(blind=blind) if self.reported else Shown(Selection.REQUEST)


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


def gather(store: Store, files: Lookup, entry: Entry, progress: Progress | None = None) -> Dossier:
    """Return what is known of a change that the store has a report on. Raises `StoreError`."""
    with reading(store.engine) as connection:
        base = reports.base_of(connection, entry.repository, entry.commit)
        said = ledger.said_of(connection, entry.commit)
    return Dossier(entry, True, *files.read(entry.commit, base, progress), tuple(said))


def unreported(store: Store, files: Lookup, commit: str, progress: Progress | None = None) -> Dossier:
    """Return what is known of a commit of the repository that the store has no report on.

    Raises `RepositoryError` where it cannot be read, and `StoreError`.
    """
    change, reason, known = files.read(commit, None, progress)
    if change is None:
        raise RepositoryError(reason or "there is no such commit", mend="name a commit of the store or the repository")
    with reading(store.engine) as connection:
        said = ledger.said_of(connection, commit)
    return Dossier(_unknown(change), False, change, None, known, tuple(said))


def _unknown(change: Change) -> Entry:
    return Entry(
        repository=change.repository or "",
        commit=change.id,
        number=None,
        title=change.title,
        author=change.author,
        provenance=change.provenance.kind.value,
        directory="",
        status="unscored",
        risk=None,
        percentile=None,
        flagged=False,
        model=None,
        added=change.added,
        deleted=change.deleted,
        selection=None,
        propensity=None,
        queued_at=None,
        said=(),
    )
