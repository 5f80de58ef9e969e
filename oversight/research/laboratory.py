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

from oversight.errors import OversightError
from oversight.research import runner
from oversight.research.model import Experiment, Screen
from oversight.research.runner import Clock, TrainingError, Worker
from oversight.research.study import Study
from oversight.research.worker.limits import Limits


@dataclass(frozen=True)
class Trained:
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

    def train(self, experiments: Sequence[Experiment], bar: float) -> Iterator[Trained]:
        """Yield what became of each experiment, in order; those whose screen is below `bar` predict nothing."""
        ...


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

    def train(self, experiments: Sequence[Experiment], bar: float) -> Iterator[Trained]:
        """Yield what became of each experiment, in order; those whose screen is below `bar` predict nothing."""
        return self._threads.map(lambda experiment: self._train(experiment, bar), experiments)

    def _train(self, experiment: Experiment, bar: float) -> Trained:
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
                    return Trained(found, clock.seconds)
                seed = self._study.plan.seed + experiment.number
                predictions, proxies = runner.predicted(own, grounds, configuration, clock, seed=seed)
            return Trained(found, clock.seconds, "", predictions, {**proxies, "screen": found.auroc})
        except TrainingError as error:
            return Trained(found, clock.seconds, error.reason)
        except OversightError as error:  # no sandbox: a result like others, from which researchers learn
            return Trained(found, clock.seconds, str(error))
        finally:
            self._idle.put(worker)
