"""What was answered and what is on its way: one SQLite file, so that nothing is paid for twice.

It lies with the user's data and not with the caches: what is in it was paid for. An answer is kept under a hash of all
that it was asked with (model, prompt, change), a batch before it is handed in, its id as soon as it is known. Neither
changes nor questions are kept, since both can be made again; no key is.

| table | row |
|---|---|
| answers | a reply that was paid for, by the hash of its request |
| batches | a batch by a name of ours; `after` is the account's newest batch before it, `id` is None until known |
| members | a request of a batch that has not been read yet, and what it can cost at most |
| wasted | what may have to be paid for a request besides the answer that is kept of it |
| labels | what the answers on a commit add up to, for one recipe |
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from oversight.errors import OutputError

VERSION = 1

_TABLES = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, stop TEXT, text TEXT NOT NULL, usd REAL NOT NULL, tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE batches (name TEXT PRIMARY KEY, after TEXT, id TEXT UNIQUE) WITHOUT ROWID;
CREATE TABLE members (
    batch TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, usd REAL NOT NULL, tokens INTEGER NOT NULL,
    PRIMARY KEY (batch, number)
) WITHOUT ROWID;
CREATE TABLE labels (
    repository TEXT NOT NULL, recipe TEXT NOT NULL, sha TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (repository, recipe, sha)
) WITHOUT ROWID;
"""

_WASTED = "CREATE TABLE IF NOT EXISTS wasted (key TEXT NOT NULL, usd REAL NOT NULL, tokens INTEGER NOT NULL)"
"""Came later, and may be missing in a file of the same version; who does not know it leaves it alone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer: why it ends, its text, and what it cost."""

    key: str
    model: str
    stop: str | None
    text: str
    usd: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Member:
    """A request of a batch, and the dollars and tokens that it can cost at most."""

    number: int
    key: str
    most: tuple[float, int]


@dataclass(frozen=True, slots=True)
class Open:
    """A batch that has not been read: `id` is None where nobody knows whether it was handed in."""

    name: str
    after: str | None
    id: str | None
    members: tuple[Member, ...]


def path() -> Path:
    """Where the file lies: in OVERSIGHT_DATA_DIR, or in the user's data directory of this platform."""
    named = os.environ.get("OVERSIGHT_DATA_DIR")
    if named:
        return Path(named).expanduser() / "claude.sqlite"
    import platformdirs

    return Path(platformdirs.user_data_dir("oversight")) / "claude.sqlite"


class Store:
    """The file at `path`, made where there is none. A context manager. Raises OutputError where it cannot be used."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            # What is in it was paid for: it has to be on disk when we go on.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"the answers of Claude cannot be kept: {type(error).__name__}",
                mend="set OVERSIGHT_DATA_DIR to a folder you own, or move a damaged claude.sqlite away",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _prepare(self) -> None:
        with self._transaction():
            found = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
            if found == 0:
                for statement in _TABLES.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
            elif found != VERSION:
                raise OutputError(
                    "the answers of Claude were kept by another version of oversight",
                    mend="use that version, or set OVERSIGHT_DATA_DIR to another folder",
                )
            self._connection.execute(_WASTED)

    def answer(self, key: str) -> Kept | None:
        """Return what was answered to a request, None where nothing was."""
        row = self._connection.execute(
            "SELECT key, model, stop, text, usd, tokens FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else Kept(*row)

    def keep(
        self,
        answers: Iterable[Kept],
        *,
        batch: str | None = None,
        lost: Iterable[Member] = (),
        number: int | None = None,
    ) -> None:
        """Keep answers, and in the same step forget the batch that they came from, of which nobody says that the `lost`
        requests were free; or what stands for a single request since `waste` returned this `number`.
        """
        rows = [(one.key, one.model, one.stop, one.text, one.usd, one.tokens) for one in answers]
        with self._transaction():
            self._connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._connection.executemany("INSERT INTO wasted VALUES (?, ?, ?)", [(one.key, *one.most) for one in lost])
            if batch is not None:
                self._forget(batch)
            if number is not None:
                self._connection.execute("DELETE FROM wasted WHERE rowid = ?", (number,))

    def waste(self, key: str, most: tuple[float, int]) -> int:
        """Say that a single request is about to leave, and what it can cost at most: as long as nothing else is known,
        that counts as paid. Return a number for `keep`.
        """
        with self._transaction():
            number = self._connection.execute("INSERT INTO wasted VALUES (?, ?, ?)", (key, *most)).lastrowid
        return number or 0

    def wasted(self, key: str) -> tuple[float, int]:
        """Return the dollars and tokens that may have been paid for a request besides the answer that is kept."""
        query = "SELECT coalesce(sum(usd), 0.0), coalesce(sum(tokens), 0) FROM wasted WHERE key = ?"
        usd, tokens = self._connection.execute(query, (key,)).fetchone()
        return usd, tokens

    def drop(self, answers: Iterable[Kept]) -> None:
        """Forget all answers on a change, so that they are asked for again; what they cost stays with the first."""
        dropped = list(answers)
        rows = [(dropped[0].key, one.usd, one.tokens) for one in dropped]
        with self._transaction():
            self._connection.executemany("INSERT INTO wasted VALUES (?, ?, ?)", rows)
            self._connection.executemany("DELETE FROM answers WHERE key = ?", [(one.key,) for one in dropped])

    def intend(self, name: str, after: str | None, members: Iterable[Member]) -> None:
        """Say that a batch is about to be handed in."""
        rows = [(name, one.number, one.key, *one.most) for one in members]
        with self._transaction():
            self._connection.execute("INSERT INTO batches VALUES (?, ?, NULL)", (name, after))
            self._connection.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?)", rows)

    def identify(self, name: str, batch_id: str) -> None:
        """Say which id a batch of ours has."""
        with self._transaction():
            self._connection.execute("UPDATE batches SET id = ? WHERE name = ?", (batch_id, name))

    def forget(self, name: str) -> None:
        """Forget a batch that was never handed in."""
        with self._transaction():
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._connection.execute("DELETE FROM members WHERE batch = ?", (name,))
        self._connection.execute("DELETE FROM batches WHERE name = ?", (name,))

    def open_batches(self) -> list[Open]:
        """Return all batches that have not been read."""
        return [
            Open(name, after, batch_id, self._members(name))
            for name, after, batch_id in self._connection.execute("SELECT name, after, id FROM batches").fetchall()
        ]

    def _members(self, name: str) -> tuple[Member, ...]:
        query = "SELECT number, key, usd, tokens FROM members WHERE batch = ? ORDER BY number"
        rows = self._connection.execute(query, (name,)).fetchall()
        return tuple(Member(number, key, (usd, tokens)) for number, key, usd, tokens in rows)

    def label(self, repository: str, recipe: str, labels: Mapping[str, dict[str, Any]]) -> None:
        """Keep what the answers on commits of a repository add up to, in place of what was kept before."""
        rows = [(repository, recipe, sha, json.dumps(content)) for sha, content in labels.items()]
        with self._transaction():
            self._connection.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?, ?, ?)", rows)

    def labels(self, repository: str) -> dict[str, dict[str, dict[str, Any]]]:
        """Return all labels of a repository, by recipe and sha."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        query = "SELECT recipe, sha, content FROM labels WHERE repository = ? ORDER BY recipe, sha"
        for recipe, sha, content in self._connection.execute(query, (repository,)):
            found.setdefault(recipe, {})[sha] = json.loads(content)
        return found

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection)


class _Transaction:
    """All or nothing, on disk when it ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


class Alone:
    """A lock beside the store: of two labellings at once each would pay for what the other has asked.

    It is SQLite's own lock on an empty file, which every platform has and which ends with its process.
    """

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".lock")

    def __enter__(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            self._connection.execute("BEGIN EXCLUSIVE")
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                "another labelling is under way, or its lock cannot be made", mend="wait until it has ended"
            ) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
