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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from oversight.changes.model import Change
from oversight.changes.repository import Repository, Span
from oversight.errors import RepositoryError
from oversight.history import schema
from oversight.history.context import commit_of, context_at, context_without_history
from oversight.history.files import FileHistory, histories
from oversight.history.log import read_commits
from oversight.history.model import Commit, Completeness, Context
from oversight.history.order import LAST, Listed, in_order, list_commits
from oversight.history.past import Past
from oversight.history.readings import Reading, restored, stored
from oversight.history.schema import begin, cache_directory, rollback, transaction
from oversight.history.writer import Writer, keep_tips

__all__ = ["CAP", "Index", "Progress", "cache_directory"]

Result = TypeVar("Result")

_COUNT = """
SELECT count(*) FROM commits c WHERE c.merge = 0 AND c.key < ? AND c.id NOT IN (SELECT "commit" FROM hidden)
"""
_RECENT = """
SELECT c.sha, r.pooled, r.profile
FROM commits c LEFT JOIN readings r ON r.model = ? AND r.key = c.key AND r.sha = c.sha
WHERE c.merge = 0 AND c.key < ? AND c.id NOT IN (SELECT "commit" FROM hidden)
ORDER BY c.key DESC LIMIT ?
"""
_HIDE = """
INSERT INTO hidden SELECT c.id FROM json_each(?) j CROSS JOIN commits c ON c.sha = j.value
"""

CAP = 200_000
"""Commits, the newest, that an index of a monorepo takes in; contexts are partial beyond."""

Progress = Callable[[int], None]
"""Called with the number of commits that were just read."""


class Index:
    """The history of one repository. A context manager; `note` says what went wrong with the cache, if anything did.

    HEAD is looked up once: an index is opened for a job, not for the life of a server.
    """

    def __init__(self, repository: Repository, path: Path | None, *, cap: int = CAP) -> None:
        self.note: str | None = None
        self._repository = repository
        self._path = path
        self._cap = cap
        self._head: str | None = None
        self._hidden_for: tuple[str | None, int] | None = None
        self._connection = self._open()

    @classmethod
    def open(cls, repository: Repository, *, directory: Path | None = None, cap: int = CAP) -> Index:
        """The index of `repository` in `directory` (default: the cache directory), empty where there is none."""
        return cls(repository, (directory or cache_directory()) / f"{repository.key}.sqlite3", cap=cap)

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
        return self._resiliently(lambda: self._extend(tip, progress))

    def _extend(self, tip: str, progress: Progress | None) -> int:
        if self._knows(tip):
            return 0
        with self._writer(tip) as writer:
            wanted = in_order(writer.wanted.values())
            for commit in read_commits(self._repository, [listed.sha for listed in wanted]):
                writer.add(commit)
                if progress is not None:
                    progress(1)
        return len(wanted)

    def absorb(self, tip: str, log: Iterable[Commit]) -> Iterator[Commit]:
        """Pass on `log`, all commits reachable from `tip`, and take in on the way what is not yet known.

        A cache that fails meanwhile never stops the log; `note` says so.
        """
        commits = iter(log)
        pending: Commit | None = None
        try:
            if not self._knows(tip):
                with self._writer(tip) as writer:
                    for pending in commits:
                        writer.add(pending)
                        passed, pending = pending, None
                        yield passed
        except sqlite3.Error as error:
            self._give_up(error)
            if pending is not None:
                yield pending
        yield from commits

    def _writer(self, tip: str) -> Writer:
        """A writer, for use in a `with`, that takes whichever commits reachable from `tip` are not yet known."""
        begin(self._connection)
        try:
            tips = self._tips()
            wanted = self._missing(tip, tips)
            beyond = set(self._unreachable(tips, tip))
            keep_tips(self._connection, [sha for sha in tips if sha in beyond or not wanted])
        except BaseException:
            rollback(self._connection)
            raise
        self._hidden_for = None
        return Writer(self._connection, tip, wanted)

    def context_of(self, change: Change, span: Span, progress: Progress | None = None) -> Context:
        """The context of `change`, which was read from `span`; extends the index where that is needed."""
        return self._resiliently(lambda: self._context_of(change, span, progress))

    def _context_of(self, change: Change, span: Span, progress: Progress | None) -> Context:
        commit = commit_of(change, committed_at=self._committed_at(span.head))
        if self._repository.shallow:
            return context_without_history(commit, Completeness.PARTIAL)
        tip, before = self._vantage(span, progress)
        self._hide_all_but(tip)
        known = Past(self._connection, before).state_for(commit)
        return context_at(known, commit, Completeness.PARTIAL if self._floor() is not None else Completeness.FULL)

    def histories(self, change: Change, span: Span, progress: Progress | None = None) -> list[FileHistory]:
        """What was known of the files of `change`, which was read from `span`, before it; of a shallow clone, nothing.

        Extends the index where that is needed.
        """
        return self._resiliently(lambda: self._histories(change, span, progress))

    def _histories(self, change: Change, span: Span, progress: Progress | None) -> list[FileHistory]:
        if self._repository.shallow:
            return []
        tip, before = self._vantage(span, progress)
        self._hide_all_but(tip)
        return histories(self._repository, Past(self._connection, before), commit_of(change))

    def position(self, span: Span) -> int:
        """How many commits, merges left out, a change read from `span` can look back on."""
        return self._resiliently(lambda: self._position(span))

    def _position(self, span: Span) -> int:
        tip, before = self._vantage(span, None)
        self._hide_all_but(tip)
        return int(self._connection.execute(_COUNT, (before,)).fetchone()[0])

    def recent(self, model: str, span: Span, n: int, *, width: int) -> list[tuple[str, Reading | None]]:
        """The latest `n` commits that a change read from `span` can look back on, merges left out, oldest first.

        Each with what the model of that sha256 read in it, None where it was not asked yet, or where what was kept
        is not a profile of `width` numbers.
        """
        return self._resiliently(lambda: self._recent(model, span, n, width))

    def _recent(self, model: str, span: Span, n: int, width: int) -> list[tuple[str, Reading | None]]:
        tip, before = self._vantage(span, None)
        self._hide_all_but(tip)
        rows = self._connection.execute(_RECENT, (model, before, n)).fetchall()
        return [(str(sha), restored(pooled, profile, width)) for sha, pooled, profile in reversed(rows)]

    def store_readings(self, model: str, readings: Mapping[str, Reading]) -> None:
        """Keep what a model read in commits of this index; commits that it does not know are passed over.

        Readings are dropped when older commits turn up that were not known when they were made.
        """

        def write() -> None:
            rows = [
                (model, key, sha, *stored(reading))
                for sha, reading in readings.items()
                if (key := self._key(sha)) is not None
            ]
            with transaction(self._connection):
                self._connection.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)", rows)

        self._resiliently(write)

    def _open(self) -> sqlite3.Connection:
        try:
            connection, anew = schema.open_or_rebuild(self._path)
        except (OSError, sqlite3.Error) as error:
            self._path, self.note = None, f"the history cache cannot be used: {error}"
            connection, anew = schema.open_or_rebuild(None)
        if anew:
            self.note = "the history cache was damaged and is built anew"
        self._hidden_for = None
        return connection

    def _resiliently(self, work: Callable[[], Result]) -> Result:
        """Do `work`; where the cache turns out to be unusable, once more with a new one."""
        try:
            return work()
        except sqlite3.Error as error:
            self._give_up(error)
            return work()

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without the cache as it is: a damaged file is removed, and one that is locked or full left alone."""
        if self._path is None:
            raise RepositoryError("the history index failed", mend="report it, please") from error
        self._connection.close()
        if schema.damaged(error):
            with suppress(OSError):
                schema.remove(self._path)
        else:
            self._path = None
        self._connection = self._open()
        self.note = self.note or f"the history cache failed: {error}"

    def _vantage(self, span: Span, progress: Progress | None) -> tuple[str | None, bytes]:
        """From where a change looks back: the tip whose history it knows, and the key before which."""
        if span.single:
            head = self._head = self._head or self._repository.resolve("HEAD")
            self._extend(head, progress)
            key = self._key(span.head)
            if key is not None and not self._is_hidden(span.head, head):
                return head, key
        if span.base is not None:
            self._extend(span.base, progress)
        return span.base, LAST

    def _is_hidden(self, sha: str, tip: str) -> bool:
        self._hide_all_but(tip)
        query = 'SELECT 1 FROM hidden JOIN commits ON commits.id = hidden."commit" WHERE commits.sha = ?'
        return self._connection.execute(query, (sha,)).fetchone() is not None

    def _hide_all_but(self, tip: str | None) -> None:
        """Fill the table `hidden` with the indexed commits that are not reachable from `tip` (None: with all)."""
        # The version changes when another process writes: it may have taken in commits of another branch.
        wanted = (tip, int(self._connection.execute("PRAGMA data_version").fetchone()[0]))
        if self._hidden_for == wanted:
            return
        self._connection.execute("DELETE FROM hidden")
        if tip is None:
            self._connection.execute("INSERT INTO hidden SELECT id FROM commits")
        else:
            self._connection.execute(_HIDE, (json.dumps(self._unreachable(self._tips(), tip)),))
        self._hidden_for = wanted

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
        """The tips up to which everything is indexed. Where git has forgotten one, the index begins anew."""
        tips = [str(sha) for (sha,) in self._connection.execute("SELECT sha FROM tips ORDER BY sha")]
        if not tips:
            return []
        stdin = "".join(f"{sha}\n" for sha in tips).encode("ascii")
        known = self._repository.run("cat-file", "--batch-check=%(objectname)", stdin=stdin).decode("ascii").split("\n")
        if known[: len(tips)] == tips:
            return tips
        # What only that tip reached can no longer be told from the rest.
        schema.clear(self._connection)
        return []

    def _knows(self, tip: str) -> bool:
        # Whoever is in the index is there with all ancestors, as far back as the cap goes.
        return self._key(tip) is not None

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
