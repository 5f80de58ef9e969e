"""The database that the commands of `oversight audit` share, and what it takes to open it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.errors import MissingExtraError

if TYPE_CHECKING:
    from oversight.audit.store import Store
    from oversight.history.model import GoldLabel

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


def open_store(url: str | None) -> Store:
    """Open the store; `MissingExtraError` where the packages for it are not installed."""
    try:
        from oversight.audit.store import Store
    except ImportError as error:
        raise MissingExtraError("oversight audit", "audit") from error
    return Store.open(url)


def labels_of(source: Path, repo: Path, url: str | None) -> dict[str, GoldLabel]:
    """Return people's labels on commits of the repository `repo`: from a file, or of the verdicts in the store."""
    from oversight.audit.labels import of_record, read_labels

    if str(source) != STORE:
        return read_labels(source, repo)
    with open_store(url) as store:
        record = store.record()
    return of_record(record, repo)
