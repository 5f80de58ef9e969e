"""When a job that failed is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oversight.errors import RepositoryError
from oversight_github.client import Forbidden, RateLimited, Unavailable
from oversight_server.github_app import UnknownAppError
from oversight_server.queue.model import Job, Kind
from oversight_server.queue.retries import Later, Limits, after

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits(attempts=4, first=10.0, longest=35.0, patience=3600.0)


def job(tries: int = 0, age: float | None = None) -> Job:
    """A job that has waited for GitHub for `age` seconds; on the books it has been for a year."""
    since = None if age is None else NOW - timedelta(seconds=age)
    made = NOW - timedelta(days=365)
    return Job("review:x", Kind.REVIEW, "octo/repo", 5, made, tries=tries, waits_since=since)


def wait(error: Exception, tries: int = 0, spread: float = 0.0, age: float | None = None) -> Later | None:
    return after(error, job(tries, age), LIMITS, NOW, lambda: spread)


def down(pause: float | None) -> Unavailable:
    return Unavailable("503", mend="wait", pause=pause)


def limited(pause: float | None) -> RateLimited:
    return RateLimited("slow down", mend="wait", again=True, pause=pause)


def test_waits_double_up_to_the_longest():
    """And are spread over their upper half."""
    error = RepositoryError("no", mend="try")
    assert [wait(error, tries) for tries in range(4)] == [
        Later(5.0, counted=True),
        Later(10.0, counted=True),
        Later(17.5, counted=True),
        None,
    ]
    assert wait(error, 0, 1.0) == Later(10.0, counted=True)


@pytest.mark.parametrize("error", [ValueError("a bug"), Forbidden("401", mend="check"), OSError(28, "disk full")])
def test_everything_that_fails_counts(error: Exception):
    """Also what looks final: a token ends, rights are given, a disk is made room on."""
    assert wait(error) == Later(5.0, counted=True)
    assert wait(error, 3) is None


def test_github_s_own_word_is_waited_for():
    """Where it is longer than what we would have waited."""
    assert wait(down(120.0)) == Later(120.0, counted=False, waits=True)
    assert wait(down(1.0)) == Later(5.0, counted=False, waits=True)
    assert wait(down(1e9)) is None
    patient = replace(LIMITS, patience=1e9)
    assert after(down(1e9), job(), patient, NOW) == Later(6 * 3600.0, counted=False, waits=True)


def test_a_github_that_is_down_uses_up_no_attempt():
    """An hour of it gives nothing up: waits get longer, up to the longest, and end with the patience."""
    assert wait(down(None), 3) == Later(5.0, counted=False, waits=True)
    assert [wait(down(None), age=age, spread=1.0) for age in (5.0, 20.0, 3000.0)] == [
        Later(10.0, counted=False, waits=True),
        Later(20.0, counted=False, waits=True),
        Later(35.0, counted=False, waits=True),
    ]
    assert wait(down(None), age=3590.0) is None


def test_an_app_that_github_does_not_know_is_waited_for():
    """It is the operator's to mend: nothing is given up meanwhile, however long that takes."""
    error = UnknownAppError("GitHub does not know the App")
    assert wait(error, 3, age=1e9) == Later(17.5, counted=False)
    assert after(error, job(), Limits(), NOW, lambda: 1.0) == Later(300.0, counted=False)


def test_a_rate_limit_uses_up_no_attempt():
    """It waits at least as long as it is told, a minute where it is not, and not for ever."""
    assert wait(limited(600.0), 3) == Later(600.0, counted=False, waits=True)
    assert wait(limited(600.0), 3, 0.5) == Later(630.0, counted=False, waits=True)
    assert wait(limited(None)) == Later(60.0, counted=False, waits=True)
    assert wait(limited(600.0), age=3000.0) == Later(600.0, counted=False, waits=True)
    assert wait(limited(600.0), age=3001.0) is None
