"""`oversight train`: a model of a repository's own, from its history and a few hundred human labels."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oversight.cli.answered import heard, tell
from oversight.cli.audit.database import Database, labels_of
from oversight.cli.options import Readers, WeakReviewer
from oversight.cli.progress import progress
from oversight.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from oversight.experiment.run import Plan, Trained
    from oversight.students.pretrained import Pretrained

_NOTHING = "none"
_PROMOTED = ".json"


class Tune(StrEnum):
    """What is trained."""

    HEAD = "head"
    ENCODER = "encoder"


_Method = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="Method by name, or auto: whichever orders human labels better, out of fold. Or the method.json that "
        "oversight research promote wrote: the model then begins in the shadow, and flags nothing.",
    ),
]
_Human = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|store|N",
        help="Human labels: a file (labels.jsonl, verdicts), the verdicts in the audit store, or how many to draw "
        "from what history already knows. Default: 300, or as many more as hold about 20 risky ones.",
    ),
]
_Start = Annotated[
    str,
    typer.Option(
        help="Model that training goes on from: default (the shipped one), a model directory, or none. What it "
        "knows of other histories counts the more the fewer risky changes there are to learn from."
    ),
]
_Tune = Annotated[
    Tune,
    typer.Option(
        help="What the method trains. head: a linear layer on the model that training starts from (with --start "
        "none, the network itself). encoder: a pretrained encoder that reads hunks as text and then teaches the "
        "network; it is trained at least four times, so have a GPU and patience."
    ),
]
_Encoder = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|DIR",
        help="Encoder for --tune encoder: its name on the Hugging Face hub (owner/name, or with @revision) or a "
        "directory; safetensors alone.",
    ),
]
_Lora = Annotated[
    int | None,
    typer.Option(min=1, metavar="RANK", help="Train the encoder by adapters of that rank, not all its weights."),
]
_Since = Annotated[
    str | None,
    typer.Option(
        help="Leave out what is older than this date (UTC): before repairs were recorded, changes only look clean."
    ),
]
_Seeds = Annotated[int, typer.Option(min=1, help="Train with that many seeds; figures of all, the model of the first.")]
_Changes = Annotated[
    int,
    typer.Option(min=300, help="Most changes to read for weak labels and the test; drawn at random above that."),
]


def train(
    output: Annotated[Path, typer.Option(help="Directory for the model; a model in its place is replaced.")],
    repo: Annotated[Path, typer.Option(help="Repository to learn from.")] = Path(),
    weak: WeakReviewer = "panel",
    method: _Method = "residual-mixed",
    human: _Human = None,
    start: _Start = "default",
    tune: _Tune = Tune.HEAD,
    encoder: _Encoder = None,
    lora: _Lora = None,
    since: _Since = None,
    seeds: _Seeds = 1,
    changes: _Changes = 12_000,
    jobs: Readers = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
    database: Database = None,
) -> None:
    """Train a model on this repository's history and write it to a directory, for --model.

    Labels come from what history already knows: repairs that name the change they repair, and reverts. The newest
    30 % are held out; the figures on them, beside plain baselines, are printed and stored with the model.
    An interrupted run goes on where it stopped reading.
    """
    from oversight.cli.options import moment
    from oversight.students import checkpoint

    checkpoint.check_target(output)
    _check_installed()
    from oversight.experiment.reading import cores
    from oversight.experiment.run import Plan

    taught = {**_by(method), **_labels(human, repo, database)}
    plan = Plan(weak=_weak(weak), **taught, seeds=seeds, changes=changes, jobs=jobs or cores(), seed=seed)
    plan, shadow = _started(plan, start)
    first = moment(since, "--since")
    plan = replace(plan, encoder=_encoder(tune, encoder, lora), since=None if first is None else first.timestamp())
    _check_head(plan)
    _trained(repo, plan, output, shadow=shadow or plan.promotion is not None)


def _check_installed() -> None:
    """Raise `MissingExtraError` before the history is read, not after."""
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("oversight train", "train") from error


def _trained(repo: Path, plan: Plan, output: Path, *, shadow: bool) -> None:
    """Train by a plan, write the model, and tell what it reaches."""
    from oversight.changes.repository import Repository
    from oversight.experiment.card import card
    from oversight.experiment.run import train as run
    from oversight.students import checkpoint
    from oversight.students.export import to_files

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
        card=card(name, version, trained.metrics, shadow=shadow),
        stage=checkpoint.SHADOW if shadow else None,
    )
    sha256 = checkpoint.write(output, files)
    _tell(trained, output, sha256, shadow=shadow)


def _weak(name: str) -> str:
    from oversight.experiment.weak import NAMES

    if name not in NAMES:
        raise UsageError("there is no weak reviewer of that name", mend=f"use one of {', '.join(NAMES)}")
    return name


def _by(method: str) -> dict[str, Any]:
    """Return the method of a plan, with parameters and their origin where it was promoted."""
    from oversight import methods
    from oversight.experiment.choice import AUTO

    if not method.endswith(_PROMOTED):
        if method != AUTO:
            methods.method(method)
        return {"method": method}
    from oversight.research.promoted import read

    promoted = read(Path(method))
    told = promoted.configuration
    return {"method": told.method, "parameters": told.parameters, "promotion": promoted.origin}


def _check_head(plan: Plan) -> None:
    """Raise `UsageError` for a parameter of heads where none is trained."""
    from oversight.methods import HEAD, of_part

    if of_part(plan.parameters, HEAD) and (plan.start is None or plan.encoder is not None):
        raise UsageError(
            "the method was promoted with a parameter of heads, and none is trained",
            mend="leave out --start none and --tune encoder",
        )


def _labels(human: str | None, repo: Path, database: str | None) -> dict[str, Any]:
    """Return how many labels a plan draws, or those that people gave."""
    if human is None or (human.isascii() and human.isdigit()):
        number = None if human is None else int(human)
        if number == 0:
            raise UsageError("without human labels nothing can be learned", mend="ask for more with --human N")
        return {"human": number}
    return {"labels": labels_of(Path(human), repo, database)}


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


def _started(plan: Plan, start: str) -> tuple[Plan, bool]:
    """Return the plan with training going on from the model called `start`, and whether that is in the shadow."""
    from oversight.students.checkpoint import read
    from oversight.students.export import from_artefact
    from oversight.students.runtime import directory_of
    from oversight.students.student import NetworkLearner

    if start == _NOTHING:
        return plan, False
    with directory_of(start) as directory:
        artefact = read(directory)
    config = artefact.json("config.json")
    origin = {"name": config.get("name"), "version": config.get("version"), "sha256": artefact.sha256}
    student = from_artefact(artefact)
    architecture = NetworkLearner().architecture.sized_as(student.network.architecture)
    return replace(plan, learner=NetworkLearner(architecture, start=student), start=origin), artefact.shadow


def _tell(trained: Trained, output: Path, sha256: str, *, shadow: bool) -> None:
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
    where = terminal(str(output))
    use = f"Use it with --model {where}"
    if shadow:
        use = f"It is in the shadow: oversight score --model {where} ranks by it, and nothing flags by it yet"
    typer.echo(f"\nWritten to {where}, sha256 {sha256}. {use}")
