"""Which changes were considered for people to judge, how likely each was to be drawn, and which were picked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make the table."""
    change = sa.ForeignKey("changes.id", ondelete="CASCADE")
    report = sa.ForeignKey("reports.id", ondelete="CASCADE")
    op.create_table(
        "queue",
        sa.Column("change_id", _BIG, change, primary_key=True, autoincrement=False),
        sa.Column("report_id", _BIG, report, nullable=False),
        sa.Column("directory", sa.Text, nullable=False),
        sa.Column("considered_at", _MOMENT, nullable=False),
        sa.Column("propensity", sa.Double, nullable=False),
        sa.Column("selection", sa.String(16)),
        sa.Column("queued_at", _MOMENT),
    )
    op.create_index("ix_queue_report_id", "queue", ["report_id"])
    op.create_index("ix_queue_considered_at", "queue", ["considered_at"])
