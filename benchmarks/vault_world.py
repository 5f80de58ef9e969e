"""A small world with known labels, for `benchmarks.vault_attacks` and the tests of the vault: students are linear in
features, so that a retraining moves every row a little, as it does in real histories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oversight.measurement.platt import sigmoid
from oversight.research.model import Floats, Gold
from oversight.research.vault import Policy, keep, limit, wire
from oversight.research.vault.keeper import Keeper

DRAWS = 3
FEATURES = 12
SIZES = {"first": 1_600, "second": 1_100, "third": 600}
AWAY = {"weak": 1.2, "naive": 0.9, "human_only": 0.8, "default": 0.7, "ceiling": 0.2}
"""How far the weights of a series are off the true ones, as a share of their length: the farther, the poorer."""

_BASE = -2.7  # log-odds: a tenth of the changes are risky
_LENGTH = 1.3  # of the true weights: the ceiling has an AUROC of about .8


@dataclass(frozen=True)
class World:
    """Test changes of several repositories: `features` (T, D) by name, the `truth` about them (D,), and what a vault
    keeps of them.
    """

    features: Mapping[str, Floats]
    truth: Floats
    golds: Mapping[str, Gold]

    @property
    def studied(self) -> list[str]:
        """The grounds that queries are about."""
        return [name for name, gold in self.golds.items() if gold.role == "study"]

    def default(self) -> dict[str, Floats]:
        """Return what the hand-chosen method says, (K, T) by ground."""
        return {name: self.golds[name].series["default"].astype(np.float64) for name in self.studied}

    def student(self, away: float, seed: int | list[int]) -> dict[str, Floats]:
        """Return what a student says, (K, T) by ground, whose weights are so far from the true ones."""
        return {name: _series(self.features[name], self.truth, away, seed) for name in self.studied}


def world(
    seed: int = 0, sizes: Mapping[str, int] | None = None, confirmation: Mapping[str, int] | None = None
) -> World:
    """Make repositories of so many changes, those for `confirmation` beside them."""
    generator = np.random.default_rng(seed)
    truth = generator.standard_normal(FEATURES)
    truth *= _LENGTH / np.linalg.norm(truth)
    features: dict[str, Floats] = {}
    golds: dict[str, Gold] = {}
    for name, size in {**(sizes or SIZES), **(confirmation or {})}.items():
        features[name] = generator.standard_normal((size, FEATURES))
        risky = generator.random(size) < sigmoid(features[name] @ truth + _BASE)
        times = 1.6e9 + 3e7 * np.sort(generator.random(size))
        series = {
            one: _series(features[name], truth, away, [seed, number]).astype(np.float32)
            for number, (one, away) in enumerate(AWAY.items(), 1)
        }
        golds[name] = Gold(name, "confirmation" if name in (confirmation or {}) else "study", risky, times, series)
    return World(features, truth, golds)


def _series(features: Floats, truth: Floats, away: float, seed: int | list[int]) -> Floats:
    """Return P(risky) (K, T) by weights that are `away` from the true ones, a third of that in a way of each draw."""
    generator = np.random.default_rng(seed)
    ways = generator.standard_normal((1 + DRAWS, FEATURES))
    ways -= (ways @ truth / (truth @ truth))[:, None] * truth
    ways *= away * _LENGTH / np.linalg.norm(ways, axis=1, keepdims=True)
    weights = truth + np.sqrt(2 / 3) * ways[0] + np.sqrt(1 / 3) * ways[1:]
    return sigmoid(weights @ features.T + _BASE)


def laid(folder: Path, made: World, policy: Policy | None = None, *, seed: int = 1) -> Path:
    """Put a world into a vault, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if policy is not None:
        limit(folder, policy)
    for gold in made.golds.values():
        keep(folder, gold, seed=seed)
    return folder


class Asker:
    """Asks a vault that is open in this process, in the words of its pipe, a new experiment each time."""

    def __init__(self, keeper: Keeper, researcher: str = "somebody") -> None:
        self.keeper, self.researcher = keeper, researcher
        self.answers: list[dict[str, Any]] = []

    def __call__(self, predictions: Mapping[str, Floats], **proxies: float) -> dict[str, Any]:
        """Return the vault's answer."""
        name = f"{self.researcher}-{len(self.answers)}"
        told = asked(name, self.researcher, predictions, **proxies)
        self.answers.append(self.keeper.answer(wire.request(told)))
        return self.answers[-1]


def asked(name: str, researcher: str, predictions: Mapping[str, Floats], **proxies: float) -> bytes:
    """Return the line of a query about a configuration of its own."""
    return wire.line(
        "ask",
        experiment=name,
        researcher=researcher,
        configuration=f"that of {name}",
        method="naive",
        proxies=proxies,
        predictions=dict(predictions),
    )
