"""Children that compute reviews: a few at most, started as they are needed, kept warm, and ended without pity.

A child is asked one thing at a time. It answers within the time limit, or it is killed with all that it started; a
review whose child was lost is unscored, and says why. A child that has done its share is ended too, so that whatever
leaks in it is bounded. The environment of a child holds no secret, and `-I` keeps files of the current folder from
being imported.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from oversight.errors import (
    ConfigError,
    DiffError,
    ModelError,
    OversightError,
    RepositoryError,
    UnscoredError,
    UsageError,
)
from oversight_server.children import wire

_KINDS: Mapping[str, type[OversightError]] = {
    kind.__name__: kind for kind in (ConfigError, DiffError, ModelError, RepositoryError, UnscoredError, UsageError)
}
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "SYSTEMROOT", "GIT_PYTHON_GIT_EXECUTABLE")
_OURS = ("OVERSIGHT_BUDGET", "OVERSIGHT_PRINCIPLES")
_OURS_BELOW = "OVERSIGHT_PATHS__"
_START_SECONDS = 120.0
_COMMAND = (sys.executable, "-I", "-m", "oversight_server.children.child")


class LostError(UnscoredError):
    """The child that computed a review is no more, and with it the review. `late`: it was ended at its time limit."""

    late = False


class NoChildError(OversightError):
    """No child can be had now: nothing is said of the change, which may be asked for again."""


class BusyError(NoChildError):
    """All children are at work, and none became free in the time that the caller had."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the children may take: how many, seconds for one answer, and answers in a life."""

    children: int = 2
    seconds: float = 300.0
    answers: int = 500


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return what a child sees of the server's environment: where things are, and how reviews are to be done."""
    return {
        name: value for name, value in given.items() if name in _KEPT or name in _OURS or name.startswith(_OURS_BELOW)
    }


class Child:
    """One process; for one thread at a time."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], first: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self.answers = 0
        self._ended = False
        self._ending = threading.Lock()
        try:
            self.ready = self.ask(first, _START_SECONDS)
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process, which is that of its group."""
        return self._process.pid

    def ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a message. Raises LostError, after which the child is no more, and what it raised."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.end()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        answer: dict[str, Any] | None = None
        try:
            with suppress(OSError, ValueError):
                wire.send(_pipe(self._process.stdin), message)
                answer = wire.receive(_pipe(self._process.stdout))
        finally:
            timer.cancel()
            if answer is None:
                self.end()
        self.answers += 1
        if answer is None:
            raise self._lost(seconds if late.is_set() else None)
        if (error := answer.get("error")) is not None:
            raise _raised(error)
        return answer

    def end(self) -> None:
        """End the process, and whatever it has started."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            # The group may outlive its first process: git may still run.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    _pipe(pipe).close()

    def _lost(self, seconds: float | None) -> LostError:
        if seconds is not None:
            error = LostError(
                f"the review took longer than {seconds:,.0f} seconds, and was ended",
                mend="split the change, or raise OVERSIGHT_REVIEWS__SECONDS",
            )
            error.late = True
            return error
        return LostError(
            "the process that computed the review ended before it was done",
            mend="see whether the machine is out of memory; OVERSIGHT_REVIEWS__MEGABYTES bounds what one review takes",
        )


@dataclass
class Pool:
    """At most `bounds.children` children, each of which is first told `first`. Thread-safe."""

    first: Mapping[str, Any]
    bounds: Bounds = field(default_factory=Bounds)
    variables: Mapping[str, str] = field(default_factory=lambda: environment(os.environ))
    command: Sequence[str] = _COMMAND

    def __post_init__(self) -> None:
        self._free = threading.Condition()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._starting = 0
        self._closed = False

    def ask(
        self, message: Mapping[str, Any], *, seconds: float | None = None, patience: float | None = None
    ) -> dict[str, Any]:
        """Return the answer of a child to `message`.

        `seconds` bounds the answer (None: as in `bounds`), `patience` the wait for a child (None: as long as it takes).
        Raises LostError where the child was lost, NoChildError, and what the child raised, by its kind.
        """
        child = self._take(patience)
        try:
            return child.ask(message, self.bounds.seconds if seconds is None else seconds)
        finally:
            self._give_back(child)

    def warm(self) -> Mapping[str, Any]:
        """Return what a child said of itself, after starting it where there is none. Raises OversightError."""
        child = self._take(None)
        try:
            return child.ready
        finally:
            self._give_back(child)

    def close(self) -> None:
        """End all children, also those at work: their reviews are lost."""
        with self._free:
            self._closed = True
            children = [*self._idle, *self._busy]
            self._idle.clear()
            self._free.notify_all()
        for child in children:
            child.end()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run now."""
        with self._free:
            return tuple(child.pid for child in (*self._idle, *self._busy) if child.alive)

    def _take(self, patience: float | None) -> Child:
        until = None if patience is None else time.monotonic() + patience
        with self._free:
            while not self._closed and not self._idle and self._working >= self.bounds.children:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    raise BusyError("all reviewers are busy", mend="try again in a moment")
                self._free.wait(left)
            if self._closed:
                raise NoChildError("the server is stopping", mend="ask again once it is back")
            while self._idle:
                child = self._idle.pop()  # the newest: those that are not needed go cold
                if child.alive:
                    self._busy.add(child)
                    return child
                child.end()
            self._starting += 1
        return self._started()

    def _started(self) -> Child:
        try:
            child = Child(self.command, self.variables, self.first)
        except OSError as error:
            raise NoChildError(
                f"no process could be started: {error.strerror}", mend="see what the machine is short of"
            ) from None
        finally:
            with self._free:
                self._starting -= 1
                self._free.notify()
        with self._free:
            self._busy.add(child)
            closed = self._closed
        if closed:
            child.end()
        return child

    def _give_back(self, child: Child) -> None:
        with self._free:
            self._busy.discard(child)
            keep = child.alive and not self._closed and child.answers <= self.bounds.answers
            if keep:
                self._idle.append(child)
            self._free.notify()
        if not keep:
            child.end()

    @property
    def _working(self) -> int:
        return len(self._busy) + self._starting


def _pipe(pipe: Any) -> BinaryIO:
    if pipe is None:
        raise OSError("no pipe")
    return pipe  # type: ignore[no-any-return]


def _raised(error: Any) -> OversightError:
    """Return what a child raised, as far as it is one of ours."""
    parts = error if isinstance(error, list) and len(error) == 3 else ["", "the review failed", "report it"]
    kind, message, mend = (part if isinstance(part, str) else "" for part in parts)
    return _KINDS.get(kind, UnscoredError)(message[:1000], mend=mend[:1000])
