"""The ledger in its tables: entries are added at the end, read in order, and proved. Nothing is changed or deleted.

Only one process adds at a time. In SQLite a write transaction is the only one; in PostgreSQL the table is locked, and
no lock is needed to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, text
from sqlalchemy.exc import OperationalError

from oversight.audit.store.chain import GENESIS, Broken, Entry, Head, canonical, following, name_of
from oversight.audit.store.names import said_in
from oversight.audit.store.tables import landings, ledger, verdicts
from oversight.audit.verdict import Decision, Landing, Selection, Shown, Source, Verdict
from oversight.errors import LabelError, StoreError

COLUMNS = tuple(column.name for column in verdicts.c if column.name != "sequence")
"""The names of what is known of a verdict; a landing has `change_id`, `commit`, `repository`, `number`, `landed_at`."""

_BATCH = 500
_MEND = 'see what "oversight audit verify" says, and restore the database'
_DAMAGE = (ValueError, TypeError, AttributeError, LabelError)  # what reading an entry from damaged columns comes to

_VERDICT = [column.label(f"v_{column.name}") for column in verdicts.c]
_LANDING = [column.label(f"l_{column.name}") for column in landings.c]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry, its place in the chain, from 1, and its hash."""

    sequence: int
    hash: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of entries: how many were added, and the places, counted from 0, of those that say something else
    than the entry of the same name that is on record, and so were left out.
    """

    added: int
    differing: tuple[int, ...]


def append(connection: Connection, entries: Iterable[Entry]) -> Appended:
    """Add what is not yet on record at the end of the chain, in order; `connection` is in a write transaction.

    What is on record under the same name (who, where, when, on what) stays as it is.
    """
    alone(connection)
    end = head(connection)
    count, differing, seen = 0, [], 0
    source = iter(entries)
    while batch := [canonical(entry) for entry in islice(source, _BATCH)]:
        named = [(name_of(entry), entry) for entry in batch]
        known = _known(connection, [name for name, _ in named])
        fresh = []
        for place, (name, entry) in enumerate(named, seen):
            if name not in known:
                known[name] = entry
                fresh.append((name, entry))
            elif known[name] != entry:
                differing.append(place)
        end = _add(connection, end, fresh)
        count, seen = count + len(fresh), seen + len(batch)
    return Appended(count, tuple(differing))


def alone(connection: Connection) -> None:
    """Keep others from adding until the write transaction ends, so that what is read now is still true then."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE ledger IN EXCLUSIVE MODE"))


def head(connection: Connection) -> Head:
    """Return the end of the chain."""
    last = connection.execute(
        select(ledger.c.sequence, ledger.c.hash).order_by(ledger.c.sequence.desc()).limit(1)
    ).first()
    return Head(0, GENESIS) if last is None else Head(last.sequence, last.hash)


def links(connection: Connection) -> Iterator[Link]:
    """All entries in order, read a page at a time; `StoreError` for a ledger that was damaged so that it has none."""
    for row in _rows(connection):
        if isinstance(row, Broken):
            raise _damaged(row)
        try:
            yield Link(row.sequence, row.hash, _entry(row))
        except _DAMAGE as error:
            raise _damaged(Broken(row.sequence, "it holds what no entry can")) from error


def about(connection: Connection, repository: str, number: int | None = None) -> Iterator[Entry]:
    """The entries on a repository of GitHub, in whichever case, or on one pull request of it, in order; `StoreError` as
    of `links`.
    """
    for table in (verdicts, landings):
        found = _select().where(func.lower(table.c.repository) == repository.lower())
        for row in connection.execute(found if number is None else found.where(table.c.number == number)):
            try:
                yield _entry(row)
            except _DAMAGE as error:
                raise _damaged(Broken(row.sequence, "it holds what no entry can")) from error


def said_of(connection: Connection, commit: str, repository: str | None = None) -> list[Verdict]:
    """The verdicts on a commit, and on heads that landed as it, in order; `StoreError` as of `links`.

    With `repository` those that were said there, under whichever name it had, or that name none.
    """
    there = said_in(connection, landings.c.repository, repository)
    heads = select(landings.c.change_id).where(landings.c.commit == commit, there)
    here = and_(
        or_(verdicts.c.change_id == commit, verdicts.c.change_id.in_(heads)),
        said_in(connection, verdicts.c.repository, repository),
    )
    found = []
    for row in connection.execute(_select().where(ledger.c.kind == "verdict", here)):
        try:
            entry = _entry(row)
        except _DAMAGE as error:
            raise _damaged(Broken(row.sequence, "it holds what no entry can")) from error
        found += [entry] if isinstance(entry, Verdict) else []
    return found


def verify(connection: Connection, anchor: str | None = None) -> Broken | None:
    """Return the first link that does not hold, None where all do.

    `anchor` is the hash of a head that was noted earlier: an entry must have it. Without it nobody can tell whether
    the end was cut off, or whether all of the chain was made anew.
    """
    previous, expected, anchored = GENESIS, 1, anchor in (None, GENESIS)
    for row in _rows(connection):
        if isinstance(row, Broken):
            return row
        reason = _wrong(row, previous, expected)
        if reason is not None:
            return Broken(expected, reason)
        previous, expected = row.hash, expected + 1
        anchored = anchored or previous == anchor
    beside = _stray(connection) or _repeated(connection)
    if beside is not None:
        return beside
    if not anchored:
        return Broken(expected, "no entry has the hash of the head that was noted: what was the end has gone")
    return None


def _known(connection: Connection, names: Sequence[str]) -> dict[str, Entry]:
    """Return the entries on record that have these names."""
    found = _select().where(ledger.c.name.in_(names)).order_by(None)
    try:
        return {row.name: _entry(row) for row in connection.execute(found)}
    except _DAMAGE as error:
        raise StoreError("the ledger is damaged, and nothing is added to it", mend=_MEND) from error


def values_of(entry: Entry) -> dict[str, Any]:
    """Return what an entry says, by the names of columns, and its `kind`."""
    return (
        {"kind": "landing", **_landing_values(entry)}
        if isinstance(entry, Landing)
        else {"kind": "verdict", **_verdict_values(entry)}
    )


def _add(connection: Connection, end: Head, fresh: Sequence[tuple[str, Entry]]) -> Head:
    rows: dict[str, list[dict[str, Any]]] = {"ledger": [], "verdict": [], "landing": []}
    sequence, previous = end.entries, end.hash
    for name, entry in fresh:
        sequence, before, previous = sequence + 1, previous, following(previous, entry)
        values = values_of(entry)
        kind = values.pop("kind")
        rows[kind].append({"sequence": sequence, **values})
        link = {"sequence": sequence, "kind": kind, "name": name, "previous": before, "hash": previous}
        rows["ledger"].append(link)
    for kind, table in (("ledger", ledger), ("verdict", verdicts), ("landing", landings)):
        if rows[kind]:
            connection.execute(insert(table), rows[kind])
    return Head(sequence, previous)


def _select() -> Any:
    joined = ledger.outerjoin(verdicts).outerjoin(landings)
    return select(ledger, *_VERDICT, *_LANDING).select_from(joined).order_by(ledger.c.sequence)


def _after(last: int) -> Any:
    return _select().where(ledger.c.sequence > last)


def _rows(connection: Connection) -> Iterator[Row[Any] | Broken]:
    """All rows in order; a row that cannot even be read is a broken link, and the last."""
    last, size = 0, _BATCH
    while True:
        try:
            page: Sequence[Row[Any]] = connection.execute(_after(last).limit(size)).all()
        except (*_DAMAGE, OperationalError) as error:
            # SQLite's driver finds damaged text that is not UTF-8; whatever else is operational breaks no link.
            if isinstance(error, OperationalError) and "decode" not in str(error.orig).lower():
                raise
            if size == 1:
                yield Broken(last + 1, "it holds what cannot be read")
                return
            size = 1  # one of the page is damaged: which one, is found singly
            continue
        if not page:
            return
        yield from page
        last = page[-1].sequence


def _wrong(row: Row[Any], previous: str, expected: int) -> str | None:
    """Return what is wrong with the entry that should be at `expected`, after the one with the hash `previous`."""
    if row.sequence != expected:
        return "it is missing"
    if row.previous != previous:
        return "it does not follow the one before it"
    try:
        entry = _entry(row)
        content = following(previous, entry)
    except _DAMAGE:
        return "it holds what no entry can"
    if row.hash != content:
        return "its content is not what its hash was made of"
    if row.name != name_of(entry):
        return "its name is not that of its content"
    return None


def _stray(connection: Connection) -> Broken | None:
    """Return the first verdict or landing that stands beside the chain."""
    for table, kind in ((verdicts, "verdict"), (landings, "landing")):
        linked = select(ledger.c.sequence).where(ledger.c.sequence == table.c.sequence, ledger.c.kind == kind)
        stray = connection.scalar(select(func.min(table.c.sequence)).where(~linked.exists()))
        if stray is not None:
            return Broken(stray, f"a {kind} stands there that is not in the chain")
    return None


def _repeated(connection: Connection) -> Broken | None:
    """Return the first entry that says again what is on record: the table allows none, but who made it anew may."""
    second = select(func.max(ledger.c.sequence)).group_by(ledger.c.name).having(func.count() > 1).subquery()
    found = connection.scalar(select(func.min(second.c[0])))
    return None if found is None else Broken(found, "it says again what an entry before it said")


def _entry(row: Row[Any]) -> Entry:
    told = row._mapping
    match row.kind:
        case "verdict":
            return _verdict({column.name: told[f"v_{column.name}"] for column in verdicts.c})
        case "landing":
            return _landing({column.name: told[f"l_{column.name}"] for column in landings.c})
        case _:
            raise ValueError("an entry of no kind")


def _verdict_values(verdict: Verdict) -> dict[str, Any]:
    shown, source = verdict.shown, verdict.source
    return {
        "change_id": verdict.change_id,
        "finding": verdict.finding,
        "who": verdict.who,
        "decision": verdict.decision.value,
        "note": verdict.note,
        "decided_at": verdict.decided_at,
        "own": verdict.own,
        "selection": shown.selection.value,
        "propensity": shown.propensity,
        "flagged": shown.flagged,
        "risk": shown.risk,
        "percentile": shown.percentile,
        "model": shown.model,
        "blind": shown.blind,
        "source": source.kind,
        "repository": source.repository,
        "number": source.number,
        "source_id": source.id,
    }


def _verdict(told: Mapping[str, Any]) -> Verdict:
    return Verdict(
        change_id=told["change_id"],
        who=told["who"],
        decision=Decision(told["decision"]),
        note=told["note"],
        decided_at=_moment(told["decided_at"]),
        shown=Shown(
            Selection(told["selection"]),
            told["propensity"],
            told["flagged"],
            told["risk"],
            told["percentile"],
            told["model"],
            _truth(told["blind"]),
        ),
        source=Source(told["source"], told["repository"], told["number"], told["source_id"]),
        finding=told["finding"],
        own=told["own"],
    )


def _landing_values(landing: Landing) -> dict[str, Any]:
    return {
        "change_id": landing.change_id,
        "commit": landing.commit,
        "repository": landing.repository,
        "number": landing.number,
        "landed_at": landing.landed_at,
    }


def _landing(told: Mapping[str, Any]) -> Landing:
    moment = _moment(told["landed_at"])
    return Landing(told["change_id"], told["commit"], told["repository"], told["number"], moment)


def _damaged(broken: Broken) -> StoreError:
    return StoreError(f"entry {broken.sequence} of the ledger is damaged: {broken.reason}", mend=_MEND)


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError("no moment")
    return value.astimezone(UTC)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value
