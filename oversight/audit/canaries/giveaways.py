"""Whether canaries could be told from their controls without reading what they do.

A logistic regression on what shows from afar: sizes, files, white space, context, the message. For pairs it is the
conditional one, on the differences within each pair (Breslow & Day 1980, chapter 7). It is fitted to some pairs and
asked of others; half of them right is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.audit.canaries.figures import Share
from oversight.audit.canaries.model import Flock, draw
from oversight.changes.model import Change, LineKind
from oversight.history.paths import PathKind, kinds_of
from oversight.history.references import is_fix
from oversight.measurement.platt import sigmoid

COUNTS = ("lines added", "lines deleted")
"""The features that a scorer of sizes sees. Both of a pair have the same: it can only guess."""

FEATURES = (
    *COUNTS, "files", "hunks", "files added", "files of tests", "files without a language", "depth of paths",
    "rows of context a hunk", "hunks without context on a side", "hunks with a section", "blank rows changed",
    "rows with blanks at their end", "rows indented by tabs", "longest row", "mean length of a row", "title's length",
    "lines of the message", "message says fix", "first changed row",
)  # fmt: skip
"""What is seen of a change from afar."""

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


def surface(change: Change) -> list[float]:
    """Return the FEATURES of a change."""
    hunks = [hunk for file in change.files for hunk in file.hunks]
    rows = [line.text for hunk in hunks for line in hunk.lines if line.kind is not LineKind.CONTEXT]
    contexts = [hunk.count(LineKind.CONTEXT) for hunk in hunks]
    bare = [hunk.lines[0].kind is not LineKind.CONTEXT or hunk.lines[-1].kind is not LineKind.CONTEXT for hunk in hunks]
    paths = [file.path for file in change.files]
    lengths = [len(row) for row in rows] or [0]
    return [
        float(change.added or 0), float(change.deleted or 0), float(len(paths)), float(len(hunks)),
        float(sum(file.old_path is None for file in change.files)),
        float(sum(PathKind.TEST in kinds_of(path) for path in paths)),
        float(sum(file.language is None for file in change.files)),
        _mean([path.count("/") for path in paths]), _mean(contexts), _mean(bare),
        _mean([bool(hunk.section) for hunk in hunks]), _mean([not row.strip() for row in rows]),
        _mean([row != row.rstrip() for row in rows]), _mean([row.startswith("\t") for row in rows]),
        float(max(lengths)), _mean(lengths), float(len(change.title)), float(change.body.count("\n")),
        float(is_fix(f"{change.title}\n{change.body}")),
        float(np.log1p(min((hunk.new_start for hunk in hunks), default=0))),
    ]  # fmt: skip


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


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
