"""Whether canaries could be told from their controls without reading what they do.

A logistic regression on what shows from afar: sizes, files, white space, context, the message. For pairs it is the
conditional one, on the differences within each pair (Breslow & Day 1980, chapter 7). It is fitted to some pairs and
asked of others; half of them right is chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.audit.canaries.figures import Share
from oversight.audit.canaries.model import Flock, draw
from oversight.audit.canaries.surface import COUNTS, FEATURES, surface
from oversight.measurement.platt import sigmoid

_FOLDS = 10
_RIDGE = 1.0
_STEPS = 25

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Giveaways:
    """`told` is the share of held-out pairs in which the classifier took the canary for one, ties counting half;
    `counts` the same for a scorer of lines added and deleted alone. `strongest` are the features by which most pairs
    could be told, one at a time and whichever way, with that share of the pairs that differ in it.
    """

    told: Share
    counts: Share
    strongest: tuple[tuple[str, Share], ...]


def giveaways(flock: Flock) -> Giveaways:
    """Ask how many canaries of a flock could be told from afar."""
    differences = np.array(
        [np.subtract(surface(pair.canary.change), surface(pair.control)) for pair in flock.pairs], dtype=np.float64
    ).reshape(len(flock.pairs), len(FEATURES))
    folds = np.array(
        [int(draw(flock.seed, "fold", pair.canary.change.id)[:8], 16) % _FOLDS for pair in flock.pairs], dtype=np.int64
    )
    alone = [
        (name, _directed(np.sign(differences[:, column])))
        for column, name in enumerate(FEATURES)
        if differences[:, column].any()
    ]
    alone.sort(key=lambda pair: -(pair[1].low if pair[1].value is not None else 0.0))
    return Giveaways(
        told=_share(held_out(differences, folds)),
        counts=_share(held_out(differences[:, : len(COUNTS)], folds)),
        strongest=tuple(alone[:3]),
    )


def held_out(differences: Floats, folds: NDArray[np.int64]) -> Floats:
    """Return the margins (n,) of pairs with these differences (n, k) between canary and control, each by a regression
    that was fitted to the pairs of other folds (n,). Above 0: the canary was told.
    """
    spread = np.sqrt(np.mean(differences**2, axis=0)) if len(differences) else np.ones(differences.shape[1])
    scaled = differences / np.where(spread > 0, spread, 1.0)
    margins = np.zeros(len(differences))
    for fold in np.unique(folds):
        margins[folds == fold] = scaled[folds == fold] @ _fitted(scaled[folds != fold])
    return margins


def _fitted(differences: Floats) -> Floats:
    """The weights (k,) of a conditional logistic regression with a ridge, by Newton's method."""
    weights = np.zeros(differences.shape[1])
    for _ in range(_STEPS):
        wrong = sigmoid(-(differences @ weights))
        gradient = differences.T @ wrong - _RIDGE * weights
        curvature = (differences * (wrong * (1.0 - wrong))[:, None]).T @ differences
        weights = weights + np.linalg.solve(curvature + _RIDGE * np.eye(len(weights)), gradient)
    return weights


def _share(margins: Floats) -> Share:
    return Share.among(float(np.sum(margins > 0) + np.sum(margins == 0) / 2), len(margins))


def _directed(signs: Floats) -> Share:
    differing = int(np.sum(signs != 0))
    above = int(np.sum(signs > 0))
    return Share.among(max(above, differing - above), differing)
