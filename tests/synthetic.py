"""Examples drawn at random, with a signal that a model can find, for tests that need arrays and no repository."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from oversight.features import FACTS, HASH_BUCKETS, SCHEMA, Example
from oversight.history.context import MEASURES
from oversight.history.model import GoldLabel
from oversight.reviewers.model import WeakLabel

TELLING = 7
"""The bucket that most risky examples have and no clean one needs to."""


def example(
    random: np.random.Generator, name: str, *, risky: bool = False, hunks: int | None = None, schema: str = SCHEMA
) -> Example:
    """One example of up to five hunks; a risky one usually has the telling token, and more of the first measure."""
    count = int(random.integers(1, 6)) if hunks is None else hunks
    sizes = random.integers(0, 40, count)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    tokens = random.integers(100, HASH_BUCKETS, int(offsets[-1])).astype(np.uint32)
    if risky and tokens.size and random.random() < 0.8:
        tokens[:: max(1, tokens.size // 3)] = TELLING
    measures = random.gamma(1.0, 3.0, len(MEASURES)).astype(np.float32)
    measures[random.random(measures.size) < 0.1] = np.nan
    measures[0] = random.gamma(6.0 if risky else 2.0)
    facts = random.poisson(1.0, (count, len(FACTS))).astype(np.float32)
    places = np.stack((np.zeros(count), np.arange(count)), axis=1).astype(np.int32)
    return Example(name, schema, measures, tokens, offsets, facts, places)


def examples(count: int, *, seed: int = 0, share: float = 0.4) -> tuple[list[Example], NDArray[np.bool_]]:
    """`count` examples and whether each is risky."""
    random = np.random.default_rng(seed)
    risky = random.random(count) < share
    return [example(random, f"change-{row}", risky=bool(risky[row])) for row in range(count)], risky


def gold(changes: Sequence[Example], risky: Sequence[bool] | NDArray[np.bool_]) -> list[GoldLabel]:
    """Labels as people would have given them."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        GoldLabel(change.change_id, bool(label), "verdict", moment, ())
        for change, label in zip(changes, risky, strict=True)
    ]


def weak(changes: Sequence[Example], risk: NDArray[np.float64]) -> list[WeakLabel]:
    """Weak labels with these risks."""
    return [WeakLabel(change.change_id, float(value), 1.0) for change, value in zip(changes, risk, strict=True)]
