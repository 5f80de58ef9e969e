"""Who was shown what reports say of a change: what they say of it afterwards is not blind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seen",
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("change_id", _BIG, sa.ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_index("ix_seen_change_id", "seen", ["change_id"])
