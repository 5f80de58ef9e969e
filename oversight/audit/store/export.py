"""What is in the store, as JSON Lines to keep and to take in elsewhere, and as CSV to look at.

JSON Lines are what `intake` takes: in an empty store the ledger has the same hashes again. CSV is for people and their
spreadsheets: text stands on one line as on a terminal, and a cell that a spreadsheet would take for a formula has an
apostrophe in front. In both what is unknown is null, or an empty cell, and never 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, null, select

from oversight.audit import lines
from oversight.audit.store import ledger, reports
from oversight.audit.store.engine import reading
from oversight.audit.store.overview import newest_labels
from oversight.audit.store.tables import changes, labels, opinions, repositories
from oversight.audit.store.tables import reports as report_rows
from oversight.errors import StoreError
from oversight.reports.as_json import dumps
from oversight.reports.escape import terminal

_PAGE = 100  # rows that are held: a report may be large
_FORMULA = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")  # noqa: RUF001  # the wide ones count in some

_REPORT = (
    "repository", "commit", "number", "at", "source", "status", "error", "risk", "percentile", "flagged", "flagged_by",
    "budget", "model", "author", "provenance", "agent", "authored_at", "title", "added", "deleted", "hunks", "findings",
)  # fmt: skip
_SCORE = ("repository", "commit", "status", "risk", "percentile", "flagged", "added", "deleted")
_LABEL = ("repository", "commit", "risky", "source", "decided_at", "evidence", "excluded")


def json_lines(engine: Engine, what: str, repository: str | None = None) -> Iterator[str]:
    """Yield lines: `what` is "verdicts" (all of them, and the landings), or "reports", "scores" or "labels".

    Lines of scores and labels do not name their repository: where there are several it has to be given. `StoreError`
    where it is not, and where it is not known.
    """
    with reading(engine) as connection:
        _known(connection, what, repository, needed=what in ("scores", "labels"))
        match what:
            case "verdicts":
                yield from (lines.line(link.entry) for link in ledger.links(connection))
            case "reports":
                yield from (dumps(report, 0) for _, report in _reports(connection, repository))
            case "scores":
                for row in _pages(connection, _scores(repository)):
                    yield dumps({name: getattr(row, name) for name in _SCORE[1:]}, 0)
            case "labels":
                for row in _pages(connection, _labels(repository)):
                    yield dumps({name: _plain(getattr(row, name)) for name in _LABEL[1:]}, 0)


def comma_separated(engine: Engine, what: str, repository: str | None = None) -> Iterator[str]:
    """Yield a line of names and a line of values for each row, as `json_lines`; errors likewise."""
    with reading(engine) as connection:
        _known(connection, what, repository, needed=False)
        match what:
            case "verdicts":
                told: Iterable[Mapping[str, Any]] = map(_link, ledger.links(connection))
                columns: Sequence[str] = ("sequence", "kind", *ledger.COLUMNS, "commit", "landed_at", "hash")
            case "reports":
                told = (_summary(row, report) for row, report in _reports(connection, repository))
                columns = _REPORT
            case "scores":
                told, columns = (dict(row._mapping) for row in _pages(connection, _scores(repository))), _SCORE
            case "labels":
                told, columns = (dict(row._mapping) for row in _pages(connection, _labels(repository))), _LABEL
        yield _csv(columns)
        for one in told:
            yield _csv([_cell(one.get(name)) for name in columns])


def _known(connection: Connection, what: str, repository: str | None, *, needed: bool) -> None:
    names = list(connection.scalars(select(repositories.c.name).order_by(repositories.c.key)))
    shown = ", ".join(terminal(name, 60) for name in names[:5]) or "none"
    if repository is None:
        if needed and len(names) > 1:
            raise StoreError(f"lines of {what} do not name their repository", mend=f"choose one: {shown}")
    elif what == "verdicts":
        raise StoreError("the ledger is exported whole", mend="leave out --repository")
    elif repository.lower() not in {name.lower() for name in names}:
        raise StoreError(f"no repository {terminal(repository, 60)} is in the store", mend=f"choose one: {shown}")


def _of(chosen: Select[Any], repository: str | None) -> Select[Any]:
    joined = chosen.join(repositories, repositories.c.id == changes.c.repository_id)
    return joined if repository is None else joined.where(repositories.c.key == repository.lower())


def _scores(repository: str | None) -> Select[Any]:
    chosen = select(report_rows, changes.c.commit, repositories.c.name.label("repository"))
    joined = chosen.join(changes, changes.c.id == report_rows.c.change_id)
    return _of(joined, repository).where(report_rows.c.body.is_(null()))


def _labels(repository: str | None) -> Select[Any]:
    """The newest label of each change."""
    chosen = select(labels, changes.c.commit, repositories.c.name.label("repository"))
    return _of(chosen.join(changes, changes.c.id == labels.c.change_id), repository).where(
        labels.c.id.in_(newest_labels())
    )


def _reports(connection: Connection, repository: str | None) -> Iterator[tuple[Row[Any], dict[str, Any]]]:
    chosen = select(
        report_rows,
        *(changes.c[name] for name in ("commit", "author", "provenance", "agent", "authored_at", "title")),
        repositories.c.name.label("repository"),
    )
    joined = _of(chosen.join(changes, changes.c.id == report_rows.c.change_id), repository)
    for row in _pages(connection, joined.where(report_rows.c.body.is_not(null()))):
        said = select(opinions).where(opinions.c.report_id == row.id).order_by(opinions.c.place)
        yield row, reports.report_of(row.body, [dict(one._mapping) for one in connection.execute(said)])


def _pages(connection: Connection, chosen: Select[Any]) -> Iterator[Row[Any]]:
    """All rows, by their ids, a page at a time: drivers would hold all of them."""
    identity, last = chosen.selected_columns["id"], 0
    while page := connection.execute(chosen.where(identity > last).order_by(identity).limit(_PAGE)).all():
        yield from page
        last = page[-1].id


def _link(link: ledger.Link) -> dict[str, Any]:
    return {"sequence": link.sequence, "hash": link.hash, **ledger.values_of(link.entry)}


def _summary(row: Row[Any], report: Mapping[str, Any]) -> dict[str, Any]:
    told = dict(row._mapping) | {name: report[name] for name in ("error", "flagged_by", "budget")}
    return told | {name: len(report[name]) for name in ("hunks", "findings")}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _cell(value: Any) -> str | float | None:
    match value:
        case None | int() | float() if not isinstance(value, bool):
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case list():
            return _text(" ".join(map(str, value)))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    shown = terminal(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def _csv(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(cells)
    return line.getvalue()
