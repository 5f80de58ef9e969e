"""What cheaters gain from a leaderboard that tells every score, and from the vault.

    python -m benchmarks.vault_attacks

Every cheater begins with what everybody has, the predictions of the default, and may ask `QUERIES` times. What it hands
in at the end is scored on the half that it asked about and on the sealed one, in PGR above the default.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.vault_world import Asker, World, laid, world
from oversight.measurement.platt import logit, sigmoid
from oversight.research.model import Floats
from oversight.research.vault import Policy
from oversight.research.vault.gold import Ground, grounds_of
from oversight.research.vault.keeper import Keeper
from oversight.research.vault.scoring import Predictions, mean_auroc, scale_of, series_of

QUERIES = 200
WORLDS = 5

Scores: TypeAlias = dict[str, Floats]
"""Log-odds by ground, (K draws, T changes)."""


@dataclass(frozen=True)
class Reply:
    """What a leaderboard says: whether the best was beaten, and the exact score where it tells one of everything."""

    best: bool
    score: float | None


Board: TypeAlias = Callable[[Predictions], Reply]
Attack: TypeAlias = Callable[[World, Board, np.random.Generator, int], Predictions]


@dataclass(frozen=True)
class Outcome:
    """What an attack came to: PGR above the default on the open and the sealed half, and how often it was told "best"
    and refused.
    """

    open: float
    sealed: float
    bests: int
    refused: int


class Judge:
    """Measures what a vault's grounds would never tell: exact scores on either half."""

    def __init__(self, vault: Path) -> None:
        self._grounds: list[Ground] = [one for one in grounds_of(vault).values() if not one.confirmation]
        self._open = {one.name: one.open for one in self._grounds}
        self._sealed = {one.name: ~one.open for one in self._grounds}
        self._default = series_of(self._grounds, "default")

    def gain(self, predictions: Predictions, *, sealed: bool) -> float:
        """Return PGR above the default's on one half."""
        rows = self._sealed if sealed else self._open
        ends = scale_of(self._grounds, rows)
        scores = (mean_auroc(self._grounds, one, rows) for one in (predictions, self._default))
        reached, before = (ends.pgr(score) for score in scores)
        return reached - before

    def naive(self) -> Board:
        """Return a leaderboard that tells every score on the open half, to the last digit."""
        highest = 0.0

        def board(predictions: Predictions) -> Reply:
            nonlocal highest
            score = self.gain(predictions, sealed=False)
            best, highest = score > highest, max(score, highest)
            return Reply(best, score)

        return board


def guarded(asker: Asker) -> Board:
    """Return the vault as a leaderboard."""

    def board(predictions: Predictions) -> Reply:
        return Reply(asker(predictions)["answer"] == "best", None)

    return board


def prober(made: World, board: Board, generator: np.random.Generator, queries: int) -> Predictions:
    """Read labels one by one: put one change on top, and leave it there or at the bottom by what the board says."""
    held = _scores(made)
    for _ in range(queries):
        name = str(generator.choice(list(held)))
        row, end = (
            int(generator.integers(held[name].shape[1])),
            1 + max(float(np.abs(runs).max()) for runs in held.values()),
        )
        tried = {one: runs.copy() for one, runs in held.items()}
        tried[name][:, row] = end
        reply = board(_predictions(tried))
        if reply.best or reply.score is not None:
            held = tried
            held[name][:, row] = end if reply.best else -end
    return _predictions(held)


def grouper(made: World, board: Board, generator: np.random.Generator, queries: int) -> Predictions:
    """Read labels by the group, past detectors: push a tenth of the changes up or down, and jog all others a little."""

    def step(runs: Floats) -> Floats:
        pushed: Floats = generator.choice([-1.5, 1.5], runs.shape[1]) * (generator.random(runs.shape[1]) < 0.1)
        return pushed + 0.05 * generator.standard_normal(runs.shape[1])

    return _climbed(made, board, step, queries)


def climber(made: World, board: Board, generator: np.random.Generator, queries: int) -> Predictions:
    """Climb at random: add noise to the best so far, and keep what the board calls better."""
    return _climbed(made, board, lambda runs: 0.15 * runs.std() * generator.standard_normal(runs.shape[1]), queries)


def booster(made: World, board: Board, generator: np.random.Generator, queries: int) -> Predictions:
    """Join random guesses by what the board says of each (Blum & Hardt 2015): by its score, or as a vote of those that
    were called best. The last tenth of the queries is for how far to go along the sum.
    """
    begin = _scores(made)
    guesses = queries - queries // 10
    total = {name: np.zeros(runs.shape[1]) for name, runs in begin.items()}
    for _ in range(guesses):
        guess = {name: generator.standard_normal(runs.shape[1]) for name, runs in begin.items()}
        reply = board(_predictions({name: runs + 0.3 * runs.std() * guess[name] for name, runs in begin.items()}))
        weight = float(reply.best) if reply.score is None else reply.score
        for name in total:
            total[name] += weight * guess[name]
    held, highest = begin, 0.0
    for number in range(1, queries - guesses + 1):
        tried = {name: runs + 0.05 * number * runs.std() * _scaled(total[name]) for name, runs in begin.items()}
        reply = board(_predictions(tried))
        if reply.best if reply.score is None else reply.score > highest:
            held, highest = tried, reply.score or highest
    return _predictions(held)


def seed_picker(made: World, board: Board, generator: np.random.Generator, queries: int) -> Predictions:
    """Train the default with another seed each time, and keep the luckiest."""
    held = made.default()
    for _ in range(queries):
        nudge = {name: 0.03 * generator.standard_normal(made.truth.size) for name in held}
        tried = {
            name: sigmoid(logit(runs) + made.features[name] @ nudge[name]) for name, runs in made.default().items()
        }
        if board(tried).best:
            held = tried
    return held


ATTACKS: Mapping[str, Attack] = {
    "label by label": prober,
    "by groups, jogged": grouper,
    "climbing at random": climber,
    "boosting random guesses": booster,
    "picking seeds": seed_picker,
}


def attacked(
    made: World, attack: Attack, policy: Policy | None, folder: Path, *, queries: int = QUERIES, seed: int = 0
) -> Outcome:
    """Let a cheater ask so often: a vault under a policy, or a leaderboard that tells everything."""
    generator = np.random.default_rng(seed)
    judge = Judge(laid(folder, made, policy))
    if policy is None:
        reached = attack(made, judge.naive(), generator, queries)
        return Outcome(judge.gain(reached, sealed=False), judge.gain(reached, sealed=True), 0, 0)
    keeper = Keeper(folder, people=False)
    asker = Asker(keeper)
    reached = attack(made, guarded(asker), generator, queries)
    keeper.close()
    said = [answer["answer"] for answer in asker.answers]
    gains = judge.gain(reached, sealed=False), judge.gain(reached, sealed=True)
    return Outcome(*gains, said.count("best"), said.count("refused"))


def generous() -> Policy:
    """Return a policy that lets one cheater ask as often as it likes."""
    return Policy(queries=QUERIES, each=QUERIES)


def _climbed(made: World, board: Board, step: Callable[[Floats], Floats], queries: int) -> Predictions:
    held = _scores(made)
    for _ in range(queries):
        tried = {name: runs + step(runs) for name, runs in held.items()}
        if board(_predictions(tried)).best:
            held = tried
    return _predictions(held)


def _scores(made: World) -> Scores:
    return {name: logit(runs) for name, runs in made.default().items()}


def _predictions(scores: Scores) -> Scores:
    return {name: sigmoid(runs) for name, runs in scores.items()}


def _scaled(values: Floats) -> Floats:
    scaled: Floats = values / (values.std() or 1.0)
    return scaled


def main() -> None:
    """Print the table."""
    boards: Mapping[str, tuple[Policy | None, int]] = {
        "every score": (None, QUERIES),
        "vault, as it is": (Policy(), Policy().each),
        "vault, no limit": (generous(), QUERIES),
        "vault, no limit, none dearer": (Policy(QUERIES, QUERIES, steeper=0.0), QUERIES),
    }
    print("| cheater | leaderboard | queries | open half | sealed half | told best | refused |")
    print("|---|---|---|---|---|---|---|")
    for name, attack in ATTACKS.items():
        for board, (policy, queries) in boards.items():
            found = []
            for seed in range(WORLDS):
                with tempfile.TemporaryDirectory() as folder:
                    outcome = attacked(world(seed), attack, policy, Path(folder), queries=queries, seed=seed)
                found.append(outcome)
            gains = f"{_told([one.open for one in found])} | {_told([one.sealed for one in found])}"
            counts = f"{np.mean([one.bests for one in found]):.1f} | {np.mean([one.refused for one in found]):.0f}"
            print(f"| {name} | {board} | {queries} | {gains} | {counts} |", flush=True)


def _told(gains: list[float]) -> str:
    """Return the mean and its standard error."""
    return f"{np.mean(gains):+.2f} ± {np.std(gains, ddof=1) / np.sqrt(len(gains)):.2f}"


if __name__ == "__main__":
    main()
