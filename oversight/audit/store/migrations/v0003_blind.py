"""Whether a verdict was given before what the model said was shown; none of the earlier ones was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    truth = sa.Boolean().with_variant(sa.Integer(), "sqlite")
    op.add_column("verdicts", sa.Column("blind", truth, nullable=False, server_default=sa.false()))
