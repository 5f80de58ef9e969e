"""What a review budget brought: what was caught, what was probably missed, and at what cost. No I/O.

The changes that were considered are the population. Those with a place were to be seen in any case, those drawn stand
for all that had no place, each with the chance that it had, and those judged before anybody was asked are known. Of
what was shown not everything is answered, so figures hold as far as what is answered is like what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from oversight.audit.figures import DRAWN, FEWEST, Share, What, few, share
from oversight.audit.verdict import Selection
from oversight.measurement.audited import PERFECT, Auditor, Total, beyond, recall, together, total
from oversight.measurement.beta import binomial_interval

_PLACED: What = ("judged change", "of those with a place")


@dataclass(frozen=True, slots=True)
class Considered:
    """A change that was considered: `selection` and `propensity` as in the queue, and what people say it is.

    `risky` is None where nobody has judged it, or where they are even. `risk`, `percentile`, `flagged` and `model` are
    what the report said. `number`, `title` and `considered_at` tell people which change it is.
    """

    repository: str
    commit: str
    provenance: str | None
    selection: Selection | None
    propensity: float
    risky: bool | None
    risk: float | None = None
    percentile: float | None = None
    flagged: bool = False
    model: str | None = None
    number: int | None = None
    title: str | None = None
    considered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a population of `considered` changes.

    Of those `picked` with a place, `picked_judged` were judged; of those `drawn`, `drawn_judged`; `known` ones had been
    judged before. `caught` are the risky ones that had a place, `found` all risky ones that people know of.
    `missed` is how many more there are among those that had no place, `recall` the share of all risky changes that had
    a place, `risky` the share of risky changes in the population, `cost` how many changes were judged for each that was
    found, `precision` the share of risky ones among those that had a place. Each of these five is of `n` judged
    changes, and has a reason instead of a value where they tell too little.
    """

    considered: int
    picked: int
    picked_judged: int
    drawn: int
    drawn_judged: int
    known: int
    caught: int
    found: int
    missed: Share
    recall: Share
    risky: Share
    cost: Share
    precision: Share


def outcome(population: Sequence[Considered], auditor: Auditor = PERFECT) -> Outcome:
    """Return what is known of a population, from people who judge as `auditor` says."""
    picked = [one for one in population if one.selection is Selection.FLAGGED]
    known = [one for one in population if one.selection is Selection.REQUEST]
    others = [one for one in population if one.selection in (None, Selection.RANDOM)]
    drawn = [one for one in others if one.selection is Selection.RANDOM]
    judged = [one for one in population if one.risky is not None]
    found = sum(one.risky is True for one in judged)
    missed, caught, prevalence = _estimates(picked, known, others, auditor)
    return Outcome(
        considered=len(population),
        picked=len(picked),
        picked_judged=_judged(picked),
        drawn=len(drawn),
        drawn_judged=_judged(drawn),
        known=len(known),
        caught=sum(one.risky is True for one in picked),
        found=found,
        missed=missed,
        recall=caught,
        risky=prevalence,
        cost=_cost(found, len(judged)),
        precision=_precision(picked),
    )


def by_provenance(population: Sequence[Considered], auditor: Auditor = PERFECT) -> Mapping[str, Outcome]:
    """Return what is known of the changes of each kind of author, as far as reports tell who that was."""
    return by(population, lambda one: one.provenance, auditor)


def by(
    population: Sequence[Considered], key: Callable[[Considered], str | None], auditor: Auditor = PERFECT
) -> Mapping[str, Outcome]:
    """Return what is known of each group of changes that share a key, by keys in order; those with None are in none."""
    groups: dict[str, list[Considered]] = {}
    for one in population:
        name = key(one)
        if name is not None:
            groups.setdefault(name, []).append(one)
    return {name: outcome(group, auditor) for name, group in sorted(groups.items())}


def _estimates(
    picked: Sequence[Considered], known: Sequence[Considered], others: Sequence[Considered], auditor: Auditor
) -> tuple[Share, Share, Share]:
    """Return the missed, recall and the share of risky changes."""
    drawn = [one for one in others if one.selection is Selection.RANDOM]
    count = _judged([*picked, *known, *drawn])
    if not (picked or known or others):
        return (_none(0, 'no change was considered: "oversight audit queue" chooses what to judge'),) * 3
    unseen = _too_few(others, drawn, DRAWN)
    if unseen is not None:
        return (_none(count, unseen),) * 3
    rest = together(_total(drawn, len(others), auditor), _total(known, len(known), auditor))
    called = [one.risky for one in (*others, *known) if one.risky is not None]
    left = beyond(rest, auditor.right(sum(called), len(called)))
    missed = Share(left.value, left.interval, rest.judged, None)
    unseen = _too_few(picked, picked, _PLACED)
    if unseen is not None:
        return missed, _none(count, unseen), _none(count, unseen)
    caught = _total(picked, len(picked), auditor)
    told = recall(caught, rest)
    all_of_them = together(caught, rest)
    size = max(all_of_them.size, 1)
    bounds = (all_of_them.interval[0] / size, all_of_them.interval[1] / size)
    value = None if all_of_them.value is None else all_of_them.value / size
    return missed, Share(told.value, told.interval, count, told.reason), Share(value, bounds, count, None)


def _total(judged: Sequence[Considered], size: int, auditor: Auditor) -> Total:
    answered = [one for one in judged if one.risky is not None]
    return total([one.risky is True for one in answered], [one.propensity for one in answered], size, auditor=auditor)


def _too_few(group: Sequence[Considered], shown: Sequence[Considered], what: What) -> str | None:
    """Return why nothing can be said of a group, None where enough of it, or all of it, was judged."""
    found = _judged(shown)
    return None if found >= FEWEST or found == len(group) else few(found, *what)


def _judged(group: Sequence[Considered]) -> int:
    return sum(one.risky is not None for one in group)


def _cost(found: int, judged: int) -> Share:
    if judged < FEWEST:
        return _none(judged, few(judged, "judged change"))
    if not found:
        return _none(judged, "no judged change is risky")
    low, high = binomial_interval(found, judged, tail="mid-p")
    return Share(judged / found, (1.0 / high, 1.0 / low), judged, None)


def _precision(picked: Sequence[Considered]) -> Share:
    return share([one.risky for one in picked if one.risky is not None], _PLACED)


def _none(judged: int, reason: str) -> Share:
    return Share(None, None, judged, reason)
