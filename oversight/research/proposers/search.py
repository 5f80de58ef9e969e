"""The offline researchers: each starts with a family of methods of its own, then searches everything with TPE.

Tree-structured Parzen estimators (Bergstra et al. 2011, NeurIPS 24) as optuna has them, on the results of all
researchers. What is minded is the screen, which costs no query; what the vault has called best stands above all that
it has not. Every proposal has a sampler of its own, seeded by study, researcher and experiment: what is proposed
depends on what is recorded, never on when it was.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from oversight.errors import MissingExtraError
from oversight.research import space
from oversight.research.model import Configuration, Proposal, Value
from oversight.research.proposers import Known
from oversight.research.proposers.telling import told
from oversight.research.space import HEAD, Range
from oversight.research.study import Result

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, Trial

DIRECTIONS: Mapping[str, tuple[str, ...]] = {
    "mixer": ("mixed", "residual-mixed", "weak-then-human", "noisy-channel", "human-only"),
    "filter": (
        "confident-filter", "overlap-density", "trust-function", "probe-filter", "confident-learning", "epiplexity"
    ),
    "believer": ("logconf", "product", "entropy", "window", "reverse-kl"),
    "relabeller": ("self-training", "co-teaching", "curriculum", "seed-ensemble", "naive"),
}  # fmt: skip
"""The method families that each researcher starts with."""

STARTING = 6
"""Proposals that a researcher makes in its own family."""

_SLOTS = ("inner", "outer")  # of arounds
_NONE = "-"
_TRIES = 20  # draws before something new is proposed
_REFUSED = -1.0
_BEST = 1.0


@dataclass(frozen=True)
class Searcher:
    """A researcher called `name`, that starts in `families`; the same `seed` proposes the same."""

    name: str
    families: tuple[str, ...]
    seed: int

    @property
    def direction(self) -> str:
        """Where it starts, in words."""
        return ", ".join(self.families)

    def propose(self, known: Known) -> Proposal | None:
        """Return something that nobody has tried, None where nothing such is found."""
        own = sum(result.experiment.researcher == self.name for result in known.results)
        tried = {result.configuration.identity for result in known.results} | known.taken
        for attempt in range(_TRIES):
            seed = np.random.SeedSequence([self.seed, known.number, attempt, *self.name.encode()])
            if own < STARTING:
                found = space.drawn(np.random.default_rng(seed), self.families)
                reason = f"start {own + 1} of {STARTING} among {self.direction}"
            else:
                found = _suggested(known.results, int(seed.generate_state(1)[0]))
                reason = "TPE on all results"
            if found.identity not in tried:
                return Proposal(found, reason)
        return None

    def learn(self, result: Result, known: Known) -> str:
        """Say where a result stands among those before it."""
        return told(result, known.results)


def searchers(seed: int) -> tuple[Searcher, ...]:
    """Return the offline researchers; `MissingExtraError` where optuna is not installed."""
    _optuna()
    return tuple(Searcher(name, families, seed) for name, families in DIRECTIONS.items())


def _optuna() -> ModuleType:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError("oversight research", "research") from error
    optuna.logging.set_verbosity(logging.WARNING)  # it would tell of every trial
    return optuna


def _suggested(results: Sequence[Result], seed: int) -> Configuration:
    optuna = _optuna()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.add_trials([trial for result in results if (trial := _trial(result)) is not None])
    return _configuration(study.ask())


def _trial(result: Result) -> FrozenTrial | None:
    """Return a result as optuna has them; None for what its space does not hold."""
    *outer, last = result.configuration.parts
    if len(outer) > len(_SLOTS) or last not in space.plain() or not set(outer) <= set(space.arounds()):
        return None
    optuna = _optuna()
    chosen = dict(zip(_SLOTS, [*reversed(outer), *[_NONE] * len(_SLOTS)], strict=False))
    values: dict[str, object] = {"method": last, **chosen}
    distributions: dict[str, BaseDistribution] = {
        "method": optuna.distributions.CategoricalDistribution(space.plain()),
        **{slot: optuna.distributions.CategoricalDistribution((_NONE, *space.arounds())) for slot in _SLOTS},
    }
    for part in (*result.configuration.parts, HEAD):
        for name, parameter in space.parameters(part).items():
            key = f"{part}.{name}"
            value = result.configuration.parameters.get(key, parameter.default)
            if isinstance(parameter, Range):
                values[key] = parameter.place(float(value))  # type: ignore[arg-type]  # checked when it was read
                distributions[key] = optuna.distributions.FloatDistribution(0.0, 1.0)
            else:
                values[key] = parameter.values.index(value)
                distributions[key] = optuna.distributions.IntDistribution(0, len(parameter.values) - 1)
    trial: FrozenTrial = optuna.trial.create_trial(params=values, distributions=distributions, value=_worth(result))
    return trial


def _worth(result: Result) -> float:
    """Return what a search minds: the screen, and above all screens what the vault called best. What came to nothing
    after its screen, mostly because it took too long, would do so again.
    """
    if result.screen is None or result.error or (result.answer is not None and result.answer.answer == "refused"):
        return _REFUSED
    if result.answer is not None and result.answer.score is not None:
        return _BEST + result.answer.score
    return result.screen.auroc


def _configuration(trial: Trial) -> Configuration:
    """Ask a trial for a configuration: its parts, then the parameters of those that it has."""
    last = trial.suggest_categorical("method", space.plain())
    slots = [trial.suggest_categorical(slot, (_NONE, *space.arounds())) for slot in _SLOTS]
    parts = [*dict.fromkeys(one for one in reversed(slots) if one != _NONE), last]
    values: dict[str, Value] = {}
    for part in (*parts, HEAD):
        for name, parameter in space.parameters(part).items():
            key = f"{part}.{name}"
            if isinstance(parameter, Range):
                values[key] = parameter.at(trial.suggest_float(key, 0.0, 1.0))
            else:
                values[key] = parameter.values[trial.suggest_int(key, 0, len(parameter.values) - 1)]
    return space.checked(Configuration("+".join(parts), values))
