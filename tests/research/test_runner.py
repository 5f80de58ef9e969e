"""Workers: what a training sees, what it may use, and what is believed of its answers."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from oversight.measurement.metrics import auroc
from oversight.research import runner
from oversight.research.lessons import Lesson
from oversight.research.model import Configuration
from oversight.research.runner import Clock, TrainingError, Worker
from oversight.research.worker.limits import Limits
from tests.research.grounds import world

LIMITS = Limits(wall=60.0)
WORLD = world()
GROUNDS = [WORLD.ground]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One warm worker for all tests."""
    with Worker(GROUNDS, LIMITS) as made:
        yield made


def test_a_screen_orders_labels_that_were_held_out(worker: Worker) -> None:
    """The screen of a method that learns is above chance, and comes out the same again."""
    configuration, clock = Configuration("mixed", {"head.variance": 0.02}), Clock(LIMITS)
    found = runner.screen(worker, GROUNDS, configuration, clock)
    assert found.auroc > 0.7
    assert clock.seconds > 0
    assert runner.screen(worker, GROUNDS, configuration, Clock(LIMITS)) == found


def test_a_screen_hears_no_held_out_label(worker: Worker) -> None:
    """With the held-out labels turned round the predictions stay, so that the figure is turned round too."""
    ground = GROUNDS[0]
    turned = replace(
        ground,
        draws=tuple(
            replace(draw, folds=tuple(replace(fold, truth=~fold.truth) for fold in draw.folds)) for draw in ground.draws
        ),
    )
    straight = runner.screen(worker, GROUNDS, Configuration("mixed"), Clock(LIMITS))
    assert runner.screen(worker, [turned], Configuration("mixed"), Clock(LIMITS)).auroc == pytest.approx(
        1 - straight.auroc
    )


def test_predictions_are_of_the_test_rows_in_their_order(worker: Worker) -> None:
    """A row for each draw, as good as a student's, and the same whatever order they were asked in."""
    configuration = Configuration("seed-ensemble+mixed", {"seed-ensemble.size": 3})
    found, proxies = runner.predicted(worker, GROUNDS, configuration, Clock(LIMITS), seed=1)
    again, _ = runner.predicted(worker, GROUNDS, configuration, Clock(LIMITS), seed=2)
    assert found["a"].shape == (2, WORLD.truth.size)
    assert found["a"].dtype == np.float32
    assert auroc(WORLD.truth > 0, found["a"][0]).require() > 0.7
    assert proxies["order"] < 1e-5
    assert 0 < proxies["misfit"] < 1
    np.testing.assert_allclose(found["a"], again["a"], atol=2e-6)


def test_a_method_that_cannot_learn_says_why(worker: Worker) -> None:
    """An experiment that fails is a result with a reason, and its worker goes on."""
    rows = np.arange(3)
    poor = Lesson(rows, np.full(3, np.nan), np.ones(3))
    with (
        pytest.raises(TrainingError, match="too little to learn from"),
        worker.training("a", poor, Configuration("human-only"), seed=0, clock=Clock(LIMITS)),
    ):
        pass
    assert runner.screen(worker, GROUNDS, Configuration("naive"), Clock(LIMITS)).auroc > 0.5


def test_an_experiment_ends_at_its_limits(worker: Worker) -> None:
    """One that takes too long is a result with a reason, and the next one has another worker."""
    with pytest.raises(TrainingError, match="longer than"):
        runner.screen(worker, GROUNDS, Configuration("naive"), Clock(Limits(wall=0.0)))
    found = runner.screen(worker, GROUNDS, Configuration("naive"), Clock(LIMITS))
    assert found.auroc > 0.5


LIAR = """
import json, struct, sys
for told in json.loads(sys.argv[1]):
    head = json.dumps(told).encode()
    sys.stdout.buffer.write(struct.pack("<QQ", len(head), told.get("more", 0)) + head)
sys.stdout.flush()
sys.stdin.read()
"""
"""A worker that says what it was told to say, whatever it is sent."""


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"kind": "fitted", "seconds": math.nan}, "it answered what was not asked"),
        ({"kind": "fitted", "seconds": 10**400}, "it answered what was not asked"),
        ({"kind": "failed", "error": "x" * 100_000}, "it raised " + "x" * 300),
        ({"kind": "failed", "error": "\ud800"}, "it raised ?"),
        ({"kind": "fitted", "more": 1 << 29}, "the worker is lost: a frame is too long"),
    ],
)
def test_what_a_sandbox_says_of_itself_can_be_written_down(says: dict[str, object], reason: str) -> None:
    """Its code may have taken it over: seconds are those of our clock, and its words are cut."""
    clock = Clock(LIMITS)
    with Worker(GROUNDS, LIMITS) as made:
        made._written = True
        made._command = [sys.executable, "-I", "-c", LIAR, json.dumps([{"kind": "ready"}, says, {"kind": "what"}])]
        with pytest.raises(TrainingError) as caught:
            runner.screen(made, GROUNDS, Configuration("naive"), clock)
        assert caught.value.reason == reason
        assert json.dumps(clock.seconds, allow_nan=False)
        assert 0 <= clock.seconds < LIMITS.wall
        assert made._process is None


def test_a_closed_worker_starts_no_other() -> None:
    """What is still waiting for a worker when a run ends comes to an end as well."""
    made = Worker(GROUNDS, LIMITS)
    made.close()
    began = time.monotonic()
    with pytest.raises(TrainingError, match="has ended"):
        runner.screen(made, GROUNDS, Configuration("naive"), Clock(LIMITS))
    assert time.monotonic() - began < LIMITS.wall
