"""What a model sees of a change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Example:
    """One change as arrays, for H hunks and T tokens in all.

    `schema` is the hash of the feature schema (measure names, fact names, hash size): a model refuses
    examples of another schema. `measures`: (M,) float32, NaN where unknown. `tokens`: (T,) uint32, bucket
    numbers of marked token n-grams, hunk after hunk. `offsets`: (H + 1,) int64, hunk h owns
    tokens[offsets[h]:offsets[h + 1]]. `facts`: (H, F) float32, one row of edit facts a hunk.
    `places`: (H, 2) int32, for each hunk the number of its file in `Change.files` and of the hunk in it.
    """

    change_id: str
    schema: str
    measures: NDArray[np.float32]
    tokens: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    facts: NDArray[np.float32]
    places: NDArray[np.int32]

    @property
    def hunks(self) -> int:
        """Number of hunks."""
        return int(self.places.shape[0])
