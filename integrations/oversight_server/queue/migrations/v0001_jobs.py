"""Jobs, and the workers that do them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("repository", sa.Text),
        sa.Column("installation", _BIG, nullable=False),
        sa.Column("number", _BIG),
        sa.Column("head", sa.String(64)),
        sa.Column("model", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("seen_at", _MOMENT),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_jobs_place_number", "jobs", ["place", "number"])
    op.create_index("ix_jobs_state_updated_at", "jobs", ["state", "updated_at"])
    op.create_index("ix_jobs_installation", "jobs", ["installation"])
    op.create_table("workers", sa.Column("id", sa.Text, primary_key=True), sa.Column("beat", _BIG, nullable=False))
