"""Researchers: who says what to try next, and what was learned from what was tried.

A proposal is made from what the study has recorded, of all its researchers, and from nothing else: whoever is asked
again after a kill says the same, and nobody has a memory that a folder could not bring back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from oversight.research.model import Proposal
from oversight.research.study import Result


@dataclass(frozen=True)
class Known:
    """What a researcher knows: all results of earlier rounds, in order, the notebook, and the number of its next
    experiment. `taken` are identities that others propose in the same `round`. After `deadline`, a time of
    `time.monotonic`, nothing is begun that takes long or costs money.
    """

    results: Sequence[Result]
    findings: Sequence[dict[str, Any]]
    number: int
    taken: frozenset[str] = frozenset()
    round: int = 0
    deadline: float | None = None


class Proposer(Protocol):
    """A researcher."""

    @property
    def name(self) -> str:
        """What the ledger and people call it."""
        ...

    def propose(self, known: Known) -> Proposal | None:
        """Return what to try next; None where the researcher has concluded."""
        ...

    def learn(self, result: Result, known: Known) -> str:
        """Return, in a sentence or two for the notebook, what a result of its own has taught."""
        ...
