"""`oversight train`: a model of a repository's own, from its history and a few hundred human labels."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.answered import heard, tell
from oversight.cli.audit.database import Database, labels_of
from oversight.cli.progress import progress
from oversight.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from oversight.experiment.run import Plan, Trained
    from oversight.students.pretrained import Pretrained

_NOTHING = "none"


class Tune(StrEnum):
    """What is trained."""

    HEAD = "head"
    ENCODER = "encoder"


def train(
    output: Annotated[Path, typer.Option(help="Directory for the model; a model in its place is replaced.")],
    repo: Annotated[Path, typer.Option(help="Repository to learn from.")] = Path(),
    weak: Annotated[str, typer.Option(help="Weak reviewer: panel, lexical, principles or claude.")] = "panel",
    method: Annotated[
        str, typer.Option(help="Method by name, or auto: whichever orders human labels better, out of fold.")
    ] = "residual-mixed",
    human: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|store|N",
            help="Human labels: a file (labels.jsonl, verdicts), the verdicts in the audit store, or how many to draw "
            "from what history already knows. Default: 300, or as many more as hold about 20 risky ones.",
        ),
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            help="Model that training goes on from: default (the shipped one), a model directory, or none. What it "
            "knows of other histories counts the more the fewer risky changes there are to learn from."
        ),
    ] = "default",
    tune: Annotated[
        Tune,
        typer.Option(
            help="What the method trains. head: a linear layer on the model that training starts from (with --start "
            "none, the network itself). encoder: a pretrained encoder that reads hunks as text and then teaches the "
            "network; it is trained at least four times, so have a GPU and patience."
        ),
    ] = Tune.HEAD,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR",
            help="Encoder for --tune encoder: its name on the Hugging Face hub (owner/name, or with @revision) or a "
            "directory; safetensors alone.",
        ),
    ] = None,
    lora: Annotated[
        int | None,
        typer.Option(min=1, metavar="RANK", help="Train the encoder by adapters of that rank, not all its weights."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Leave out what is older than this date (UTC): before repairs were recorded, changes only look clean."
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Train with that many seeds; figures of all, the model of the first.")
    ] = 1,
    changes: Annotated[
        int,
        typer.Option(min=300, help="Most changes to read for weak labels and the test; drawn at random above that."),
    ] = 12_000,
    jobs: Annotated[int, typer.Option(min=0, help="Processes that read changes; 0 is one a core.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
    database: Database = None,
) -> None:
    """Train a model on this repository's history and write it to a directory, for --model.

    Labels come from what history already knows: repairs that name the change they repair, and reverts. The newest
    30 % are held out; the figures on them, beside plain baselines, are printed and stored with the model.
    An interrupted run goes on where it stopped reading.
    """
    from oversight.changes.repository import Repository
    from oversight.cli.options import moment
    from oversight.experiment.card import card
    from oversight.students import checkpoint

    checkpoint.check_target(output)
    try:
        import torch  # noqa: F401  # said before the history is read, not after

        from oversight.experiment.run import train as run
        from oversight.students.export import to_files
    except ModuleNotFoundError as error:
        raise MissingExtraError("oversight train", "train") from error
    plan = _started(_plan(repo, weak, method, human, database, seeds, changes, jobs, seed), start)
    first = moment(since, "--since")
    plan = replace(plan, encoder=_encoder(tune, encoder, lora), since=None if first is None else first.timestamp())
    with Repository.open(repo) as repository:
        tip = repository.resolve("HEAD")
        plan = replace(plan, answered=heard(repository, plan.weak))
        trained = run(repository, tip, plan, progress)
        tell(plan.answered, plan.weak)
        name, version = repository.name, tip[:12]
    files = to_files(
        trained.student,
        name=name,
        version=version,
        reference=trained.reference,
        metrics=trained.metrics,
        card=card(name, version, trained.metrics),
    )
    sha256 = checkpoint.write(output, files)
    _tell(trained, output, sha256)


def _encoder(tune: Tune, name: str | None, lora: int | None) -> Pretrained | None:
    """Return the encoder that was asked for; one that cannot be had is told before the history is read."""
    from oversight.students.pretrained import EXAMPLES, load

    if tune is Tune.HEAD:
        if name is not None or lora is not None:
            raise UsageError("--encoder and --lora say how an encoder is trained", mend="add --tune encoder")
        return None
    if name is None:
        raise UsageError("--tune encoder needs an encoder", mend=f"name one with --encoder, such as {EXAMPLES}")
    return load(name, lora)


def _started(plan: Plan, start: str) -> Plan:
    """Return the plan with training going on from the model called `start`."""
    from oversight.students.checkpoint import read
    from oversight.students.export import from_artefact
    from oversight.students.runtime import directory_of
    from oversight.students.student import NetworkLearner

    if start == _NOTHING:
        return plan
    with directory_of(start) as directory:
        artefact = read(directory)
    config = artefact.json("config.json")
    origin = {"name": config.get("name"), "version": config.get("version"), "sha256": artefact.sha256}
    student = from_artefact(artefact)
    architecture = NetworkLearner().architecture.sized_as(student.network.architecture)
    return replace(plan, learner=NetworkLearner(architecture, start=student), start=origin)


def _plan(
    repo: Path,
    weak: str,
    method: str,
    human: str | None,
    database: str | None,
    seeds: int,
    changes: int,
    jobs: int,
    seed: int,
) -> Plan:
    from oversight import methods
    from oversight.experiment import weak as reviewers
    from oversight.experiment.reading import cores
    from oversight.experiment.run import Plan

    if method != "auto":
        methods.method(method)
    if weak not in reviewers.NAMES:
        raise UsageError("there is no weak reviewer of that name", mend=f"use one of {', '.join(reviewers.NAMES)}")
    number = int(human) if human is not None and human.isascii() and human.isdigit() else None
    if number == 0:
        raise UsageError("without human labels nothing can be learned", mend="ask for more with --human N")
    return Plan(
        weak=weak,
        method=method,
        human=number,
        labels=labels_of(Path(human), repo, database) if human is not None and number is None else {},
        seeds=seeds,
        changes=changes,
        jobs=jobs or cores(),
        seed=seed,
    )


def _tell(trained: Trained, output: Path, sha256: str) -> None:
    """Print what was learned from, what it reaches on the held-out changes, and how to use it."""
    from oversight.experiment.card import table
    from oversight.reports.escape import terminal

    human, weak = trained.metrics["human_labels"], trained.metrics["weak_labels"]
    typer.echo(
        f"Learned from {human['n']} human labels ({human['risky']} risky) and {weak['n']} weak ones of the "
        f"{weak['reviewer']}, by the method {trained.metrics['method']['name']}."
    )
    if trained.metrics["choice"] is not None:
        typer.echo(f"Chosen because {trained.metrics['choice']['why']}.")
    typer.echo("\n".join(table(trained.metrics["test"])))
    typer.echo(f"\nWritten to {terminal(str(output))}, sha256 {sha256}. Use it with --model {terminal(str(output))}")
