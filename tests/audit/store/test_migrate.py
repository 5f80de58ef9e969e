"""Migrations: tables are what the code believes them to be, made once, and never half-made."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from oversight.audit.store import Store, migrate, writing
from oversight.audit.store.engine import connect, locate
from oversight.audit.store.tables import metadata
from oversight.errors import StoreError

FIRST = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "1", None


def upgrade():
    op.create_table("birds", sa.Column("name", sa.Text, primary_key=True))
"""
FAILS = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "2", "1"


def upgrade():
    op.create_table("nests", sa.Column("name", sa.Text, primary_key=True))
    op.execute("this is no SQL")
"""


def test_the_migrations_make_the_tables_that_the_code_believes_in(store: Store):
    """Nothing is left for Alembic to change."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "audit_version"})
        assert compare_metadata(context, metadata) == []


def test_others_migrate_their_own_tables_in_the_same_database(store: Store, tmp_path: Path):
    """A folder of revisions and a version table of their own are enough; the store's are untouched."""
    (tmp_path / "v1.py").write_text(FIRST)
    for _ in range(2):
        migrate(store.engine, tmp_path, version_table="birds_version")
    assert {"birds", "birds_version", "ledger", "audit_version"} <= set(inspect(store.engine).get_table_names())


def test_a_migration_that_fails_leaves_nothing_behind(store: Store, tmp_path: Path):
    """The database stays at the version before it, without half of the tables."""
    (tmp_path / "v1.py").write_text(FIRST)
    (tmp_path / "v2.py").write_text(FAILS)
    with pytest.raises(StoreError):
        migrate(store.engine, tmp_path, version_table="birds_version")
    assert not {"birds", "nests"} & set(inspect(store.engine).get_table_names())


def test_a_database_of_a_later_version_is_refused(url: str):
    """Code that does not know the tables does not write to them."""
    with Store.open(url) as store, writing(store.engine) as connection:
        connection.execute(text("UPDATE audit_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another version"):
        Store.open(url)
    engine = connect(locate(url))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM audit_version")) == "9999"
    engine.dispose()


def test_opening_waits_for_no_writer(url: str):
    """A database that is up to date is opened and read while somebody writes, for however long."""
    with Store.open(url) as store, writing(store.engine) as connection:
        connection.execute(text("UPDATE audit_version SET version_num = version_num"))
        with Store.open(url) as other:
            assert other.verify() is None
