"""Runs of canaries on record: what was said of seeded defects, in tables of their own.

Canaries are no changes: none has a row among these, nor a report, a label, or a verdict.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Engine, Row, insert, select

from oversight.audit.canaries.judging import Said
from oversight.audit.canaries.runs import Part, Reviewed, Run
from oversight.audit.store.engine import reading, writing
from oversight.audit.store.reports import repository_of
from oversight.audit.store.tables import canary_reviews, canary_runs, repositories, storable

_PLACES = {part: place for place, part in enumerate(Part)}


def keep(engine: Engine, run: Run) -> int:
    """Put a run on record, and return its row."""
    with writing(engine) as connection:
        values = {name: getattr(run, name) for name in ("at", "head", "seed", "budget", "model")}
        repository = repository_of(connection, storable(run.repository))
        added = connection.execute(insert(canary_runs).values(repository_id=repository, **values))
        (row,) = added.inserted_primary_key or (None,)
        if run.reviewed:
            connection.execute(insert(canary_reviews), [{"run_id": row, **_columns(one)} for one in run.reviewed])
        return int(row)  # type: ignore[arg-type]  # an insert of one row has a key


def runs(
    engine: Engine,
    *,
    repository: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Run]:
    """Return the runs on record, oldest first: of one repository, in whichever case, and of a time."""
    wanted = (
        select(canary_runs, repositories.c.name)
        .join(repositories, repositories.c.id == canary_runs.c.repository_id)
        .order_by(canary_runs.c.at, canary_runs.c.id)
    )
    if repository is not None:
        wanted = wanted.where(repositories.c.key == repository.lower())
    if since is not None:
        wanted = wanted.where(canary_runs.c.at >= since)
    if until is not None:
        wanted = wanted.where(canary_runs.c.at <= until)
    with reading(engine) as connection:
        found = connection.execute(wanted).all()
        reviewed = _reviewed(connection, [row.id for row in found])
    return [Run(row.name, row.at, row.head, row.seed, row.budget, row.model, tuple(reviewed[row.id])) for row in found]


def _reviewed(connection: Connection, ids: list[int]) -> defaultdict[int, list[Reviewed]]:
    found: defaultdict[int, list[Reviewed]] = defaultdict(list)
    for run in ids:
        wanted = select(canary_reviews).where(canary_reviews.c.run_id == run)
        found[run] = sorted(map(_one, connection.execute(wanted)), key=lambda one: (one.pair, _PLACES[one.part]))
    return found


def _columns(one: Reviewed) -> dict[str, object]:
    columns = {name: value for name, value in asdict(one).items() if name != "said"}
    return {**columns, **asdict(one.said), "part": one.part.value}


def _one(row: Row[tuple[object, ...]]) -> Reviewed:
    told = row._mapping
    names = ("pair", "kind", "language", "change_id", "origin", "added", "deleted")
    said = ("status", "risk", "percentile", "by_budget", "by_principle", "flagged")
    return Reviewed(
        part=Part(told["part"]),
        said=Said(**{name: told[name] for name in said}),
        **{name: told[name] for name in names},
    )
