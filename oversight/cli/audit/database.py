"""The database that the commands of `oversight audit` share, and what it takes to open it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from oversight.audit.store import Store
    from oversight.history.model import GoldLabel

_MOST = 5  # repositories that an error names

STORE = "store"
"""What stands where a file of labels would, for the verdicts in the store; a file of that name is `./store`."""

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="An SQLAlchemy URL of SQLite or PostgreSQL.  [default: OVERSIGHT_DATABASE_URL, or audit.db in "
        "OVERSIGHT_DATA_DIR or the user's data folder]",
        show_default=False,
    ),
]


def open_store(url: str | None, *, make: bool = False) -> Store:
    """Open the store; `StoreError` where there is none, unless `make`, `MissingExtraError` where its packages lack."""
    try:
        from oversight.audit.store import Store
    except ImportError as error:
        raise MissingExtraError("oversight audit", "audit") from error
    return Store.open(url, make=make)


def check_repository(store: Store, name: str | None) -> None:
    """Raise `UsageError` where neither a change nor a verdict on record is of a repository of that name."""
    from oversight.audit.store import listing
    from oversight.reports.escape import terminal

    if name is None:
        return
    known = listing.names(store.engine)
    if name.lower() in (one.lower() for one in known) or store.record(name).verdicts:
        return
    shown = ", ".join(terminal(one, 60) for one in known[:_MOST])
    mend = f"choose one: {shown}" if shown else "oversight audit import takes in what is known of it"
    raise UsageError(f"no repository {terminal(name, 60)} is in the store", mend=mend)


def labels_of(source: Path, repo: Path, url: str | None) -> dict[str, GoldLabel]:
    """Return people's labels on commits of the repository `repo`: from a file, or of the verdicts in the store."""
    from oversight.audit.labels import of_record, read_labels

    if str(source) != STORE:
        return read_labels(source, repo)
    with open_store(url) as store:
        record = store.record()
    return of_record(record, repo)
