"""`oversight canary …`: seeded defects with known answers, and how many of them reviews catch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.audit.database import Database, check_repository, open_store
from oversight.cli.options import HERE, Budget, ModelName, Repo, Since, Until

if TYPE_CHECKING:
    from oversight.audit.canaries.model import Flock
    from oversight.audit.canaries.runs import Run
    from oversight.changes.repository import Repository
    from oversight.cli.progress import Tell
    from oversight.history.index import Index
    from oversight.review import Reviewer

canary = typer.Typer(
    help="Plant defects with known answers in copies of real changes, and see how many reviews catch.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)

Count = Annotated[int, typer.Option(min=1, max=10_000, help="Canaries to make; each has a control beside it.")]
Seed = Annotated[int, typer.Option(min=0, max=(1 << 63) - 1, help="The same seed and history make the same ones.")]
Classes = Annotated[
    str | None,
    typer.Option(metavar="LIST", help="Classes of defects, separated by commas.  [default: all]", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@canary.callback()
def _alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


@canary.command("make")
def make_(
    output: Annotated[Path, typer.Option(help="A new folder, outside of the repository.")],
    repo: Repo = HERE,
    count: Count = 100,
    seed: Seed = 0,
    classes: Classes = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Write canaries and their controls as diffs into a folder, with the answers apart.

    Made from the newest changes that are old enough to be called clean and that nobody has named since, or from those
    committed within the dates. Nothing is written into the repository. Never merge, run, or learn from them.
    """
    from oversight.audit.canaries import folder
    from oversight.audit.canaries.giveaways import giveaways

    folder.keep_out(repo, output)
    with _opened(repo) as history:
        flock = _flock(history, count, seed, classes, since, until)
        written = folder.write(flock, output)
        told = giveaways(flock)
    if as_json:
        typer.echo(json.dumps({"diffs": written, "classes": _made(flock), "giveaways": asdict(told)}))
        return
    from oversight.audit.canaries.text import giveaways_text, made_text

    typer.echo("\n".join([f"{written:,} diffs", *made_text(flock), *giveaways_text(told)]))


@canary.command()
def run(
    repo: Repo = HERE,
    count: Count = 100,
    seed: Seed = 0,
    classes: Classes = None,
    since: Since = None,
    until: Until = None,
    model: ModelName = None,
    budget: Budget = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the run under this name of the repository.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Put the run on record in the audit's database.")
    ] = True,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Review canaries and their controls, each at its place in the history, and say how many were flagged.

    Recall by class and language, with 95 % intervals, beside the share of the controls that are flagged, and that of
    the real changes before a defect was planted in them. Told as well: whether canaries could be told from their
    controls without reading what they do. What the model reads in the history is kept, so that a run that was
    interrupted goes on faster.
    """
    from oversight.audit.canaries.figures import as_json as run_json
    from oversight.audit.canaries.giveaways import giveaways

    with open_store(database, make=True) if keep else nullcontext() as store:
        with _opened(repo) as history:
            reviewer = _reviewer(history, model, budget)  # what it lacks is told before the history is read
            flock = _flock(history, count, seed, classes, since, until)
            done = _judge(history, flock, reviewer, name)
            told = giveaways(flock)
        if store is not None:
            from oversight.audit.store.canaries import keep as put

            put(store.engine, done)
    if as_json:
        typer.echo(json.dumps({**run_json(done), "made": _made(flock), "giveaways": asdict(told)}))
        return
    from oversight.audit.canaries.text import giveaways_text, made_text, run_text

    typer.echo("\n".join([*run_text(done), *made_text(flock), *giveaways_text(told)]))


@canary.command()
def report(
    repository: Annotated[
        str | None, typer.Option("--repository", metavar="NAME", help="Runs of this repository alone.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Runs on or after this date (UTC).")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Runs on or before this date (UTC).")] = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Show the runs on record as a trend: recall of each class, with the model of each run."""
    from oversight.cli.options import period

    first, last = period(since, until)
    with open_store(database) as store:
        from oversight.audit.store.canaries import runs

        check_repository(store, repository)
        found = runs(store.engine, repository=repository, since=first, until=last)
    if as_json:
        from oversight.audit.canaries.figures import as_json as run_json

        typer.echo(json.dumps({"runs": [run_json(one) for one in found]}))
        return
    from oversight.audit.canaries.text import trend_text

    typer.echo("\n".join(trend_text(found)))


@dataclass(frozen=True, slots=True)
class _History:
    """What canaries are made from, up to the commit `head`, while it is open."""

    repository: Repository
    head: str
    index: Index
    tell: Tell


@contextmanager
def _opened(repo: Path) -> Iterator[_History]:
    from oversight.changes.repository import Repository
    from oversight.cli.progress import stages
    from oversight.history.index import Index

    with Repository.open(repo) as repository, stages() as tell:
        head = repository.resolve("HEAD")
        with Index.open(repository) as index:
            yield _History(repository, head, index, tell)


def _reviewer(history: _History, model: str | None, budget: float | None) -> Reviewer:
    from oversight.base_settings import principle_files, settings_file
    from oversight.config import load
    from oversight.review import Reviewer
    from oversight.reviewers.principles import Principles, parse_named
    from oversight.students.runtime import open_model

    settings = load(settings_file(history.repository, history.head), budget=budget, model=model)
    extra = principle_files(history.repository, history.head, settings.principles)
    return Reviewer(open_model(settings.model), Principles(parse_named(extra)), settings, measuring=True)


def _flock(
    history: _History, count: int, seed: int, classes: str | None, since: str | None, until: str | None
) -> Flock:
    from oversight.audit.canaries.classes import chosen
    from oversight.audit.canaries.making import make
    from oversight.audit.canaries.past import read_past
    from oversight.cli.options import period
    from oversight.errors import LabelError

    kinds = chosen(classes)
    first, last = period(since, until)
    repository, head, tell = history.repository, history.head, history.tell
    past = read_past(
        repository,
        head,
        history.index,
        since=first,
        until=last,
        advance=lambda steps: tell("reading history", steps, 0),
    )
    flock = make(
        repository, head, past, kinds, count=count, seed=seed,
        advance=lambda steps: tell("planting defects", steps, count),
    )  # fmt: skip
    if not flock.pairs:
        raise LabelError(
            "no canary could be made: too few old changes that nobody named and that look alike in size",
            mend="use a longer history, other dates, or more classes",
        )
    return flock


def _judge(history: _History, flock: Flock, reviewer: Reviewer, name: str | None) -> Run:
    from oversight.audit.canaries.judging import judge
    from oversight.audit.canaries.runs import Run, reviewed_of

    total = len(flock.pairs)
    judged = judge(
        flock, history.repository, history.index, reviewer, lambda steps: history.tell("reviewing", steps, total)
    )
    reviewed = reviewed_of(judged)
    return Run(
        name or flock.repository, datetime.now(UTC), flock.head, flock.seed, reviewer.settings.budget,
        reviewer.model.info.sha256, reviewed,
    )  # fmt: skip


def _made(flock: Flock) -> dict[str, dict[str, int]]:
    """Of each class how many canaries were wanted, and how many there are."""
    kinds = [pair.canary.kind for pair in flock.pairs]
    return {kind: {"wanted": wanted, "made": kinds.count(kind)} for kind, wanted in flock.asked.items()}
