"""Adding commits to the index: one transaction, all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from types import TracebackType

from oversight.history.model import Commit
from oversight.history.naming import PREFIX, handles_of
from oversight.history.order import Listed
from oversight.history.references import Reference, References, is_fix, read_references, subject_key
from oversight.history.schema import rollback
from oversight.history.state import areas_of, author_key

_FLUSH = 2_000


class Writer:
    """Takes the commits of `wanted` (others are passed over), and with them the graph's merges and the tip.

    A context manager: leaving it commits everything, leaving it by an exception nothing.
    """

    def __init__(self, connection: sqlite3.Connection, tip: str, wanted: Mapping[str, Listed]) -> None:
        self._connection = connection
        self._tip = tip
        self.wanted = wanted
        self._paths = _Interned(connection, "paths", "path")
        self._areas = _Interned(connection, "areas", "area")
        self._authors = _Interned(connection, "authors", "author")
        self._next = int(connection.execute("SELECT coalesce(max(id), 0) + 1 FROM commits").fetchone()[0])
        self._commits: list[tuple[object, ...]] = []
        self._touches: list[tuple[object, ...]] = []
        self._visits: list[tuple[object, ...]] = []
        self._mentions: list[tuple[object, ...]] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
                self._connection.execute("COMMIT")
        finally:
            rollback(self._connection)

    def add(self, commit: Commit, references: References | None = None) -> None:
        """Store a commit if it is one of the wanted. `references` spares reading the message again."""
        listed = self.wanted.get(commit.sha)
        if listed is None:
            return
        said = references if references is not None else read_references(commit.message)
        identifier, self._next = self._next, self._next + 1
        author, time, fix = self._authors[author_key(commit)], commit.committed_at, int(is_fix(commit.message))
        handles = handles_of(commit)
        prefix = int(commit.sha[:PREFIX], 16)
        self._commits.append(
            (
                *(identifier, commit.sha, listed.key, 0, author, time, fix, len(commit.touches)),
                *(prefix, handles.subject, handles.number, handles.changelist),
            )
        )
        for touch in commit.touches:
            old = self._paths[touch.old_path] if touch.old_path not in (None, touch.path) else None
            row = (self._paths[touch.path], listed.key, identifier, touch.status.value, old, touch.added, touch.deleted)
            self._touches.append(row)
        for area in areas_of(commit.touches):
            self._visits.append((self._areas[area], author, listed.key, identifier, time, fix))
        for reference in (*said.fixes, *said.reverts):
            self._mentions.append((identifier, listed.key, *_mention(reference)))
        if len(self._commits) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        run = self._connection.executemany
        run("INSERT OR IGNORE INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._commits)
        run("INSERT OR IGNORE INTO touches VALUES (?, ?, ?, ?, ?, ?, ?)", self._touches)
        run("INSERT OR IGNORE INTO visits VALUES (?, ?, ?, ?, ?, ?)", self._visits)
        run("INSERT INTO mentions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._mentions)
        for rows in (self._commits, self._touches, self._visits, self._mentions):
            rows.clear()

    def _finish(self) -> None:
        self._flush()
        merges = ((listed.sha, listed.key) for listed in self.wanted.values() if listed.merge)
        self._connection.executemany("INSERT OR IGNORE INTO commits (sha, key, merge) VALUES (?, ?, 1)", merges)
        if self.wanted:
            oldest = min(listed.key for listed in self.wanted.values())
            # What these commits add was not known when those changes were read.
            self._connection.execute("DELETE FROM readings WHERE key > ?", (oldest,))
            self._connection.execute("INSERT OR IGNORE INTO tips VALUES (?)", (self._tip,))


def _mention(reference: Reference) -> tuple[object, ...]:
    """The columns of `mentions` from `kind` on."""
    text, prefix, subject = None, None, None
    if reference.subject is not None:
        text = reference.subject.encode("utf-8", "surrogateescape")
        subject = subject_key(reference.subject)
    if reference.sha is not None:
        prefix = int(reference.sha[:PREFIX], 16)
    return reference.kind, reference.sha, text, prefix, subject, reference.number, reference.changelist


class _Interned:
    """Identifiers of repeated strings in a table of two columns."""

    def __init__(self, connection: sqlite3.Connection, table: str, column: str) -> None:
        self._connection = connection
        self._insert = f"INSERT INTO {table} ({column}) VALUES (?)"  # noqa: S608  names are ours
        self._select = f"SELECT id FROM {table} WHERE {column} = ?"  # noqa: S608
        self._known: dict[str, int] = {}

    def __getitem__(self, text: str | None) -> int:
        known = self._known.get(text or "")
        if known is None:
            encoded = (text or "").encode("utf-8", "surrogateescape")
            row = self._connection.execute(self._select, (encoded,)).fetchone()
            known = int(row[0]) if row is not None else self._connection.execute(self._insert, (encoded,)).lastrowid
            if known is None:
                raise sqlite3.DatabaseError("no row was inserted")
            self._known[text or ""] = known
        return known


def keep_tips(connection: sqlite3.Connection, tips: Iterable[str]) -> None:
    """Let `tips` be the only tips: those that are their ancestors are covered by them."""
    connection.execute("DELETE FROM tips")
    connection.executemany("INSERT OR IGNORE INTO tips VALUES (?)", ((tip,) for tip in tips))
