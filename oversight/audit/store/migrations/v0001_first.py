"""Changes, what machines and history said of them, and the ledger of what people said."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TRUTH = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _changes()
    _reports()
    _ledger()


def _key() -> sa.Column[Any]:
    return sa.Column("id", _BIG, primary_key=True)


def _to(column: str, *, optional: bool = False) -> sa.Column[Any]:
    """A column that refers to another table: `repository_id` to `repositories.id`."""
    table = {"repository_id": "repositories", "change_id": "changes", "run_id": "runs", "report_id": "reports"}[column]
    return sa.Column(column, _BIG, sa.ForeignKey(f"{table}.id"), nullable=optional)


def _changes() -> None:
    op.create_table(
        "repositories",
        _key(),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("key", name="uq_repositories_key"),
    )
    op.create_table(
        "changes",
        _key(),
        _to("repository_id"),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("author", sa.Text),
        sa.Column("provenance", sa.String(16)),
        sa.Column("agent", sa.Text),
        sa.Column("authored_at", _MOMENT),
        sa.Column("title", sa.Text),
        sa.UniqueConstraint("repository_id", "commit", name="uq_changes_repository_id_commit"),
    )
    op.create_index("ix_changes_commit", "changes", ["commit"])
    op.create_table(
        "runs",
        _key(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
    )


def _reports() -> None:
    op.create_table(
        "reports",
        _key(),
        _to("change_id"),
        _to("run_id", optional=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("number", _BIG),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("risk", sa.Double),
        sa.Column("percentile", sa.Double),
        sa.Column("flagged", _TRUTH, nullable=False),
        sa.Column("model", sa.String(64)),
        sa.Column("added", _BIG),
        sa.Column("deleted", _BIG),
        sa.Column("body", sa.JSON),
        sa.UniqueConstraint("digest", name="uq_reports_digest"),
    )
    op.create_index("ix_reports_change_id", "reports", ["change_id"])
    op.create_table(
        "opinions",
        sa.Column("report_id", _BIG, sa.ForeignKey("reports.id"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("reviewer", sa.String(16), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("start", _BIG),
        sa.Column("end", _BIG),
        sa.Column("risk", sa.Double),
        sa.Column("principle", sa.Text),
        sa.Column("severity", sa.String(16)),
        sa.Column("reasons", sa.JSON, nullable=False),
    )
    op.create_table(
        "labels",
        _key(),
        _to("change_id"),
        _to("run_id", optional=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("risky", _TRUTH, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("excluded", sa.Text),
        sa.UniqueConstraint("digest", name="uq_labels_digest"),
    )
    op.create_index("ix_labels_change_id", "labels", ["change_id"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(8), nullable=False),
        *(sa.Column(name, sa.String(64), nullable=False) for name in ("name", "previous", "hash")),
        *(sa.UniqueConstraint(name, name=f"uq_ledger_{name}") for name in ("name", "previous", "hash")),
    )
    op.create_table(
        "verdicts",
        _sequence(),
        sa.Column("change_id", sa.String(64), nullable=False),
        sa.Column("finding", sa.String(42)),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("own", _TRUTH, nullable=False),
        sa.Column("selection", sa.String(16), nullable=False),
        sa.Column("propensity", sa.Double),
        sa.Column("flagged", _TRUTH),
        sa.Column("risk", sa.Double),
        sa.Column("percentile", sa.Double),
        sa.Column("model", sa.String(64)),
        sa.Column("source", sa.String(31), nullable=False),
        sa.Column("repository", sa.Text),
        sa.Column("number", _BIG),
        sa.Column("source_id", _BIG),
    )
    for name in ("change_id", "number"):
        op.create_index(f"ix_verdicts_{name}", "verdicts", [name])
    op.create_table(
        "landings",
        _sequence(),
        sa.Column("change_id", sa.String(64), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("landed_at", _MOMENT, nullable=False),
    )
    for name in ("change_id", "commit", "number"):
        op.create_index(f"ix_landings_{name}", "landings", [name])


def _sequence() -> sa.Column[Any]:
    return sa.Column("sequence", _BIG, sa.ForeignKey("ledger.sequence"), primary_key=True, autoincrement=False)
