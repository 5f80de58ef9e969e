"""The server's own tables, beside those of the audit's store. Migrations make them; a test holds both together.

deliveries     what GitHub sent: its payload until the queue has it, its id for as long as it may come again
sessions       who is logged in to the pages, under digests of what their browsers hold
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from oversight.audit.store.tables import Big, Moment

VERSION_TABLE = "server_version"
LONGEST_ID = 64

metadata = MetaData()

deliveries = Table(
    "deliveries",
    metadata,
    Column("sequence", Big, primary_key=True, autoincrement=True),  # the order in which they were stored
    Column("id", String(LONGEST_ID), nullable=False, unique=True),  # X-GitHub-Delivery
    Column("event", String(LONGEST_ID), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("payload", LargeBinary),  # null once it was moved on
    Column("moved_at", Moment),  # null while it waits for the queue
    Column("leased_until", Moment),  # null, or until when one dispatcher alone may move it on
    Column("attempts", Integer, nullable=False),  # to move it on
)
Index("ix_deliveries_waiting", deliveries.c.sequence, sqlite_where=deliveries.c.moved_at.is_(None),
      postgresql_where=deliveries.c.moved_at.is_(None))  # fmt: skip
Index("ix_deliveries_moved_at", deliveries.c.moved_at)

sessions = Table(
    "sessions",
    metadata,
    Column("key", String(64), primary_key=True),  # the sha256 of the cookie
    Column("login", Text, nullable=False),
    Column("via", String(8), nullable=False),  # github, or token
    Column("issuer", String(64), nullable=False),  # a digest of what vouched: with another App or token nobody stays in
    Column("account", Big),  # GitHub's number of the person, who may change the name; null for a token
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
)
