"""The books: every job with what became of it. They are the truth; the queue is what brings jobs to workers.

Each method is one transaction, and asking for the same thing twice is asking once, so that whoever is killed in between
starts over. `StoreError` where the database fails.

Deliveries come in any order. What GitHub said last of a pull request wins (`seen_at`): a head that was pushed over is
not reviewed again because its delivery is late. Where two are equally new, the one that arrives later wins, and the
review itself asks GitHub before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, text, update

from oversight.audit.store.engine import reading, writing
from oversight_server.queue.model import (
    ACTIVE,
    Cancel,
    Chore,
    Due,
    Job,
    Kind,
    Review,
    State,
    Task,
    place_of,
    review_id,
)
from oversight_server.queue.tables import former_names, jobs

_CLOSED = "the pull request is closed, or reviewed no more"
_PUSHED = "a newer head was pushed"


class Book:
    """The jobs in one database. Thread-safe. `clock` says what time it is, time-zone aware."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = clock

    def take(self, task: Task, model: str) -> Due | None:
        """Put a task on the books and return what is to go into the queue, None where nothing is.

        `model` is the version of the model that reviews with; a review by another one is another review.
        """
        with writing(self._engine) as connection:
            match task:
                case Review():
                    return _review(connection, task, model, self._now())
                case Cancel():
                    _cancel(connection, task, self._now())
                    return None
                case Chore():
                    return _chore(connection, task, self._now())

    def claim(self, due: Due) -> Job | None:
        """Begin a job, None where this is not its turn, or it is wanted no more."""
        ours = (jobs.c.id == due.id) & (jobs.c.turn == due.turn) & jobs.c.state.in_(ACTIVE)
        begun = {"state": State.RUNNING, "runs": jobs.c.runs + 1, "updated_at": self._now()}
        with writing(self._engine) as connection:
            row = connection.execute(update(jobs).where(ours).values(begun).returning(*jobs.c)).one_or_none()
        return None if row is None else _job(row)

    def running(self, job: Job) -> bool:
        """Whether a job that was begun is still wanted."""
        with reading(self._engine) as connection:
            found = connection.execute(select(jobs.c.state, jobs.c.turn).where(jobs.c.id == job.id)).one_or_none()
        return found is not None and (found.state, found.turn) == (State.RUNNING, job.turn)

    def finish(self, job: Job, state: State, error: str | None = None, base: str | None = None) -> bool:
        """Close a job that was begun; whether it had not been closed or handed on in the meantime.

        `base` is the branch that a review compared with.
        """
        return self._change(job, {"state": state, "error": error, "base": base})

    def again(self, job: Job, error: str, *, counted: bool, waits: bool = False) -> Due | None:
        """Give a job that failed another turn, None where it is wanted no more.

        `counted`: it used up an attempt; `waits`: it did nothing but wait for GitHub, which it may not do for ever.
        """
        changed = {
            "state": State.QUEUED, "turn": job.turn + 1, "runs": 0, "tries": job.tries + counted, "error": error,
            "waits_since": (job.waits_since or self._now()) if waits else None,
        }  # fmt: skip
        return Due(job.id, job.turn + 1, job.place) if self._change(job, changed) else None

    def reviews(self, repository: str, number: int, head: str) -> list[Job]:
        """Return the reviews of a head of a pull request, the newest first."""
        ours = (jobs.c.place == place_of(repository, 0)) & (jobs.c.number == number) & (jobs.c.head == head)
        query = select(*jobs.c).where(ours, jobs.c.kind == Kind.REVIEW)
        with reading(self._engine) as connection:
            return list(map(_job, connection.execute(query.order_by(jobs.c.created_at.desc(), jobs.c.attempt.desc()))))

    def busiest(self, limit: int) -> list[tuple[str, int]]:
        """Return the repositories of which there are reviews on the books, those first of which something was heard
        last, each with its newest installation.
        """
        told = (func.max(jobs.c.repository), func.max(jobs.c.installation))
        known = select(*told).where(jobs.c.kind == Kind.REVIEW).group_by(jobs.c.place)
        with reading(self._engine) as connection:
            found = connection.execute(known.order_by(func.max(jobs.c.updated_at).desc()).limit(limit)).all()
        return [(str(repository), int(installation)) for repository, installation in found]

    def pulls(self, repository: str, head: str) -> list[int]:
        """Return the pull requests of which a head was ever to be reviewed: GitHub names none that come from forks."""
        place = jobs.c.place == place_of(repository, 0)
        with reading(self._engine) as connection:
            found = connection.execute(select(jobs.c.number).where(place, jobs.c.head == head).distinct())
            return sorted(found.scalars())

    def stats(self) -> Mapping[str, int]:
        """Return how many jobs are queued, running and dead."""
        counted = (State.QUEUED, State.RUNNING, State.DEAD)
        query = select(jobs.c.state, func.count().label("jobs")).where(jobs.c.state.in_(counted)).group_by(jobs.c.state)
        with reading(self._engine) as connection:
            found = {row.state: row.jobs for row in connection.execute(query)}
        return {state.value: found.get(state, 0) for state in counted}

    def dead(self, limit: int = 100) -> list[Job]:
        """Return the jobs that failed too often, the newest first."""
        query = select(*jobs.c).where(jobs.c.state == State.DEAD).order_by(jobs.c.updated_at.desc()).limit(limit)
        with reading(self._engine) as connection:
            return list(map(_job, connection.execute(query)))

    def revive(self, identity: str) -> Due | None:
        """Give a dead job all its attempts again, None where there is none of that id."""
        ours = (jobs.c.id == identity) & (jobs.c.state == State.DEAD)
        now = self._now()
        fresh = {"turn": jobs.c.turn + 1, "runs": 0, "tries": 0, "state": State.QUEUED, "waits_since": None}
        times = {"created_at": now, "updated_at": now}
        with writing(self._engine) as connection:
            row = connection.execute(update(jobs).where(ours).values(fresh | times).returning(*jobs.c)).one_or_none()
        return None if row is None else Due(row.id, row.turn, row.place)

    def revive_all(self, limit: int = 500) -> list[Due]:
        """Give dead jobs all their attempts again, those first that were given up first; at most so many."""
        oldest = select(jobs.c.id).where(jobs.c.state == State.DEAD).order_by(jobs.c.updated_at).limit(limit)
        with reading(self._engine) as connection:
            dead = list(connection.execute(oldest).scalars())
        return [due for identity in dead if (due := self.revive(identity)) is not None]

    def active(self, before: datetime, limit: int = 500) -> list[Job]:
        """Return jobs that are to be done and of which nothing was heard since `before`."""
        old = jobs.c.state.in_(ACTIVE) & (jobs.c.updated_at < before)
        with reading(self._engine) as connection:
            found = connection.execute(select(*jobs.c).where(old).order_by(jobs.c.updated_at).limit(limit))
            return list(map(_job, found))

    def seen(self, identities: Iterable[str]) -> None:
        """Note that something was heard of jobs."""
        with writing(self._engine) as connection:
            connection.execute(update(jobs).where(jobs.c.id.in_(list(identities))).values(updated_at=self._now()))

    def anew(self, job: Job) -> Due | None:
        """Give another turn to a job whose turn ended without closing it, None where it was closed after all."""
        ours = (jobs.c.id == job.id) & (jobs.c.turn == job.turn) & jobs.c.state.in_(ACTIVE)
        fresh = {"turn": job.turn + 1, "state": State.QUEUED, "updated_at": self._now()}
        with writing(self._engine) as connection:
            done = connection.execute(update(jobs).where(ours).values(fresh).returning(jobs.c.id)).one_or_none()
        return None if done is None else Due(job.id, job.turn + 1, job.place)

    def rested(self, identities: Iterable[str]) -> None:
        """Note that jobs were handed on by a worker that was told to stop: they have not ended it."""
        with writing(self._engine) as connection:
            connection.execute(
                update(jobs).where(jobs.c.id.in_(list(identities))).values(runs=0, updated_at=self._now())
            )

    def repositories(self, installation: int) -> list[str]:
        """Return the repositories of which an installation has jobs on the books."""
        known = (jobs.c.installation == installation) & jobs.c.repository.is_not(None)
        with reading(self._engine) as connection:
            return sorted(connection.execute(select(jobs.c.repository).where(known).distinct()).scalars())

    def forget(self, repository: str, until: datetime) -> None:
        """Delete the jobs of a repository that were made by then; one that runs finds that it is wanted no more."""
        gone = (jobs.c.place == place_of(repository, 0)) & (jobs.c.created_at <= until)
        with writing(self._engine) as connection:
            connection.execute(delete(jobs).where(gone))
            connection.execute(delete(former_names).where(func.lower(former_names.c.name) == place_of(repository, 0)))

    def tidy(self, before: datetime) -> int:
        """Delete the jobs that were closed before then, and return how many."""
        old = jobs.c.state.not_in(ACTIVE) & (jobs.c.updated_at < before)
        with writing(self._engine) as connection:
            return len(connection.execute(delete(jobs).where(old).returning(jobs.c.id)).all())

    def _change(self, job: Job, changed: Mapping[str, Any]) -> bool:
        ours = (jobs.c.id == job.id) & (jobs.c.turn == job.turn) & (jobs.c.state == State.RUNNING)
        with writing(self._engine) as connection:
            done = connection.execute(
                update(jobs).where(ours).values(**changed, updated_at=self._now()).returning(jobs.c.id)
            )
            return done.one_or_none() is not None


def _review(connection: Connection, task: Review, model: str, now: datetime) -> Due | None:
    place = place_of(task.repository, task.installation)
    of_pull = _of_pull(connection, place, task.number)
    if task.cause is None and any(_newer(one, task) for one in of_pull):
        return None
    if task.cause is None and task.seen_at is not None:
        _supersede(connection, [one for one in of_pull if one.head != task.head], now)
    same = [one for one in of_pull if one.head == task.head and one.model == model]
    last = max(same, key=lambda one: one.attempt, default=None)
    asked = next((one for one in same if task.cause is not None and one.cause == task.cause), None)
    if asked is not None:
        return _due(asked)
    if last is not None and task.cause is None and not _stale(last, of_pull, task):
        if last.state in ACTIVE and task.seen_at is not None:
            connection.execute(update(jobs).where(jobs.c.id == last.id).values(seen_at=task.seen_at))
        return _due(last)
    if last is not None and last.state == State.QUEUED:
        return _due(last)  # it has not begun, and reviews what is there when it does
    attempt = 1 if last is None else last.attempt + 1
    row = {"head": task.head, "model": model, "attempt": attempt, "seen_at": task.seen_at, "number": task.number}
    identity = review_id(task.repository, task.number, task.head, model, attempt)
    about = {"repository": task.repository, "installation": task.installation, "cause": task.cause}
    return _insert(connection, identity, Kind.REVIEW, place, about | row, now)


def _stale(last: Row[Any], of_pull: Sequence[Row[Any]], task: Review) -> bool:
    """Whether the last review of a head is not what stands on the pull request, or is of something else by now."""
    match State(last.state):
        case State.QUEUED:
            return False
        case State.RUNNING:
            return task.changed
        case State.DONE:
            done = [one for one in of_pull if one.state == State.DONE]
            moved = None not in (last.base, task.base) and last.base != task.base
            return task.changed or moved or max(done, key=lambda one: one.updated_at).head != task.head
        case _:
            return True


def _newer(one: Row[Any], task: Review) -> bool:
    """Whether GitHub has said since that the pull request has another head."""
    known = one.seen_at is not None and task.seen_at is not None
    return bool(known and one.head != task.head and one.seen_at > task.seen_at)


def _supersede(connection: Connection, others: Sequence[Row[Any]], now: datetime) -> None:
    ids = [one.id for one in others if one.state in ACTIVE]
    if ids:
        closed = {"state": State.SUPERSEDED, "error": _PUSHED, "updated_at": now}
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(closed))


def _cancel(connection: Connection, task: Cancel, now: datetime) -> None:
    found = _of_pull(connection, place_of(task.repository, 0), task.number)
    after = [one for one in found if None not in (one.seen_at, task.seen_at) and one.seen_at > task.seen_at]
    ids = [one.id for one in found if one.state in ACTIVE and one not in after]
    if ids:
        closed = {"state": State.CANCELLED, "error": _CLOSED, "updated_at": now}
        connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(closed))


def _chore(connection: Connection, task: Chore, now: datetime) -> Due | None:
    identity = f"{task.kind}:{task.cause}"
    known = connection.execute(select(*jobs.c).where(jobs.c.id == identity)).one_or_none()
    if known is not None:
        return _due(known)
    about = {"repository": task.repository, "installation": task.installation, "number": task.number}
    place = place_of(task.repository, task.installation)
    row = {**about, "arguments": dict(task.arguments), "cause": task.cause}
    return _insert(connection, identity, task.kind, place, row, now)


def _of_pull(connection: Connection, place: str, number: int) -> Sequence[Row[Any]]:
    """Return the reviews of a pull request; nobody else changes them until the transaction ends."""
    if connection.dialect.name == "postgresql":
        key = {"key": crc32(f"{place}#{number}".encode())}
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), key)
    ours = (jobs.c.place == place) & (jobs.c.number == number) & (jobs.c.kind == Kind.REVIEW)
    return connection.execute(select(*jobs.c).where(ours)).all()


def _insert(
    connection: Connection, identity: str, kind: Kind, place: str, row: Mapping[str, Any], now: datetime
) -> Due:
    fresh = {"attempt": 1, "arguments": {}, "state": State.QUEUED, "turn": 1, "runs": 0, "tries": 0}
    times = {"created_at": now, "updated_at": now}
    connection.execute(insert(jobs).values(**{**fresh, **row}, id=identity, kind=kind, place=place, **times))
    return Due(identity, 1, place)


def _due(row: Row[Any]) -> Due | None:
    """Return what goes into the queue again, in case that it never got there."""
    return Due(row.id, row.turn, row.place) if row.state in ACTIVE else None


def _job(row: Row[Any]) -> Job:
    told = {name: value for name, value in row._mapping.items() if name != "updated_at"}
    told |= {"kind": Kind(row.kind), "state": State(row.state), "arguments": MappingProxyType(row.arguments)}
    return Job(**told)
