"""The database: the audit's store and the server's own tables in it, both brought to the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from oversight.audit.store.engine import connect, locate, reading
from oversight.audit.store.migrate import migrate
from oversight_server.tables import VERSION_TABLE

MIGRATIONS = Path(__file__).with_name("migrations")


def open_database(url: str) -> Engine:
    """Return an engine for `url` with all tables as they should be. Raises StoreError, which names no password."""
    engine = connect(locate(url))
    migrate(engine, MIGRATIONS, version_table=VERSION_TABLE)
    return engine


def is_current(engine: Engine) -> bool:
    """Whether the server's tables are those of this version, also after another one has started. Raises StoreError."""
    newest = ScriptDirectory(MIGRATIONS, version_locations=[MIGRATIONS]).get_heads()
    with reading(engine) as connection:
        found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    return set(found) == set(newest)
