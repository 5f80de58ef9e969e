"""A JSON report, or a row of scores, as rows: its change, itself, and its opinions.

The report comes back as it went in (`report_of`): hunks and findings are opinions, the rest is its body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from oversight.audit import fields
from oversight.audit.fields import Fields
from oversight.audit.store.tables import changes, labels, opinions, reports, repositories, shadow_scores, storable
from oversight.errors import StoreError
from oversight.reports.as_json import SCHEMA_VERSION

MODEL, PRINCIPLES = "model", "principles"

_HOLD = 'write it with "oversight review --format json", or restore it from before it was touched'
_COUNT = fields.whole(0)
_MAYBE_COUNT = fields.or_null(_COUNT)
_RISK = fields.or_null(fields.number(0, 1))
_TEXT, _MAYBE_TEXT = fields.text(), fields.or_null(fields.text())
_TEXTS, _OBJECTS = fields.array(fields.text()), fields.array(fields.OBJECT)
_STATUS = fields.one_of("scored", "unscored", "error")
_PERCENTILE = fields.or_null(fields.number(0, 100))

_HUNK_1_0: Fields = {"path": _TEXT, "start": fields.whole(), "end": fields.whole(), "risk": _RISK, "reasons": _TEXTS}
_HUNKS: Mapping[str, Fields] = {
    "1.0": _HUNK_1_0,
    SCHEMA_VERSION: {**_HUNK_1_0, "weight": fields.or_null(fields.number(0, 1e9))},
}
"""What a hunk says, by the version of its report: all that are known here."""

_REPORT: Fields = {
    "schema_version": fields.one_of(*_HUNKS),
    "id": fields.text(1),
    "status": _STATUS,
    "error": _MAYBE_TEXT,
    "risk": _RISK,
    "percentile": _PERCENTILE,
    "flagged": fields.TRUTH,
    "flagged_by": fields.array(fields.one_of("budget", "principle")),
    "budget": fields.positive(100),
    "change": fields.OBJECT,
    "hunks": _OBJECTS,
    "findings": _OBJECTS,
    "coverage": fields.OBJECT,
    "model": fields.or_null(fields.OBJECT),
    "notes": _TEXTS,
}
_CHANGE: Fields = {
    "id": fields.SHA,
    "repository": _MAYBE_TEXT,
    "base": fields.or_null(fields.SHA),
    "head": fields.or_null(fields.SHA),
    "author": _MAYBE_TEXT,
    "provenance": fields.OBJECT,
    "authored_at": _MAYBE_TEXT,
    "title": _TEXT,
    "files": _COUNT,
    "added": _MAYBE_COUNT,
    "deleted": _MAYBE_COUNT,
}
_PROVENANCE: Fields = {"kind": fields.one_of("human", "bot", "agent", "unknown"), "name": _MAYBE_TEXT}
_FINDING: Fields = {
    "principle": fields.text(1),
    "severity": fields.one_of("low", "medium", "high", "critical"),
    "path": _TEXT,
    "line": fields.or_null(fields.whole()),
    "message": _TEXT,
}
_COVERAGE: Fields = {
    "files_total": _COUNT,
    "files_scored": _COUNT,
    "lines_total": _MAYBE_COUNT,
    "lines_scored": _COUNT,
    "context": fields.one_of("full", "partial", "none"),
    "skipped": _OBJECTS,
}
_SKIPPED: Fields = {"path": _TEXT, "reason": _TEXT}
_MODEL: Fields = {"name": _TEXT, "version": _TEXT, "sha256": fields.SHA256}
_SCORE: Fields = {
    "commit": fields.SHA,
    "status": _STATUS,
    "risk": _RISK,
    "percentile": _PERCENTILE,
    "flagged": fields.TRUTH,
    "added": _MAYBE_COUNT,
    "deleted": _MAYBE_COUNT,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a report or a row of scores says, as values of columns: `change` but for its repository, `report` but for
    how it came, and `opinions` in their order.
    """

    repository: str
    change: Mapping[str, Any]
    report: Mapping[str, Any]
    opinions: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Came:
    """How a report came: a word for it, the pull request's number, the moment, and the row of the file's run."""

    source: str
    number: int | None
    at: datetime
    run_id: int | None = None


def read(told: Any, where: str, repository: str | None = None) -> Told:
    """Return what a parsed JSON report says; it is kept under the name `repository`, by default its own.

    `StoreError` says what is amiss with it, and `where` it is.
    """
    if not isinstance(told, dict):
        raise StoreError(f"{where} is no object", mend=_HOLD)
    _check_report(told, where)
    told = _normal(told)
    change, name = told["change"], repository or told["change"]["repository"]
    if not name:
        raise StoreError(f"{where} names no repository", mend="say which one it is of, with --repository")
    return Told(
        repository=storable(name),
        change={
            "commit": change["id"],
            "author": change["author"],
            "provenance": change["provenance"]["kind"],
            "agent": change["provenance"]["name"],
            "authored_at": _moment(change["authored_at"]),
            "title": change["title"],
        },
        report={
            "digest": digest("report", name.lower(), told),
            **{key: told[key] for key in ("status", "risk", "percentile", "flagged")},
            "model": told["model"] and told["model"]["sha256"],
            "added": change["added"],
            "deleted": change["deleted"],
            "body": {key: value for key, value in told.items() if key not in ("hunks", "findings")},
        },
        opinions=_opinions(told),
    )


def read_score(told: Mapping[str, Any], where: str, repository: str) -> Told:
    """Return what a row of `scores.jsonl` says of a commit of `repository`; `StoreError` as of `read`."""
    _check(told, _SCORE, where)
    _check_risk(told, where)
    row = {**told, "risk": _float(told["risk"]), "percentile": _float(told["percentile"])}
    said = {key: row[key] for key in _SCORE if key != "commit"}
    report = {"digest": digest("score", repository.lower(), row), "model": None, "body": None, **said}
    return Told(storable(repository), {"commit": told["commit"]}, report)


def add(connection: Connection, told: Told, came: Came) -> tuple[int, bool]:
    """Put a report on record. Return its row, or that of the same one that is on record, and whether it is new."""
    change = change_of(connection, repository_of(connection, told.repository), told.change)
    values = {**told.report, **asdict(came), "change_id": change}
    added = connection.scalar(
        upsert(connection, reports).values(values).on_conflict_do_nothing().returning(reports.c.id)
    )
    if added is None:
        same = select(reports.c.id).where(reports.c.digest == told.report["digest"])
        return int(connection.scalars(same).one()), False
    if told.opinions:
        connection.execute(insert(opinions), [{**opinion, "report_id": added} for opinion in told.opinions])
    return int(added), True


def repository_of(connection: Connection, name: str) -> int:
    """Return the row of a repository, which is made where there is none."""
    key = name.lower()
    connection.execute(upsert(connection, repositories).values(key=key, name=name).on_conflict_do_nothing())
    return int(connection.scalars(select(repositories.c.id).where(repositories.c.key == key)).one())


def change_of(connection: Connection, repository: int, told: Mapping[str, Any]) -> int:
    """Return the row of a change, which is made where there is none, and learns what it did not know."""
    values = {"repository_id": repository, **told}
    connection.execute(upsert(connection, changes).values(values).on_conflict_do_nothing())
    here = (changes.c.repository_id == repository, changes.c.commit == told["commit"])
    if told.get("provenance") is not None:
        connection.execute(update(changes).where(*here, changes.c.provenance.is_(None)).values(told))
    return int(connection.scalars(select(changes.c.id).where(*here)).one())


def report_of(body: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON report of which these are the body and the opinions, in their order."""
    hunks = [{key: one[key] for key in _HUNKS[body["schema_version"]]} for one in said if one["reviewer"] == MODEL]
    findings = [
        {
            "principle": one["principle"],
            "severity": one["severity"],
            "path": one["path"],
            "line": one["start"],
            "message": one["reasons"][0],
        }
        for one in said
        if one["reviewer"] == PRINCIPLES
    ]
    whole = {**body, "hunks": hunks, "findings": findings}
    return {key: whole[key] for key in _REPORT}


def base_of(connection: Connection, repository: str, commit: str) -> str | None:
    """Return the base that the newest report on a change names, None where there is none, or none that names one."""
    body = body_of(connection, repository, commit)
    return None if body is None else body["change"]["base"]


def body_of(connection: Connection, repository: str, commit: str) -> Mapping[str, Any] | None:
    """Return the newest report on a change but for hunks and findings, None where there is none."""
    bodies = (
        select(reports.c.body)
        .join(changes, changes.c.id == reports.c.change_id)
        .join(repositories, repositories.c.id == changes.c.repository_id)
        .where(repositories.c.key == repository.lower(), changes.c.commit == commit, reports.c.body.is_not(null()))
        .order_by(reports.c.at.desc(), reports.c.id.desc())
    )
    return connection.scalars(bodies.limit(1)).first()


def digest(*parts: Any) -> str:
    """Return the sha256 of values of JSON, whatever the order of their names."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, allow_nan=False).encode("ascii")).hexdigest()


def upsert(connection: Connection, table: Any) -> Any:
    """Return an INSERT of the connection's database that can say what to do about rows that are there."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _opinions(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    said = [
        {**hunk, "weight": hunk.get("weight"), "reviewer": MODEL, "principle": None, "severity": None}
        for hunk in told["hunks"]
    ]
    said += [
        {
            "reviewer": PRINCIPLES,
            "principle": finding["principle"],
            "severity": finding["severity"],
            "path": finding["path"],
            "start": finding["line"],
            "end": finding["line"],
            "risk": None,
            "weight": None,
            "reasons": [finding["message"]],
        }
        for finding in told["findings"]
    ]
    return [{**one, "place": place} for place, one in enumerate(said)]


def _check_report(told: Mapping[str, Any], where: str) -> None:
    version = told.get("schema_version")
    if isinstance(version, str) and version not in _HUNKS:
        raise StoreError(
            f"{where} has a version of reports that is not {' or '.join(_HUNKS)}, which are known here",
            mend="read it with the oversight that wrote it, or a later one",
        )
    _check(told, _REPORT, where)
    _check_risk(told, where)
    _check(told["change"], _CHANGE, f'{where}, "change"')
    _check(told["change"]["provenance"], _PROVENANCE, f'{where}, "provenance"')
    _check(told["coverage"], _COVERAGE, f'{where}, "coverage"')
    if told["model"] is not None:
        _check(told["model"], _MODEL, f'{where}, "model"')
    for name, wanted, parts in (
        ("hunks", _HUNKS[told["schema_version"]], told["hunks"]),
        ("findings", _FINDING, told["findings"]),
        ("skipped", _SKIPPED, told["coverage"]["skipped"]),
    ):
        for part in parts:
            _check(part, wanted, f'{where}, "{name}"')


def _check(told: Mapping[str, Any], wanted: Fields, where: str) -> None:
    if reason := fields.amiss(told, wanted):
        raise StoreError(f"{where} {reason}", mend=_HOLD)


def _check_risk(told: Mapping[str, Any], where: str) -> None:
    """Hold a risk and the status against each other: what was not scored has none, and what was has one."""
    if (told["risk"] is not None) != (told["status"] == "scored"):
        raise StoreError(f'{where} has a risk and the status "{told["status"]}", or neither', mend=_HOLD)


def _normal(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report with text that every database takes, and its numbers as these give them back."""
    told = _storable(told)
    hunks = [
        {key: _float(value) if key in ("risk", "weight") else value for key, value in hunk.items()}
        for hunk in told["hunks"]
    ]
    return {**told, **{key: _float(told[key]) for key in ("risk", "percentile", "budget")}, "hunks": hunks}


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case list():
            return [_storable(one) for one in value]
        case dict():
            return {key: _storable(one) for key, one in value.items()}
        case _:
            return value


def _float(number: float | None) -> float | None:
    return None if number is None else float(number) + 0.0  # of two zeros the one that every database gives back


def _moment(text: str | None) -> datetime | None:
    """Return the moment, None also where an author's clock said something that is none."""
    try:
        moment = None if text is None else datetime.fromisoformat(text)
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def forget(connection: Connection, repository: str) -> int:
    """Delete the reports on a repository and the changes that nothing else names; return how many reports."""
    key = select(repositories.c.id).where(repositories.c.key == repository.lower())
    ours = select(changes.c.id).where(changes.c.repository_id.in_(key))
    found = connection.execute(select(reports.c.id).where(reports.c.change_id.in_(ours))).scalars().all()
    said = select(reports.c.id).where(reports.c.change_id.in_(ours))
    connection.execute(delete(opinions).where(opinions.c.report_id.in_(said)))
    for table in (reports, shadow_scores):
        connection.execute(delete(table).where(table.c.change_id.in_(ours)))
    labelled = select(labels.c.change_id)
    connection.execute(delete(changes).where(changes.c.id.in_(ours), changes.c.id.not_in(labelled)))
    return len(found)
