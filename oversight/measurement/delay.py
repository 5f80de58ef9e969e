"""How many of the repairs to come are known by now, for a change of a given age.

Half of the repairs of a change come more than a year after it, so that the lags seen at any moment are the short ones:
a lag is seen only where it is no longer than the age of its change (right truncation). Read backwards in time that is
left truncation, for which the product-limit estimator holds: Lynden-Bell 1971 (doi:10.1093/mnras/155.1.95), and
Lagakos, Barraj & De Gruttola 1988 (doi:10.1093/biomet/75.3.515) for lags in this sense,

    F(t) = product over seen lags u > t of (1 - d(u) / n(u)),

d(u) being the lags equal to u, and n(u) those that u could have been drawn among: lag <= u <= age.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from oversight.errors import LabelError
from oversight.measurement.arrays import Floats, as_sizes

FEWEST = 10
"""Lags seen, below which nothing is said about those to come."""

LEAST = 0.02
"""Smallest share given out: a label of a change born today would otherwise weigh without bound."""


@dataclass(frozen=True, slots=True)
class KnownShare:
    """P(lag <= age), among lags no longer than the oldest age: longer ones cannot be seen by anybody.

    `lags` (k,) ascending, `shares` (k,) the estimate at each; both empty where `reason` says why there is no estimate,
    and every share is then 1.
    """

    lags: Floats
    shares: Floats
    reason: str | None = None

    def __call__(self, ages: ArrayLike) -> Floats:
        """Return the share for each of `ages` (n,), in the unit of the lags, between `LEAST` and 1."""
        wanted = np.asarray(ages, dtype=np.float64)
        if not self.lags.size:
            return np.ones(wanted.shape)
        return np.clip(np.interp(wanted, self.lags, self.shares, right=1.0), LEAST, 1.0)


def known_share(ages: ArrayLike, lags: ArrayLike) -> KnownShare:
    """Estimate from the changes known as risky: `ages` (m,) now, `lags` (m,) after which it became known, one unit.

    `LabelError` for negative values, lengths that differ, or a lag longer than its age (it cannot have been seen).
    """
    lag = as_sizes(lags, rows=np.asarray(lags).size, name="lags")
    age = as_sizes(ages, rows=lag.size, name="ages")
    if (lag > age).any():
        raise LabelError("a lag is longer than the age of its change", mend="leave out what is not known yet")
    if lag.size < FEWEST:
        reason = f"{lag.size} repairs are too few to tell how late they come"
        return KnownShare(np.zeros(0), np.zeros(0), reason)
    distinct, seen = np.unique(lag, return_counts=True)
    no_longer = np.cumsum(seen)
    younger = np.searchsorted(np.sort(age), distinct, side="left")
    # One more at risk than there are: a lag that is alone at risk would else say that no shorter one exists.
    factors = 1.0 - seen / (no_longer - younger + 1.0)
    shares = np.append(np.cumprod(factors[:0:-1])[::-1], 1.0)
    return KnownShare(distinct, shares)
