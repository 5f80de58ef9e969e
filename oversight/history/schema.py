"""The index's database: tables, opening, and what counts as damage.

A commit's `key` is that of `oversight.history.order`. Paths, areas and authors are bytes, since neither need be
valid text. `prefix` is the number of a sha's first seven hex digits.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

VERSION = 1
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
CREATE INDEX commits_by_key ON commits (key);
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
CREATE TABLE risks (
    model TEXT NOT NULL, key BLOB NOT NULL, sha TEXT NOT NULL, risk REAL NOT NULL,
    PRIMARY KEY (model, key, sha)
) WITHOUT ROWID;
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


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the database at `path`, or one in memory, and make its tables where there are none.

    Raises sqlite3.Error where the file is damaged or cannot be used, and OSError where its directory cannot.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path or ":memory:", timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        _prepare(connection, in_memory=path is None)
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
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have made the tables while this one waited for the lock.
        if _version(connection) != VERSION:
            _drop_everything(connection)
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _drop_everything(connection: sqlite3.Connection) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        quoted = str(name).replace('"', '""')
        connection.execute(f'DROP TABLE "{quoted}"')


def remove(path: Path) -> None:
    """Remove a damaged database with the files beside it. Raises OSError."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
