"""Screens that are broken off: only where the draws that are missing would change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oversight.cli.research.running import _wall
from oversight.research import runner
from oversight.research.laboratory import Laboratory
from oversight.research.model import Configuration, Experiment, Proposal, Screen, screen_of
from oversight.research.racing import NEWEST, Race, promising, race
from oversight.research.references import REFERENCES
from oversight.research.runner import Clock, Worker
from oversight.research.study import Result
from oversight.research.worker.limits import Limits
from tests.research.grounds import study, world

GROUNDS = [world().ground]
LIMITS = Limits()
PACE = (0.70, 0.60, 0.80, 0.75, 0.65)


def result(number: int, by_draw: Sequence[float], *, whole: bool = True, default: bool = False) -> Result:
    """A result of which the screen alone matters."""
    parameters = {"mixed.weak_weight": 0.1 + number / 1000}
    configuration = REFERENCES["default"] if default else Configuration("mixed", parameters)
    screen = Screen(float(np.mean(by_draw)), 0.4, tuple(by_draw), whole)
    return Result(Experiment(number, 1, "mixer", Proposal(configuration, "")), screen, None, 1.0)


def drawn(generator: np.random.Generator, level: float, noise: float) -> tuple[float, ...]:
    """Draws of an experiment that is `level` better than the default."""
    return tuple(float(one + level + generator.normal(0, noise)) for one in PACE)


def results(noise: float = 0.01, count: int = 30) -> list[Result]:
    """The default, and experiments about it."""
    generator = np.random.default_rng(0)
    others = [result(one, drawn(generator, generator.normal(0, 0.02), noise)) for one in range(1, count)]
    return [result(0, PACE, default=True), *others]


def test_the_rest_is_foretold_from_what_the_default_did() -> None:
    """Draws that are hard are hard for all: two easy draws promise nothing."""
    against = Race(0.7, PACE, (0.01,) * 4)
    assert against.foretold((0.71, 0.61)) == pytest.approx(0.71)
    assert against.foretold(PACE) == pytest.approx(np.mean(PACE))
    assert against.lost((0.68, 0.58))
    assert not against.lost((0.695, 0.595))
    assert not against.lost(())
    assert not against.lost((0.1,) * 5)


def test_nothing_is_broken_off_before_anybody_knows_how_far_forecasts_miss() -> None:
    """It takes a pace, and screens that ran to the end."""
    known = results()
    assert not race(known[1:], 0.7).lost((0.1, 0.1))
    assert not race(known[:8], 0.7).lost((0.1, 0.1))
    assert race(known[:9], 0.7).lost((0.1, 0.1))
    broken = [result(50 + one, (0.1, 0.1), whole=False) for one in range(9)]
    assert race(known[:8] + broken, 0.7) == race(known[:8], 0.7)


def test_hardly_any_that_would_have_reached_the_bar_is_broken_off() -> None:
    """About one in forty at a draw, and most of those that would not."""
    generator = np.random.default_rng(1)
    against = race(results(), float(np.quantile([one.screen.auroc for one in results() if one.screen], 2 / 3)))
    screens = [drawn(generator, generator.normal(0, 0.02), 0.01) for _ in range(2000)]
    lost = [any(against.lost(one[:seen]) for seen in range(1, 5)) for one in screens]
    reach = np.mean(screens, axis=1) >= against.bar
    assert np.mean(np.array(lost)[reach]) < 0.08
    assert np.mean(np.array(lost)[~reach]) > 0.6
    assert against.slack == tuple(sorted(against.slack, reverse=True))


def test_a_worker_trains_no_draw_that_could_not_matter() -> None:
    """The screen says so, and what it would have come to."""
    with Worker(GROUNDS, LIMITS) as worker:
        whole = runner.screen(worker, GROUNDS, Configuration("mixed"), Clock(LIMITS))
        assert whole.whole
        assert len(whole.by_draw) == len(GROUNDS[0].draws) > 1
        assert whole.auroc == pytest.approx(np.mean(whole.by_draw))
        hopeless = Race(1.0, whole.by_draw, (0.0,) * (len(whole.by_draw) - 1))
        broken = runner.screen(worker, GROUNDS, Configuration("naive"), Clock(LIMITS), hopeless)
        assert (len(broken.by_draw), broken.whole) == (1, False)
        assert broken.auroc == pytest.approx(hopeless.foretold(broken.by_draw))
        assert broken.after == ", broken off after 1 draw"
        assert runner.screen(worker, GROUNDS, Configuration("mixed"), Clock(LIMITS), Race(0.0)) == whole


def test_a_screen_from_before_there_were_races_is_read() -> None:
    """As one that is whole and of which no draw is known: it says nothing of forecasts."""
    old = screen_of({"auroc": 0.7, "log_loss": 0.4})
    assert (old.by_draw, old.whole, old.after) == ((), True, "")
    with pytest.raises(KeyError):
        screen_of({"auroc": 0.7})


def test_trainings_that_are_spread_over_workers_come_to_the_same(tmp_path: Path) -> None:
    """Those of one experiment run on all workers: nothing depends on which is done first, and what fails ends alone."""
    one = study(tmp_path / "s", world())
    wrong = Experiment(3, 1, "mixer", Proposal(Configuration("mixed", {"mixed.nothing": 1.0}), ""))
    experiments = [wrong, result(4, PACE).experiment, result(5, PACE).experiment]
    told = []
    for jobs in (1, 2):
        with Laboratory(one, jobs=jobs, limits=LIMITS) as laboratory:
            told.append(list(laboratory.train(experiments, Race())))
    assert {(found[0].screen, bool(found[0].error)) for found in told} == {(None, True)}
    for alone, together in zip(told[0][1:], told[1][1:], strict=True):
        assert alone.screen == together.screen
        assert alone.predictions is not None
        assert together.predictions is not None
        np.testing.assert_array_equal(alone.predictions["a"], together.predictions["a"])
        assert alone.proxies == together.proxies


def test_what_is_promising_is_told_from_the_newest_screens() -> None:
    """A search leaves its beginnings behind: it takes more to be among the best third of what it proposes now."""
    assert promising([]) == 0.0
    early = [result(number, (0.6,)) for number in range(NEWEST)]
    late = [result(NEWEST + number, (0.7 + number / 1000,)) for number in range(NEWEST)]
    assert promising(early) == pytest.approx(0.6)
    assert promising([*early, *late[:1]]) == pytest.approx(0.6)
    assert promising([*early, *late]) == pytest.approx(promising(late))
    failed = replace(late[0], screen=None, error="it was lost")
    assert promising([*late, *[failed] * NEWEST]) == pytest.approx(promising(late))


@pytest.mark.parametrize(
    ("hours", "left", "seconds"), [(None, 200, 600), (1.0, 200, 90), (1.0, 10, 600), (1.0, 2000, 60), (0.0, 0, 60)]
)
def test_an_experiment_may_take_five_times_its_share(hours: float | None, left: int, seconds: float) -> None:
    """Unless --wall says otherwise: so that what is dear leaves the others their time."""
    assert _wall(hours, left) == seconds
