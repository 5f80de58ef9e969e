"""The worker's process: `python -I -m oversight.research.worker [once]`, frames on its standard input and output.

parent   <- {"kind": "ground", "name"} matrix      as many as there are
         <- {"kind": "fit", ...}                   for the child, which answers; see `_train`
child    -> {"kind": "fitted", "seconds"}          or {"kind": "failed", "error"}
         <- {"kind": "predict"} rows | {"kind": "predict"} numbers | {"kind": "end"}
         -> {"kind": "predicted"} risks
parent   -> {"kind": "ended", "status"}            0, or what ended the child

With `once`, for a written method, the parent is gone after one training.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
import traceback
import warnings
from typing import Any

import numpy as np
import torch

from oversight.errors import OversightError
from oversight.research import space
from oversight.research.lessons import Lesson, Matrix
from oversight.research.model import Configuration
from oversight.research.sandbox import NOWHERE
from oversight.research.worker import ONCE
from oversight.research.worker.frames import Arrays, FrameError, receive, send
from oversight.research.worker.limits import Limits, bind
from oversight.research.worker.training import FILE, Trained, load_written
from oversight.students.head import solve

_LONGEST = 300  # characters of what a written method's error says


def main(*, once: bool) -> None:
    """Serve until the other side has gone; `once`: or one training has ended."""
    inward, outward = os.dup(0), os.dup(1)
    # Whatever a method prints must not end up between frames.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    warnings.simplefilter("ignore")  # of numbers that diverge: the figures tell
    _warm_up(once=once)
    grounds: dict[str, Matrix] = {}
    send(outward, {"kind": "ready"})
    while True:
        try:
            told, arrays = receive(inward)
        except FrameError:
            return
        if told["kind"] == "ground":
            grounds[told["name"]] = arrays["matrix"].astype(np.float32)
        else:
            send(outward, {"kind": "ended", "status": _forked(inward, outward, told, arrays, grounds)})
            if once:
                return


def _warm_up(*, once: bool) -> None:
    """Import all that trainings need, and much of torch that comes with the first one: once, before the first fork."""
    tempfile.tempdir = NOWHERE  # torch asks which folder could be written to, and in the sandbox there is none
    if once:
        _without_compiler()
    else:
        space.arounds()
    solve(np.eye(2, dtype=np.float32), np.array([0.0, 1.0]), np.ones(2), np.zeros(2, dtype=np.float32))


def _without_compiler() -> None:
    """Keep torch's optimizers from importing its compiler, which nothing is compiled by: two seconds of each start."""
    for function in vars(torch.optim.Optimizer).values():
        plain = getattr(function, "__wrapped__", None)
        if plain is not None:
            plain.__dynamo_disable = plain


def _forked(inward: int, outward: int, told: dict[str, Any], arrays: Arrays, grounds: dict[str, Matrix]) -> int:
    """Run one training in a child, and return what ended it."""
    gc.freeze()  # a collection in the child would copy every page that it looks at
    child = os.fork()
    if child == 0:
        try:
            _train(inward, outward, told, arrays, grounds)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _train(inward: int, outward: int, told: dict[str, Any], arrays: Arrays, grounds: dict[str, Matrix]) -> None:
    began = time.process_time()
    code = told.get("code")
    try:
        bind(Limits(**told["limits"]), written=code is not None)
        matrix = grounds[told["ground"]]
        lesson = Lesson(arrays["rows"], arrays["weak"], arrays["human"])
        configuration = Configuration(told["method"], told["parameters"], code)
        written = None if code is None else load_written(code)
        trained = Trained(matrix, lesson, configuration, seed=told["seed"], written=written)
        send(outward, {"kind": "fitted", "seconds": time.process_time() - began})
        while True:
            asked, rows = receive(inward)
            if asked["kind"] == "end":
                return
            found = trained.predict(matrix[rows["numbers"]] if "numbers" in rows else rows["rows"].astype(np.float32))
            send(outward, {"kind": "predicted"}, {"risk": found.astype(np.float32)})
    except FrameError:
        return
    except Exception as error:  # a written method may raise anything, and none of it may end the parent
        send(outward, {"kind": "failed", "error": _told(error, written=code is not None)})


def _told(error: Exception, *, written: bool) -> str:
    if isinstance(error, OversightError) and not written:
        return str(error)
    line = _line(error)
    where = "" if line is None else f" in line {line}"
    return f"{type(error).__name__}{where}: {error}"[:_LONGEST]


def _line(error: Exception) -> int | None:
    """Return the line of a written method's text that an error comes from, None where it is of none."""
    if isinstance(error, SyntaxError):
        return error.lineno
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == FILE]
    return lines[-1] if lines else None


if __name__ == "__main__":
    main(once=sys.argv[1:] == [ONCE])
