"""The tables of the books. What makes and changes them are the migrations beside."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, MetaData, String, Table, Text

from oversight.audit.store.tables import Big, Moment

VERSION_TABLE = "queue_version"

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("place", Text, nullable=False),
    Column("repository", Text),
    Column("installation", Big, nullable=False),
    Column("number", Big),
    Column("head", String(64)),
    Column("model", Text),
    Column("attempt", Integer, nullable=False),
    Column("cause", Text),
    Column("seen_at", Moment),
    Column("arguments", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("runs", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("base", Text),  # the branch that a review compared with
    Column("waits_since", Moment),  # null, or since when it waits for GitHub and for nothing else
    Index("ix_jobs_place_number", "place", "number"),
    Index("ix_jobs_state_updated_at", "state", "updated_at"),
    Index("ix_jobs_installation", "installation"),
)

former_names = Table(
    "former_names",
    metadata,
    Column("key", Text, primary_key=True),  # a name that a repository had, in lower case
    Column("name", Text, nullable=False),  # what it is called now
    Index("ix_former_names_name", "name"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("beat", Big, nullable=False),  # goes up for as long as the worker lives
)
