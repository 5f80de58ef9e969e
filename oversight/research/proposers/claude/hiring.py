"""Agents for a study: who they are, what they have cost and are likely to cost, and the cap that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oversight.errors import UsageError
from oversight.research.proposers.claude import prompt
from oversight.research.proposers.claude.agent import TURNS, Agent, Asking, Service
from oversight.research.proposers.claude.dialogue import Dialogue, bills, path_of
from oversight.research.study import Study
from oversight.reviewers.claude.budget import Budget
from oversight.reviewers.claude.prices import Price
from oversight.reviewers.claude.replies import CacheCreation, Usage

MODEL = "claude-sonnet-5-5"
"""The model where nobody names one: methods have to be thought of and written."""

MOST = len(prompt.DIRECTIONS)
"""Agents, as many as there are directions."""

TIMEOUT = 300.0
"""Seconds that one answer may take: the others of the round wait for it."""

PATIENCE = 120.0
"""Seconds that a request waits for its turn where the service is overloaded, before the agent passes the round."""

# What a round takes, by guess: nothing of it was measured.
_REQUESTS = 4
_SYSTEM = 5_500  # tokens of rules and tools
_HISTORY = 10_000  # tokens of a conversation, half of the longest
_NEW = 1_500  # tokens that a turn adds
_ANSWER = 900


@dataclass(frozen=True)
class Outlook:
    """What is to come: agents, the most rounds of each, dollars and tokens that these are likely to take, and the
    dollars that the study's agents have cost.
    """

    agents: int
    rounds: int
    likely: tuple[float, int]
    spent: float


def budget_of(study: Study, max_usd: float) -> Budget:
    """Return the cap on what a study's agents cost altogether, with what they have cost."""
    known = bills(study.folder)
    return Budget(max_usd, usd=sum(one.usd for one in known), tokens=sum(one.tokens for one in known))


def outlook(study: Study, price: Price, agents: int, others: int, experiments: int) -> Outlook:
    """Say what `agents` beside so many `others` are likely to cost until a study has so many experiments."""
    left = max(0, experiments - len(study.experiments()))
    rounds = -(-left // (agents + others))
    turn = Usage(
        input_tokens=0,
        output_tokens=_ANSWER,
        cache_read_input_tokens=_SYSTEM + _HISTORY,
        cache_creation_input_tokens=_NEW,
        cache_creation=CacheCreation(ephemeral_5m_input_tokens=_NEW),
    )
    requests = agents * rounds * min(_REQUESTS, TURNS)
    likely = (requests * price.cost(turn, batch=False), requests * turn.tokens)
    return Outlook(agents, rounds, likely, budget_of(study, 0.0).usd)


def agents(
    study: Study, count: int, client: Asking, price: Price, budget: Budget, tell: Callable[[], None] = lambda: None
) -> list[Agent]:
    """Return the first `count` agents of a study, which go on where they were. `UsageError` for more than there are."""
    if not 0 < count <= MOST:
        raise UsageError(f"there are {MOST} agents", mend=f"ask for 1 to {MOST}")
    service = Service(client, price, budget, tell)
    grounds = sum(not one.confirmation for one in study.laid)

    def note(experiment: str, researcher: str, text: str) -> None:
        entry = {"experiment": experiment, "researcher": researcher, "text": text}
        if entry not in study.findings():
            study.find(experiment, researcher, text)

    return [
        Agent(name, service, Dialogue(path_of(study.folder, name)), study.plan, grounds, note)
        for name in list(prompt.DIRECTIONS)[:count]
    ]
