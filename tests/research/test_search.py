"""The offline researchers: what they propose, and what optuna is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import FixedTrial

from oversight.research import space
from oversight.research.model import WRITTEN, Answer, Configuration, Experiment, Proposal, Screen
from oversight.research.proposers import Known
from oversight.research.proposers.search import STARTING, _configuration, _trial, _worth, searchers
from oversight.research.study import Result


def result(configuration: Configuration, number: int = 0, researcher: str = "x", auroc: float = 0.7) -> Result:
    experiment = Experiment(number, 1, researcher, Proposal(configuration, ""))
    return Result(experiment, Screen(auroc, 0.5), None, 1.0)


@pytest.mark.parametrize("seed", range(12))
def test_what_optuna_is_told_is_what_was_tried(seed: int) -> None:
    """A configuration becomes a trial, and the trial's values the same configuration again."""
    found = space.drawn(np.random.default_rng(seed))
    trial = _trial(result(found))
    assert trial is not None
    assert _configuration(FixedTrial(trial.params)) == found  # type: ignore[arg-type]


def test_what_is_outside_of_the_search_is_not_told() -> None:
    """Written methods and three arounds have no place among optuna's parameters."""
    deep = "seed-ensemble+epiplexity+confident-filter+mixed"
    for configuration in (Configuration(WRITTEN, {}, "METHOD = 1"), Configuration(deep)):
        assert _trial(result(configuration)) is None


def test_the_vault_stands_above_all_screens() -> None:
    """Best answers rank above every screen, refused and failed ones below."""
    plain = result(Configuration("mixed"), auroc=0.99)
    best = replace(plain, answer=Answer("best", 0.5, 0.5, 3), screen=Screen(0.6, 0.5))
    refused = replace(plain, answer=Answer("refused", None, 0.5, 3))
    failed = replace(plain, screen=None, error="it was lost")
    late = replace(plain, error="it took longer than 600 seconds")
    assert _worth(best) > _worth(plain) > _worth(refused)
    assert _worth(refused) == _worth(failed) == _worth(late)


def test_a_researcher_starts_at_home_and_then_searches() -> None:
    """The first proposals are of a researcher's own families; later ones lean to what everybody's results favour."""
    searcher = searchers(3)[0]
    results: list[Result] = []
    for number in range(STARTING):
        proposal = searcher.propose(Known(results, [], number))
        assert proposal is not None
        assert set(proposal.configuration.parts) & set(searcher.families)
        results.append(result(proposal.configuration, number, searcher.name, 0.5))
    generator = np.random.default_rng(0)
    for number in range(STARTING, 60):
        found = space.drawn(generator)
        results.append(result(found, number, "y", 0.9 if found.family == "window" else 0.5))
    later = [searcher.propose(Known(results, [], number)) for number in range(60, 72)]
    assert sum(one is not None and one.configuration.family == "window" for one in later) >= 4


def test_what_others_propose_is_not_proposed_again() -> None:
    """Two researchers of one round never try the same."""
    searcher = searchers(0)[0]
    first = searcher.propose(Known([], [], 1))
    assert first is not None
    second = searcher.propose(Known([], [], 1, frozenset({first.configuration.identity})))
    assert second is not None
    assert second.configuration.identity != first.configuration.identity
