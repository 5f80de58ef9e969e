"""What models in the shadow say of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRUTH = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    change = sa.ForeignKey("changes.id", ondelete="CASCADE")
    op.create_table(
        "shadow_scores",
        sa.Column("change_id", _BIG, change, primary_key=True, autoincrement=False),
        sa.Column("model", sa.String(64), primary_key=True),
        sa.Column("run_id", _BIG, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("risk", sa.Double),
        sa.Column("percentile", sa.Double),
        sa.Column("flagged", _TRUTH, nullable=False),
    )
