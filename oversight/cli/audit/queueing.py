"""`oversight audit queue`: what people should judge with the time that they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oversight.cli.audit.auditor import Who, note_shown
from oversight.cli.audit.database import Database, check_repository, open_store
from oversight.cli.options import period

if TYPE_CHECKING:
    from oversight.audit.budget.entry import Entry
    from oversight.audit.budget.spending import Budget
    from oversight.audit.store.queue import Filled

Repository = Annotated[str | None, typer.Option(metavar="NAME", help="Changes of this repository alone: owner/name.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="Reviewed on or after this date (UTC).")]
Until = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Reviewed on or before this date (UTC).")]

_SHOWN = 200  # characters of a text of others
_DIGITS = 12  # of a commit


class Form(StrEnum):
    """How it is written."""

    TEXT = "text"
    JSON = "json"


def queue(
    budget: Annotated[
        str, typer.Option(metavar="BUDGET", help='What people can judge: "20 per week", "10 per day" or "5%".')
    ] = "20 per week",
    share: Annotated[
        float, typer.Option(help="Part of the budget for the random slice, above 0: it tells what is missed.")
    ] = 0.25,
    repository: Repository = None,
    since: Since = None,
    until: Until = None,
    seed: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Draw the same again, for tests: otherwise nobody can foresee the draw."),
    ] = None,
    who: Who = None,
    blind: Annotated[
        bool,
        typer.Option("--blind", help="Hide what the model thinks and why they are there, in an order of no meaning."),
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="Text to read, JSON for programs.")] = Form.TEXT,
    database: Database = None,
) -> None:
    """Choose what people should judge, keep the choice, and print what waits for a verdict.

    Most places go to the riskiest changes that were not judged yet. Of the others each is drawn with a known
    probability, which is kept with it, so that recall and what was missed can be estimated (audit report). What is in
    the queue stays there until it is judged; a later call adds what came since, as far as the budget of the day, week
    or month (by the calendar, UTC) goes. Changes count from the moment of their first review: where no --since
    says otherwise, a number takes those of this period and the one before, a percentage all. Whoever is told the risks
    here is blind no more.
    """
    from oversight.audit.budget.spending import parse
    from oversight.reports import write

    wanted = parse(budget, share)
    first, last = period(since, until)
    with open_store(database) as store:
        from oversight.audit.looking.session import shuffled
        from oversight.audit.store.queue import Scope, entries, fill

        check_repository(store, repository)
        scope = Scope(repository, first, last)
        filled = fill(store.engine, wanted, scope, now=datetime.now(UTC), seed=seed)
        waiting = entries(store.engine, scope)
        if blind:
            waiting = shuffled(waiting)
        else:
            note_shown(store, who, [one.commit for one in waiting])
    if form is Form.JSON:
        write(_as_json(wanted, filled, waiting, hidden=blind), None)
    else:
        write("\n".join(_page(wanted, filled, waiting, hidden=blind)) + "\n", None)


def _as_json(budget: Budget, filled: Filled, waiting: Sequence[Entry], *, hidden: bool) -> str:
    from dataclasses import asdict

    from oversight.reports.as_json import dumps

    told = {
        "budget": {
            "count": budget.count,
            "period": None if budget.period is None else budget.period.value,
            "percent": None if budget.fraction is None else 100 * budget.fraction,
            "share": budget.share,
        },
        "filled": asdict(filled),
        "entries": [_change(one) | ({} if hidden else _opinion(one)) for one in waiting],
    }
    return dumps(told, 2)


def _change(one: Entry) -> dict[str, Any]:
    from oversight.reports.escape import data

    texts = {name: getattr(one, name) for name in ("title", "author", "directory")}
    return {
        "repository": data(one.repository),
        "commit": one.commit,
        "number": one.number,
        **{name: None if text is None else data(text, _SHOWN) for name, text in texts.items()},
        "provenance": one.provenance,
        "added": one.added,
        "deleted": one.deleted,
        "queued_at": None if one.queued_at is None else one.queued_at.isoformat(),
    }


def _opinion(one: Entry) -> dict[str, Any]:
    """What a report says of it, and what follows from that: who judges blind is told none of it."""
    from oversight.audit.budget.entry import look_first, why
    from oversight.reports.escape import data

    first = look_first(one)
    return {
        **{name: getattr(one, name) for name in ("status", "risk", "percentile", "flagged", "model")},
        "selection": None if one.selection is None else one.selection.value,
        "propensity": one.propensity,
        "principles": sorted({data(said.principle) for said in one.said if said.principle is not None}),
        "why": [data(reason, _SHOWN) for reason in why(one)],
        "look_first": None
        if first is None
        else {
            "path": data(first.path),
            "start": first.start,
            "end": first.end,
            "reasons": [data(reason, _SHOWN) for reason in first.reasons],
        },
    }


def _page(budget: Budget, filled: Filled, waiting: Sequence[Entry], *, hidden: bool) -> Iterator[str]:
    from oversight.reports.words import counted

    yield f"{counted(filled.considered, 'change')} considered for the first time, {filled.picked} given a place, " + (
        f"{filled.drawn} drawn at random"
        + ("" if filled.chance is None else f" with probability {filled.chance:.2g} each")
        + "."
    )
    if not filled.left and budget.period is not None:
        yield f"All places of this {budget.period.value} are taken: a larger --budget has more."
    if not waiting:
        yield "Nothing waits for a verdict."
        return
    yield f"{counted(len(waiting), 'change')} to judge. Those drawn at random tell what is missed: leave none out."
    for number, one in enumerate(waiting, 1):
        yield ""
        yield from _told(number, one, hidden=hidden)
    yield ""
    yield "oversight audit verdict COMMIT safe|risky|unsure|dismiss puts a verdict on record."


def _told(number: int, one: Entry, *, hidden: bool) -> Iterator[str]:
    from oversight.audit.budget.entry import look_first, where, why
    from oversight.reports.escape import terminal

    place = terminal(one.repository, 60) + ("" if one.number is None else f"#{one.number}")
    title = "" if one.title is None else f"  {terminal(one.title, 80)}"
    yield f"{number:>3}. {one.commit[:_DIGITS]}  {place}{title}"
    size = f"+{one.added:,} -{one.deleted:,}" if one.added is not None and one.deleted is not None else "unknown size"
    written = (
        f"{one.provenance or 'unknown'}: {terminal(one.author, 60)}" if one.author else one.provenance or "unknown"
    )
    yield f"     by {written}, {size}"
    if hidden:
        return
    for reason in why(one):
        yield f"     - {terminal(reason, _SHOWN)}"
    first = look_first(one)
    if first is not None:
        said = f": {terminal(first.reasons[0], _SHOWN)}" if first.reasons else ""
        yield f"     look first at {terminal(where(first), _SHOWN)}{said}"
