"""Deliveries of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deliveries",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("moved_at", _MOMENT),
        sa.Column("leased_until", _MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    waiting = sa.text("moved_at IS NULL")
    op.create_index("ix_deliveries_waiting", "deliveries", ["sequence"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_deliveries_moved_at", "deliveries", ["moved_at"])
