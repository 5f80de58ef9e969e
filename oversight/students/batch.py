"""Examples of many sizes side by side, as flat arrays with owners: nothing is padded and nothing is cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.features.facts import FACTS
from oversight.features.model import Example
from oversight.history.context import MEASURES

PROFILE: tuple[str, ...] = (
    *MEASURES,
    *(f"{fact}, all hunks" for fact in FACTS),
    *(f"{fact}, largest hunk" for fact in FACTS),
    "hunks",
)
"""Names of the numbers that describe a change as a whole: its measures, and its hunks' facts summed up."""


@dataclass(frozen=True, slots=True)
class Batch:
    """N changes with H hunks and T tokens in all, in order.

    Where its profiles are placed is no part of it: the network takes the edges of a scale beside it.

    `tokens`: (T,) int64, buckets. `token_hunk`: (T,) int64, the hunk that owns each token. `facts`: (H, F)
    float32. `hunk_change`: (H,) int64, the change that owns each hunk. `profile`: (N, K) float32, the numbers that
    `PROFILE` names, NaN unknown.
    """

    tokens: NDArray[np.int64]
    token_hunk: NDArray[np.int64]
    facts: NDArray[np.float32]
    hunk_change: NDArray[np.int64]
    profile: NDArray[np.float32]


INPUTS = ("tokens", "token_hunk", "facts", "profile", "edges")
"""Names of the network's inputs, in order: a batch without the owners of its hunks, and the edges (N, K, B + 1) of the
scale that each profile is placed on.
"""

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
        profile=profiles(examples),
    )


def profiles_alone(profile: NDArray[np.float32]) -> Batch:
    """Return changes (N,) of which nothing but the profiles (N, K) is told: no hunks, no tokens."""
    none = np.zeros(0, dtype=np.int64)
    return Batch(none, none, np.zeros((0, len(FACTS)), dtype=np.float32), none, profile)


def profiles(examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return the numbers that `PROFILE` names (N, K) for at least one example; without hunks their facts are zero."""
    rows = np.zeros((len(examples), len(PROFILE)), dtype=np.float32)
    start, middle = len(MEASURES), len(MEASURES) + len(FACTS)
    for row, example in zip(rows, examples, strict=True):
        row[:start] = example.measures
        if example.hunks:
            row[start:middle] = example.facts.sum(axis=0)
            row[middle:-1] = example.facts.max(axis=0)
        row[-1] = example.hunks
    return rows
