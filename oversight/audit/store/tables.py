"""The tables. What makes and changes them are the migrations; a test holds both against each other.

    repositories ─< changes ─< reports ─< opinions       what was said of changes by machines
                           ├─< seen                      who was shown that, and is blind no more
                           ├─< labels                    what history said of them
                           └── queue                     whether people are asked to judge them, and with what chance
    runs                                                 the files from which these came
    repositories ─< canary_runs ─< canary_reviews        what was said of seeded defects, apart from all changes
    ledger ── verdicts | landings                        what people said: a chain, to which is only ever added

Verdicts and landings name changes by their commits, not by rows: who holds the chain alone can read it. What is unknown
is null, never 0.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

VERSION_TABLE = "audit_version"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    r"""Return text as every database takes it: NUL and lone surrogates, which some refuse, become U+FFFD.

    >>> storable("a\0b") == "a\ufffdb"
    True
    """
    return _UNSTORABLE.sub("\ufffd", text)


class Moment(TypeDecorator[datetime]):
    """A moment, time-zone aware and in UTC. In SQLite it is text that sorts as moments do."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return the type of this dialect."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what is stored; ValueError for a moment of no time zone, which may have been any."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return _text(moment) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the moment that is stored; ValueError for anything else, also one that is written otherwise."""
        if value is None or dialect.name != "sqlite":
            return None if value is None else value.astimezone(UTC)
        moment = datetime.fromisoformat(value)
        if _text(moment) != value:
            raise ValueError("a moment that was written otherwise")
        return moment


class Truth(TypeDecorator[bool]):
    """True or false; in SQLite, where a BOOLEAN takes any number, 1 or 0 and nothing else."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return the type of this dialect."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        """Return what is stored."""
        return int(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002  # the base's signature
        """Return what is stored; ValueError for what is neither."""
        if value not in (0, 1, None):
            raise ValueError("neither true nor false")
        return None if value is None else bool(value)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows in INTEGER columns alone, which hold 64 bits

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

repositories = Table(
    "repositories",
    metadata,
    Column("id", Big, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # the name in lower case: GitHub minds no case
    Column("name", Text, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Big, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False),
    Column("commit", String(64), nullable=False, index=True),  # the head's sha, or the sha256 of a bare diff
    Column("author", Text),
    Column("provenance", String(16)),  # null where no report has told
    Column("agent", Text),  # the bot's or agent's name
    Column("authored_at", Moment),
    Column("title", Text),
    Column("directory", Text),  # where most of its files are, of rows of scores; null where no clone has told
    UniqueConstraint("repository_id", "commit"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Big, primary_key=True),
    Column("kind", String(16), nullable=False),  # what its lines are: reports, scores, labels, verdicts
    Column("name", Text, nullable=False),  # the file's
    Column("at", Moment, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("added", Integer, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Big, primary_key=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False, index=True),
    Column("run_id", ForeignKey("runs.id")),
    Column("digest", String(64), nullable=False, unique=True),  # of the content: what is on record comes in once
    Column("source", String(16), nullable=False),  # how it came: import, webhook, api, …
    Column("number", Big),  # the pull request's
    Column("at", Moment, nullable=False),  # when it came in
    Column("status", String(16), nullable=False),
    Column("risk", Double),
    Column("percentile", Double),
    Column("flagged", Truth, nullable=False),
    Column("model", String(64)),  # the sha256 of its manifest; null also where a row does not tell
    Column("added", Big),
    Column("deleted", Big),
    Column("body", JSON(none_as_null=True)),  # the report but for hunks and findings; null for a row of scores
)

opinions = Table(
    "opinions",
    metadata,
    Column("report_id", ForeignKey("reports.id"), primary_key=True),
    Column("place", Integer, primary_key=True),  # the report's hunks in their order, then its findings
    Column("reviewer", String(16), nullable=False),  # model, or principles
    Column("path", Text, nullable=False),
    Column("start", Big),  # the finding's line too; null for a file as a whole
    Column("end", Big),
    Column("risk", Double),
    Column("principle", Text),
    Column("severity", String(16)),
    Column("reasons", JSON, nullable=False),
    Column("weight", Double),  # a hunk's, in the order of reading; null where a report does not tell
)

labels = Table(
    "labels",
    metadata,
    Column("id", Big, primary_key=True),
    Column("change_id", ForeignKey("changes.id"), nullable=False, index=True),
    Column("run_id", ForeignKey("runs.id")),
    Column("digest", String(64), nullable=False, unique=True),
    Column("risky", Truth, nullable=False),
    Column("source", String(16), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("excluded", Text),
)

queue = Table(  # a row for each change that was considered: they are what estimates are of
    "queue",
    metadata,
    Column("change_id", ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("report_id", ForeignKey("reports.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("directory", Text, nullable=False),  # where most of its hunks, or files, are; "" where that is unknown
    Column("considered_at", Moment, nullable=False, index=True),
    Column("propensity", Double, nullable=False),  # with which it was drawn; 1 for what was to be seen in any case
    Column("selection", String(16)),  # flagged, random, or request: judged before; null where it was not picked
    Column("queued_at", Moment),  # null where it was not picked
)

seen = Table(
    "seen",
    metadata,
    Column("who", Text, primary_key=True),
    Column("change_id", ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("at", Moment, nullable=False),  # the first time
)

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", Big, primary_key=True, autoincrement=False),  # 1, 2, 3 …, and never a gap
    Column("kind", String(8), nullable=False),  # verdict, or landing
    Column("name", String(64), nullable=False, unique=True),  # of what no two entries share: who, where, when, on what
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("sequence", ForeignKey("ledger.sequence"), primary_key=True, autoincrement=False),
    Column("change_id", String(64), nullable=False, index=True),
    Column("finding", String(42)),
    Column("who", Text, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("own", Truth, nullable=False),
    Column("selection", String(16), nullable=False),
    Column("propensity", Double),
    Column("flagged", Truth),
    Column("risk", Double),
    Column("percentile", Double),
    Column("model", String(64)),
    Column("source", String(31), nullable=False),
    Column("repository", Text),
    Column("number", Big, index=True),
    Column("source_id", Big),
    Column("blind", Truth, nullable=False, server_default=false()),
)

landings = Table(
    "landings",
    metadata,
    Column("sequence", ForeignKey("ledger.sequence"), primary_key=True, autoincrement=False),
    Column("change_id", String(64), nullable=False, index=True),
    Column("commit", String(64), nullable=False, index=True),
    Column("repository", Text, nullable=False),
    Column("number", Big, nullable=False, index=True),
    Column("landed_at", Moment, nullable=False),
)

shadow_scores = Table(  # what models that are not in use say; nothing else here depends on it
    "shadow_scores",
    metadata,
    Column("change_id", ForeignKey("changes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("model", String(64), primary_key=True),  # the sha256 of its manifest
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("risk", Double),
    Column("percentile", Double),
    Column("flagged", Truth, nullable=False),  # whether it would be
)

canary_runs = Table(
    "canary_runs",
    metadata,
    Column("id", Big, primary_key=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("head", String(64), nullable=False),
    Column("seed", Big, nullable=False),
    Column("budget", Double, nullable=False),
    Column("model", String(64), nullable=False),  # the sha256 of its manifest
)

canary_reviews = Table(
    "canary_reviews",
    metadata,
    Column("run_id", ForeignKey("canary_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("pair", Integer, primary_key=True, autoincrement=False),
    Column("part", String(8), primary_key=True),  # canary, control, or before: the change without the defect
    Column("kind", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("change_id", String(71), nullable=False),  # of a canary "canary:" and a digest: no commit, no change of ours
    Column("origin", String(64), nullable=False),
    Column("added", Big),
    Column("deleted", Big),
    Column("status", String(16), nullable=False),
    Column("risk", Double),
    Column("percentile", Double),
    Column("by_budget", Truth, nullable=False),
    Column("by_principle", Truth, nullable=False),
    Column("flagged", Truth, nullable=False),
)
