"""A model in the shadow beside the model in use, by verdicts: which of the two orders changes better. No I/O.

Both are measured on the same changes: those that people judged because they had a place or were drawn, and of which
both models know a risk. The model in use had a say in who got a place, so that places alone are fair to neither:
each change counts by the inverse of the chance that it had to be seen, as in all estimates of an audit. What people
looked at of their own accord has no such chance, and is left out. AUROC so weighted is that of the whole population.
Intervals resample changes that had a place, and those that were drawn, each among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oversight.audit.budget.outcome import Considered
from oversight.audit.figures import FEWEST
from oversight.audit.verdict import Selection
from oversight.measurement.arrays import weighted
from oversight.measurement.bootstrap import Estimate, interval, paired_difference
from oversight.measurement.metrics import auroc
from oversight.reports.escape import data

_ASKED = (Selection.FLAGGED, Selection.RANDOM)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A model in the shadow: the sha256 of its manifest, name and version, and risks by repository, in lower case, and
    commit.
    """

    model: str
    name: str
    version: str
    risks: Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Beside:
    """AUROC of a model in the `shadow` and of the one `in_use`, and shadow minus in use, on `n` judged changes, `risky`
    of them; None with a `reason` where they are too few. `changes` are the repository and commit of each.
    """

    model: str
    name: str
    version: str
    n: int
    risky: int
    shadow: Estimate | None
    in_use: Estimate | None
    difference: Estimate | None
    reason: str | None
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> str:
        """In a sentence, whether it orders changes better."""
        if self.difference is None or self.difference.low is None:
            return (
                f"cannot be told from the model in use: {self.reason or (self.difference and self.difference.reason)}"
            )
        if not self.difference.excludes(0.0):
            return "cannot be told from the model in use: the interval of the difference includes 0"
        better = self.difference.value is not None and self.difference.value > 0
        return f"is {'better' if better else 'worse'} than the model in use: the interval of the difference excludes 0"


def compare(population: Sequence[Considered], landed: Mapping[str, str], shadow: Shadow) -> Beside:
    """Compare a model in the shadow with what reviews said; `landed` are the commits that heads became."""
    rows = [
        (one.risky, one.risk, risk, one.propensity, one.selection is Selection.RANDOM, (one.repository, one.commit))
        for one in population
        if one.selection in _ASKED and one.risky is not None and one.risk is not None
        for risk in (_risk(one, landed, shadow),)
        if risk is not None
    ]
    labels = np.array([row[0] for row in rows], dtype=np.bool_)
    risky = int(labels.sum())
    who = (shadow.model, shadow.name, shadow.version, len(rows), risky)
    changes = tuple(row[5] for row in rows)
    if min(risky, len(rows) - risky) < FEWEST:
        return Beside(
            *who, None, None, None, f"{FEWEST} risky and {FEWEST} safe changes with a risk of both are needed", changes
        )
    used, tried, chances = (np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2, 3))
    drawn = np.array([row[4] for row in rows])
    first, second = (weighted(auroc.bind(labels, risks), 1.0 / chances) for risks in (tried, used))
    return Beside(
        *who,
        interval(first, len(rows), seed=0, strata=drawn),
        interval(second, len(rows), seed=0, strata=drawn),
        paired_difference(first, second, len(rows), seed=0, strata=drawn),
        None,
        changes,
    )


def as_dict(one: Beside) -> dict[str, Any]:
    """Return it as plain values."""
    estimates = {"shadow": one.shadow, "in_use": one.in_use, "difference": one.difference}
    return {
        "model": {"name": data(one.name), "version": data(one.version), "sha256": one.model},
        "n": one.n,
        "risky": one.risky,
        **{name: None if found is None else _figure(found) for name, found in estimates.items()},
        "reason": one.reason,
    }


def text(found: Sequence[Beside], escape: Callable[[str], str]) -> Iterator[str]:
    """Yield lines for people, a model each; nothing where there is none."""
    for one in found:
        name = f"{escape(one.name)} {escape(one.version)} (sha256 {one.model[:12]})"
        yield f"In the shadow, {name}: {_words(one)}it {one.verdict}."


def _words(one: Beside) -> str:
    if one.shadow is None or one.in_use is None or one.difference is None:
        return f"{one.n} judged changes have a risk of both, {one.risky} of them risky; "
    return (
        f"AUROC {_shown(one.shadow, '.3f')}, in use {_shown(one.in_use, '.3f')}, difference "
        f"{_shown(one.difference, '+.3f')}, of {one.n} judged changes, {one.risky} of them risky, weighted; "
    )


def _shown(one: Estimate, style: str) -> str:
    if one.value is None:
        return "unknown"
    if one.low is None or one.high is None:
        return f"{one.value:{style}}"
    return f"{one.value:{style}} [{one.low:{style}}, {one.high:{style}}]"


def _figure(one: Estimate) -> dict[str, Any]:
    bounds = None if one.low is None or one.high is None else (one.low, one.high)
    return {"value": one.value, "interval": bounds, "reason": one.reason}


def _risk(one: Considered, landed: Mapping[str, str], shadow: Shadow) -> float | None:
    """Return what the shadow says of a change, which it knows as the head that was reviewed or as what that became."""
    key = one.repository.lower()
    found = shadow.risks.get((key, one.commit))
    return shadow.risks.get((key, landed.get(one.commit, one.commit))) if found is None else found
