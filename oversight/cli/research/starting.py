"""`oversight research start`: a study is laid, from repositories to rows for experiments and gold for the vault."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oversight.cli.progress import progress
from oversight.cli.research.options import check_installed
from oversight.errors import UsageError


def start(
    repo: Annotated[
        list[Path], typer.Option("--repo", help="A repository to study; give several.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help="The study's folder.", show_default=False)],
    confirm: Annotated[
        list[Path] | None,
        typer.Option("--confirm", help="A repository that no query is asked of, for confirmation; give several."),
    ] = None,
    human: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Human labels of each draw, taken from what history knows. Default: 300, or as many more as hold "
            "about 20 risky ones.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=2, help="Draws of human labels: all figures are means over them.")] = 5,
    weak: Annotated[str, typer.Option(help="Weak reviewer: panel, lexical or principles.")] = "panel",
    seed: Annotated[int, typer.Option(min=0, help="Of draws, splits, orders and proposals.")] = 0,
    student: Annotated[int, typer.Option(min=300, help="Most changes of a repository to learn from.")] = 3_000,
    test: Annotated[int, typer.Option(min=300, help="Most changes of a repository to predict.")] = 4_000,
    queries: Annotated[int, typer.Option(min=1, help="Questions that the vault answers in all.")] = 120,
    each: Annotated[int, typer.Option(min=1, help="Questions that it answers each researcher.")] = 40,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 is one a core.")] = 0,
) -> None:
    """Lay a study: read histories, teach weak reviewers, put the gold labels of the test into the vault.

    What was laid is kept: a start that was stopped goes on where it was.
    """
    from oversight.experiment.reading import cores
    from oversight.experiment.weak import NAMES
    from oversight.reports import write

    if weak not in NAMES:
        raise UsageError("there is no weak reviewer of that name", mend=f"use one of {', '.join(NAMES)}")
    check_installed()
    from oversight.research.preparing import FOLDS, Asked, lay
    from oversight.research.report import status
    from oversight.research.study import Plan, Study
    from oversight.research.vault import Policy

    plan = Plan(human, draws, weak, seed, student, test, FOLDS)
    asked = [*(Asked(path, False) for path in repo), *(Asked(path, True) for path in confirm or ())]
    lay(output, plan, asked, Policy(queries=queries, each=each), progress, jobs=jobs or cores())
    write("\n".join(status(Study(output))) + "\n", None)
