"""Where experiments are carried out: so many workers at once, and a thread for each of them."""

from __future__ import annotations

import itertools
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from oversight.errors import OversightError, ResearchError
from oversight.research import runner
from oversight.research.lessons import Ground
from oversight.research.model import Configuration, Experiment, Screen
from oversight.research.racing import Race
from oversight.research.runner import Clock, TrainingError, Worker, Workers
from oversight.research.study import Study
from oversight.research.worker.limits import Limits

_T = TypeVar("_T")
_Waiting: TypeAlias = tuple[int, int, Future[Any], Callable[[Worker], Any]]  # by place among its own, then by arrival


@dataclass(frozen=True)
class Outcome:
    """What became of an experiment. `screen` None where it failed, with the `error`; `predictions` by ground, (K, T),
    None where its screen was below the bar. `seconds` are the processor's.
    """

    screen: Screen | None
    seconds: float
    error: str = ""
    predictions: Mapping[str, NDArray[np.float32]] | None = None
    proxies: Mapping[str, float] = field(default_factory=dict)


class Trainer(Protocol):
    """What the director wants of a laboratory."""

    def train(self, experiments: Sequence[Experiment], race: Race) -> Iterator[Outcome]:
        """Yield what became of each experiment, in order; those whose screen is below the bar predict nothing."""
        ...


def predictions(
    study: Study, configuration: Configuration, names: Sequence[str], *, limits: Limits | None = None
) -> dict[str, NDArray[np.float32]]:
    """Return P(risky) of the test rows of grounds of a study, of either kind, by name, (K, T): an experiment as a run
    would carry it out, for promotion and confirmation. `ResearchError` where it comes to nothing.
    """
    bounds = limits or Limits()
    grounds = [study.ground(name) for name in names]
    with Worker(grounds, bounds, written=configuration.code is not None, hidden=study.folder) as worker:
        try:
            return runner.predicted(worker, grounds, configuration, Clock(bounds), seed=study.plan.seed)[0]
        except TrainingError as error:
            raise ResearchError(
                f"the training came to nothing: {error.reason}", mend="promote another experiment, or give it more time"
            ) from error


class _Pool:
    """`jobs` workers, and a thread for each: the trainings of all experiments are spread over them. Of experiments that
    wait the one goes first of which fewest trainings have begun since it asked: a dear one keeps no other waiting.
    """

    def __init__(self, grounds: Sequence[Ground], limits: Limits, jobs: int) -> None:
        self._workers = [Worker(grounds, limits) for _ in range(jobs)]
        self._waiting: queue.PriorityQueue[_Waiting] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._end: Future[Any] = Future()
        self._closing = threading.Lock()
        self._closed = False
        self._threads = ThreadPoolExecutor(jobs)
        for worker in self._workers:
            self._threads.submit(self._serve, worker)

    def spread(self, tasks: Sequence[Callable[[Worker], _T]]) -> list[_T]:
        """Run tasks, each with a worker that is idle, and return what they return, in order."""
        begun: list[Future[_T]] = [Future() for _ in tasks]
        with self._closing:
            if self._closed:
                raise TrainingError("the run has ended")
            for place, (future, task) in enumerate(zip(begun, tasks, strict=True)):
                self._waiting.put((place, next(self._numbers), future, task))
        try:
            return [one.result() for one in begun]
        except BaseException:
            for one in begun:
                one.cancel()
            wait(begun)
            raise

    def _serve(self, worker: Worker) -> None:
        while True:
            _, _, future, task = self._waiting.get()
            if future is self._end:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task(worker))
            except BaseException as error:  # whoever waits for it hears of it
                future.set_exception(error)

    def close(self) -> None:
        """End all workers; what waits for them comes to an end."""
        for worker in self._workers:
            worker.close()  # and what is still waiting is told so
        with self._closing:
            self._closed = True
            for _ in self._workers:
                self._waiting.put((sys.maxsize, next(self._numbers), self._end, _nothing))
        self._threads.shutdown()


def _nothing(_worker: Worker) -> None:
    """What is left to do at the end."""


class Laboratory:
    """`jobs` workers on a study's grounds, as a context manager. So many experiments are under way at once; the last
    one of a round has all workers to itself.
    """

    def __init__(self, study: Study, *, jobs: int = 1, limits: Limits | None = None) -> None:
        self._study, self._limits = study, limits or Limits()
        self._pool = _Pool(study.grounds, self._limits, jobs)
        self._threads = ThreadPoolExecutor(jobs)

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()
        self._threads.shutdown(cancel_futures=True)

    def train(self, experiments: Sequence[Experiment], race: Race) -> Iterator[Outcome]:
        """Yield what became of each experiment, in order; those whose screen is below the bar predict nothing."""
        return self._threads.map(lambda experiment: self._train(experiment, race), experiments)

    def _train(self, experiment: Experiment, race: Race) -> Outcome:
        clock = Clock(self._limits)
        found: Screen | None = None
        grounds, configuration = self._study.grounds, experiment.configuration
        try:
            with ExitStack() as stack:
                workers: Workers = self._pool
                if configuration.code is not None:
                    sandboxed = Worker(grounds, self._limits, written=True, hidden=self._study.folder)
                    workers = stack.enter_context(sandboxed)
                found = runner.screen(workers, grounds, configuration, clock, race)
                if found.auroc < race.bar:
                    return Outcome(found, clock.seconds)
                seed = self._study.plan.seed + experiment.number
                predictions, proxies = runner.predicted(workers, grounds, configuration, clock, seed=seed)
            return Outcome(found, clock.seconds, "", predictions, {**proxies, "screen": found.auroc})
        except TrainingError as error:
            return Outcome(found, clock.seconds, error.reason)
        except OversightError as error:  # no sandbox: a result like others, from which researchers learn
            return Outcome(found, clock.seconds, str(error))
