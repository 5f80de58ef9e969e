"""`oversight research …`: experiments on weak-to-strong methods, scored by a vault. A command a file."""

from __future__ import annotations

import os

import typer

from oversight.cli.research.adopting import adopt
from oversight.cli.research.promoting import confirm, promote
from oversight.cli.research.reporting import report, status
from oversight.cli.research.running import run
from oversight.cli.research.starting import start
from oversight.errors import UsageError

research = typer.Typer(
    help="Search for better ways of teaching students, by experiments that never see a label of the test.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)
for _name, _command in (
    ("start", start),
    ("run", run),
    ("status", status),
    ("report", report),
    ("promote", promote),
    ("confirm", confirm),
    ("adopt", adopt),
):
    research.command(_name)(_command)


@research.callback()
def _alone(context: typer.Context) -> None:
    if os.name != "posix":
        raise UsageError("research needs processes that fork and files that lock", mend="run it on Linux or macOS")
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
