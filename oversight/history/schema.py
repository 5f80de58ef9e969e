"""The index's database: tables, opening, and what counts as damage.

A commit's `key` is that of `oversight.history.order`. Paths, areas and authors are bytes, since neither need be
valid text. `prefix` is the number of a sha's first seven hex digits.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 2
"""Goes up with every change of what the tables hold; an index of another version is built anew."""

_TABLES = """
CREATE TABLE tips (sha TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE paths (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
CREATE TABLE areas (id INTEGER PRIMARY KEY, area BLOB NOT NULL UNIQUE);
CREATE TABLE authors (id INTEGER PRIMARY KEY, author BLOB NOT NULL UNIQUE);
CREATE TABLE commits (
    id INTEGER PRIMARY KEY, sha TEXT NOT NULL UNIQUE, key BLOB NOT NULL, merge INTEGER NOT NULL,
    author INTEGER, time INTEGER, fix INTEGER, files INTEGER,
    prefix INTEGER, subject INTEGER, number INTEGER, changelist INTEGER
);
CREATE INDEX commits_by_key ON commits (key) WHERE merge = 0;
CREATE INDEX commits_by_author ON commits (author, key);
CREATE INDEX commits_by_prefix ON commits (prefix) WHERE merge = 0;
CREATE INDEX commits_by_subject ON commits (subject) WHERE merge = 0;
CREATE INDEX commits_by_number ON commits (number) WHERE number IS NOT NULL;
CREATE INDEX commits_by_changelist ON commits (changelist) WHERE changelist IS NOT NULL;
CREATE TABLE touches (
    path INTEGER NOT NULL, key BLOB NOT NULL, "commit" INTEGER NOT NULL,
    status TEXT NOT NULL, old INTEGER, added INTEGER, deleted INTEGER,
    PRIMARY KEY (path, key, "commit")
) WITHOUT ROWID;
CREATE INDEX touches_by_commit ON touches ("commit");
CREATE TABLE visits (
    area INTEGER NOT NULL, author INTEGER NOT NULL, key BLOB NOT NULL, "commit" INTEGER NOT NULL,
    time INTEGER NOT NULL, fix INTEGER NOT NULL,
    PRIMARY KEY (area, author, key, "commit")
) WITHOUT ROWID;
CREATE TABLE mentions (
    id INTEGER PRIMARY KEY, "commit" INTEGER NOT NULL, key BLOB NOT NULL, kind TEXT NOT NULL,
    sha TEXT, text BLOB, prefix INTEGER, subject INTEGER, number INTEGER, changelist INTEGER
);
CREATE INDEX mentions_by_prefix ON mentions (prefix) WHERE prefix IS NOT NULL;
CREATE INDEX mentions_by_subject ON mentions (subject) WHERE subject IS NOT NULL;
CREATE INDEX mentions_by_number ON mentions (number) WHERE number IS NOT NULL;
CREATE INDEX mentions_by_changelist ON mentions (changelist) WHERE changelist IS NOT NULL;
CREATE TABLE readings (
    model TEXT NOT NULL, key BLOB NOT NULL, sha TEXT NOT NULL, pooled REAL NOT NULL, profile BLOB NOT NULL,
    PRIMARY KEY (model, key, sha)
);
"""

_WAIT_SECONDS = 300.0
"""How long to wait for another process that is extending the same index: as long as a large history takes."""


def cache_directory() -> Path:
    """Where indexes live: `OVERSIGHT_CACHE_DIR`, or the user's cache directory of this platform."""
    named = os.environ.get("OVERSIGHT_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("oversight"))


def open_or_rebuild(path: Path | None) -> tuple[sqlite3.Connection, bool]:
    """Open the index at `path`, or one in memory; a damaged one is removed and made anew, which is said.

    Raises sqlite3.Error where the file cannot be used, and OSError where its directory cannot.
    """
    if path is None:
        return _connect(None), False
    try:
        return _connect(path), False
    except sqlite3.DatabaseError as error:
        if not damaged(error):
            raise
    remove(path)
    return _connect(path), True


def damaged(error: sqlite3.Error) -> bool:
    """Whether an error tells of a broken file, not of one that is locked, full or not ours to write."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def remove(path: Path) -> None:
    """Remove a damaged database with the files beside it. Raises OSError."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    # A scoring takes its jobs from whichever thread has a worker free: from one after another, never from two at once.
    connection = sqlite3.connect(
        path or ":memory:", timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, in_memory=path is None)
        # Cheap, and finds what a cut-off or overwritten file looks like; the rest shows when it is read.
        connection.execute("SELECT count(*) FROM tips").fetchone()
        connection.execute("SELECT key FROM commits ORDER BY id DESC LIMIT 1").fetchone()
        connection.execute('CREATE TEMP TABLE hidden ("commit" INTEGER PRIMARY KEY)')
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, *, in_memory: bool) -> None:
    if not in_memory:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -65536")
    if _version(connection) == VERSION:
        return
    with transaction(connection):
        # Another process may have made the tables while this one waited for the lock.
        if _version(connection) != VERSION:
            for name in _names(connection):
                connection.execute(f'DROP TABLE "{name}"')
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _names(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [str(name).replace('"', '""') for (name,) in found]


def clear(connection: sqlite3.Connection) -> None:
    """Empty every table; the caller's transaction decides whether that lasts."""
    for name in _names(connection):
        connection.execute(f'DELETE FROM "{name}"')  # noqa: S608  the names are the database's own


def begin(connection: sqlite3.Connection) -> None:
    """Begin to write, once no other process does."""
    connection.execute("BEGIN IMMEDIATE")


def rollback(connection: sqlite3.Connection) -> None:
    """Undo what was written since `begin`; sqlite may have done so itself, as on a full disk."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing."""
    begin(connection)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        rollback(connection)
        raise
