"""What models in the shadow say of changes: rows that `oversight score` wrote by them, apart from every report.

No queue, page, label or verdict depends on a row here: people judge what the model in use has shown them, and what they
say then tells the two models apart (`oversight.audit.budget.beside`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, func, insert, literal, select

from oversight.audit import fields
from oversight.audit.budget.beside import Shadow
from oversight.audit.fields import Fields
from oversight.audit.store import reports
from oversight.audit.store.engine import reading
from oversight.audit.store.tables import changes, repositories, shadow_scores, storable
from oversight.errors import StoreError

MARK = "shadow"
"""What a row of scores has beside the rest of it where its model is in the shadow."""

_SHADOW: Fields = {
    "name": fields.text(1, 200),
    "version": fields.text(0, 200),
    "sha256": fields.SHA256,
    "flagged": fields.TRUTH,
}
_COLUMNS = ("model", "name", "version", "status", "risk", "percentile", "flagged")
_BATCH = 500
_HOLD = "write it with oversight score, by a model that is in the shadow"

_gathered = Table(
    "gathered_shadows",
    MetaData(),
    Column("commit", String(64)),
    *(Column(name, shadow_scores.c[name].type) for name in _COLUMNS),
    prefixes=["TEMPORARY"],
)


def read(told: Mapping[str, Any], where: str, repository: str) -> dict[str, Any]:
    """Return what a row says, as values of columns; `StoreError` says what is amiss with it, and `where` it is."""
    shadow = told.get(MARK)
    if not isinstance(shadow, dict):
        raise StoreError(f"{where} names no model in the shadow, as the rows before it do", mend=_HOLD)
    if reason := fields.amiss(shadow, _SHADOW):
        raise StoreError(f'{where}, "{MARK}" {reason}', mend=_HOLD)
    row = reports.read_score({name: value for name, value in told.items() if name != MARK}, where, repository)
    return {
        **{name: row.report[name] for name in ("status", "risk", "percentile")},
        "commit": row.change["commit"],
        "model": shadow["sha256"],
        "name": storable(shadow["name"]),
        "version": storable(shadow["version"]),
        "flagged": shadow["flagged"],
    }


def gather(connection: Connection, told: Iterable[Mapping[str, Any]]) -> None:
    """Write rows to a table of this connection alone."""
    _gathered.create(connection)
    rows = iter(told)
    while batch := list(islice(rows, _BATCH)):
        connection.execute(insert(_gathered), batch)


def settle(connection: Connection, repository: str, run: int) -> int:
    """Put what was gathered on record for a repository, and return how many are new. A model says one thing of a
    change: what is on record stays.
    """
    of = reports.repository_of(connection, repository)
    met = select(literal(of), _gathered.c.commit).where(_gathered.c.commit.is_not(None)).distinct()
    connection.execute(_adding(connection, changes, ("repository_id", "commit"), met))
    said = (
        select(changes.c.id, literal(run), *(_gathered.c[name] for name in _COLUMNS))
        .select_from(_gathered)
        .join(changes, changes.c.commit == _gathered.c.commit)
        .where(changes.c.repository_id == of)
    )
    connection.execute(_adding(connection, shadow_scores, ("change_id", "run_id", *_COLUMNS), said))
    came = select(func.count()).select_from(shadow_scores).where(shadow_scores.c.run_id == run)
    return connection.scalars(came).one()


def of_store(engine: Engine, repository: str | None = None) -> list[Shadow]:
    """Return the models in the shadow that have scored changes of a repository, or of any, by name and version."""
    rows = (
        select(
            *(shadow_scores.c[name] for name in ("model", "name", "version", "risk")),
            repositories.c.key,
            changes.c.commit,
        )
        .select_from(shadow_scores)
        .join(changes, changes.c.id == shadow_scores.c.change_id)
        .join(repositories, repositories.c.id == changes.c.repository_id)
        .where(shadow_scores.c.risk.is_not(None))
    )
    if repository is not None:
        rows = rows.where(repositories.c.key == repository.lower())
    known: dict[str, tuple[str, str]] = {}
    risks: dict[str, dict[tuple[str, str], float]] = {}
    with reading(engine) as connection:
        for row in connection.execute(rows):
            known.setdefault(row.model, (row.name, row.version))
            risks.setdefault(row.model, {})[row.key, row.commit] = row.risk
    return list(_sorted(known, risks))


def _sorted(
    known: Mapping[str, tuple[str, str]], risks: Mapping[str, Mapping[tuple[str, str], float]]
) -> Iterator[Shadow]:
    for model, (name, version) in sorted(known.items(), key=lambda one: (one[1], one[0])):
        yield Shadow(model, name, version, risks[model])


def _adding(connection: Connection, table: Table, columns: Iterable[str], rows: Any) -> Any:
    return reports.upsert(connection, table).from_select(list(columns), rows).on_conflict_do_nothing()
