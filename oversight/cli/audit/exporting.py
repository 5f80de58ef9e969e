"""`oversight audit export`: what is in the store, for other programs and for people."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oversight.cli.audit.database import Database, open_store


class Exported(StrEnum):
    """What can be exported."""

    VERDICTS = "verdicts"
    REPORTS = "reports"
    SCORES = "scores"
    LABELS = "labels"


class Form(StrEnum):
    """How it is written."""

    JSONL = "jsonl"
    CSV = "csv"


def export(
    what: Annotated[
        Exported, typer.Argument(help="verdicts, with landings; reports, scores or labels.", show_choices=False)
    ] = Exported.VERDICTS,
    form: Annotated[Form, typer.Option("--format", help="JSON Lines to keep, CSV to look at.")] = Form.JSONL,
    output: Annotated[Path, typer.Option(help="Write here; - is stdout.")] = Path("-"),
    repository: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this repository alone; verdicts are exported whole.")
    ] = None,
    database: Database = None,
) -> None:
    """Write what the store holds, as it was at one moment.

    JSON Lines are what `audit import` takes; those of verdicts are what `pgr --labels` and `train --human` take, and
    imported elsewhere they make the same chain. In CSV text is on one line, and what a spreadsheet would
    take for a formula has an apostrophe in front.
    """
    from oversight.reports.output import write_pieces

    with open_store(database) as store:
        from oversight.audit.store.export import comma_separated, json_lines

        write = json_lines if form is Form.JSONL else comma_separated
        write_pieces(write(store.engine, what.value, repository), output)
