"""Intervals of proportions in closed form, and how two of them combine."""

from __future__ import annotations

import math
from statistics import NormalDist

from oversight.errors import LabelError

Interval = tuple[float, float]


def normal_quantile(level: float) -> float:
    """Half-width of a two-sided normal interval in standard errors: 1.96 for a level of .95."""
    if not 0.0 < level < 1.0:
        raise LabelError(f"a confidence level of {level} makes no sense", mend="give a level between 0 and 1")
    return NormalDist().inv_cdf(0.5 + level / 2.0)


def wilson(successes: float, trials: float, *, level: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Stays inside [0, 1] and has a width at 0 and at `trials` successes too. `trials` may be an effective sample
    size, hence not whole. No trials: (0, 1), all that is known.
    """
    if trials <= 0:
        return 0.0, 1.0
    z = normal_quantile(level)
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2.0) / (1.0 + spread)
    half = math.sqrt(max(share * (1.0 - share) * spread + spread * spread / 4.0, 0.0)) / (1.0 + spread)
    # Rounding can leave 1e-17 where the bound is exactly the proportion itself.
    low, high = min(centre - half, share), max(centre + half, share)
    return max(low, 0.0), min(high, 1.0)


def interval_of_share(part: float, part_interval: Interval, rest: float, rest_interval: Interval) -> Interval:
    """Interval of part / (part + rest) for independent, non-negative estimates, not both zero.

    part / (part + rest) falls with rest / part, whose interval is MOVER's for a ratio (Zou & Donner 2008,
    doi:10.1002/sim.3095; Newcombe 2016, doi:10.1177/0962280213502144). Where `part` may be zero its lower bound
    on the share is 0.
    """
    if part <= 0.0:
        upper = part_interval[1] / (part_interval[1] + rest_interval[0]) if part_interval[1] > 0 else 0.0
        return 0.0, upper
    least, most = part_interval
    below, above = rest_interval
    product = rest * part
    inner = below * (2 * rest - below)
    root = math.sqrt(max(product * product - inner * most * (2 * part - most), 0.0))
    # Newcombe's lower bound multiplied out, so that an upper bound of twice the estimate does not divide by zero.
    smallest = inner / (product + root) if inner > 0 else 0.0
    inner = least * (2 * part - least)
    root = math.sqrt(max(product * product - above * (2 * rest - above) * inner, 0.0))
    largest = (product + root) / inner if inner > 0 else math.inf
    return 1.0 / (1.0 + largest), 1.0 / (1.0 + smallest)
