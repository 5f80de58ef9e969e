"""The database that the commands of `oversight audit` share, and what it takes to open it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oversight.errors import MissingExtraError

if TYPE_CHECKING:
    from oversight.audit.store import Store

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
