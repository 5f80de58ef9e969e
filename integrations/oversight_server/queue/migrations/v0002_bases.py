"""What reviews compared with, since when jobs wait, and what repositories were called before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Add the columns, and make the table."""
    op.add_column("jobs", sa.Column("base", sa.Text))
    op.add_column("jobs", sa.Column("waits_since", _MOMENT))
    op.create_table(
        "former_names", sa.Column("key", sa.Text, primary_key=True), sa.Column("name", sa.Text, nullable=False)
    )
    op.create_index("ix_former_names_name", "former_names", ["name"])
