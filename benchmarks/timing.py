"""Wall time of commands and blocks, taken in the same way everywhere."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def command(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    allowed: tuple[int, ...] = (0,),
) -> float:
    """Run a command with its output thrown away; return its wall time in seconds.

    Raises RuntimeError where it ends with another exit code than the allowed ones: a failed run is no figure.
    """
    started = time.perf_counter()
    done = subprocess.run(arguments, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode not in allowed:
        raise RuntimeError(
            f"{arguments[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}"
        )
    return elapsed


def median(run: Callable[[], float], times: int) -> float:
    """Return the median of several runs, after one that warms the caches."""
    run()
    return statistics.median(run() for _ in range(times))
