"""`oversight label`: what a weak reviewer says of a history, where asking costs money."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.options import HERE, Repo, Since, Until
from oversight.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from oversight.changes.model import Change
    from oversight.changes.repository import Repository
    from oversight.reviewers.claude.bulk import Labelling, Outlook
    from oversight.reviewers.claude.prices import Price
    from oversight.reviewers.claude.requests import Recipe
    from oversight.reviewers.claude.verdict import Label

_MAX_USD = 5.0


class Weak(StrEnum):
    """Weak reviewers that have to be asked before anything can learn from them."""

    CLAUDE = "claude"


@dataclass(frozen=True)
class _Asked:
    """What to do with a plan, checked."""

    output: Path
    dry_run: bool
    now: bool
    send_code: bool | None


def label(
    weak: Annotated[Weak, typer.Option(help="The weak reviewer to ask.")],
    output: Annotated[
        Path, typer.Option(help="Write the labels here, as JSON Lines, oldest commit first; - is stdout.")
    ],
    repo: Repo = HERE,
    since: Since = None,
    until: Until = None,
    changes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Label at most that many, drawn at random; more take these in again."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model to ask.  [default: claude-haiku-5-5]")
    ] = None,
    wordings: Annotated[
        int, typer.Option(min=1, max=3, help="Ask in that many wordings; where the answers differ, agreement falls.")
    ] = 1,
    critique: Annotated[
        bool, typer.Option("--critique", help="Have every answer criticised and revised. It costs twice as much.")
    ] = False,
    max_usd: Annotated[
        float, typer.Option(min=0, metavar="USD", help="What these labels may cost, with all that earlier runs paid.")
    ] = _MAX_USD,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The same in tokens, of questions and answers.")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prices of models, in place of those that are shipped.")
    ] = None,
    send_code: Annotated[
        bool | None,
        typer.Option(
            "--send-code/--no-send-code",
            help="Changes may be sent to Anthropic.  [default: as OVERSIGHT_SEND_CODE says, or else no]",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: say what it would cost.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Ask one after another, at twice the price, in place of batches.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Pay once more for answers that were cut off or of another form.")
    ] = False,
) -> None:
    """Let Claude label the changes of this history that training learns from.

    Code leaves this machine, which needs your leave: --send-code, or OVERSIGHT_SEND_CODE=1. The key comes from
    ANTHROPIC_API_KEY. Requests are handed in as batches, which take up to a day; stop it and run it again at any time,
    it goes on where it was, and nothing is paid for twice. `train` and `pgr` find the labels by themselves.
    """
    from oversight.changes.repository import Repository
    from oversight.cli.options import period

    try:
        from oversight.reviewers.claude.prices import price_of
        from oversight.reviewers.claude.requests import MODEL, Recipe
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"oversight label --weak {weak}", "claude") from error
    if not math.isfinite(max_usd):
        raise UsageError("--max-usd is no amount", mend="give dollars, such as 5")
    asked = _Asked(output, dry_run, now, send_code)
    price = price_of(model or MODEL, prices)
    recipe = Recipe(price.model, wordings, critique, "low" if price.effort else None)
    first, last = period(since, until)
    with Repository.open(repo) as repository:
        shas = _chosen(repository, first, last, changes)
        _label(repository, shas, recipe, price, (max_usd, max_tokens), asked, again=again)


def _chosen(repository: Repository, first: datetime | None, last: datetime | None, most: int | None) -> list[str]:
    """Return the commits that count in training, oldest first; at most `most`, drawn by their names alone, so that a
    larger draw holds a smaller one and what is there when the money ends is a sample.
    """
    from hashlib import sha256

    from oversight.cli.progress import progress
    from oversight.experiment.pool import read_pool

    with progress("reading the history") as advance:
        pool = read_pool(repository, repository.resolve("HEAD"), advance=advance)
    earliest = first.timestamp() if first is not None else float("-inf")
    latest = last.timestamp() if last is not None else float("inf")
    shas = [sha for sha, when in zip(pool.shas, pool.times.tolist(), strict=True) if earliest <= when <= latest]
    if not shas:
        raise UsageError("no change that counts was committed between these dates", mend="name other dates")
    drawn = set(sorted(shas, key=lambda sha: sha256(sha.encode()).digest())[:most])
    return [sha for sha in shas if sha in drawn]


def _label(
    repository: Repository,
    shas: Sequence[str],
    recipe: Recipe,
    price: Price,
    caps: tuple[float, int | None],
    asked: _Asked,
    *,
    again: bool,
) -> None:
    from oversight.reports import write
    from oversight.reviewers.claude import consent
    from oversight.reviewers.claude.budget import Budget
    from oversight.reviewers.claude.bulk import Labelling
    from oversight.reviewers.claude.store import Alone, Store, path
    from oversight.reviewers.claude.verdict import unreadable

    with Alone(path()), Store(path()) as store:
        labelling = Labelling(_reader(repository), recipe, price, store, Budget(*caps))
        outlook = labelling.outlook(shas, batch=not asked.now, again=again)
        _tell(f"{len(shas):,} changes, asked of {recipe}")
        _foretell(outlook, price, caps[0])
        if asked.dry_run:
            return
        if outlook.requests or store.open_batches():
            if not consent.given(asked.send_code):
                raise UsageError(
                    "nobody has said that changes may be sent to Anthropic",
                    mend=f"add --send-code or set {consent.VARIABLE}=1; docs/CLAUDE_REVIEWER.md says what is sent",
                )
            key = consent.key()
            if again:
                labelling.ask_again(shas)
            _run(labelling, shas, key, now=asked.now)
        labels = dict.fromkeys(shas) | {one.change_id: one for one in labelling.labels(shas)}
        whole = [label or unreadable(sha) for sha, label in labels.items()]
        store.label(repository.key, recipe.name, {one.change_id: one.as_json() for one in whole if one.finished})
        write("".join(map(_line, whole)), asked.output)
        _sum_up(labelling, whole)


def _reader(repository: Repository) -> Callable[[Sequence[str]], Iterator[Change]]:
    from oversight.changes.repository import change_of
    from oversight.errors import DiffError

    def read(shas: Sequence[str]) -> Iterator[Change]:
        for patch in repository.patches(shas):
            try:
                yield change_of(patch, repository.name)
            except DiffError:
                continue

    return read


def _foretell(outlook: Outlook, price: Price, max_usd: float) -> None:
    """Say what is to come, before anything is sent."""
    from oversight.reviewers.claude.budget import dollars

    (likely, tokens), (most, _), (spent, _) = outlook.likely, outlook.most, outlook.spent
    _tell(
        f"{outlook.requests:,} requests on {outlook.changes:,} changes to make: about {dollars(likely)} and "
        f"{tokens:,} tokens, {dollars(most)} at most; paid until now {dollars(spent)}, of {dollars(max_usd)} at most"
    )
    _tell(f"prices of {price.as_of}, {price.source}")


def _run(labelling: Labelling, shas: Sequence[str], key: str, *, now: bool) -> None:
    from oversight.cli.progress import priced
    from oversight.reviewers.claude.budget import dollars
    from oversight.reviewers.claude.client import Client

    with Client(key) as client, priced("labelling", len(shas), lambda: dollars(labelling.budget.usd)) as tell:
        labelling.tell = tell
        (labelling.run_now if now else labelling.run)(shas, client)


def _line(label: Label) -> str:
    from oversight.reports.escape import data

    record = label.as_json()
    record["reason"] = data(record["reason"])
    for hunk in record["hunks"]:
        hunk["path"] = data(hunk["path"])
    return json.dumps({"source": Weak.CLAUDE, **record}) + "\n"


def _sum_up(labelling: Labelling, labels: Sequence[Label]) -> None:
    """Say what became of the changes. Those without a risk are not safe, and are counted apart."""
    from oversight.reviewers.claude.budget import dollars

    counts = Counter(label.status for label in labels)
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    _tell(f"{told}; {dollars(labelling.budget.usd)} and {labelling.budget.tokens:,} tokens in all")
    suspected = sum(label.suspected for label in labels)
    if suspected:
        _tell(f"{suspected:,} of them speak to their reviewers: see `suspected`")
    if labelling.stopped:
        _tell("the cap did not hold all of it: raise --max-usd or --max-tokens, or leave it at this sample")


def _tell(line: str) -> None:
    typer.echo(line, err=True)
