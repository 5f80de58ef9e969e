"""`oversight audit browse`: the pages alone, on this machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from oversight.cli.audit.auditor import VARIABLE
from oversight.cli.audit.database import Database
from oversight.cli.options import HERE, Repo
from oversight.errors import MissingExtraError, RepositoryError


def browse(
    repo: Repo = HERE,
    who: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Who judges.  [default: {VARIABLE}, or git's user]", show_default=False),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="BUDGET", help='What people can judge: "20 per week", "10 per day" or "5%".')
    ] = "20 per week",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0: any that is free.")] = 0,
    study: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            envvar="OVERSIGHT_PAGES__STUDIES",
            help="A study of oversight research to show, or a folder of some; give several.",
            show_default=False,
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Show the queue and its changes in a browser, and take verdicts there.

    For one person on one machine: it listens on 127.0.0.1 alone, and prints an address that logs one browser in, once.
    Diffs are read from the repository, in processes of their own; nothing of a change is run or checked out. Ctrl-C
    ends it.
    """
    try:
        from oversight_server.pages.browsing import browse as serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("oversight"):
            raise
        raise MissingExtraError("oversight audit browse", "server") from error
    from oversight.audit.budget.spending import parse
    from oversight.cli.audit.auditor import names_of

    names, wanted = names_of(who), parse(budget)
    serve(
        database, _read(repo), wanted, names, port=port, tell=lambda address: typer.echo(f"Open {address}"),
        studies=study or (),
    )  # fmt: skip


def _read(path: Path) -> Path | None:
    """Return the repository, None where there is none; its history is read now, where that can be seen to take time."""
    from oversight.changes.repository import Repository
    from oversight.cli.progress import progress
    from oversight.history.index import Index

    try:
        repository = Repository.open(path)
    except RepositoryError as error:
        typer.echo(f"There will be no diffs: {error.message}.", err=True)
        return None
    # What of it cannot be had, pages say.
    with repository, progress("reading history") as advance, Index.open(repository) as index, suppress(RepositoryError):
        index.extend(repository.resolve("HEAD"), advance)
    return path
