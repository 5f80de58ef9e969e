"""What a model read in a commit, kept in the index: enough to say its risk on any scale without reading it again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NUMBER = np.dtype("<f4")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the risk of a change is computed from, on whatever scale it is placed.

    `pooled`: the log-odds that its hunks add up to. `profile`: (K,) float32, what describes the change as a whole,
    NaN where unknown.
    """

    pooled: float
    profile: NDArray[np.float32]


def stored(reading: Reading) -> tuple[float, bytes]:
    """Return the columns `pooled` and `profile` of the table `readings`."""
    return reading.pooled, reading.profile.astype(_NUMBER).tobytes()


def restored(pooled: object, profile: object, width: int) -> Reading | None:
    """Return the reading that these columns hold, None where they hold no profile of `width` numbers.

    A cache may be damaged in ways that SQLite does not see: what is not whole is read again.
    """
    if not isinstance(pooled, float) or not math.isfinite(pooled):
        return None
    if not isinstance(profile, bytes) or len(profile) != width * _NUMBER.itemsize:
        return None
    numbers = np.frombuffer(profile, dtype=_NUMBER).astype(np.float32)
    return None if np.isinf(numbers).any() else Reading(pooled, numbers)
