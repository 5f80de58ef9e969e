"""Cheaters that truly try, on a leaderboard that tells every score and on the vault.

Each is given as many queries as a whole study has and its best strategy (`benchmarks/vault_attacks.py`). On the
leaderboard that tells everything it has to win on the half that it asks about: an attack that wins nowhere would prove
nothing. What counts is the sealed half, of which no answer tells anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.vault_attacks import ATTACKS, Outcome, attacked, generous
from benchmarks.vault_world import Asker, World, laid, world
from oversight.measurement.platt import logit, sigmoid
from oversight.research.model import Floats
from oversight.research.vault import Policy
from oversight.research.vault.keeper import Keeper

MADE = world(0, {"first": 900})
QUERIES = 120


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, bool], Outcome]:
    """What every attack comes to, on the leaderboard that tells everything (False) and on the vault (True)."""
    return {
        (name, guarded): attacked(
            MADE, attack, generous() if guarded else None, tmp_path_factory.mktemp("vault"), queries=QUERIES, seed=1
        )
        for name, attack in ATTACKS.items()
        for guarded in (False, True)
    }


@pytest.mark.parametrize("name", [name for name in ATTACKS if name != "picking seeds"])
def test_attacks_work_where_every_score_is_told(outcomes: Mapping[tuple[str, bool], Outcome], name: str) -> None:
    """A tenth of the gap and more on the half that was asked about, which is worth nothing on the other."""
    outcome = outcomes[name, False]
    assert outcome.open > 0.1
    assert outcome.sealed < 0.05


@pytest.mark.parametrize("name", list(ATTACKS))
def test_no_cheater_gains_on_the_sealed_half(outcomes: Mapping[tuple[str, bool], Outcome], name: str) -> None:
    """With all queries of a study; and less than half of what the same attack wins elsewhere on the open half."""
    outcome = outcomes[name, True]
    assert outcome.sealed < 0.05
    assert outcome.open <= max(0.5 * outcomes[name, False].open, 0.05)
    assert outcome.bests <= 6


def test_whoever_reads_labels_one_by_one_is_caught_each_time(
    outcomes: Mapping[tuple[str, bool], Outcome],
) -> None:
    """Every query that moves one row is refused, and so is many a one that moves a tenth and jogs the rest."""
    assert outcomes["label by label", True] == Outcome(0.0, 0.0, 0, QUERIES)
    assert outcomes["by groups, jogged", True].refused > QUERIES / 3


def test_the_most_frequent_answer_gains_nothing(tmp_path: Path) -> None:
    """One answer for everything is refused; with noise that breaks the ties it is a guess, and is not better."""
    generator = np.random.default_rng(0)
    with closing(Keeper(laid(tmp_path, MADE), people=False)) as keeper:
        ask = Asker(keeper)
        clean = ask({name: np.zeros_like(runs) for name, runs in MADE.default().items()})
        assert (clean["answer"], clean["flags"]) == ("refused", ["most-frequent"])
        for _ in range(10):
            noise = {name: 1e-4 * generator.random(runs.shape) for name, runs in MADE.default().items()}
            assert ask(noise)["answer"] == "not better"


def test_nobody_climbs_from_the_bottom(tmp_path: Path) -> None:
    """Whoever begins with the worst answer and improves it step by step is told of no step below the default."""
    default = MADE.default()
    with closing(Keeper(laid(tmp_path, MADE, generous()), people=False)) as keeper:
        ask = Asker(keeper)
        generator = np.random.default_rng(0)
        for share in np.linspace(-1, 0.9, 40):
            noise = {name: generator.standard_normal(runs.shape[1]) for name, runs in default.items()}
            mixed = {name: sigmoid(share * logit(runs) + 0.6 * noise[name]) for name, runs in default.items()}
            assert ask(mixed)["score"] is None


def test_asking_about_the_same_rows_does_not_average_the_rotation_out(tmp_path: Path) -> None:
    """The same predictions again get the answer of the ledger, or are a copy: there is one answer about them."""
    student = MADE.student(0.6, 3)
    with closing(Keeper(laid(tmp_path, MADE, generous()), people=False)) as keeper:
        ask = Asker(keeper)
        assert ask(student)["answer"] != "refused"
        generator = np.random.default_rng(0)
        for size in (0.0, 1e-6, 1e-3, 1e-2):
            jogged = {
                name: sigmoid(logit(runs) + size * generator.standard_normal(runs.shape[1]))
                for name, runs in student.items()
            }
            assert ask(jogged)["flags"] == ["copy"]


def test_many_names_have_no_more_queries_than_one(tmp_path: Path) -> None:
    """A cheater that calls itself somebody else each time ends at the limit of the study."""
    with closing(Keeper(laid(tmp_path, MADE, Policy(queries=6, each=2)), people=False)) as keeper:
        said = [Asker(keeper, f"name{number}")(_student(MADE, number))["reason"] for number in range(8)]
    assert said[6:] == ["no queries are left"] * 2


def _student(made: World, number: int) -> dict[str, Floats]:
    return made.student(0.75, [40, number + 1])
