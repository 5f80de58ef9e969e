"""Tables are made and changed by migrations alone, Alembic's, in one transaction: a database is at a version, or was
never touched.

The server's own tables are migrated by the same function, from a folder and with a version table of their own.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from oversight.audit.store.engine import reading, writing
from oversight.errors import StoreError


def migrate(engine: Engine, directory: Path, *, version_table: str) -> None:
    """Bring the tables of a database to the newest revision that is in `directory`.

    `directory` holds Alembic revisions, one module each, and nothing else is read from it: neither an `env.py` nor an
    `alembic.ini`. `version_table` remembers which was the last. Of several processes that start together one migrates
    and the others wait. `StoreError` for a database of a later version, or one that cannot be written.
    """
    scripts = ScriptDirectory(directory, version_locations=[directory])
    with reading(engine) as connection:  # mostly there is nothing to do, and then nobody is waited for
        if _heads(connection, version_table) == set(scripts.get_heads()):
            return
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            key = {"key": crc32(version_table.encode())}
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
        _upgrade(connection, scripts, version_table)


def _heads(connection: Connection, version_table: str) -> set[str]:
    options = {"version_table": version_table}
    return set(MigrationContext.configure(connection, opts=options).get_current_heads())


def _upgrade(connection: Connection, scripts: ScriptDirectory, version_table: str) -> None:
    def steps(current: tuple[str, ...] | str, _context: MigrationContext) -> list[RevisionStep]:
        return list(scripts._upgrade_revs("heads", current))  # type: ignore[arg-type]  # as Alembic's own documentation

    options = {"fn": steps, "version_table": version_table}
    context = MigrationContext.configure(connection, opts=options)
    try:
        with Operations.context(context):
            context.run_migrations()
    except CommandError as error:
        raise StoreError(
            "the database was written by another version of oversight, which this one does not know",
            mend="use the newest oversight that has written to it",
        ) from error
