"""Which repository an entry of the ledger was said in, whatever that is called now.

One commit may be in several repositories, of which one is private: what people say of it there is nobody's business
elsewhere. Entries name the repository as it was called when somebody spoke, or none, where they judged a commit that
only a folder knew. What it was called before is in a table of the server's, where one shares the database.

A report that was made in a folder has the folder's name, not "owner/name". Only whoever has the store sees those, and
all that is said of the same commits counts there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, MetaData, Table, Text, func, inspect, or_, select, true

from oversight.audit.verdict import Record

former_names = Table("former_names", MetaData(), Column("key", Text, primary_key=True), Column("name", Text))
"""Names that repositories had, in lower case, with what they are called now. The server's migrations make it."""


def kept(connection: Connection) -> bool:
    """Whether former names are kept in this database."""
    return inspect(connection).has_table(former_names.name)


def called_now(connection: Connection) -> dict[str, str]:
    """Return what repositories are called now, by the names that they had, in lower case."""
    if not kept(connection):
        return {}
    return {row.key: row.name for row in connection.execute(select(former_names))}


def names_of(connection: Connection, repository: str) -> tuple[str, ...]:
    """Return what a repository is called, and was called before, this in lower case."""
    if not kept(connection):
        return (repository,)
    had = select(former_names.c.key).where(func.lower(former_names.c.name) == repository.lower())
    return (repository, *connection.scalars(had.order_by(former_names.c.key)))


def is_folder(repository: str) -> bool:
    """Whether a name is that of a folder, and no "owner/name"."""
    return "/" not in repository


def said_in(connection: Connection, column: ColumnElement[Any], repository: str | None) -> ColumnElement[bool]:
    """Whether the name in `column` is one of a repository, or there is none; of None, any name is."""
    if repository is None or is_folder(repository):
        return true()
    had = {name.lower() for name in names_of(connection, repository)}
    return or_(column.is_(None), func.lower(column).in_(sorted(had)))


def scoped(record: Record, repository: str | None, names: tuple[str, ...], now: Mapping[str, str]) -> Record:
    """Return what of a record was said in a repository that had these names, or names none; all of it of None.

    Entries then name repositories as they are called `now`.
    """
    ours = {name.lower() for name in names}

    def current(name: str | None) -> str | None:
        if name is None:
            return None
        return repository if name.lower() in ours else now.get(name.lower(), name)

    everything = repository is None or is_folder(repository)
    said = (one for one in record.verdicts if everything or (one.source.repository or "").lower() in {"", *ours})
    landed = (one for one in record.landings if everything or one.repository.lower() in ours)
    return Record(
        tuple(replace(one, source=replace(one.source, repository=current(one.source.repository))) for one in said),
        tuple(replace(one, repository=current(one.repository) or "") for one in landed),
    )
