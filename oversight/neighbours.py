"""Where a change stands among those that its repository had before it: on their scale, and among their risks.

    ── RECENT readings ──> scale ──────┐
                          │ anchor     │
                          └─ block of BLOCK changes ──> risk of each, among those of the RECENT before it

"Ten earlier changes of the file" is much in one repository and little in another, so profiles are placed among the
repository's own (`oversight.students.network`). Changes that follow each other share a scale, which is taken before
the first of them: no change moves its own, and a history is scored at the cost of one scale a block. Where blocks
begin depends on a change's position in its history alone, and all of a block is computed as one: the row that a scored
history has for a change is then that of its review, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oversight.history.model import Completeness
from oversight.history.readings import Reading
from oversight.students.scale import BLOCK, ENOUGH, RECENT, Edges, quantile_edges

if TYPE_CHECKING:
    from oversight.students.runtime import Model

Readings = Sequence[Reading | None]
"""Of changes that follow each other, oldest first; None for one that could not be read."""


def anchor_of(position: int) -> int:
    """Return the position of the first change of the block that the change at `position` (from 0) is in."""
    return position - position % BLOCK


def first_of(position: int) -> int:
    """Return the first position, that of an anchor, that the change at `position` needs the readings from."""
    return anchor_of(max(0, anchor_of(position) - RECENT))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Readings of the changes before one: of the RECENT `before` its anchor, and of those `since` then."""

    before: Readings = ()
    since: Readings = ()

    @classmethod
    def of(cls, readings: Readings, position: int) -> Neighbours:
        """Divide the readings of the changes from `first_of(position)` to before `position`."""
        anchor = len(readings) - (position - anchor_of(position))
        return cls(readings[max(0, anchor - RECENT) : anchor], readings[anchor:])

    def standing(self, reading: Reading, completeness: Completeness, model: Model) -> Standing | None:
        """Return where the change that comes next stands, None where the model gives no number."""
        return Block(self.before, [*self.since, reading], model).standing(len(self.since), completeness)


@dataclass(frozen=True, slots=True)
class Standing:
    """A change's risk and its percentile, 0 to 100, among `among` changes of its repository.

    Fewer than ENOUGH of them: the percentile comes from the model's reference quantiles. `own_scale`: the profile was
    placed among the repository's changes, not on the model's own scale.
    """

    risk: float
    percentile: float
    among: int
    own_scale: bool


class Block:
    """At most BLOCK changes from an anchor on, with the at most RECENT `before` it, all of them on one scale."""

    def __init__(self, before: Readings, readings: Readings, model: Model) -> None:
        self._model = model
        scale = scale_of(before, model)
        self._own_scale = scale is not None
        # The same number of rows always, and each change in its own: a risk then never depends, not even in its last
        # bit, on how many changes were asked for at once.
        slots: list[Reading | None] = [None] * (RECENT + BLOCK)
        slots[RECENT - len(before) : RECENT + len(readings)] = [*before, *readings]
        self._risks = model.risks(slots, model.edges if scale is None else scale)

    def standing(self, number: int, completeness: Completeness) -> Standing | None:
        """Return where the change of that number in the block stands, None where it has no risk."""
        risk, before = float(self._risks[RECENT + number]), self._risks[number : RECENT + number]
        return _placed(risk, completeness, before, self._model, own_scale=self._own_scale)


def standing_alone(reading: Reading, completeness: Completeness, model: Model) -> Standing | None:
    """Return where a change stands that nothing is known to come before, as in a bare diff or a shallow clone."""
    (risk,) = model.risks([reading], model.edges).tolist()
    return _placed(risk, completeness, np.zeros(0), model, own_scale=False)


def scale_of(before: Readings, model: Model) -> Edges | None:
    """Return the scale of a repository with these readings, None where there are fewer than ENOUGH."""
    known = [reading.profile for reading in before if reading is not None]
    return quantile_edges(np.stack(known), model.bins) if len(known) >= ENOUGH else None


def percentile_of(risk: float, completeness: Completeness, recent: NDArray[np.float64], model: Model) -> float:
    """Place `risk` among the repository's own newest risks (R,), 0 to 100; ties count half.

    With fewer than ENOUGH of them the model's reference quantiles stand in.
    """
    if recent.size < ENOUGH:
        return model.reference.percentile(risk, completeness)
    return float(50.0 * (np.mean(recent < risk) + np.mean(recent <= risk)))


def _placed(
    risk: float, completeness: Completeness, before: NDArray[np.float64], model: Model, *, own_scale: bool
) -> Standing | None:
    if np.isnan(risk):
        return None
    recent = before[~np.isnan(before)]
    return Standing(risk, percentile_of(risk, completeness, recent, model), recent.size, own_scale)
