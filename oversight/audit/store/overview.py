"""All changes at once, as figures need them: those that were considered, and those that a review should have flagged.

Rows are narrow and each table is read once, so that a hundred thousand changes are a matter of seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Subquery, func, null, select

from oversight.audit.budget.outcome import Considered
from oversight.audit.store.engine import reading
from oversight.audit.store.queue import Scope
from oversight.audit.store.tables import changes, labels, queue, reports, repositories
from oversight.audit.verdict import Selection

_BATCH = 500
_OF_REPORT = ("risk", "percentile", "flagged", "model", "number")


@dataclass(frozen=True, slots=True)
class Passed:
    """A change that was not flagged and that somebody says is risky: people, of whom `people` is what most of them say,
    None where nobody has said anything or they are even, or the history, by its `source`, None where it says nothing.
    """

    repository: str
    commit: str
    number: int | None
    title: str | None
    provenance: str | None
    risk: float | None
    percentile: float | None
    model: str | None
    people: bool | None
    source: str | None


def population(engine: Engine, scope: Scope, gold: Mapping[str, bool], landed: Mapping[str, str]) -> list[Considered]:
    """Return the changes that were considered, each with what people say it is: `gold`, whether it is risky by commit,
    in which heads that `landed` stand under the commits that they became. A head and the commit that it became are one.
    """
    chosen = _scoped(
        select(
            *(changes.c[name] for name in ("commit", "title", "provenance")),
            repositories.c.name.label("repository"),
            *(queue.c[name] for name in ("propensity", "considered_at", "selection")),
            *(reports.c[name] for name in _OF_REPORT),
        )
        .select_from(queue)
        .join(changes, changes.c.id == queue.c.change_id)
        .join(repositories, repositories.c.id == changes.c.repository_id)
        .join(reports, reports.c.id == queue.c.report_id)
        .order_by(changes.c.id),
        scope,
    )
    with reading(engine) as connection:
        rows = connection.execute(chosen).all()
    found = [
        Considered(
            repository, commit, provenance,
            None if selection is None else Selection(selection), propensity, gold.get(landed.get(commit, commit)),
            risk, percentile, flagged, model, number, title, considered_at,
        )
        for commit, title, provenance, repository, propensity, considered_at, selection,
            risk, percentile, flagged, model, number in rows
    ]  # fmt: skip
    return _once(found, landed)


def _once(considered: Sequence[Considered], landed: Mapping[str, str]) -> list[Considered]:
    """Return each change once, of several reviews of it that which had a place, else the one considered first.

    Who gets a place never depends on a draw, so that a change with one was certain to be seen. Otherwise the first row
    has the chance with which the change was drawn: that somebody judged it is why the second was not asked for.
    """
    chosen: dict[tuple[str, str], Considered] = {}
    for one in considered:
        change = one.repository.lower(), landed.get(one.commit, one.commit)
        if _rank(one) < _rank(chosen.setdefault(change, one)):
            chosen[change] = one
    return list(chosen.values())


def _rank(one: Considered) -> tuple[bool, float]:
    return one.selection is not Selection.FLAGGED, 0.0 if one.considered_at is None else one.considered_at.timestamp()


def passed(engine: Engine, scope: Scope, gold: Mapping[str, bool], landed: Mapping[str, str]) -> list[Passed]:
    """Return the changes that were not flagged and that people call risky, or that the newest label from the history
    says were repaired; those that were placed lowest first, and those that nobody placed last. `gold` and `landed` as
    of `population`: a head and the commit that it became are one, passed where neither was flagged, and told by the one
    that came first.
    """
    heads: dict[str, list[str]] = {}
    for head, commit in landed.items():
        heads.setdefault(commit, []).append(head)
    risky = sorted({one for commit, called in gold.items() if called for one in (commit, *heads.get(commit, ()))})
    with reading(engine) as connection:
        told = _repaired(connection)
        rows = {
            row.id: row
            for column, values in ((changes.c.id, sorted(told)), (changes.c.commit, risky))
            for row in _reported(connection, scope, column, values)
        }
        becoming = {landed.get(row.commit, row.commit) for row in rows.values()} & heads.keys()
        kin = sorted({one for commit in becoming for one in (commit, *heads[commit])})
        related = _reported(connection, Scope(scope.repository), changes.c.commit, kin)

    def change(row: Row[Any]) -> tuple[str, str]:
        return row.repository.lower(), landed.get(row.commit, row.commit)

    flagged = {change(row) for row in (*rows.values(), *related) if row.flagged}
    sources = {change(row): told[row.id] for row in rows.values() if row.id in told}
    first: dict[tuple[str, str], Row[Any]] = {}
    for _, row in sorted(rows.items()):
        if change(row) not in flagged:
            first.setdefault(change(row), row)
    found = [
        Passed(
            **{name: getattr(row, name) for name in ("repository", "commit", "number", "title", "provenance")},
            **{name: getattr(row, name) for name in ("risk", "percentile", "model")},
            people=gold.get(landed.get(row.commit, row.commit)),
            source=sources.get(name),
        )
        for name, row in first.items()
    ]
    return sorted(found, key=lambda one: (one.percentile is None, one.percentile or 0.0, one.repository, one.commit))


def models(engine: Engine, digests: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return name and version of the models with these sha256, as far as reports tell."""
    first = (
        select(func.min(reports.c.id))
        .where(reports.c.model.in_(sorted(digests)), reports.c.body.is_not(null()))
        .group_by(reports.c.model)
    )
    with reading(engine) as connection:
        rows = connection.execute(select(reports.c.model, reports.c.body).where(reports.c.id.in_(first))).all()
    return {row.model: (row.body["model"]["name"], row.body["model"]["version"]) for row in rows}


def newest_labels() -> Select[Any]:
    """Return the query for the rows of the newest labels: of each change that which was imported last."""
    return select(func.max(labels.c.id)).group_by(labels.c.change_id)


def _repaired(connection: Connection) -> dict[int, str]:
    """Return the source of the newest label of each change of which that label says that it was repaired."""
    newest = select(labels.c.change_id, labels.c.risky, labels.c.source).where(labels.c.id.in_(newest_labels()))
    return {row.change_id: row.source for row in connection.execute(newest) if row.risky}


def _reported(
    connection: Connection, scope: Scope, column: ColumnElement[Any], values: Sequence[Any]
) -> list[Row[Any]]:
    """Return the changes that have one of some values, with what the report in the queue, else the newest one, says."""
    parts = (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
    return [row for part in parts for row in connection.execute(_with_report(scope, column.in_(part)))]


def _with_report(scope: Scope, which: ColumnElement[bool]) -> Select[Any]:
    other = reports.alias()
    newest = (
        select(other.c.id)
        .where(other.c.change_id == changes.c.id)
        .order_by(other.c.body.is_(null()), other.c.at.desc(), other.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return _scoped(
        select(
            changes.c.id,
            *(changes.c[name] for name in ("commit", "title", "provenance")),
            repositories.c.name.label("repository"),
            *(reports.c[name] for name in _OF_REPORT),
        )
        .select_from(changes)
        .join(repositories, repositories.c.id == changes.c.repository_id)
        .outerjoin(queue, queue.c.change_id == changes.c.id)
        .join(reports, reports.c.id == func.coalesce(queue.c.report_id, newest))
        .where(which),
        scope,
    )


def _scoped(chosen: Select[Any], scope: Scope) -> Select[Any]:
    if scope.repository is not None:
        chosen = chosen.where(repositories.c.key == scope.repository.lower())
    if scope.since is None and scope.until is None:
        return chosen
    came = _came()
    chosen = chosen.join(came, came.c.change_id == changes.c.id)
    if scope.since is not None:
        chosen = chosen.where(came.c.at >= scope.since)
    return chosen if scope.until is None else chosen.where(came.c.at <= scope.until)


def _came() -> Subquery:
    """When the first report on each change came."""
    first = func.min(reports.c.at).label("at")
    return select(reports.c.change_id, first).group_by(reports.c.change_id).subquery()
