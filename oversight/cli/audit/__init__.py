"""`oversight audit …`: what was reviewed and what people said of it, in one database. A command a file,
or an entry point of the group `oversight.commands.audit`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

from oversight.cli import loaded
from oversight.cli.audit.exporting import export
from oversight.cli.audit.importing import import_
from oversight.cli.audit.judging import verdict
from oversight.cli.audit.queueing import queue
from oversight.cli.audit.reporting import report
from oversight.cli.audit.showing import show
from oversight.cli.audit.verifying import verify

audit = typer.Typer(
    help="Choose what people judge, keep what they say, prove that nobody changed it, and tell what it shows.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)
for _name, _command in (
    ("import", import_),
    ("queue", queue),
    ("show", show),
    ("verdict", verdict),
    ("report", report),
    ("verify", verify),
    ("export", export),
):
    audit.command(_name)(_command)
for _entry in entry_points(group="oversight.commands.audit"):
    audit.command(_entry.name)(loaded(_entry))


@audit.callback()
def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
