"""A repository that is called something else now: what is kept of it follows, and what it was called is remembered.

Reports and jobs are kept under the new name from then on. The ledger is a chain of hashes, which names repositories as
they were called when somebody spoke: it stays as it is, and is asked for all names that a repository has had.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from oversight.audit.store import names
from oversight.audit.store.engine import reading, writing
from oversight.audit.store.tables import canary_runs, changes, repositories
from oversight_server.queue.tables import former_names, jobs


def rename(engine: Engine, before: str, name: str) -> None:
    """Let what is kept of "owner/name" `before` be of `name`; twice is once. Raises StoreError."""
    old, new = before.lower(), name.lower()
    if old == new:
        return
    with writing(engine) as connection:
        _move_reports(connection, old, name)
        connection.execute(update(jobs).where(jobs.c.place == old).values(place=new, repository=name))
        # What it was called before that is a name that it had as well; what it is called now is none.
        connection.execute(update(former_names).where(func.lower(former_names.c.name) == old).values(name=name))
        connection.execute(delete(former_names).where(former_names.c.key.in_((old, new))))
        connection.execute(insert(former_names).values(key=old, name=name))


def names_of(engine: Engine, name: str) -> tuple[str, ...]:
    """Return what a repository is called, and was called before. Raises StoreError."""
    with reading(engine) as connection:
        return names.names_of(connection, name)


def _move_reports(connection: Connection, old: str, name: str) -> None:
    ids = {
        row.key: row.id
        for row in connection.execute(
            select(repositories.c.id, repositories.c.key).where(repositories.c.key.in_((old, name.lower())))
        )
    }
    if old not in ids:
        return
    if name.lower() not in ids:
        known = repositories.c.id == ids[old]
        connection.execute(update(repositories).where(known).values(key=name.lower(), name=name))
        return
    # Something has come under the new name already. What both have stays where it is, to be forgotten with the old one.
    theirs = select(changes.c.commit).where(changes.c.repository_id == ids[name.lower()])
    ours = (changes.c.repository_id == ids[old]) & changes.c.commit.not_in(theirs)
    connection.execute(update(changes).where(ours).values(repository_id=ids[name.lower()]))
    runs = canary_runs.c.repository_id == ids[old]
    connection.execute(update(canary_runs).where(runs).values(repository_id=ids[name.lower()]))
