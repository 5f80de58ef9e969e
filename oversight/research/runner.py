"""Experiments, run: workers are started, taught, asked, and ended at their limits.

    screen      every fold of every draw: how well are held-out human labels ordered? No other label has a part in it.
    predicted   every draw in full; then the test rows, in an order of their own, and a part of them once more, in
                another order and company: what is said of a change may depend on that change alone

A worker that runs our own methods stays warm, and forks a process for each training. A written method has a sandbox
for each training: its code may take over whatever runs there, and what it keeps ends with the sandbox.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from oversight.measurement.metrics import auroc, log_loss
from oversight.research.lessons import Draw, Floats, Fold, Ground, Lesson, Matrix, Rows
from oversight.research.model import RAISED, Configuration, Screen
from oversight.research.racing import Race
from oversight.research.sandbox import ENVIRONMENT, apart, command
from oversight.research.worker import ONCE
from oversight.research.worker.frames import Arrays, FrameError, receive, send
from oversight.research.worker.limits import Limits

_MODULE = ("-I", "-m", "oversight.research.worker")
_START = 300.0  # seconds in which a worker has to be ready, on a machine with much else to do
_AGAIN = 3  # one in so many test rows is asked about again
_ROUNDING = 6  # decimals of a prediction: less is noise of the order of sums
_MISFIT = 500  # weak labels that a student is compared with
_LARGEST = 1 << 24  # bytes of an answer: P(risky) of four million rows
_LONGEST = 300  # characters of what an error says
_REASONS = {signal.SIGXCPU: "processor time", signal.SIGKILL: "processor time or memory"}


class TrainingError(Exception):
    """An experiment that came to nothing, with the reason in one line; `spoilt` where its worker cannot go on."""

    def __init__(self, reason: str, *, spoilt: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.spoilt = spoilt


_T = TypeVar("_T")


class Workers(Protocol):
    """Where the trainings of an experiment are carried out."""

    def spread(self, tasks: Sequence[Callable[[Worker], _T]]) -> list[_T]:
        """Run tasks, each with a worker that is idle, and return what they return, in order; or raise what the first
        one of them raises, when none of them runs any more.
        """
        ...


class Training:
    """One training of a worker's, done: asked for predictions until its block is left."""

    def __init__(self, worker: Worker, deadline: float) -> None:
        self._worker, self._deadline = worker, deadline

    def of(self, numbers: Rows) -> NDArray[np.float32]:
        """Return P(risky) (N,) of rows of the ground that was learned from, by their numbers."""
        return self._answer({"numbers": numbers}, numbers.size)

    def shown(self, rows: Matrix) -> NDArray[np.float32]:
        """Return P(risky) (N,) of other rows (N, D)."""
        return self._answer({"rows": rows.astype(np.float16)}, len(rows))

    def _answer(self, arrays: Arrays, count: int) -> NDArray[np.float32]:
        self._worker.send({"kind": "predict"}, arrays, self._deadline)
        risk = self._worker.answer("predicted", self._deadline)[1].get("risk")
        if risk is None or risk.shape != (count,) or risk.dtype != np.float32 or not _probable(risk):
            raise TrainingError("what it answered are no probabilities", spoilt=True)
        return risk


class Worker:
    """A process that trains on `grounds`, as a context manager. `written`: in the sandbox, away from `hidden`, and
    another process for each training.
    """

    def __init__(
        self, grounds: Sequence[Ground], limits: Limits, *, written: bool = False, hidden: Path | None = None
    ) -> None:
        self.limits = limits
        self._grounds = grounds
        self._written = written
        self._command = command([*_MODULE, ONCE], hidden=hidden) if written else [sys.executable, *_MODULE]
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and start no other."""
        self._closed = True
        self.end()

    def end(self) -> None:
        """End the process and all that it started; the next training starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def spread(self, tasks: Sequence[Callable[[Worker], _T]]) -> list[_T]:
        """Run tasks one after another."""
        return [task(self) for task in tasks]

    @contextmanager
    def training(
        self, ground: str, lesson: Lesson, configuration: Configuration, *, seed: int, clock: Clock
    ) -> Iterator[Training]:
        """Train, and yield what can be asked. `TrainingError` for whatever goes wrong, in the block too."""
        began = time.monotonic()
        try:
            self._start(ground)
            if self._written:
                clock.forgive(time.monotonic() - began)
            began, deadline = time.monotonic(), clock.deadline
            told = {
                "kind": "fit",
                "ground": ground,
                "method": configuration.method,
                "parameters": dict(configuration.parameters),
                "code": configuration.code,
                "seed": seed,
                "limits": asdict(self.limits),
            }
            self.send(told, lesson.arrays(), deadline)
            fitted = self.answer("fitted", deadline)[0]
            # What a sandbox says of itself may be anything.
            clock.spend(time.monotonic() - began if self._written else _seconds(fitted.get("seconds")))
            yield Training(self, deadline)
            if not self._written:
                self.send({"kind": "end"}, None, deadline)
                self.answer("ended", deadline)
        except TrainingError as error:
            if error.spoilt:
                self.end()
            raise
        except FrameError as error:
            self.end()
            why = f"it took longer than {self.limits.wall:g} seconds" if error.late else f"the worker is lost: {error}"
            raise TrainingError(why, spoilt=True) from error
        finally:
            if self._written:
                self.end()

    def send(self, told: Mapping[str, object], arrays: Arrays | None, deadline: float) -> None:
        """Send the process a frame."""
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018
        send(self._process.stdin.fileno(), told, arrays, deadline=deadline)

    def answer(self, kind: str, deadline: float) -> tuple[Mapping[str, object], Arrays]:
        """Return the process's next frame; `TrainingError` where it is of another kind."""
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018
        descriptor = self._process.stdout.fileno()
        told, arrays = receive(descriptor, deadline=deadline, largest=_LARGEST)
        if told.get("kind") == "failed" and self._written:
            raise TrainingError(RAISED + _text(told.get("error")))
        if told.get("kind") == "failed":
            receive(descriptor, deadline=deadline)  # that the child has ended
            raise TrainingError(_text(told.get("error")))
        if told.get("kind") == "ended" and kind != "ended":
            # Before it has fitted, a child has read nothing that its parent would miss.
            raise TrainingError(_ended(told.get("status")), spoilt=kind != "fitted")
        if told.get("kind") != kind:
            raise TrainingError("it answered what was not asked", spoilt=True)
        return told, arrays

    def _start(self, ground: str) -> None:
        """Start the process where there is none, and give it the rows that are learned from: for one training those
        of its ground.
        """
        if self._process is not None:
            return
        if self._closed:
            raise TrainingError("the run has ended")
        if self._written:
            apart()
        self._process = process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(ENVIRONMENT),
            start_new_session=True,
            bufsize=0,
        )
        assert process.stdin is not None  # noqa: S101
        os.set_blocking(process.stdin.fileno(), False)
        deadline = time.monotonic() + _START
        self.answer("ready", deadline)
        for one in self._grounds:
            if not self._written or one.name == ground:
                self.send({"kind": "ground", "name": one.name}, {"matrix": one.matrix.astype(np.float16)}, deadline)


class Clock:
    """The time that one experiment has, and the seconds that its trainings took: the processor's as workers tell, those
    of the clock where a written method might tell them.
    """

    def __init__(self, limits: Limits) -> None:
        self.deadline = time.monotonic() + limits.wall
        self.seconds = 0.0
        self._lock = threading.Lock()

    def spend(self, seconds: float) -> None:
        """Count seconds of a training; of several threads."""
        with self._lock:
            self.seconds += seconds

    def forgive(self, seconds: float) -> None:
        """Let time not count that the experiment has no part in."""
        self.deadline += seconds


def screen(
    workers: Workers, grounds: Sequence[Ground], configuration: Configuration, clock: Clock, race: Race | None = None
) -> Screen:
    """Return how well the human labels that a student was not taught are ordered. It is broken off where the race is
    lost after some of the draws. `TrainingError` where it fails.
    """
    race = race or Race()
    seen: list[float] = []
    losses: list[float] = []
    lost = False
    for draws in zip(*(ground.draws for ground in grounds), strict=True):
        if lost := race.lost(seen):
            break
        tasks = [
            (number, partial(_held_out, ground.name, draw.seed, fold, configuration, clock))
            for number, (ground, draw) in enumerate(zip(grounds, draws, strict=True))
            for fold in draw.folds
            if 0 < fold.truth.sum() < fold.truth.size
        ]
        found = np.array(workers.spread([task for _, task in tasks])).reshape(-1, 2)
        numbers = np.array([number for number, _ in tasks])
        if numbers.size:
            ordered, loss = np.mean([found[numbers == one].mean(axis=0) for one in np.unique(numbers)], axis=0)
            seen.append(float(ordered))
            losses.append(float(loss))
    if not seen:
        raise TrainingError("no fold has human labels of both kinds")
    return Screen(race.foretold(seen) if lost else float(np.mean(seen)), float(np.mean(losses)), tuple(seen), not lost)


def _held_out(
    ground: str, seed: int, fold: Fold, configuration: Configuration, clock: Clock, worker: Worker
) -> tuple[float, float]:
    """Return AUROC and log loss of a fold, which has labels of both kinds."""
    with worker.training(ground, fold.lesson, configuration, seed=seed, clock=clock) as training:
        found = training.of(fold.held).astype(np.float64)
    return auroc(fold.truth, found).require(), log_loss(fold.truth, found).require()


def predicted(
    workers: Workers, grounds: Sequence[Ground], configuration: Configuration, clock: Clock, *, seed: int
) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """Return P(risky) by ground, (K, T), and proxies; `seed` is that of the orders. `TrainingError` where it fails.

    `order` is the largest difference between the two times that a row was asked about; `misfit` the mean distance from
    the weak labels, on rows that were learned from.
    """
    tasks = [
        (ground.name, partial(_shown, ground, draw, configuration, clock, (seed, place, number)))
        for place, ground in enumerate(grounds)
        for number, draw in enumerate(ground.draws)
    ]
    runs: dict[str, list[NDArray[np.float32]]] = {ground.name: [] for ground in grounds}
    order, misfit = 0.0, []
    for (name, _), (found, differs, distance) in zip(tasks, workers.spread([task for _, task in tasks]), strict=True):
        runs[name].append(found)
        order = max(order, differs)
        misfit.append(distance)
    return {name: np.stack(found) for name, found in runs.items()}, {"order": order, "misfit": float(np.mean(misfit))}


def _shown(
    ground: Ground, draw: Draw, configuration: Configuration, clock: Clock, seed: tuple[int, ...], worker: Worker
) -> tuple[NDArray[np.float32], float, float]:
    """Return what a student of all labels of a draw says of the test rows (T,), and the proxies."""
    generator = np.random.default_rng(seed)
    with worker.training(ground.name, draw.lesson, configuration, seed=draw.seed, clock=clock) as training:
        found, differs = _in_two_orders(training, ground.test, generator)
        return found, differs, _misfit(training, draw.lesson, generator)


def _in_two_orders(
    training: Training, rows: Matrix, generator: np.random.Generator
) -> tuple[NDArray[np.float32], float]:
    """Return predictions (T,) of rows (T, D), and the largest difference where they are asked for again."""
    order = generator.permutation(len(rows))
    found = np.empty(len(rows), dtype=np.float32)
    found[order] = training.shown(rows[order])
    again = generator.permutation(len(rows))[: max(1, len(rows) // _AGAIN)]
    differs = float(np.abs(training.shown(rows[again]) - found[again]).max())
    return np.round(found, _ROUNDING), differs


def _misfit(training: Training, lesson: Lesson, generator: np.random.Generator) -> float:
    taught = np.flatnonzero(~np.isnan(lesson.weak) & np.isnan(lesson.human))
    chosen = generator.permutation(taught)[:_MISFIT]
    if not chosen.size:
        return 0.0
    weak: Floats = lesson.weak[chosen]
    return float(np.abs(training.of(lesson.rows[chosen]) - weak).mean())


def _probable(risk: NDArray[np.float32]) -> bool:
    return bool(np.isfinite(risk).all() and risk.min(initial=0.0) >= 0 and risk.max(initial=0.0) <= 1)


def _seconds(told: object) -> float:
    return told if isinstance(told, float) and math.isfinite(told) else 0.0


def _text(told: object) -> str:
    """Return what a worker says in words, of a length and of characters that can be written anywhere."""
    return str(told)[:_LONGEST].encode("utf-8", "replace").decode()


def _ended(status: object) -> str:
    if isinstance(status, int) and -status in _REASONS:
        return f"it used more than its {_REASONS[signal.Signals(-status)]}"
    return "the training ended by itself"
