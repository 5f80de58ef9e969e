"""Workers that several experiments share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from oversight.research.laboratory import _Pool
from oversight.research.runner import TrainingError
from oversight.research.worker.limits import Limits


@pytest.fixture(name="pool")
def pool_fixture() -> Iterator[_Pool]:
    """One worker, which is never started: what is done with it here trains nothing."""
    pool = _Pool((), Limits(), 1)
    yield pool
    pool.close()


def test_a_dear_experiment_keeps_no_other_waiting(pool: _Pool) -> None:
    """Whoever comes later is served in turn, and not after all that the first one asked for."""
    order: list[str] = []
    started, together = threading.Event(), threading.Event()

    def first(_worker: object) -> None:
        started.set()
        together.wait(30)
        order.append("dear")

    with ThreadPoolExecutor(2) as threads:
        dear = threads.submit(pool.spread, [first, *[lambda _: order.append("dear")] * 20])
        started.wait(30)
        quick = threads.submit(pool.spread, [lambda _: order.append("quick")] * 3)
        while pool._waiting.qsize() < 23:
            pass
        together.set()
        assert quick.result(30) == [None] * 3
        assert len(dear.result(30)) == 21
    assert [place for place, one in enumerate(order) if one == "quick"][-1] <= 6


def test_what_fails_takes_along_what_waits_for_it_alone(pool: _Pool) -> None:
    """The first error is raised when none of its tasks runs any more; those of others are done."""

    def wrong(_worker: object) -> None:
        raise TrainingError("it came to nothing")

    with pytest.raises(TrainingError, match="came to nothing"):
        pool.spread([wrong, *[lambda _: None] * 3])
    assert pool.spread([lambda _: 7]) == [7]


def test_what_waits_at_the_end_comes_to_an_end() -> None:
    """Closing leaves nobody waiting, and no thread."""
    pool, before = _Pool((), Limits(), 2), threading.active_count()
    assert pool.spread([lambda _: 1] * 5) == [1] * 5
    pool.close()
    assert threading.active_count() == before - 2
    with pytest.raises(TrainingError, match="the run has ended"):  # an experiment that begins while all of it ends
        pool.spread([lambda _: 1])
