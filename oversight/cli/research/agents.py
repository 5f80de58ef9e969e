"""What `oversight research run` needs for agents of Claude: a key, a price, a cap, and a word before it starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from oversight.cli.progress import Advance, priced, progress
from oversight.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from oversight.research.proposers.claude.agent import Agent
    from oversight.research.study import Study

MAX_USD = 5.0

_BAR = "experiments"


@dataclass(frozen=True)
class Wanted:
    """How many agents, of which model (None: the usual one), for how much, by which prices."""

    count: int
    model: str | None
    max_usd: float
    prices: Path | None


@dataclass(frozen=True)
class Staff:
    """Agents that can be had: `hire(tell)` returns them, `bar(total)` shows experiments, and what they have cost."""

    hire: Callable[[Callable[[], None]], list[Agent]]
    bar: Callable[[int], AbstractContextManager[Advance]]


def foretell(study: Study, wanted: Wanted, *, others: int, experiments: int) -> None:
    """Say on stderr what the agents are likely to cost beside so many other researchers; nothing is sent."""
    try:
        from oversight.research.proposers.claude.hiring import MODEL, MOST, outlook
        from oversight.reviewers.claude.prices import price_of
    except ModuleNotFoundError as error:
        raise MissingExtraError("oversight research run --agents", "claude") from error
    from oversight.reviewers.claude.budget import dollars

    if wanted.count > MOST:
        raise UsageError("there are not so many agents", mend=f"give --agents {MOST} at most")
    if not math.isfinite(wanted.max_usd):
        raise UsageError("--max-usd is no amount", mend="give dollars, such as 5")
    price = price_of(wanted.model or MODEL, wanted.prices)
    found = outlook(study, price, wanted.count, others, experiments)
    usd, tokens = found.likely
    typer.echo(
        f"{found.agents} agent{'s' * (found.agents > 1)} of {price.model}, {found.rounds} rounds each at most: "
        f"roughly {dollars(usd)} and {tokens:,} tokens; paid until now {dollars(found.spent)}, "
        f"of {dollars(wanted.max_usd)} at most",
        err=True,
    )
    typer.echo(f"prices of {price.as_of}, {price.source}", err=True)


@contextmanager
def staff(study: Study, wanted: Wanted) -> Iterator[Staff]:
    """Have agents at hand for the length of the block; none, where none are wanted. Raises UsageError without a key."""
    if not wanted.count:
        yield Staff(lambda _tell: [], lambda total: progress(_BAR, total))
        return
    from oversight.research.proposers.claude.hiring import MODEL, PATIENCE, TIMEOUT, agents, budget_of
    from oversight.reviewers.claude import consent
    from oversight.reviewers.claude.budget import dollars
    from oversight.reviewers.claude.client import Client
    from oversight.reviewers.claude.prices import price_of

    budget, price = budget_of(study, wanted.max_usd), price_of(wanted.model or MODEL, wanted.prices)
    with Client(consent.key(), timeout=TIMEOUT, patience=PATIENCE) as client:
        yield Staff(
            lambda tell: agents(study, wanted.count, client, price, budget, tell),
            lambda total: priced(_BAR, total, lambda: f"{dollars(budget.usd)} of {dollars(wanted.max_usd)}"),
        )
