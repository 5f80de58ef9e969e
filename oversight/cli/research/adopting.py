"""`oversight research adopt`: a model leaves the shadow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oversight.cli.audit.auditor import VARIABLE


def adopt(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model directory in the shadow.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", metavar="FOLDER", help="Where the model in use goes.", show_default=False)
    ],
    because: Annotated[
        str, typer.Option(metavar="TEXT", help="Why: what verdicts said of it. Goes into its card.", show_default=False)
    ],
    who: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Who decides.  [default: {VARIABLE}, or git's user]", show_default=False),
    ] = None,
) -> None:
    """Put a model in use that was taught by a promoted method: reviews may flag by it from then on.

    It has a new sha256, and names the one that it had in the shadow.
    """
    from oversight.cli.audit.auditor import names_of
    from oversight.reports.escape import terminal
    from oversight.research.adoption import adopt as adopted

    sha256 = adopted(model, output, who=names_of(who)[0], because=because)
    where = terminal(str(output))
    typer.echo(f"Written to {where}, sha256 {sha256}. Reviews flag by it with --model {where}")
