"""The queue as people go through it: filtered, in order, a page at a time, and what the budget still allows.

Only the rows of a page are read whole. The order is that of `queue.entries`; in blind mode it is that of the shas,
which tell nothing of what anybody thinks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, case, func, select

from oversight.audit.budget.entry import Entry
from oversight.audit.budget.spending import Budget
from oversight.audit.store.engine import reading, writing
from oversight.audit.store.judged import agreed
from oversight.audit.store.names import is_folder, names_of
from oversight.audit.store.queue import COLUMNS, PICKED, entries_of
from oversight.audit.store.reports import upsert
from oversight.audit.store.tables import changes, queue, reports, repositories, seen, verdicts
from oversight.audit.verdict import Decision, Selection


class Show(StrEnum):
    """Which changes: those that people are asked to judge, for a place, drawn; or all that were considered."""

    ASKED = "asked"
    PLACES = "places"
    DRAWN = "drawn"
    ALL = "all"


class Judged(StrEnum):
    """Whether most people say that they are safe, or risky: those on which people are even wait on."""

    NO = "no"
    YES = "yes"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Filter:
    """What is listed. `repositories` are names, in whichever case; None: all."""

    repositories: Collection[str] | None = None
    provenance: str | None = None
    show: Show = Show.ASKED
    judged: Judged = Judged.NO
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What became of a budget, in this period where it has one: `places` for the riskiest and those `taken`, changes
    that were `drawn`, and how many of either were `judged`.
    """

    places: int
    taken: int
    drawn: int
    judged: int


def names(engine: Engine) -> list[str]:
    """Return the repositories that changes on record are of."""
    with reading(engine) as connection:
        return list(connection.scalars(select(repositories.c.name).order_by(repositories.c.key)))


def count(engine: Engine, chosen: Filter) -> int:
    """Return how many changes there are."""
    with reading(engine) as connection:
        return int(connection.scalar(_where(connection, select(func.count()).select_from(queue), chosen)) or 0)


def part(engine: Engine, chosen: Filter, *, start: int, most: int) -> list[Entry]:
    """Return `most` entries from the one at `start` on, counted from 0."""
    with reading(engine) as connection:
        # The keys alone are sorted: rows are wide, and most of them are on other pages.
        keys = list(
            connection.scalars(_ordered(connection, select(queue.c.change_id), chosen).offset(start).limit(most))
        )
        rows = connection.execute(select(*COLUMNS).select_from(_JOINED).where(queue.c.change_id.in_(keys))).all()
        told = {(one.repository, one.commit): one for one in entries_of(connection, rows)}
    named = {row.change_id: (row.repository, row.commit) for row in rows}
    return [told[named[key]] for key in keys]


def order(engine: Engine, chosen: Filter) -> list[tuple[str, str]]:
    """Return repository and commit of each, in order."""
    with reading(engine) as connection:
        listed = _ordered(connection, select(repositories.c.name, changes.c.commit), chosen)
        return [(row.name, row.commit) for row in connection.execute(listed)]


def spent(engine: Engine, budget: Budget, among: Collection[str] | None, *, now: datetime) -> Spent:
    """Return what became of a budget among the changes of these repositories; None: of all."""
    everything = Filter(among, show=Show.ALL, judged=Judged.ANY)
    period = None if budget.period is None else budget.period.start(now)
    with reading(engine) as connection:
        judged = case((queue.c.change_id.in_(agreed(connection)), 1), else_=0)
        chosen = select(queue.c.selection, func.count(), func.sum(judged)).group_by(queue.c.selection)
        found = _where(connection, chosen, everything)
        rows = connection.execute(found if period is None else found.where(queue.c.queued_at >= period)).all()
        told = {selection: (number, done or 0) for selection, number, done in rows}
        total = 0 if budget.fraction is None else sum(number for number, _ in told.values())
    taken, drawn = (told.get(one.value, (0, 0)) for one in (Selection.FLAGGED, Selection.RANDOM))
    return Spent(budget.places(total), taken[0], drawn[0], taken[1] + drawn[1])


def said_on(
    engine: Engine, places: Collection[tuple[str, str]], *, unnamed: bool = True
) -> Mapping[tuple[str, str], list[tuple[str, Decision]]]:
    """Return who said what of each commit of a repository, in order; `unnamed`: also what names no repository.

    What was said of the same commit in another repository is not of it: that may be a private one.
    """
    found: dict[tuple[str, str], list[tuple[str, Decision]]] = {}
    columns = (verdicts.c.change_id, verdicts.c.who, verdicts.c.decision, verdicts.c.repository)
    commits = {commit for _, commit in places}
    chosen = select(*columns).where(verdicts.c.change_id.in_(commits), verdicts.c.finding.is_(None))
    with reading(engine) as connection:
        rows = connection.execute(chosen.order_by(verdicts.c.sequence)).all()
        had = {name: {one.lower() for one in names_of(connection, name)} for name in {name for name, _ in places}}
    for name, commit in places:
        for row in rows:
            here = unnamed if row.repository is None else is_folder(name) or row.repository.lower() in had[name]
            if row.change_id == commit and here:
                found.setdefault((name, commit), []).append((row.who, Decision(row.decision)))
    return found


def note_seen(engine: Engine, who: str, commits: Sequence[str], at: datetime) -> None:
    """Remember that somebody was shown what reports say of changes; of a commit, in all repositories that have it: what
    is said of it in one is no news in another.
    """
    with reading(engine) as connection:
        keys = set(connection.scalars(_keys(commits))) - set(connection.scalars(_seen(who, commits)))
    if keys:
        rows = [{"who": who, "change_id": key, "at": at} for key in sorted(keys)]
        with writing(engine) as connection:
            connection.execute(upsert(connection, seen).on_conflict_do_nothing(), rows)


def has_seen(engine: Engine, who: str, commit: str) -> bool:
    """Whether somebody was shown what reports say of a change."""
    with reading(engine) as connection:
        return connection.scalar(_seen(who, [commit]).limit(1)) is not None


def _keys(commits: Sequence[str]) -> Select[Any]:
    return select(changes.c.id).where(changes.c.commit.in_(commits))


def _seen(who: str, commits: Sequence[str]) -> Select[Any]:
    return select(seen.c.change_id).where(seen.c.who == who, seen.c.change_id.in_(_keys(commits)))


def _where(connection: Connection, listed: Select[Any], chosen: Filter) -> Select[Any]:
    """Return a query of the queue for what is chosen, which joins no other table to it."""
    about: list[ColumnElement[bool]] = []
    if chosen.repositories is not None:
        keys = [name.lower() for name in chosen.repositories]
        ours = select(repositories.c.id).where(repositories.c.key.in_(keys))
        about.append(changes.c.repository_id.in_(ours))
    if chosen.provenance is not None:
        about.append(func.coalesce(changes.c.provenance, "unknown") == chosen.provenance)
    if about:
        listed = listed.where(queue.c.change_id.in_(select(changes.c.id).where(*about)))
    selections = _SELECTIONS.get(chosen.show)
    if selections is not None:
        listed = listed.where(queue.c.selection.in_(selections))
    match chosen.judged:
        case Judged.YES:
            return listed.where(queue.c.change_id.in_(agreed(connection)))
        case Judged.NO:
            return listed.where(queue.c.change_id.not_in(agreed(connection)))
        case _:
            return listed


def _ordered(connection: Connection, listed: Select[Any], chosen: Filter) -> Select[Any]:
    listed = _where(connection, listed.select_from(_JOINED), chosen)
    if chosen.blind:
        return listed.order_by(changes.c.commit, repositories.c.key)
    group = case(_GROUPS, value=queue.c.selection, else_=len(_GROUPS))
    unscored = case((reports.c.risk.is_(None), 0), else_=1)
    return listed.order_by(group, unscored, reports.c.risk.desc(), repositories.c.name, changes.c.commit)


_JOINED = (
    queue.join(changes, changes.c.id == queue.c.change_id)
    .join(repositories, repositories.c.id == changes.c.repository_id)
    .join(reports, reports.c.id == queue.c.report_id)
)
_SELECTIONS = {
    Show.ASKED: PICKED,
    Show.PLACES: (Selection.FLAGGED.value,),
    Show.DRAWN: (Selection.RANDOM.value,),
}
_GROUPS = {one.value: place for place, one in enumerate((Selection.FLAGGED, Selection.RANDOM, Selection.REQUEST))}
