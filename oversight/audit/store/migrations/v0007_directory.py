"""Where a change is in the tree, for rows of scores, which name no files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.add_column("changes", sa.Column("directory", sa.Text))
