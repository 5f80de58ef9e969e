"""What passes between proposers, workers, the director and the vault: plain values, which know none of them.

Proposal ──> Experiment ──> Outcome ──> Submission ──> Answer
(why, what)  (number, who)  (screen)    (predictions)  (the vault's word)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Value: TypeAlias = float | int | str | bool | None
"""A parameter of a method."""

WRITTEN = "written"
"""What a method is called that a proposer wrote, in the name of a configuration."""

RAISED = "it raised "
"""How an error begins whose other words are those of a written method: all others are ours."""


@dataclass(frozen=True)
class Configuration:
    """What is trained. `method` as in `oversight.methods`, with a plus between arounds and the method they go around;
    `parameters` of its parts, by `part.field`, and of the learner, as `head.variance`: those that are not named have
    their defaults. `code` is the text of a method that a proposer wrote, called WRITTEN in `method`.
    """

    method: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    code: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the arounds, outermost first, and of the method that they go around."""
        return tuple(self.method.split("+"))

    @property
    def family(self) -> str:
        """What diversity is counted over: the method without its arounds."""
        return self.parts[-1]

    @property
    def identity(self) -> str:
        """Hash of all of it, in whatever order parameters stand."""
        return hashlib.sha256(json.dumps(as_json(self), sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Proposal:
    """What a researcher wants to have tried, and why, in a sentence for the notebook."""

    configuration: Configuration
    reason: str


@dataclass(frozen=True)
class Experiment:
    """A proposal with its place: `number` from 0 on, the `round` that it is of, and whose it is."""

    number: int
    round: int
    researcher: str
    proposal: Proposal

    @property
    def name(self) -> str:
        """What the ledger and people call it."""
        return f"e{self.number:04d}"

    @property
    def configuration(self) -> Configuration:
        """What is trained."""
        return self.proposal.configuration


@dataclass(frozen=True)
class Screen:
    """What the human labels say of a configuration, out of fold: means over draws, grounds and folds. No label of a
    test change has a part in it. `auroc` counts pairs of one fold alone; `log_loss` is in nats. `by_draw` is the AUROC
    of each draw that was looked at, (K,). Where it is not `whole`, draws are missing: `auroc` is foretold
    (`oversight.research.racing`), and `log_loss` is that of the others.
    """

    auroc: float
    log_loss: float
    by_draw: tuple[float, ...] = ()
    whole: bool = True

    @property
    def after(self) -> str:
        """Say in words that a screen was broken off; empty where it was not."""
        count = len(self.by_draw)
        return "" if self.whole else f", broken off after {count} draw{'s'[: count != 1]}"


def screen_of(told: Mapping[str, Any]) -> Screen:
    """Return a screen from its JSON; `KeyError` or `TypeError` where it is none."""
    return Screen(told["auroc"], told["log_loss"], tuple(told.get("by_draw", ())), told.get("whole", True))


@dataclass(frozen=True)
class Submission:
    """What is handed to the vault: P(risky) by ground, (K draws, T test rows) float32 in [0, 1], in the order of the
    ground's file. `proxies` are numbers that no test label has a part in (`screen`: AUROC on human labels out of fold;
    `misfit`: mean distance from the weak labels), beside which a jump of the score is judged.
    """

    experiment: str
    researcher: str
    configuration: Configuration
    predictions: Mapping[str, NDArray[np.float32]]
    proxies: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The vault's word. `score` only where the best is beaten; `best` is the best score so far, both rounded PGR, None
    where there is none. `left` are the queries that are left to this researcher; `flags` name the detectors that fired.
    """

    answer: Literal["best", "not better", "refused"]
    score: float | None
    best: float | None
    left: int
    flags: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Gold:
    """What the vault alone may know of one ground with T test rows, in the order of the ground's file.

    `truth` (T,) bool as known today; `times` (T,) Unix seconds. `series` by name, each P(risky) (K draws, T) float32:
    weak, naive, human_only, ceiling, default (the hand-chosen method with its defaults). `role` is "study", or
    "confirmation": laid out, and never queried.
    """

    name: str
    role: Literal["study", "confirmation"]
    truth: NDArray[np.bool_]
    times: Floats
    series: Mapping[str, NDArray[np.float32]]


def as_json(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration as JSON."""
    told: dict[str, Any] = {"method": configuration.method, "parameters": dict(configuration.parameters)}
    return told if configuration.code is None else {**told, "code": configuration.code}
