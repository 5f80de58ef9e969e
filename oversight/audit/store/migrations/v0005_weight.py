"""In which order a report's hunks are to be read; earlier reports do not say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("opinions", sa.Column("weight", sa.Double))
