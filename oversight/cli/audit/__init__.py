"""`oversight audit …`: what was reviewed and what people said of it, in one database. A command a file."""

from __future__ import annotations

import typer

from oversight.cli.audit.exporting import export
from oversight.cli.audit.importing import import_
from oversight.cli.audit.verifying import verify

audit = typer.Typer(
    help="Keep reports, labels and verdicts, and prove that nobody changed what was said.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)
for _name, _command in (("import", import_), ("verify", verify), ("export", export)):
    audit.command(_name)(_command)


@audit.callback()
def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
