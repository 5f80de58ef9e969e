"""The state before one change, replayed from the index: only what bears on its files, directories and author.

Files are replayed event by event along their lineage of renames. Directories and the author's experience are
sums, which the database adds up. Both end in a `State` that is measured as the bulk pass measures its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oversight.changes.model import FileStatus
from oversight.history.measures import looked_at, source_of
from oversight.history.model import Commit, Touch
from oversight.history.naming import PREFIX, resolve
from oversight.history.order import FIRST
from oversight.history.references import Reference
from oversight.history.state import (
    INHERITING,
    NARROW,
    RECENT_TOUCHES,
    AreaState,
    AuthorState,
    Event,
    State,
    author_key,
    directory_of,
    subsystem_of,
)

_NONE = -1
_Naming = tuple[bytes, int, list[int]]
_Mention = tuple[bytes, int, int, str, str | None, bytes | None, int | None, int | None]

_IDS = {
    "paths": "SELECT id FROM paths WHERE path = ?",
    "areas": "SELECT id FROM areas WHERE area = ?",
    "authors": "SELECT id FROM authors WHERE author = ?",
}
_TOUCHES = """
SELECT c.id, t.key, a.author, c.time, c.fix, c.files, t.status, o.path, t.added, t.deleted
FROM touches t JOIN commits c ON c.id = t."commit" JOIN authors a ON a.id = c.author LEFT JOIN paths o ON o.id = t.old
WHERE t.path = ? AND t.key < ? AND t."commit" NOT IN (SELECT "commit" FROM hidden) ORDER BY t.key
"""
_PARTNERS = """
SELECT t."commit", p.path FROM json_each(?) j JOIN touches t ON t."commit" = j.value JOIN paths p ON p.id = t.path
"""
_AREA = """
SELECT count(*), coalesce(sum(fix), 0), max(CASE WHEN fix THEN time END), coalesce(sum(author = ?), 0)
FROM visits WHERE area = ? AND key < ? AND "commit" NOT IN (SELECT "commit" FROM hidden)
"""
_OWN = """
SELECT id, time FROM commits WHERE author = ? AND key < ? AND id NOT IN (SELECT "commit" FROM hidden)
"""
_TIMES = "SELECT c.id, c.time FROM json_each(?) j JOIN commits c ON c.id = j.value"
_SHAS = "SELECT c.id, c.sha FROM json_each(?) j JOIN commits c ON c.id = j.value"
_MENTION = """
SELECT m.key, m.id, m."commit", m.kind, m.sha, m.text, m.number, m.changelist
FROM json_each(?) j CROSS JOIN commits c ON c.id = j.value CROSS JOIN mentions m ON m.HANDLE = c.HANDLE
WHERE m.key < ? AND m.key > c.key AND m."commit" NOT IN (SELECT "commit" FROM hidden)
"""
_HANDLES = ("prefix", "subject", "number", "changelist")
_MENTIONS = tuple(_MENTION.replace("HANDLE", handle) for handle in _HANDLES)
_BY_PREFIX = """
SELECT c.prefix, c.key, c.id, c.sha, c.subject FROM json_each(?) j
CROSS JOIN commits c ON c.prefix = j.value AND c.merge = 0
WHERE c.id NOT IN (SELECT "commit" FROM hidden) ORDER BY c.key
"""
_NAMED = """
SELECT id FROM commits WHERE HANDLE = ? AND merge = 0 AND key < ? AND id NOT IN (SELECT "commit" FROM hidden)
ORDER BY key DESC LIMIT 1
"""
_LATEST = {handle: _NAMED.replace("HANDLE", handle) for handle in _HANDLES}


@dataclass(frozen=True, slots=True)
class Row:
    """A commit as far as replaying needs it."""

    identifier: int
    key: bytes
    author: str
    time: int
    fix: bool
    files: int


class Past:
    """Everything in the index with a key below `before`, but for the commits in the temporary table `hidden`.

    Those are of other branches, which the change cannot know.
    """

    def __init__(self, connection: sqlite3.Connection, before: bytes) -> None:
        self._connection = connection
        self._before = before

    def state_for(self, commit: Commit) -> State:
        """A state in which `commit` has the measures that a whole replay would give it."""
        state = State()
        touches = looked_at(commit.touches)
        rows, touched = self._lineages({source_of(touch) for touch in touches})
        author = author_key(commit)
        number = self._id("authors", author)
        own = self._own(number)
        named = self._namings({*rows, *(identifier for identifier, _ in own)})
        self._replay(state, rows, touched, named)
        for area in {directory_of(touch.path) for touch in touches} | {subsystem_of(touch.path) for touch in touches}:
            summed = self._area(area, author, number)
            if summed.changes:
                state.areas[area] = summed
        if own:
            culprits = {identifier for _, _, found in named for identifier in found}
            times = sorted(time for _, time in own)
            state.authors[author] = AuthorState(times, sum(identifier in culprits for identifier, _ in own))
        return state

    def latest(self, path: str, n: int) -> list[str]:
        """The newest `n` commits that touched a path, the newest first."""
        rows = [row for row, _ in self._touches(path, self._before)[-n:]]
        shas = self._shas({row.identifier for row in rows})
        return [shas[row.identifier] for row in reversed(rows)]

    def _replay(
        self,
        state: State,
        rows: dict[int, Row],
        touched: dict[int, list[Touch]],
        named: Sequence[_Naming],
    ) -> None:
        """Feed the state with what happened to files, and who was named for it, in order."""
        partners = self._partners(rows, touched)
        events = [(row.key, 1, row.identifier) for row in rows.values()]
        times = self._times([commit for _, commit, _ in named])
        events += [(key, 0, place) for place, (key, _, _) in enumerate(named)]
        for order, (_, is_touch, which) in enumerate(sorted(events)):
            if is_touch:
                row = rows[which]
                together = partners.get(which, ())
                state.apply_files(Event(which, order, row.author, row.time, row.fix, touched[which], together))
            else:
                _, commit, culprits = named[which]
                state.blame(Event(commit, order, "", times[commit], False, (), (), culprits))

    def _lineages(self, paths: Iterable[str]) -> tuple[dict[int, Row], dict[int, list[Touch]]]:
        """All commits that shaped the records of `paths`, with what they did to those files."""
        rows: dict[int, Row] = {}
        touched: dict[int, dict[str, Touch]] = {}
        seen: set[tuple[str, bytes]] = set()
        pending = [(path, self._before) for path in sorted(paths)]
        while pending:
            path, before = place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            for row, touch in reversed(self._touches(path, before)):
                rows[row.identifier] = row
                touched.setdefault(row.identifier, {})[path] = touch
                if touch.status in INHERITING and touch.old_path is not None:
                    pending.append((touch.old_path, row.key))
                    break
        return rows, {identifier: list(found.values()) for identifier, found in touched.items()}

    def _touches(self, path: str, before: bytes) -> list[tuple[Row, Touch]]:
        number = self._id("paths", path)
        found = self._connection.execute(_TOUCHES, (number, before))
        result = []
        for identifier, key, author, time, fix, files, status, old, added, deleted in found:
            kind = FileStatus(status)
            before_path = _text(old) if old is not None else None if kind is FileStatus.ADDED else path
            touch = Touch(path, before_path, kind, added, deleted)
            result.append((Row(identifier, key, _text(author), time, bool(fix), files), touch))
        return result

    def _partners(self, rows: dict[int, Row], touched: dict[int, list[Touch]]) -> dict[int, tuple[str, ...]]:
        """Paths that changed together, for the latest `RECENT_TOUCHES` of each path; older ones are forgotten."""
        latest: dict[str, list[Row]] = {}
        for identifier, touches in touched.items():
            for touch in touches:
                latest.setdefault(touch.path, []).append(rows[identifier])
        wanted: set[int] = set()
        for shaped in latest.values():
            shaped.sort(key=lambda row: row.key)
            wanted.update(row.identifier for row in shaped[-RECENT_TOUCHES:] if row.files <= NARROW)
        partners: dict[int, list[str]] = {}
        for identifier, path in self._connection.execute(_PARTNERS, (json.dumps(sorted(wanted)),)):
            partners.setdefault(identifier, []).append(_text(path))
        return {identifier: tuple(paths) for identifier, paths in partners.items()}

    def _area(self, area: str, author: str, number: int) -> AreaState:
        given = (number, self._id("areas", area), self._before)
        changes, fixes, last_fix, own = self._connection.execute(_AREA, given).fetchone()
        return AreaState(changes, fixes, last_fix, {author: own} if own else {})

    def _own(self, number: int) -> list[tuple[int, int]]:
        """The author's commits, with their times."""
        return self._connection.execute(_OWN, (number, self._before)).fetchall()

    def _times(self, identifiers: Sequence[int]) -> dict[int, int]:
        return dict(self._connection.execute(_TIMES, (json.dumps(identifiers),)).fetchall())

    def _namings(self, identifiers: set[int]) -> list[_Naming]:
        """Who named any of `identifiers` for the first time: key and id of the commit, and whom it named."""
        given = json.dumps(sorted(identifiers))
        found: set[_Mention] = set()
        for query in _MENTIONS:
            found.update(self._connection.execute(query, (given, self._before)))
        mentions = sorted(found)
        lookup = _Lookup(self._connection)
        lookup.prefetch([sha for _, _, _, _, sha, _, _, _ in mentions if sha is not None])
        shas = self._shas({mention[2] for mention in mentions})
        named: dict[int, _Naming] = {}
        known: set[int] = set()
        for key, _, commit, kind, sha, text, number, changelist in mentions:
            lookup.before = key
            subject = _text(text) if text is not None else None
            target, _ = resolve(Reference(kind, sha, subject, number, changelist), shas[commit], lookup)
            if target is not None and target not in known:
                known.add(target)
                if target in identifiers:
                    named.setdefault(commit, (key, commit, []))[2].append(target)
        return list(named.values())

    def _shas(self, identifiers: set[int]) -> dict[int, str]:
        return dict(self._connection.execute(_SHAS, (json.dumps(sorted(identifiers)),)).fetchall())

    def _id(self, table: str, text: str) -> int:
        row = self._connection.execute(_IDS[table], (text.encode("utf-8", "surrogateescape"),)).fetchone()
        return int(row[0]) if row is not None else _NONE


class _Lookup:
    """Commits by name among those with a key below `before`, from the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._found: dict[int, list[tuple[bytes, int, str, int]]] = {}
        self._subjects: dict[int, int] = {}
        self.before = FIRST

    def prefetch(self, shas: Iterable[str]) -> None:
        """Load all commits that may answer to one of `shas` in one query."""
        prefixes = sorted({int(sha[:PREFIX], 16) for sha in shas})
        found = self._connection.execute(_BY_PREFIX, (json.dumps(prefixes),))
        for prefix, key, identifier, sha, subject in found:
            self._found.setdefault(prefix, []).append((key, identifier, sha, subject))
            self._subjects[identifier] = subject

    def by_prefix(self, prefix: str) -> Sequence[int]:
        """See `oversight.history.naming.Lookup`."""
        candidates = self._found.get(int(prefix[:PREFIX], 16), ())
        return [i for key, i, sha, _ in candidates if key < self.before and sha.startswith(prefix)]

    def by_subject(self, key: int) -> int | None:
        """See `oversight.history.naming.Lookup`."""
        return self._latest("subject", key)

    def by_number(self, number: int) -> int | None:
        """See `oversight.history.naming.Lookup`."""
        return self._latest("number", number)

    def by_changelist(self, changelist: int) -> int | None:
        """See `oversight.history.naming.Lookup`."""
        return self._latest("changelist", changelist)

    def subject_of(self, identifier: int) -> int:
        """See `oversight.history.naming.Lookup`."""
        return self._subjects[identifier]

    def _latest(self, column: str, value: int) -> int | None:
        row = self._connection.execute(_LATEST[column], (value, self.before)).fetchone()
        return int(row[0]) if row is not None else None


def _text(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogateescape")
