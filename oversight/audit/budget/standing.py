"""How many changes each judged one of a queue stands for. No I/O.

Those with a place stand for those with a place, those that were judged before for themselves, and those drawn for all
that had no place, in proportion to the inverse of their chances (Hajek 1971). How many there were of each is known, so
that weights add up to that number (post-stratification, Holt & Smith 1979, doi:10.2307/2344652), however many of them
are answered; and where both flagged and other ones were judged, to that of the flagged ones and that of the others.
What people looked at of their own accord stands for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oversight.audit.budget.outcome import Considered
from oversight.audit.figures import Sample, few
from oversight.audit.verdict import Selection

_NEGLIGIBLE = 0.05
"""Of all changes, so many may be of a kind that nobody judged: less than intervals are wide."""

_KINDS = {
    Selection.FLAGGED: "of those with a place",
    Selection.REQUEST: "of those judged before",
    Selection.RANDOM: "of those without a place that were drawn",
}


def standing(population: Sequence[Considered], landed: Mapping[str, str]) -> Sample:
    """Return what judged changes stand for, by the commits that they are or, as `landed` has them, became."""
    groups: dict[Selection, list[Considered]] = {kind: [] for kind in _KINDS}
    for one in population:
        groups[one.selection or Selection.RANDOM].append(one)
    weights: dict[str, float | None] = {landed.get(one.commit, one.commit): None for one in population}
    for group in groups.values():
        parts = [part for flagged in (True, False) if (part := [one for one in group if one.flagged is flagged])]
        for part in parts if all(map(_judged, parts)) else [group]:
            judged = _judged(part)
            sizes = [1.0 / one.propensity for one in judged]
            for one, size in zip(judged, sizes, strict=True):
                weights[landed.get(one.commit, one.commit)] = size * len(part) / sum(sizes)
    flags = {kind: [one for one in group if one.flagged] for kind, group in groups.items()}
    return Sample(weights, _unseen(groups, "judged change"), _unseen(flags, "judged flagged change"))


def _judged(group: Sequence[Considered]) -> list[Considered]:
    return [one for one in group if one.selection is not None and one.risky is not None]


def _unseen(groups: Mapping[Selection, Sequence[Considered]], noun: str) -> str | None:
    """Return why what was judged does not stand for all: of a kind of which there are many nobody judged any."""
    size = sum(map(len, groups.values()))
    for kind, group in groups.items():
        if len(group) > _NEGLIGIBLE * size and not _judged(group):
            return few(0, noun, _KINDS[kind])
    return None
