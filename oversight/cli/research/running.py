"""`oversight research run`: experiments, until the budget is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.progress import progress
from oversight.cli.research.options import Folder, check_installed

if TYPE_CHECKING:
    from oversight.research.study import Result


def run(
    study: Folder,
    experiments: Annotated[
        int, typer.Option(min=1, help="Experiments of the study in all, those of earlier runs included.")
    ] = 200,
    hours: Annotated[float | None, typer.Option(min=0.0, help="End this run after so many hours.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Experiments at once; 0 is one a core.")] = 0,
    cpu: Annotated[int, typer.Option(min=1, help="Seconds of a processor that one training may take.")] = 120,
    memory: Annotated[int, typer.Option(min=1_000, help="Megabytes of address space that one may have.")] = 6_000,
    wall: Annotated[float, typer.Option(min=1.0, help="Seconds that one experiment may take.")] = 600.0,
    verbose: Annotated[bool, typer.Option("--verbose", help="A line for every experiment, on stderr.")] = False,
) -> None:
    """Propose, train, ask the vault, write down what was learned.

    Four researchers, each with a family of methods to start with, then a search over all that anybody has tried. A run
    that was killed goes on where it was, and gives what it would have given.
    """
    check_installed()
    from oversight.experiment.reading import cores
    from oversight.reports import write
    from oversight.research.director import Budget, Director
    from oversight.research.laboratory import Laboratory
    from oversight.research.proposers.search import searchers
    from oversight.research.report import status
    from oversight.research.study import Study
    from oversight.research.vault.client import Vault
    from oversight.research.worker.limits import Limits

    opened = Study(study)
    budget, researchers = Budget(experiments, hours), searchers(opened.plan.seed)
    limits = Limits(cpu, memory, wall)
    with (
        opened.alone(),
        Vault(opened.vault) as vault,
        Laboratory(opened, jobs=jobs or cores(), limits=limits) as laboratory,
    ):
        done = len(opened.experiments())
        with progress("experiments", max(0, experiments - done)) as advance:

            def tell(result: Result) -> None:
                advance(1)
                if verbose:
                    typer.echo(_line(result), err=True)

            director = Director(opened, researchers, vault, laboratory, tell)
            why = director.run(budget)
    write("\n".join([why, "", *status(opened)]) + "\n", None)


def _line(result: Result) -> str:
    screen = "failed" if result.screen is None else f"{result.screen.auroc:.4f}"
    answer = result.unasked or result.error if result.answer is None else result.answer.answer
    return (
        f"{result.experiment.name} {result.experiment.researcher:<10} {screen} {result.configuration.method}: {answer}"
    )
