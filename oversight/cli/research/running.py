"""`oversight research run`: experiments, until the budget is used up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.research.agents import MAX_USD, Wanted, foretell, staff
from oversight.cli.research.options import Folder, check_installed
from oversight.errors import UsageError

if TYPE_CHECKING:
    from oversight.research.proposers import Proposer
    from oversight.research.study import Result

_MOST = 1_000_000  # seconds or megabytes that limits may say
_WALL = 600.0  # seconds of an experiment
_SHORTEST = 60.0
_SHARES = 5  # of the hours: most experiments take less than one
_LONGEST = 300  # characters of a method's name, and of what came of it


def run(
    study: Folder,
    experiments: Annotated[
        int, typer.Option(min=1, help="Experiments of the study in all, those of earlier runs included.")
    ] = 200,
    hours: Annotated[
        float | None,
        typer.Option(
            min=0.0, help="Begin no round and ask no agent after so many hours; what is in training ends first."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Experiments at once; 0 is one a core.")] = 0,
    cpu: Annotated[
        int, typer.Option(min=1, max=_MOST, help="Seconds of a processor that one training may take.")
    ] = 120,
    memory: Annotated[
        int, typer.Option(min=1_000, max=_MOST, help="Megabytes of address space that one may have.")
    ] = 6_000,
    wall: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            max=_MOST,
            help="Seconds that one experiment may take. Default: 600, or five times its share of --hours, if that is "
            "less and a minute at least.",
        ),
    ] = None,
    agents: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="So many agents of Claude besides, each with a direction of its own; 6 at most."
        ),
    ] = 0,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model of the agents.  [default: claude-sonnet-5-5]")
    ] = None,
    max_usd: Annotated[
        float, typer.Option(min=0, metavar="USD", help="What the study's agents may cost, with what earlier runs paid.")
    ] = MAX_USD,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices of models, in place of those that are shipped.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Train and send nothing: say what the agents would cost.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="A line for every experiment, on stderr.")] = False,
) -> None:
    """Propose, train, ask the vault, write down what was learned.

    Four researchers, each with a family of methods to start with, then a search over all that anybody has tried. A run
    that was killed goes on where it was, and gives what it would have given.

    With --agents Claude researches too, which costs money and needs ANTHROPIC_API_KEY: it is sent results, findings and
    methods, and nothing of any repository. An agent whose money or ideas have come to an end leaves the others at work.
    """
    check_installed()
    if (wall is not None and math.isnan(wall)) or (hours is not None and not math.isfinite(hours)):
        raise UsageError("--wall or --hours is no time", mend="give seconds, such as 600, and hours, such as 2")
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
    limits = Limits(cpu, memory, wall or _wall(hours, experiments - len(opened.experiments())))
    wanted = Wanted(agents, model, max_usd, prices)
    if agents:
        foretell(opened, wanted, others=len(researchers), experiments=experiments)
    if dry_run:
        if not agents:
            raise UsageError("without agents a run costs nothing", mend="leave --dry-run out, or give --agents")
        return
    with (
        opened.alone(),
        staff(opened, wanted) as hired,
        Vault(opened.vault) as vault,
        Laboratory(opened, jobs=jobs or cores(), limits=limits) as laboratory,
        hired.bar(max(0, experiments - len(opened.experiments()))) as advance,
    ):

        def tell(result: Result) -> None:
            advance(1)
            if verbose:
                typer.echo(_line(result), err=True)

        everybody: list[Proposer] = [*researchers, *hired.hire(lambda: advance(0))]
        why = Director(opened, everybody, vault, laboratory, tell).run(budget)
    write("\n".join([why, "", *status(opened)]) + "\n", None)


def _wall(hours: float | None, experiments: int) -> float:
    """Return the seconds that an experiment may take where nobody says: in `hours` there is to be time for all."""
    if hours is None:
        return _WALL
    return min(_WALL, max(_SHORTEST, _SHARES * 3600 * hours / max(1, experiments)))


def _line(result: Result) -> str:
    from oversight.reports.escape import terminal

    screen = "failed" if result.screen is None else f"{result.screen.auroc:.4f}"
    answer = result.unasked or result.error if result.answer is None else result.answer.answer
    who, method = terminal(result.experiment.researcher, 40), terminal(result.configuration.method, _LONGEST)
    return f"{result.experiment.name} {who:<10} {screen} {method}: {terminal(answer, _LONGEST)}"
