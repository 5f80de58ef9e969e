"""Intervals of proportions from the tails of the binomial, through the beta distribution. Needs numpy alone.

A tail of the binomial is a regularised incomplete beta function, I_x(a, b), and goes on between whole numbers, which
effective sample sizes need: P(X >= k | n, p) = I_p(k, n - k + 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from oversight.measurement.intervals import Interval

Tail = Literal["exact", "mid-p", "jeffreys"]

_TINY = 1e-300
_STEPS = 500  # of the continued fraction, which takes some sqrt(max(a, b)) of them
_HALVINGS = 60


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), the distribution function of Beta(a, b); continued fraction 8.17.22 of dlmf.nist.gov by Lentz's
    method.

    >>> round(incomplete_beta(0.3, 2, 5), 6), incomplete_beta(1.0, 2, 5)
    (0.579825, 1.0)
    """
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):  # where the fraction would be slow its mirror is quick
        return 1.0 - incomplete_beta(1.0 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(math.exp(front) / (a * _fraction(x, a, b)), 1.0)


def _fraction(x: float, a: float, b: float) -> float:
    value, upper, lower = 1.0, 1.0, 0.0
    for step in range(1, _STEPS):
        half = step // 2
        term = (
            half * (b - half) * x / ((a + step - 1.0) * (a + step))
            if step % 2 == 0
            else -(a + half) * (a + b + half) * x / ((a + step - 1.0) * (a + step))
        )
        lower = 1.0 / (1.0 + term * lower or _TINY)
        upper = 1.0 + term / upper or _TINY
        value *= upper * lower
        if abs(upper * lower - 1.0) < 1e-13:
            break
    return value


@lru_cache(maxsize=4096)  # the same few counts come again and again
def binomial_interval(successes: float, trials: float, *, tail: Tail = "exact", level: float = 0.95) -> Interval:
    """Interval of a proportion of which `successes` of `trials`, both possibly not whole, were seen.

    "exact" inverts both tails (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404): never covers less than `level`,
    with effective sizes as of Korn & Graubard (1998). "mid-p" counts half of what was seen itself as being in the tail
    (Lancaster 1961): about `level` on average, sometimes less. "jeffreys" is the posterior under Beta(1/2, 1/2), with 0
    and 1 at the ends (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286). No trials: (0, 1).
    """
    if trials <= 0:
        return 0.0, 1.0
    alpha = (1.0 - level) / 2.0
    failures = max(trials - successes, 0.0)
    low = 0.0 if successes <= 0 else _solve(lambda share: _at_least(share, successes, failures, tail), alpha)
    high = 1.0 if failures <= 0 else 1.0 - _solve(lambda share: _at_least(share, failures, successes, tail), alpha)
    return min(low, successes / trials), max(high, successes / trials)


def _at_least(share: float, successes: float, failures: float, tail: Tail) -> float:
    """P(X >= successes) where each is one with the probability `share`; rises with `share`."""
    match tail:
        case "jeffreys":
            return incomplete_beta(share, successes + 0.5, failures + 0.5)
        case "exact":
            return incomplete_beta(share, successes, failures + 1.0)
        case _:
            more = incomplete_beta(share, successes + 1.0, failures) if failures > 0 else 0.0
            return 0.5 * (incomplete_beta(share, successes, failures + 1.0) + more)


def _solve(rising: Callable[[float], float], target: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return 0.5 * (low + high)
