"""Files taken into the store: reports, rows of scores, mined labels, verdicts. All of a file, or nothing of it.

    a document                      the JSON report of one review
    JSON Lines with "hunks"         reports, a line each, as `audit export reports` writes them
    … with "shadow"                 scores.jsonl of a model that is in the shadow
    … with "status"                 scores.jsonl
    … with "risky"                  labels.jsonl as `oversight mine` writes it
    … with "kind"                   verdicts and landings

The first line says which of them it is. Files are read line by line; what is on record already is passed over, so that
a file may be taken in again after it has grown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, delete, insert, text, update

from oversight.audit import fields, lines
from oversight.audit.fields import Fields
from oversight.audit.store import ledger, reports, shadows, staging
from oversight.audit.store.chain import Entry
from oversight.audit.store.engine import aside, locked, unlocked, writing
from oversight.audit.store.reports import digest
from oversight.audit.store.tables import runs, storable
from oversight.errors import LabelError, StoreError

if TYPE_CHECKING:
    from oversight.audit.authors import Who

LONGEST = 256 << 20
"""Bytes of a line, or of a report that is a document: more is no file of ours."""

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
_SHADOWS = "shadow scores"

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
    who: Who | None = None,
    at: datetime | None = None,
    advance: Advance = lambda _lines: None,
) -> Taken:
    """Take a file in. `name` is what to call it, in errors too; `repository` that of scores and labels, which do not
    name one, and of reports instead of their own; `who` knows who wrote its commits, which scores do not tell; `at` is
    the moment, now by default.

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
    if kind == "verdicts":
        entries = _verdicts(rows, name)
        with writing(engine) as connection:
            return _on_record(connection, kind, name, moment, lambda _run: _append(connection, entries, rows.found))
    if kind != "reports" and repository is None:
        raise StoreError(f"{name}: its lines name no repository", mend="say which one they are of, with --repository")
    with aside(engine) as connection:
        with unlocked(connection):
            settle = _gather(connection, kind, rows, repository, who, moment)
        with locked(connection):
            return _on_record(
                connection, kind, name, moment, lambda run: Taken(kind, rows.found, settle(connection, run))
            )


def _on_record(connection: Connection, kind: str, name: str, at: datetime, write: Callable[[int], Taken]) -> Taken:
    """Write what a file brings, and that it did; one that brings nothing new is no run."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORTERS})
    values = {"kind": kind, "name": storable(name), "at": at, "lines": 0, "added": 0}
    run = connection.scalars(insert(runs).values(values).returning(runs.c.id)).one()
    taken = write(run)
    if taken.added:
        told = {"lines": taken.found, "added": taken.added}
        connection.execute(update(runs).where(runs.c.id == run).values(told))
    else:
        connection.execute(delete(runs).where(runs.c.id == run))
    return taken


def _gather(
    connection: Connection, kind: str, rows: _Counted, repository: str | None, who: Who | None, at: datetime
) -> Callable[[Connection, int], int]:
    """Read and check all of a file that has no verdicts; what puts it on record is returned."""
    if kind == "labels" and repository is not None:
        staging.gather_labels(connection, (_label(value, where, repository) for where, value in rows.told()))
        return lambda here, run: staging.settle_labels(here, storable(repository), run)
    if kind == _SHADOWS and repository is not None:
        shadows.gather(connection, (shadows.read(value, where, repository) for where, value in rows.told()))
        return lambda here, run: shadows.settle(here, storable(repository), run)
    if kind == "scores" and repository is not None:
        told = (reports.read_score(value, where, repository) for where, value in rows.told())
    else:
        told = (reports.read(value, where, repository) for where, value in rows.told())
    staging.gather_reports(connection, told, who)
    return lambda here, run: staging.settle_reports(here, reports.Came("import", None, at, run))


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


def _verdicts(rows: _Counted, name: str) -> list[tuple[int, Entry]]:
    """Read and check all of a file of verdicts: its entries, each with the number of its line."""
    try:
        return list(lines.stream(rows))
    except LabelError as error:
        raise StoreError(f"{name}: {error.message}", mend=error.mend) from error


def _append(connection: Connection, entries: Sequence[tuple[int, Entry]], found: int) -> Taken:
    appended = ledger.append(connection, (entry for _, entry in entries))
    return Taken("verdicts", found, appended.added, tuple(entries[place][0] for place in appended.differing))


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
    marks = {"hunks": "reports", shadows.MARK: _SHADOWS, "status": "scores", "risky": "labels", "kind": "verdicts"}
    for mark, kind in marks.items():
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
