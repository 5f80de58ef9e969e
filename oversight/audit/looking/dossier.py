"""All that is known of one change: its diff, what machines and people said of it, and how its files fared before."""

from __future__ import annotations

from dataclasses import dataclass

from oversight.audit.budget.entry import Entry
from oversight.audit.looking.files import Lookup
from oversight.audit.store import Store, ledger, reading, reports
from oversight.audit.verdict import Selection, Shown, Verdict
from oversight.changes.model import Change
from oversight.errors import RepositoryError
from oversight.history.files import FileHistory
from oversight.history.index import Progress


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


def gather(store: Store, files: Lookup, entry: Entry, progress: Progress | None = None) -> Dossier:
    """Return what is known of a change that the store has a report on. Raises `StoreError`."""
    with reading(store.engine) as connection:
        base = reports.base_of(connection, entry.repository, entry.commit)
        said = ledger.said_of(connection, entry.commit, entry.repository)
    return Dossier(entry, True, *files.read(entry.commit, base, progress), tuple(said))


def unreported(
    store: Store, files: Lookup, commit: str, progress: Progress | None = None, repository: str | None = None
) -> Dossier:
    """Return what is known of a commit of the repository that the store has no report on.

    `repository` is its name, where it is known: what was said of the commit elsewhere is not told then. Raises
    `RepositoryError` where it cannot be read, and `StoreError`.
    """
    change, reason, known = files.read(commit, None, progress)
    if change is None:
        raise RepositoryError(reason or "there is no such commit", mend="name a commit of the store or the repository")
    with reading(store.engine) as connection:
        said = ledger.said_of(connection, commit, repository)
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
