"""When a job that failed is tried again. No I/O.

A rate limit is no failure of the job, nor is a GitHub that is down: it waits as long as GitHub says, or longer each
time, and uses up no attempt, but not beyond `patience`. An App that GitHub does not know is the operator's to mend, and
is waited for. Everything else counts, the wait doubles each time, and `attempts` are all there are. Waits are spread at
random, so that what failed together does not come back together.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from oversight_github.client import GitHubError, RateLimited, Unavailable
from oversight_server.github_app import UnknownAppError
from oversight_server.queue.model import Job

_LIMITED = 60.0  # seconds that GitHub asks to wait where it names no time
_MOST = 6 * 3600.0  # seconds, whatever an answer says
_UNKNOWN = 300.0  # seconds between two looks whether the App's key was mended


@dataclass(frozen=True, slots=True)
class Limits:
    """How often and for how long; times in seconds. `patience`: for how long a job may do nothing but wait for GitHub;
    `crashes`: how often it may end the worker that does it.
    """

    attempts: int = 6
    first: float = 5.0
    longest: float = 900.0
    patience: float = 24 * 3600.0
    crashes: int = 3


@dataclass(frozen=True, slots=True)
class Later:
    """The job is to be tried again after so many seconds.

    `counted`: it used up an attempt; `waits`: it waits for GitHub, and not beyond its patience.
    """

    seconds: float
    counted: bool
    waits: bool = False


def after(
    error: Exception, job: Job, limits: Limits, now: datetime, spread: Callable[[], float] = random.random
) -> Later | None:
    """Return when to try again after `error`, None to give up. `spread` draws from [0, 1)."""
    asked = error.pause if isinstance(error, GitHubError) else None
    age = 0.0 if job.waits_since is None else (now - job.waits_since).total_seconds()
    if isinstance(error, UnknownAppError):
        return Later(min(limits.longest, _UNKNOWN) * (0.5 + spread() / 2), counted=False)
    if isinstance(error, RateLimited):
        seconds = min(_LIMITED if asked is None else asked, _MOST)
        # More than asked for, never less.
        return _uncounted(seconds + spread() * max(1.0, seconds / 10), age, limits)
    if isinstance(error, Unavailable):
        # As long again as it has been waited for.
        doubled = min(limits.longest, max(limits.first, age))
        return _uncounted(max(min(asked or 0.0, _MOST), doubled * (0.5 + spread() / 2)), age, limits)
    if job.tries + 1 >= limits.attempts:
        return None
    doubled = min(limits.longest, limits.first * 2.0**job.tries)
    return Later(max(min(asked or 0.0, _MOST), doubled * (0.5 + spread() / 2)), counted=True)


def _uncounted(seconds: float, age: float, limits: Limits) -> Later | None:
    return Later(seconds, counted=False, waits=True) if age + seconds <= limits.patience else None
