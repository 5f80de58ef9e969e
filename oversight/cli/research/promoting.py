"""`oversight research promote` and `confirm`: what a search has found, scored where nobody could search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oversight.cli.research.options import Folder, check_installed


def promote(
    study: Folder,
    output: Annotated[
        Path, typer.Option("--output", metavar="FOLDER", help="Where method and evidence go.", show_default=False)
    ],
    experiment: Annotated[
        str | None, typer.Argument(metavar="[EXPERIMENT]", help="The best one, if none is named.", show_default=False)
    ] = None,
) -> None:
    """Score an experiment on the sealed half, once, and write its method down with the evidence.

    This ends the search: the vault answers no more queries of the study. What is promoted flags nothing yet.
    """
    check_installed()
    from oversight.reports import write
    from oversight.research import leaderboard
    from oversight.research.promotion import promote as promoted
    from oversight.research.study import Study

    entry = promoted(Study(study), experiment, output)
    write("\n".join([*leaderboard.result(entry), "", leaderboard.verdict(entry)]) + "\n", None)


def confirm(
    study: Folder,
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="What was promoted.", show_default=False)],
) -> None:
    """Train a promoted experiment on the repositories that no query was about, and score it there, once."""
    check_installed()
    from oversight.reports import write
    from oversight.research import leaderboard
    from oversight.research.promotion import confirm as confirmed
    from oversight.research.study import Study

    for entry in confirmed(Study(study), experiment):
        write("\n".join([*leaderboard.result(entry), "", leaderboard.verdict(entry), ""]) + "\n", None)
