"""What reviews said of seeded defects, a run at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRUTH = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "canary_runs",
        sa.Column("id", _BIG, primary_key=True),
        sa.Column("repository_id", _BIG, sa.ForeignKey("repositories.id"), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("seed", _BIG, nullable=False),
        sa.Column("budget", sa.Double, nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
    )
    op.create_index("ix_canary_runs_repository_id", "canary_runs", ["repository_id"])
    run = sa.ForeignKey("canary_runs.id", ondelete="CASCADE")
    op.create_table(
        "canary_reviews",
        sa.Column("run_id", _BIG, run, primary_key=True, autoincrement=False),
        sa.Column("pair", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.String(8), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("change_id", sa.String(71), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("added", _BIG),
        sa.Column("deleted", _BIG),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("risk", sa.Double),
        sa.Column("percentile", sa.Double),
        sa.Column("by_budget", _TRUTH, nullable=False),
        sa.Column("by_principle", _TRUTH, nullable=False),
        sa.Column("flagged", _TRUTH, nullable=False),
    )
