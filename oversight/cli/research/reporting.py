"""`oversight research status` and `report`: how far a study is, and what it has come to."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from oversight.cli.research.options import Folder


def status(study: Folder) -> None:
    """Tell how far a study is; also while it runs."""
    from oversight.reports import write
    from oversight.research.report import status as lines
    from oversight.research.study import Study

    write("\n".join(lines(Study(study))) + "\n", None)


def report(
    study: Folder,
    findings: Annotated[int, typer.Option(min=0, help="So many of the newest entries of the notebook.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the whole notebook and the vault's board.")
    ] = False,
) -> None:
    """Tell what a study has come to: researchers, screens, the vault's leaderboard, and the notebook."""
    from oversight.reports import write
    from oversight.research import leaderboard
    from oversight.research.report import figures, page
    from oversight.research.study import Study

    opened = Study(study)
    if as_json:
        told = {**figures(opened), "vault": leaderboard.as_json(opened.folder)}
        write(json.dumps(told, indent=2, allow_nan=False) + "\n", None)
        return
    write("\n".join(page(opened, leaderboard.lines(opened.folder), findings=findings)) + "\n", None)
