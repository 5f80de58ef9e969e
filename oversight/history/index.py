"""What is known of a repository's history, kept outside it, so that a review replays next to nothing.

One SQLite file a repository, in `OVERSIGHT_CACHE_DIR` or the user's cache directory, named by
`Repository.key`. It is a cache: a damaged file is built anew, a directory that cannot be written means working
in memory, and neither is an error. Extending is one transaction; readers and other writers may run meanwhile.

What a change may know: for a commit that is reachable from HEAD, all commits reachable from HEAD that come
before it in the order of `oversight.history.order`, as in a pass over the whole history; for a range, or a
commit elsewhere, all commits reachable from its base.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from oversight.changes.model import Change
from oversight.changes.repository import Repository, Span
from oversight.history import schema
from oversight.history.context import commit_of, context_at, context_without_history
from oversight.history.log import read_commits
from oversight.history.model import Completeness, Context
from oversight.history.order import LAST, Listed, in_order, list_commits
from oversight.history.past import Past
from oversight.history.schema import cache_directory
from oversight.history.writer import Writer, insert_only

__all__ = ["CAP", "Index", "Progress", "cache_directory"]

_HIDE = """
INSERT INTO hidden SELECT c.id FROM json_each(?) j CROSS JOIN commits c ON c.sha = j.value
"""

CAP = 200_000
"""Commits, the newest, that an index of a monorepo takes in; contexts are partial beyond."""

Progress = Callable[[int], None]
"""Called with the number of commits that were just read."""


class Index:
    """The history of one repository. A context manager; `note` says what went wrong with the cache, if anything did."""

    def __init__(self, repository: Repository, connection: sqlite3.Connection, *, cap: int, note: str | None) -> None:
        self.note = note
        self._repository = repository
        self._connection = connection
        self._cap = cap
        self._hidden_for: tuple[str | None] | None = None
        connection.execute('CREATE TEMP TABLE hidden ("commit" INTEGER PRIMARY KEY)')

    @classmethod
    def open(cls, repository: Repository, *, directory: Path | None = None, cap: int = CAP) -> Index:
        """The index of `repository` in `directory` (default: the cache directory), empty where there is none."""
        try:
            path = (directory or cache_directory()) / f"{repository.key}.sqlite3"
            connection, note = _connect(path)
        except (OSError, sqlite3.Error) as error:
            connection, note = schema.connect(None), f"the history cache cannot be used: {error}"
        return cls(repository, connection, cap=cap, note=note)

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def extend(self, tip: str, progress: Progress | None = None) -> int:
        """Take in all commits reachable from `tip` that are not yet known; returns how many there were.

        Raises RepositoryError where git cannot list them.
        """
        if self._knows(tip):
            return 0
        with self.writer(tip) as writer:
            wanted = in_order(writer.wanted.values())
            for commit in read_commits(self._repository, [listed.sha for listed in wanted]):
                writer.add(commit)
                if progress is not None:
                    progress(1)
        return len(wanted)

    def writer(self, tip: str) -> Writer:
        """A writer that takes whichever commits reachable from `tip` are not yet known; use it in a `with`.

        Whoever reads the whole log anyway passes every commit to its `add`, and the index grows on the way.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            tips = self._tips()
            wanted = self._missing(tip, tips)
            beyond = set(self._unreachable(tips, tip))
            insert_only(self._connection, [sha for sha in tips if sha in beyond])
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._hidden_for = None
        return Writer(self._connection, tip, wanted)

    def context_of(self, change: Change, span: Span, progress: Progress | None = None) -> Context:
        """The context of `change`, which was read from `span`; extends the index where that is needed."""
        commit = commit_of(change, committed_at=self._committed_at(span.head))
        if self._repository.shallow:
            return context_without_history(commit, Completeness.PARTIAL)
        tip, before = self._vantage(span, progress)
        self._hide_all_but(tip)
        known = Past(self._connection, before).state_for(commit)
        return context_at(known, commit, Completeness.PARTIAL if self._floor() is not None else Completeness.FULL)

    def risks(self, model: str, before: str | None = None, n: int = 1_000) -> list[float]:
        """The risks that the model of that sha256 gave the latest `n` commits before commit `before`, oldest first."""
        key = LAST if before is None else self._key(before)
        if key is None:
            return []
        rows = self._connection.execute(
            "SELECT risk FROM risks WHERE model = ? AND key < ? ORDER BY key DESC LIMIT ?", (model, key, n)
        ).fetchall()
        return [float(risk) for (risk,) in reversed(rows)]

    def store_risks(self, model: str, risks: Mapping[str, float]) -> None:
        """Keep the risks that a model gave commits of this index; commits that it does not know are passed over.

        They are dropped when older commits turn up that were not known when they were computed.
        """
        rows = ((model, key, sha, risk) for sha, risk in risks.items() if (key := self._key(sha)) is not None)
        with suppress(sqlite3.OperationalError):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT OR REPLACE INTO risks VALUES (?, ?, ?, ?)", rows)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _vantage(self, span: Span, progress: Progress | None) -> tuple[str | None, bytes]:
        """From where a change looks back: the tip whose history it knows, and the key before which."""
        if span.single:
            head = self._repository.resolve("HEAD")
            self.extend(head, progress)
            key = self._key(span.head)
            if key is not None and not self._is_hidden(span.head, head):
                return head, key
        if span.base is not None:
            self.extend(span.base, progress)
        return span.base, LAST

    def _is_hidden(self, sha: str, tip: str) -> bool:
        self._hide_all_but(tip)
        query = 'SELECT 1 FROM hidden JOIN commits ON commits.id = hidden."commit" WHERE commits.sha = ?'
        return self._connection.execute(query, (sha,)).fetchone() is not None

    def _hide_all_but(self, tip: str | None) -> None:
        """Fill the table `hidden` with the indexed commits that are not reachable from `tip` (None: with all)."""
        if self._hidden_for == (tip,):
            return
        self._connection.execute("DELETE FROM hidden")
        if tip is None:
            self._connection.execute("INSERT INTO hidden SELECT id FROM commits")
        else:
            unreachable = json.dumps(self._unreachable(self._tips(), tip))
            self._connection.execute(_HIDE, (unreachable,))
        self._hidden_for = (tip,)

    def _missing(self, tip: str, tips: Sequence[str]) -> dict[str, Listed]:
        """The commits reachable from `tip` that are not indexed, capped to the newest."""
        revisions = [tip, *(f"^{sha}" for sha in tips)]
        listed = list(list_commits(self._repository, revisions, _Keys(self._connection)))
        floor = self._floor()
        if floor is None and len(listed) > self._cap:
            floor = sorted(commit.key for commit in listed)[-self._cap]
            self._connection.execute("INSERT OR REPLACE INTO facts VALUES ('floor', ?)", (floor,))
        return {commit.sha: commit for commit in listed if floor is None or commit.key >= floor}

    def _unreachable(self, tips: Sequence[str], tip: str) -> list[str]:
        """The commits reachable from one of `tips` but not from `tip`."""
        others = [sha for sha in tips if sha != tip]
        if not others:
            return []
        stdin = "".join(f"{revision}\n" for revision in (*others, f"^{tip}")).encode("ascii")
        return self._repository.run("rev-list", "--stdin", stdin=stdin).decode("ascii").split()

    def _tips(self) -> list[str]:
        """The tips up to which everything is indexed, but for those that git has since forgotten."""
        tips = [str(sha) for (sha,) in self._connection.execute("SELECT sha FROM tips ORDER BY sha")]
        if not tips:
            return []
        stdin = "".join(f"{sha}\n" for sha in tips).encode("ascii")
        known = self._repository.run("cat-file", "--batch-check=%(objectname)", stdin=stdin).decode("ascii").split("\n")
        return [sha for sha, answer in zip(tips, known, strict=False) if answer == sha]

    def _knows(self, tip: str) -> bool:
        return self._connection.execute("SELECT 1 FROM tips WHERE sha = ?", (tip,)).fetchone() is not None

    def _key(self, sha: str) -> bytes | None:
        return _Keys(self._connection).get(sha)

    def _floor(self) -> bytes | None:
        row = self._connection.execute("SELECT value FROM facts WHERE name = 'floor'").fetchone()
        return bytes(row[0]) if row is not None else None

    def _committed_at(self, sha: str) -> int:
        row = self._connection.execute("SELECT time FROM commits WHERE sha = ? AND merge = 0", (sha,)).fetchone()
        if row is not None:
            return int(row[0])
        told = self._repository.run("rev-list", "--max-count=1", "--timestamp", sha, "--")
        return int(told.split()[0])


class _Keys(Mapping[str, bytes]):
    """Keys of the indexed commits, looked up one by one: a listing asks for few."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getitem__(self, sha: str) -> bytes:
        row = self._connection.execute("SELECT key FROM commits WHERE sha = ?", (sha,)).fetchone()
        if row is None:
            raise KeyError(sha)
        return bytes(row[0])

    def __iter__(self) -> Iterator[str]:
        return (str(sha) for (sha,) in self._connection.execute("SELECT sha FROM commits"))

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM commits").fetchone()[0])


def _connect(path: Path) -> tuple[sqlite3.Connection, str | None]:
    """Open the index at `path`; a damaged one is built anew, which the note says."""
    try:
        return _checked(path), None
    except sqlite3.OperationalError:
        # Locked, full or not ours to write: nothing that removing it would mend.
        raise
    except sqlite3.DatabaseError:
        schema.remove(path)
    return _checked(path), "the history cache was damaged and is built anew"


def _checked(path: Path) -> sqlite3.Connection:
    connection = schema.connect(path)
    try:
        # Cheap, and finds what a cut-off or overwritten file looks like; the rest shows when it is read.
        connection.execute("SELECT count(*) FROM tips").fetchone()
        connection.execute("SELECT key FROM commits ORDER BY id DESC LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
