"""Where experiments are carried out: so many workers at once, and a thread for each of them."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from oversight.errors import OversightError, ResearchError
from oversight.research import runner
from oversight.research.model import Configuration, Experiment, Screen
from oversight.research.runner import Clock, TrainingError, Worker
from oversight.research.study import Study
from oversight.research.worker.limits import Limits


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

    def train(self, experiments: Sequence[Experiment], bar: float) -> Iterator[Outcome]:
        """Yield what became of each experiment, in order; those whose screen is below `bar` predict nothing."""
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


class Laboratory:
    """`jobs` workers on a study's grounds, as a context manager."""

    def __init__(self, study: Study, *, jobs: int = 1, limits: Limits | None = None) -> None:
        self._study, self._limits = study, limits or Limits()
        self._workers = [Worker(study.grounds, self._limits) for _ in range(jobs)]
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(jobs)

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.close()  # what threads wait for comes to an end
        self._threads.shutdown(cancel_futures=True)

    def train(self, experiments: Sequence[Experiment], bar: float) -> Iterator[Outcome]:
        """Yield what became of each experiment, in order; those whose screen is below `bar` predict nothing."""
        return self._threads.map(lambda experiment: self._train(experiment, bar), experiments)

    def _train(self, experiment: Experiment, bar: float) -> Outcome:
        clock, worker = Clock(self._limits), self._idle.get()
        found: Screen | None = None
        grounds, configuration = self._study.grounds, experiment.configuration
        try:
            with ExitStack() as stack:
                if configuration.code is not None:
                    sandboxed = Worker(grounds, self._limits, written=True, hidden=self._study.folder)
                    own = stack.enter_context(sandboxed)
                else:
                    own = worker
                found = runner.screen(own, grounds, configuration, clock)
                if found.auroc < bar:
                    return Outcome(found, clock.seconds)
                seed = self._study.plan.seed + experiment.number
                predictions, proxies = runner.predicted(own, grounds, configuration, clock, seed=seed)
            return Outcome(found, clock.seconds, "", predictions, {**proxies, "screen": found.auroc})
        except TrainingError as error:
            return Outcome(found, clock.seconds, error.reason)
        except OversightError as error:  # no sandbox: a result like others, from which researchers learn
            return Outcome(found, clock.seconds, str(error))
        finally:
            self._idle.put(worker)
