"""What gives a query away that is not a student's: seen in the predictions and those before, never in a label.

Refused, at the cost of a query:

| | |
|---|---|
| `malformed` | not P(risky) of every test change of every ground of the study |
| `row-order` | a row's prediction depended on where it stood, or on the rows beside it |
| `most-frequent` | half of the changes of a draw or more have one and the same answer |
| `copy` | in every ground the order of an earlier one |
| `few-rows` | in some ground the order of an earlier one, but for some of the rows |

Noted: `draws-alike` (the same answers whatever the human labels), `draws-apart` (one answer a draw picked out of
several), `unlike` (nothing like any student). The thresholds lie well outside of what 18 methods do to each other on
three histories: every retraining moves all rows a little, so that neighbours in the old order stand in either order in
the new one; whoever flips a few predictions to read their labels leaves the others where they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight.research.model import Floats

Flags = NDArray[np.bool_]

COPY = 0.999
"""Rank correlation above which two orders are one."""

FREQUENT = 0.5
"""Share of the rows that may have the same prediction."""

ORDER = 1e-3
"""Largest difference, in probability, that the place of a row may make."""

_IN_PLACE = 0.65  # of the neighbours in an earlier order; methods leave .50 to .57 of them
_PEAKED = 10.0  # excess kurtosis of how far rows moved; methods reach 4.1
_ALIKE = 0.9999  # mean rank correlation between draws; methods reach .999
_APART = 0.15  # below that of the default
_UNLIKE = 0.2  # rank correlation with the default; methods reach .84 at the least

_JUMP = 0.15  # PGR, three steps of the usual rounding
_FEW = 5  # screens, below which they have no middle


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: why it is refused, None where it is not, and the names of the detectors that fired."""

    reason: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Orders:
    """E orders of T changes: where each stands, `places` (E, T) from 0 to 1, the rows as they stand, `rows` (E, T), and
    which of them the next one does not share its place with, `apart` (E, T - 1).
    """

    places: Floats
    rows: NDArray[np.int64]
    apart: Flags

    @classmethod
    def of(cls, places: Floats) -> Orders:
        """Sort them."""
        rows = np.argsort(places, axis=1, kind="stable").astype(np.int64)
        return cls(places, rows, np.diff(np.take_along_axis(places, rows, axis=1), axis=1) > 0)

    def joined(self, more: Orders) -> Orders:
        """Return these and others."""
        return Orders(
            np.concatenate((self.places, more.places)),
            np.concatenate((self.rows, more.rows)),
            np.concatenate((self.apart, more.apart)),
        )


class Earlier:
    """The orders of earlier predictions by name, each with those of all grounds."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._orders: dict[str, Orders] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def add(self, name: str, predictions: Mapping[str, Floats]) -> None:
        """Remember predictions, (K, T) by ground."""
        self.names.append(name)
        for ground, runs in predictions.items():
            more = Orders.of(standing(runs)[None])
            self._orders[ground] = self._orders[ground].joined(more) if ground in self._orders else more

    def copied(self, here: Mapping[str, Floats]) -> str | None:
        """Return the name of one that has the same order in every ground."""
        same = [correlations(self._orders[name].places, places) > COPY for name, places in here.items()]
        return self._first(np.logical_and.reduce(same))

    def varied(self, here: Mapping[str, Floats]) -> str | None:
        """Return the name of one of which some rows were moved in some ground, and the others left in place."""
        some = [few_rows(self._orders[name], places) for name, places in here.items()]
        return self._first(np.logical_or.reduce(some))

    def _first(self, found: Flags) -> str | None:
        return self.names[int(np.argmax(found))] if found.any() else None


def standing(runs: Floats) -> Floats:
    """Return where each change stands among the others, (T,) from 0 to 1, by predictions (K, T): a mean over draws."""
    places: Floats = np.mean([ranks(run) for run in runs], axis=0)
    return places


def ranks(values: Floats) -> Floats:
    """Return ranks (n,) from 0 to 1, equal ones sharing theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Floats = ((last - (counts - 1) / 2.0) / values.size)[place]
    return shared


def malformed(predictions: Mapping[str, Floats], shapes: Mapping[str, tuple[int, int]]) -> str | None:
    """Return why predictions are none, None where they are."""
    if set(predictions) != set(shapes):
        return "predictions are wanted for every ground of the study, and for no other"
    for name, runs in predictions.items():
        if runs.shape != shapes[name]:
            return f"predictions have the shape {runs.shape}, and {shapes[name]} is wanted"
        if not ((runs >= 0) & (runs <= 1)).all():
            return "a prediction is no probability"
    return None


def look(
    predictions: Mapping[str, Floats],
    default: Mapping[str, Floats],
    earlier: Earlier,
    order: float | None,
) -> Look:
    """Look at well-formed `predictions` beside those of the `default` and `earlier` ones;
    `order` is the largest difference that a row's place made, None where nobody looked.
    """
    if order is not None and not order <= ORDER:
        return Look("predictions depend on the order of the rows", ("row-order",))
    for runs in predictions.values():
        if max(_most_frequent(run) for run in runs) >= FREQUENT:
            return Look("half of the changes or more have the same prediction", ("most-frequent",))
    here = {name: standing(runs) for name, runs in predictions.items()}
    if name := earlier.copied(here):
        return Look(f"the same order as that of {name}", ("copy",))
    if name := earlier.varied(here):
        return Look(f"the order of {name}, but for some of the rows", ("few-rows",))
    return Look(None, tuple(_noted(predictions, default, here)))


def few_rows(before: Orders, here: Floats) -> Flags:
    """Whether some of the rows were moved, and the others left where they stood `before`, (E,)."""
    moved = np.square(here - before.places)  # places have one mean, so that moves have none
    spread = moved.mean(axis=1)
    peaked = np.square(moved).mean(axis=1) > (3 + _PEAKED) * np.square(spread)
    left = (correlations(before.places, here) <= COPY) & (in_place(before, here) > _IN_PLACE)
    found: Flags = (spread > 0) & (peaked | left)
    return found


def in_place(before: Orders, here: Floats) -> Floats:
    """Return the share of neighbours in each order `before` that stand in the same order in `here` (T,): (E,).

    Those that are level in either order count half.
    """
    steps = np.diff(here[before.rows], axis=1)
    found: Floats = np.where(before.apart, (np.sign(steps) + 1) / 2, 0.5).mean(axis=1)
    return found


def correlations(many: Floats, one: Floats) -> Floats:
    """Return the correlation of each of `many` (E, T) with `one` (T,), 0 where either is constant: (E,)."""
    first, second = many - many.mean(axis=1, keepdims=True), one - one.mean()
    sizes = np.sqrt(np.square(first).sum(axis=1) * (second @ second))
    found: Floats = np.divide(first @ second, sizes, out=np.zeros(len(many)), where=sizes > 0)
    return found


def _noted(
    predictions: Mapping[str, Floats], default: Mapping[str, Floats], here: Mapping[str, Floats]
) -> Iterator[str]:
    between = {name: (_between(runs), _between(default[name])) for name, runs in predictions.items()}
    if any(found > _ALIKE > usual for found, usual in between.values()):
        yield "draws-alike"
    if any(found < usual - _APART for found, usual in between.values()):
        yield "draws-apart"
    if any(correlations(standing(default[name])[None], places)[0] < _UNLIKE for name, places in here.items()):
        yield "unlike"


def _between(runs: Floats) -> float:
    """Return the mean rank correlation between two draws; 0 for one draw alone."""
    if len(runs) < 2:
        return 0.0
    placed = np.stack([ranks(run) for run in runs])
    pairs = [correlations(placed[number + 1 :], one) for number, one in enumerate(placed)]
    return float(np.concatenate(pairs).mean())


def _most_frequent(run: Floats) -> float:
    return float(np.unique(run, return_counts=True)[1].max() / run.size)


def jump(gained: float, screen: float | None, screens: Sequence[float]) -> bool:
    """Whether a score that was told rose by `_JUMP` or more, and the screen, which no test label has a part in, is not
    above the middle of the `screens` of what was scored before. All of these numbers are known to whoever asks.
    """
    return gained >= _JUMP and screen is not None and len(screens) >= _FEW and screen <= float(np.median(screens))
