"""The database: the audit's store and the server's own tables in it, both brought to the newest revision."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from oversight.audit.store.engine import connect, locate
from oversight.audit.store.migrate import migrate
from oversight_server.tables import VERSION_TABLE

MIGRATIONS = Path(__file__).with_name("migrations")


def open_database(url: str) -> Engine:
    """Return an engine for `url` with all tables as they should be. Raises StoreError, which names no password."""
    engine = connect(locate(url))
    migrate(engine, MIGRATIONS, version_table=VERSION_TABLE)
    return engine
