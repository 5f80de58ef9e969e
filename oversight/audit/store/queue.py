"""The queue in its table: who is considered, who is picked, and what is known of them.

A change is considered once, when it is drawn or is not; its row keeps the chance that it had. Later it may still get a
place among the riskiest, and is then certain to be seen: whether it does depends on risks and never on the draw, so
that what the row says at the end is what estimates need. Changes are of the time when the first report on them came: an
author sets the clock of a commit, but not this one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    and_,
    case,
    func,
    insert,
    null,
    or_,
    select,
    text,
    update,
)  # fmt: skip

from oversight.audit.budget.entry import GRAVE, Entry, Said
from oversight.audit.budget.plan import Candidate, decide, directory_of, in_order
from oversight.audit.budget.spending import Budget
from oversight.audit.store.engine import reading, writing
from oversight.audit.store.judged import judged
from oversight.audit.store.reports import MODEL, PRINCIPLES
from oversight.audit.store.tables import changes, opinions, queue, reports, repositories
from oversight.audit.verdict import Selection

_BATCH = 500
_WHOLE = (40, 64)  # digits of a sha
PICKED = (Selection.FLAGGED.value, Selection.RANDOM.value)
"""The selections of changes that people are asked to judge."""

_OF_REPORT = ("number", "status", "risk", "percentile", "flagged", "model", "added", "deleted")
COLUMNS = (
    changes.c.id.label("change_id"),
    *(changes.c[name] for name in ("commit", "author", "provenance", "title")),
    repositories.c.name.label("repository"),
    *(reports.c[name] for name in _OF_REPORT),
    reports.c.id.label("report_id"),
    changes.c.directory.label("folder"),
    *(queue.c[name] for name in ("directory", "considered_at", "propensity", "selection", "queued_at")),
)
"""What rows have of which `entries_of` makes entries."""

_ENTRY = (
    "repository", "commit", "title", "author", "provenance", *_OF_REPORT, "propensity", "queued_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """Which changes: of one repository, in whichever case, and whose first report came in a time; None: all."""

    repository: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """What a call did: changes considered for the first time, those that got a place, those drawn, with what chance
    (None where nobody could be), and the places that are left.
    """

    considered: int
    picked: int
    drawn: int
    chance: float | None
    left: int


def fill(engine: Engine, budget: Budget, scope: Scope, *, now: datetime, seed: str | None = None) -> Filled:
    """Pick what people are to judge, and keep it; all of it or nothing.

    What is in the queue stays there as it is. The same store, `seed` and `now` give the same; without a seed nobody can
    tell beforehand who is drawn.
    """
    if budget.period is not None and scope.since is None:
        scope = Scope(scope.repository, budget.period.before(now), scope.until)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE queue IN EXCLUSIVE MODE"))
        return _filled(connection, budget, scope, now, seed or secrets.token_hex(16))


def entries(engine: Engine, scope: Scope, *, waiting: bool = True) -> list[Entry]:
    """Return the entries of the queue, what to judge first leading; `waiting`: those alone on which people
    do not agree by now.
    """
    with reading(engine) as connection:
        rows = connection.execute(_rows(scope, kept=True).where(queue.c.selection.in_(PICKED))).all()
        gone = judged(connection) if waiting else frozenset()
        return entries_of(connection, [row for row in rows if row.change_id not in gone])


def find(engine: Engine, commit: str, repository: str | None = None) -> list[Entry]:
    """Return the changes whose commits begin with `commit`, in the queue or not, with what a report says of them."""
    with reading(engine) as connection:
        whole = len(commit) in _WHOLE  # then the index finds it
        named = changes.c.commit == commit if whole else changes.c.commit.startswith(commit, autoescape=True)
        chosen = _rows(Scope(repository), kept=True, only=select(changes.c.id).where(named))
        return entries_of(connection, connection.execute(chosen).all())


def _filled(connection: Connection, budget: Budget, scope: Scope, now: datetime, seed: str) -> Filled:
    rows = connection.execute(_rows(scope, kept=False)).all()
    reports_of = {row.change_id: row.report_id for row in rows}
    plan = decide(_candidates(connection, rows), budget, now, seed)
    fresh = [
        {
            "change_id": one.key,
            "report_id": reports_of[one.key],
            "directory": one.directory,
            "considered_at": now,
            "propensity": propensity,
            "selection": None if selection is None else selection.value,
            "queued_at": now if selection in PICKED else None,
        }
        for one, selection, propensity in plan.fresh
    ]
    for start in range(0, len(fresh), _BATCH):
        connection.execute(insert(queue), fresh[start : start + _BATCH])
    for one in plan.promoted:
        values: dict[str, Any] = {"selection": Selection.FLAGGED.value, "propensity": 1.0}
        if one.queued_at is None:
            values |= {"queued_at": now, "report_id": reports_of[one.key]}
        connection.execute(update(queue).where(queue.c.change_id == one.key).values(values))
    selections = [selection for _, selection, _ in plan.fresh]
    picked = selections.count(Selection.FLAGGED) + len(plan.promoted)
    return Filled(len(fresh), picked, selections.count(Selection.RANDOM), plan.chance, plan.left)


def _rows(scope: Scope, *, kept: bool, only: Select[Any] | None = None) -> Select[Any]:
    """Changes with a report: the newest one, or with `kept` the one that is in the queue, if they are in it.

    A row of scores counts as a report where there is no other; of one that is in the queue, a report that says the same
    tells of its hunks as well, also when it came later. `only`: the ids of the changes that are looked at.
    """
    order = (case((reports.c.body.is_(null()), 1), else_=0), reports.c.at.desc(), reports.c.id.desc())
    inner = select(
        reports.c.change_id,
        reports.c.id.label("report_id"),
        func.row_number().over(partition_by=reports.c.change_id, order_by=order).label("place"),
        func.min(reports.c.at).over(partition_by=reports.c.change_id).label("came"),
    )
    ranked = (inner if only is None else inner.where(reports.c.change_id.in_(only))).subquery()
    asked, best = reports.alias(), reports.alias()
    whole = and_(
        asked.c.body.is_(null()), best.c.body.is_not(null()),
        *(asked.c[name] == best.c[name] for name in ("status", "risk", "percentile", "flagged")),
    )  # fmt: skip
    report = case((or_(asked.c.id.is_(null()), whole), best.c.id), else_=asked.c.id) if kept else best.c.id
    chosen = (
        select(*COLUMNS)
        .select_from(changes)
        .join(repositories, repositories.c.id == changes.c.repository_id)
        .join(ranked, and_(ranked.c.change_id == changes.c.id, ranked.c.place == 1))
        .outerjoin(queue, queue.c.change_id == changes.c.id)
        .outerjoin(asked, asked.c.id == queue.c.report_id)
        .join(best, best.c.id == ranked.c.report_id)
        .join(reports, reports.c.id == report)
        .order_by(changes.c.id)
    )
    if scope.repository is not None:
        chosen = chosen.where(repositories.c.key == scope.repository.lower())
    if scope.since is not None:
        chosen = chosen.where(ranked.c.came >= scope.since)
    return chosen if scope.until is None else chosen.where(ranked.c.came <= scope.until)


def _candidates(connection: Connection, rows: Sequence[Row[Any]]) -> list[Candidate]:
    known = judged(connection)
    directories = _directories(connection, [row.report_id for row in rows if row.considered_at is None])
    alarms = _alarms(connection, [row.report_id for row in rows])
    return [
        Candidate(
            key=row.change_id,
            repository=row.repository,
            commit=row.commit,
            risk=row.risk,
            alarm=row.risk is None or row.report_id in alarms,
            provenance=row.provenance,
            directory=_first_known(row.directory, directories.get(row.report_id), row.folder),
            considered_at=row.considered_at,
            selection=None if row.selection is None else Selection(row.selection),
            queued_at=row.queued_at,
            judged=row.change_id in known,
        )
        for row in rows
    ]


def _alarms(connection: Connection, found: Sequence[int]) -> set[int]:
    """Return those of the reports in which a principle put the flag up."""
    grave = select(opinions.c.report_id).where(opinions.c.reviewer == PRINCIPLES, opinions.c.severity.in_(GRAVE))
    return {
        report
        for start in range(0, len(found), _BATCH)
        for report in connection.scalars(grave.where(opinions.c.report_id.in_(found[start : start + _BATCH])))
    }


def _directories(connection: Connection, found: Sequence[int]) -> dict[int, str]:
    """Return where most of the hunks of each report are."""
    hunks = select(opinions.c.report_id, opinions.c.path).where(opinions.c.reviewer == MODEL)
    directories: dict[int, str] = {}
    for start in range(0, len(found), _BATCH):
        paths: dict[int, list[str]] = {}
        for row in connection.execute(hunks.where(opinions.c.report_id.in_(found[start : start + _BATCH]))):
            paths.setdefault(row.report_id, []).append(row.path)
        directories |= {report: directory_of(here) for report, here in paths.items()}
    return directories


def _first_known(*directories: str | None) -> str:
    return next((one for one in directories if one is not None), "")


def entries_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[Entry]:
    """Return entries: those with a place, then those that were drawn, then others, the riskiest of each first."""
    said: dict[int, list[Said]] = {}
    for start in range(0, len(rows), _BATCH):
        found = [row.report_id for row in rows[start : start + _BATCH]]
        chosen = select(opinions).where(opinions.c.report_id.in_(found)).order_by(opinions.c.place)
        for one in connection.execute(chosen):
            told = (one.path, one.start, one.end, one.risk, one.principle, one.severity, tuple(one.reasons), one.weight)
            said.setdefault(one.report_id, []).append(Said(*told))
    told_of = {row.change_id: _entry(row, tuple(said.get(row.report_id, ()))) for row in rows}
    candidates = {one.key: one for one in _candidates(connection, rows)}
    ordered: list[Entry] = []
    for group in (Selection.FLAGGED, Selection.RANDOM, Selection.REQUEST, None):
        here = [one for key, one in candidates.items() if told_of[key].selection is group]
        ordered += [told_of[one.key] for one in in_order(here)]
    return ordered


def _entry(row: Row[Any], said: tuple[Said, ...]) -> Entry:
    told = {name: getattr(row, name) for name in _ENTRY}
    return Entry(
        **{**told, "directory": row.directory or "", "said": said},
        selection=None if row.selection is None else Selection(row.selection),
    )
