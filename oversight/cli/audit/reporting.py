"""`oversight audit report`: what people's verdicts tell of the reviews, over a period."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.audit.database import Database, check_repository, open_store
from oversight.cli.audit.queueing import Repository, Since, Until
from oversight.cli.options import period
from oversight.errors import LabelError

if TYPE_CHECKING:
    from oversight.audit.budget.summary import Predictions
    from oversight.audit.dashboard.period import Period
    from oversight.audit.store import Store
    from oversight.audit.store.queue import Scope
    from oversight.measurement.audited import Auditor

_SERIES = ("weak", "student", "ceiling")
_MEND = 'write it with "oversight pgr --predictions"'


class Form(StrEnum):
    """How it is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def report(
    repository: Repository = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[Form, typer.Option("--format", help="Text to read, JSON, or Markdown.")] = Form.TEXT,
    sensitivity: Annotated[
        float,
        typer.Option(
            help="Share of risky changes that your people call risky, where you know it: corrects what was missed, "
            "recall and the risky share, and nothing else."
        ),
    ] = 1.0,
    specificity: Annotated[
        float,
        typer.Option(help="Share of safe changes that your people call safe, where you know it; corrects the same."),
    ] = 1.0,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What pgr --predictions wrote: PGR is measured against the verdicts."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the dashboard as one HTML file, which loads nothing from anywhere, instead of the report; - is "
            "stdout.",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Write here; - is stdout.")] = Path("-"),
    database: Database = None,
) -> None:
    """Tell what was caught, what was probably missed, and how far the reviews are to be trusted.

    Recall and what was missed are estimated from the places and the draws of audit queue, each change weighted by
    the inverse of the chance that it had. Every figure has a 95 % interval, or says why the verdicts are too few
    for it. A model in the shadow whose scores were imported is compared with the model in use. With --html the same
    figures become the dashboard, beside recorded runs of canary and of pgr, and with the rows behind each of them.
    """
    from oversight.measurement.audited import Auditor
    from oversight.reports import write

    auditor = Auditor(sensitivity, specificity)
    first, last = period(since, until)
    told = None if predictions is None else _read(predictions)
    with open_store(database) as store:
        from oversight.audit.dashboard.period import read
        from oversight.audit.store.queue import Scope

        check_repository(store, repository)
        scope = Scope(repository, first, last)
        if html is not None:
            write(_dashboard(store, scope, auditor, told), html, option="--html")
        else:
            write(_report(read(store, scope, auditor, told), scope, form), output)


def _report(period: Period, scope: Scope, form: Form) -> str:
    from oversight.audit.budget import beside, telling
    from oversight.reports.as_json import dumps
    from oversight.reports.escape import markdown, terminal

    found = period.summary
    match form:
        case Form.JSON:
            shadow = [beside.as_dict(one) for one in period.beside]
            told = {**telling.as_dict(found), "shadow": shadow}
            return dumps({"period": _period(scope), "repository": scope.repository, **told}, 2)
        case Form.MARKDOWN:
            return telling.as_markdown(found) + "".join(f"\n{one}\n" for one in beside.text(period.beside, markdown))
        case _:
            return telling.text(found) + "".join(f"\n{one}\n" for one in beside.text(period.beside, terminal))


def _dashboard(store: Store, scope: Scope, auditor: Auditor, predictions: Predictions | None) -> str:
    from oversight.audit.dashboard import gather
    from oversight.audit.dashboard.html import document
    from oversight.experiment.runs import of_repository

    measured = of_repository(scope.repository)
    whole = (scope.repository, scope.since, scope.until)
    return document(gather(store, *whole, auditor=auditor, predictions=predictions, measured=measured))


def _period(scope: Scope) -> dict[str, str | None]:
    bounds = {"since": scope.since, "until": scope.until}
    return {name: None if moment is None else moment.isoformat() for name, moment in bounds.items()}


def _read(path: Path) -> Predictions:
    """Return the predictions of a file, those alone that have all three series."""
    from oversight.audit.fields import load, number, whole

    score, seed = number(-sys.float_info.max, sys.float_info.max), whole(0)
    found: dict[str, dict[int, tuple[float, float, float]]] = {}
    try:
        for row in path.read_text(encoding="utf-8").splitlines():
            told = load(row)
            if all(told[name] is not None for name in _SERIES):
                if not (seed.holds(told["seed"]) and all(score.holds(told[name]) for name in _SERIES)):
                    raise ValueError("a seed or a score that is none")
                weak, student, ceiling = (float(told[name]) for name in _SERIES)
                found.setdefault(str(told["commit"]), {})[told["seed"]] = (weak, student, ceiling)
    except OSError as error:
        raise LabelError("the file of predictions cannot be read", mend="name a file that can be") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LabelError("the file of predictions holds something else", mend=_MEND) from error
    return found
