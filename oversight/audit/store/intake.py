"""Files taken into the store: reports, rows of scores, mined labels, verdicts. All of a file, or nothing of it.

    a document                      the JSON report of one review
    JSON Lines with "hunks"         reports, a line each, as `audit export reports` writes them
    … with "status"                 scores.jsonl
    … with "risky"                  labels.jsonl as `oversight mine` writes it
    … with "kind"                   verdicts and landings

The first line says which of them it is. Files are read line by line; what is on record already is passed over, so that
a file may be taken in again after it has grown.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain, islice, repeat
from typing import IO, Any

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from oversight.audit import fields, lines
from oversight.audit.fields import Fields
from oversight.audit.store import ledger, reports
from oversight.audit.store.chain import Entry
from oversight.audit.store.engine import writing
from oversight.audit.store.reports import Told, digest, upsert
from oversight.audit.store.tables import changes, labels, runs, storable
from oversight.audit.store.tables import reports as report_rows
from oversight.errors import LabelError, StoreError

LONGEST = 256 << 20
"""Bytes of a line, or of a report that is a document: more is no file of ours."""

_BATCH = 500
_IMPORTERS = 0x0A0D17  # PostgreSQL's lock that importers hold: two that met the same changes would wait for each other
_WHAT = "name a report, scores.jsonl, labels.jsonl or a file of verdicts, as oversight writes them"
_HOLD = "write it with oversight, or restore it from before it was touched"

_LABEL: Fields = {
    "commit": fields.SHA,
    "risky": fields.TRUTH,
    "source": fields.one_of("fixes", "reverts", "szz", "clean"),
    "decided_at": fields.MOMENT,
    "evidence": fields.array(fields.SHA),
    "excluded": fields.or_null(fields.text(1, 200)),
}

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: what it holds (`kind`), how many of that, and how many were new.

    `differing` are the lines with verdicts that are on record otherwise: what is on record stays.
    """

    kind: str
    found: int
    added: int
    differing: tuple[int, ...] = ()


class _Counted:
    """The lines of a file, with the number of those that hold anything; of a document, all of it is one."""

    def __init__(self, rows: Iterable[bytes], name: str, advance: Advance, *, document: bool) -> None:
        self._rows, self._name, self._advance, self._document = rows, name, advance, document
        self.found = 0

    def __iter__(self) -> Iterator[bytes]:
        for row in self._rows:
            self.found += bool(row.strip())
            self._advance(1)
            yield row

    def told(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each line that holds anything, as a parsed object, and where it is, for errors."""
        for number, row in enumerate(self, 1):
            if row.strip():
                where = self._name if self._document else f"{self._name}: line {number}"
                yield where, _object(row, where)


def take(
    engine: Engine,
    file: IO[bytes],
    name: str,
    *,
    repository: str | None = None,
    at: datetime | None = None,
    advance: Advance = lambda _lines: None,
) -> Taken:
    """Take a file in. `name` is what to call it, in errors too; `repository` that of scores and labels, which do not
    name one, and of reports instead of their own; `at` the moment, now by default.

    `StoreError` names the line that is amiss; then nothing of the file is in the store.
    """
    blank, first = _first(file, name)
    if not first:
        return Taken("nothing", 0, 0)
    kind = "reports"
    if document := first.strip() == b"{":
        found: Iterable[bytes] = [_whole(first, file, name)]
    else:
        kind = _kind(_object(first, f"{name}: line {blank + 1}"), name)
        found = chain(repeat(b"\n", blank), [first], _rows(file, name))
    rows = _Counted(found, name, advance, document=document)
    moment = at or datetime.now(UTC)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORTERS})
        values = {"kind": kind, "name": storable(name), "at": moment, "lines": 0, "added": 0}
        run = connection.scalars(insert(runs).values(values).returning(runs.c.id)).one()
        taken = _taken(connection, kind, rows, name, repository, run, moment)
        if taken.added:
            told = {"lines": taken.found, "added": taken.added}
            connection.execute(update(runs).where(runs.c.id == run).values(told))
        else:
            connection.execute(delete(runs).where(runs.c.id == run))
    return taken


def _taken(
    connection: Connection,
    kind: str,
    rows: _Counted,
    name: str,
    repository: str | None,
    run: int,
    at: datetime,
) -> Taken:
    if kind == "verdicts":
        return _verdicts(connection, rows, name)
    if kind == "reports":
        told = (reports.read(value, where, repository) for where, value in rows.told())
        came = reports.Came("import", None, at, run)
        added = sum(reports.add(connection, one, came)[1] for one in told)
        return Taken(kind, rows.found, added)
    if repository is None:
        raise StoreError(f"{name}: its lines name no repository", mend="say which one they are of, with --repository")
    of = reports.repository_of(connection, storable(repository))
    if kind == "scores":
        scores = (reports.read_score(value, where, repository) for where, value in rows.told())
        came = reports.Came("import", None, at, run)
        added = sum(_scores(connection, batch, of, came) for batch in _batches(scores))
    else:
        found = (_label(value, where, repository) for where, value in rows.told())
        added = sum(_labels(connection, batch, of, run) for batch in _batches(found))
    return Taken(kind, rows.found, added)


def _scores(connection: Connection, batch: list[Told], repository: int, came: reports.Came) -> int:
    ids = _changes(connection, repository, [told.change["commit"] for told in batch])
    how = asdict(came)
    rows = [{**told.report, **how, "change_id": ids[told.change["commit"]]} for told in batch]
    return _fresh(connection, report_rows, rows)


def _labels(connection: Connection, batch: list[Mapping[str, Any]], repository: int, run: int) -> int:
    ids = _changes(connection, repository, [label["commit"] for label in batch])
    rows = [{**label, "change_id": ids[label["commit"]], "run_id": run} for label in batch]
    return _fresh(connection, labels, [{key: value for key, value in row.items() if key != "commit"} for row in rows])


def _changes(connection: Connection, repository: int, commits: list[str]) -> dict[str, int]:
    """Return the rows of commits, which are made where there are none."""
    values = [{"repository_id": repository, "commit": commit} for commit in dict.fromkeys(commits)]
    connection.execute(upsert(connection, changes).on_conflict_do_nothing(), values)
    # By commit alone: with the repository PostgreSQL would go through all of its changes for every batch.
    found = select(changes.c.repository_id, changes.c.commit, changes.c.id).where(changes.c.commit.in_(commits))
    return {row.commit: row.id for row in connection.execute(found) if row.repository_id == repository}


def _fresh(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> int:
    """Add the rows whose digest is not there yet, and return how many."""
    by_digest = {row["digest"]: row for row in rows}
    there = connection.scalars(select(table.c.digest).where(table.c.digest.in_(list(by_digest))))
    for known in there:
        del by_digest[known]
    if by_digest:
        connection.execute(insert(table), list(by_digest.values()))
    return len(by_digest)


def _label(told: Mapping[str, Any], where: str, repository: str) -> Mapping[str, Any]:
    if told.get("source", "verdict") == "verdict":
        raise StoreError(
            f"{where} is somebody's label, and says not whose",
            mend="what people say are verdicts: write them as docs/AUDIT.md has it",
        )
    if reason := fields.amiss(told, _LABEL):
        raise StoreError(f"{where} {reason}", mend=_HOLD)
    try:
        moment = datetime.fromisoformat(told["decided_at"]).astimezone(UTC)
    except ValueError as error:
        raise StoreError(f"{where} names a moment that never was", mend=_HOLD) from error
    excluded = None if told["excluded"] is None else storable(told["excluded"])
    name = digest("label", repository.lower(), {**told, "decided_at": moment.isoformat(), "excluded": excluded})
    return {**told, "decided_at": moment, "excluded": excluded, "digest": name}


def _verdicts(connection: Connection, rows: _Counted, name: str) -> Taken:
    numbers = array("Q")

    def entries() -> Iterator[Entry]:
        for number, entry in lines.stream(rows):
            numbers.append(number)
            yield entry

    try:
        appended = ledger.append(connection, entries())
    except LabelError as error:
        raise StoreError(f"{name}: {error.message}", mend=error.mend) from error
    return Taken("verdicts", rows.found, appended.added, tuple(numbers[place] for place in appended.differing))


def _first(file: IO[bytes], name: str) -> tuple[int, bytes]:
    """Return the first line that holds anything, empty where none does, and how many are before it."""
    return next(((number, row) for number, row in enumerate(_rows(file, name)) if row.strip()), (0, b""))


def _rows(file: IO[bytes], name: str) -> Iterator[bytes]:
    while row := file.readline(LONGEST + 1):
        if len(row) > LONGEST:
            raise StoreError(f"{name}: a line has more than {LONGEST >> 20} MB", mend=_WHAT)
        yield row


def _whole(first: bytes, file: IO[bytes], name: str) -> bytes:
    content = first + file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise StoreError(f"{name} has more than {LONGEST >> 20} MB", mend=_WHAT)
    return content


def _kind(told: Mapping[str, Any], name: str) -> str:
    """Return what a file of lines holds, by the first of them."""
    for mark, kind in (("hunks", "reports"), ("status", "scores"), ("risky", "labels"), ("kind", "verdicts")):
        if mark in told:
            return kind
    raise StoreError(f"{name} holds nothing that is known here", mend=_WHAT)


def _object(row: bytes, where: str) -> dict[str, Any]:
    try:
        told = fields.load(row.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where} is not JSON in UTF-8", mend=_HOLD) from error
    if not isinstance(told, dict):
        raise StoreError(f"{where} is no object", mend=_WHAT)
    return told


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(values)
    while batch := list(islice(source, _BATCH)):
        yield batch
