"""Where the store is, and how to get at it: an SQLAlchemy engine for SQLite or PostgreSQL.

    engine = connect(locate(url))
    with writing(engine) as connection: …     one transaction, the only writer where that matters
    with reading(engine) as connection: …     one moment of the database, which no writer changes or waits for

SQLite is in WAL mode, and every write transaction takes its lock when it begins: one that began as a reader would find
that it may not go on. A file that may not be written is read as it is. No error names a password, and none shows what
was to be written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from oversight.errors import StoreError
from oversight.experiment.runs import data_directory
from oversight.reports.escape import terminal

VARIABLE = "OVERSIGHT_DATABASE_URL"

_WAIT = 60  # seconds that a writer to SQLite waits for another one
_PATIENCE = 10  # seconds that a server of PostgreSQL may take to answer
_READS = "oversight_reads"
_MEND = f"write {VARIABLE} as sqlite:////path/to/audit.db or postgresql://user:password@host/name"


def locate(url: str | None = None) -> URL:
    """Return the database's URL: what is given, else `OVERSIGHT_DATABASE_URL`, else a file with the user's data.

    `StoreError` for one that names no file and no server, or another kind of database.
    """
    given = url or os.environ.get(VARIABLE)
    if not given:
        return URL.create("sqlite", database=str(data_directory() / "audit.db"))
    try:
        parsed = make_url(given)
    except (ArgumentError, ValueError):  # `from None`: SQLAlchemy's message may hold the password
        raise StoreError("the database's URL cannot be understood", mend=_MEND) from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            if not parsed.database or parsed.database.startswith((":memory:", "file:")):
                raise StoreError("the database's URL names no file", mend=_MEND)
            return parsed.set(drivername="sqlite")
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError(f"{terminal(other, 40)} is no kind of database that is known here", mend=_MEND)


def connect(url: URL, *, make: bool = True) -> Engine:
    """Return an engine for what `locate` gave.

    A file of SQLite is made where there is none, for its user alone, or without `make` a `StoreError` says so; one that
    the user may not write is only read.
    """
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not make and not _is_there(path):
            raise StoreError(
                f"there is no database {terminal(str(path), 200)}",
                mend=f'name another one with --database or {VARIABLE}; "oversight audit import" makes one',
            )
        if _is_kept(path):
            engine = create_engine(_as_it_is(path), hide_parameters=True)
            event.listen(engine, "connect", _set_up_reader)
            event.listen(engine, "begin", _begin)
            return engine
        _make_file(path)
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _WAIT})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": _PATIENCE}
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=patience)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes, all of it or nothing. `StoreError` where the database fails."""
    with _told(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads, and sees the database at one moment. `StoreError` where the database fails."""
    options: dict[str, Any] = {_READS: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _told(), engine.connect() as connection, connection.execution_options(**options).begin():
        yield connection


@contextmanager
def aside(engine: Engine) -> Iterator[Connection]:
    """A connection whose temporary tables nobody else sees and that end with it. `StoreError` where the database fails.

    with aside(engine) as connection:
        with unlocked(connection): …      write to temporary tables, for as long as it takes: nobody waits
        with locked(connection): …        one transaction that writes, as of `writing`
    """
    with _told(), engine.connect() as connection:
        connection.detach()
        yield connection


def unlocked(connection: Connection) -> RootTransaction:
    """Return a transaction that has begun, for use in a `with`, and that writes to temporary tables alone."""
    return connection.execution_options(**{_READS: True}).begin()


def locked(connection: Connection) -> RootTransaction:
    """Return a transaction that has begun, for use in a `with`: the only one that writes, where that matters."""
    return connection.execution_options(**{_READS: False}).begin()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # The driver's own words alone, `from None`: SQLAlchemy's show the statement, and a traceback the arguments.
        said = str(error.orig).strip().partition("\n")[0]
        raise StoreError(f"the database says: {terminal(said, 300)}", mend=_mend(said)) from None
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {type(error).__name__}", mend="see whether it is what it was") from None


def _mend(said: str) -> str:
    if "locked" in said:
        return "another process is writing: wait for it"
    if "readonly" in said:
        return "this user may only read it: ask whoever may write to it"
    if "unable to open" in said:
        return "see that it can be reached; where it may not be written, copy it, and its -wal, to where it may"
    if "malformed" in said or "not a database" in said:
        return "name another one, or restore it"
    return "see that it can be reached and written"


def _is_there(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a NUL byte in the path
        return False


def _is_kept(path: Path) -> bool:
    """Whether a file is there that this user may read and not write; SQLite writes into its folder as well."""
    try:
        mine = {"effective_ids": os.access in os.supports_effective_ids}
        there = path.is_file() and os.access(path, os.R_OK, **mine)
        return there and not (os.access(path, os.W_OK, **mine) and os.access(path.parent, os.W_OK, **mine))
    except (OSError, ValueError):  # ValueError: a NUL byte in the path
        return False


def _as_it_is(path: Path) -> URL:
    """Return the URL of a file that is only read.

    Where somebody else is at it, or was killed, what they wrote last stands beside it and is read along. Otherwise
    nothing is beside it, and SQLite, which could not make it, has to be told that it may do without.
    """
    query = {"uri": "true", "mode": "ro"}
    if not path.with_name(f"{path.name}-wal").exists():
        query["immutable"] = "1"
    return URL.create("sqlite", database=path.resolve().as_uri(), query=query)


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "no path"
        raise StoreError(
            f"the database {terminal(str(path), 200)} cannot be written: {reason}",
            mend=f"name another one with --database or {VARIABLE}, or set OVERSIGHT_DATA_DIR to a folder you own",
        ) from error


def _set_up(connection: Any, _record: object) -> None:
    # Python's driver would begin transactions by itself, and those too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_up_reader(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
