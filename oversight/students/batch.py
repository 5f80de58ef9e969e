"""Examples of many sizes side by side, as flat arrays with owners: nothing is padded and nothing is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.features.model import Example


@dataclass(frozen=True, slots=True)
class Batch:
    """N changes with H hunks and T tokens in all, in order.

    `tokens`: (T,) int64, buckets. `token_hunk`: (T,) int64, the hunk that owns each token. `facts`: (H, F)
    float32. `hunk_change`: (H,) int64, the change that owns each hunk. `measures`: (N, M) float32, NaN unknown.
    """

    tokens: NDArray[np.int64]
    token_hunk: NDArray[np.int64]
    facts: NDArray[np.float32]
    hunk_change: NDArray[np.int64]
    measures: NDArray[np.float32]


INPUTS = ("tokens", "token_hunk", "facts", "measures")
"""Names of the network's inputs, in order."""

OUTPUTS = ("hunk_logit", "context_logit", "leak_logit")
"""Names of the network's outputs, in order."""


def collate(examples: Sequence[Example]) -> Batch:
    """Join at least one example into a batch."""
    counts = [example.hunks for example in examples]
    sizes = np.concatenate([np.diff(example.offsets) for example in examples])
    return Batch(
        tokens=np.concatenate([example.tokens for example in examples]).astype(np.int64),
        token_hunk=np.repeat(np.arange(sum(counts), dtype=np.int64), sizes),
        facts=np.concatenate([example.facts for example in examples]),
        hunk_change=np.repeat(np.arange(len(examples), dtype=np.int64), counts),
        measures=np.stack([example.measures for example in examples]),
    )
