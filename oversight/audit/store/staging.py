"""What comes out of a file, gathered before it goes into the store, so that this takes one short transaction.

Rows are checked and written to temporary tables of one connection, which nobody else sees, for which no lock is taken,
and which go with the connection. `settle_reports` and `settle_labels` move all of them at once, by statements of the
database alone. So a file is in the store as a whole or not at all, and other writers wait for a small part of the time
that reading it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, Connection, Integer, MetaData, Select, Table, Text, func, insert, literal, select, update

from oversight.audit.store.reports import Came, Told, repository_of, upsert
from oversight.audit.store.tables import changes, labels, opinions, reports, repositories, storable

if TYPE_CHECKING:
    from oversight.audit.authors import Who

_BATCH = 500
_CHANGE = ("commit", "author", "provenance", "agent", "authored_at", "title", "directory")
_REPORT = ("digest", "status", "risk", "percentile", "flagged", "model", "added", "deleted", "body")
_CAME = ("source", "number", "at", "run_id")
_LABEL = ("digest", "risky", "source", "decided_at", "evidence", "excluded")
_OPINION = tuple(column.name for column in opinions.c if column.name != "report_id")

Item = TypeVar("Item")


def _temporary(name: str, *columns: Column[Any], **like: tuple[Table, Iterable[str]]) -> Table:
    """A table with these columns and some that hold what those of other tables hold."""
    copies = (Column(one, table.c[one].type) for table, names in like.values() for one in names)
    return Table(name, MetaData(), *columns, *copies, prefixes=["TEMPORARY"])


def _line() -> Column[Any]:
    return Column("line", Integer, nullable=False)  # the place in the file, from 0


_reports = _temporary(
    "gathered_reports", _line(), Column("key", Text), Column("name", Text),
    change=(changes, _CHANGE), report=(reports, _REPORT),
)  # fmt: skip
_opinions = _temporary("gathered_opinions", _line(), opinion=(opinions, _OPINION))
_labels = _temporary("gathered_labels", _line(), change=(changes, ("commit",)), label=(labels, _LABEL))


def gather_reports(connection: Connection, told: Iterable[Told], who: Who | None = None) -> None:
    """Write what files say of changes to tables of this connection alone; `who` knows who wrote those of bare rows."""
    for table in (_reports, _opinions):
        table.create(connection)
    for batch in _batches(enumerate(told)):
        bare = [one.change["commit"] for _, one in batch if "provenance" not in one.change]
        known = {} if who is None or not bare else who(bare)
        rows = [
            {
                **dict.fromkeys(_CHANGE),
                **{name: _plain(value) for name, value in known.get(one.change["commit"], {}).items()},
                **one.change,
                **one.report,
                "line": line,
                "key": one.repository.lower(),
                "name": one.repository,
            }
            for line, one in batch
        ]
        connection.execute(insert(_reports), rows)
        said = [{**opinion, "line": line} for line, one in batch for opinion in one.opinions]
        if said:
            connection.execute(insert(_opinions), said)


def settle_reports(connection: Connection, came: Came) -> int:
    """Put what was gathered on record, and return how many reports of that are new; `came.run_id` is theirs alone."""
    names = _first(_reports.c.key)
    named = select(_reports.c.key, _reports.c.name).where(_reports.c.line.in_(names)).order_by(_reports.c.line)
    _add(connection, repositories, ("key", "name"), named)
    here = _reports.c.key == repositories.c.key
    of_change = [_reports.c[name] for name in _CHANGE]
    met = select(repositories.c.id, *of_change).where(here).order_by(_reports.c.line)
    _add(connection, changes, ("repository_id", *_CHANGE), met)
    same = (here, changes.c.repository_id == repositories.c.id, changes.c.commit == _reports.c.commit)
    known = _first(_reports.c.key, _reports.c.commit).where(_reports.c.provenance.is_not(None))
    learned = update(changes).values({name: _reports.c[name] for name in _CHANGE})
    connection.execute(learned.where(*same, changes.c.provenance.is_(None), _reports.c.line.in_(known)))
    how = [literal(getattr(came, name), reports.c[name].type) for name in _CAME]
    said = select(changes.c.id, *how, *(_reports.c[name] for name in _REPORT)).where(*same).order_by(_reports.c.line)
    _add(connection, reports, ("change_id", *_CAME, *_REPORT), said)
    of_opinion = [_opinions.c[name] for name in _OPINION]
    fresh = (
        select(reports.c.id, *of_opinion)
        .where(_opinions.c.line == _reports.c.line, _reports.c.digest == reports.c.digest)
        .where(reports.c.run_id == came.run_id, _reports.c.line.in_(_first(_reports.c.digest)))
    )
    connection.execute(insert(opinions).from_select(("report_id", *_OPINION), fresh))
    return _came_with(connection, reports, came.run_id)


def gather_labels(connection: Connection, told: Iterable[Mapping[str, Any]]) -> None:
    """Write labels to a table of this connection alone."""
    _labels.create(connection)
    for batch in _batches(enumerate(told)):
        connection.execute(insert(_labels), [{**one, "line": line} for line, one in batch])


def settle_labels(connection: Connection, repository: str, run: int) -> int:
    """Put the labels that were gathered on record for a repository, and return how many are new; `run` is theirs."""
    of = repository_of(connection, repository)
    met = select(literal(of), _labels.c.commit).where(_labels.c.line >= 0).order_by(_labels.c.line)
    _add(connection, changes, ("repository_id", "commit"), met)
    said = (
        select(changes.c.id, literal(run), *(_labels.c[name] for name in _LABEL))
        .where(changes.c.repository_id == of, changes.c.commit == _labels.c.commit)
        .order_by(_labels.c.line)
    )
    _add(connection, labels, ("change_id", "run_id", *_LABEL), said)
    return _came_with(connection, labels, run)


def _add(connection: Connection, table: Table, columns: Iterable[str], rows: Select[Any]) -> None:
    """Add rows in their order, but for those that are there."""
    connection.execute(upsert(connection, table).from_select(list(columns), rows).on_conflict_do_nothing())


def _first(*columns: Column[Any]) -> Select[Any]:
    """The first lines in which values of columns stand."""
    (table,) = {column.table for column in columns}
    return select(func.min(table.c.line)).group_by(*columns)


def _came_with(connection: Connection, table: Table, run: int | None) -> int:
    return connection.scalars(select(func.count()).select_from(table).where(table.c.run_id == run)).one()


def _plain(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def _batches(values: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(values)
    while batch := list(islice(source, _BATCH)):
        yield batch
