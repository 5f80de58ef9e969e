"""The plan: the riskiest get places, the rest is drawn with the chance that is said, and nothing is drawn twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oversight.audit.budget.plan import Candidate, Plan, decide, drawn, riskiest
from oversight.audit.budget.spending import parse
from oversight.audit.verdict import Selection
from oversight.errors import LabelError

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def candidates(count: int, first: int = 0) -> list[Candidate]:
    """Changes of three kinds of authors in four directories, each riskier than the one before."""
    kinds = ("human", "human", "human", "agent", "agent", "bot")
    return [
        Candidate(key, "o/r", f"{key:040x}", key / 100_000, False, kinds[key % 6], f"src/{key % 4}")
        for key in range(first, first + count)
    ]


def settled(known: Sequence[Candidate], plan: Plan, now: datetime) -> list[Candidate]:
    """The candidates as they stand once a plan is carried out."""
    fates = {one.key: (selection, now) for one, selection, _ in plan.fresh}
    fates |= {one.key: (Selection.FLAGGED, now) for one in plan.promoted}
    return [
        replace(
            one,
            considered_at=one.considered_at or now,
            selection=fates[one.key][0],
            queued_at=one.queued_at or (now if fates[one.key][0] else None),
        )
        if one.key in fates
        else one
        for one in known
    ]


def test_the_riskiest_come_first():
    """Without alarms by risk alone."""
    assert [one.key for one in riskiest(candidates(50), 3)] == [49, 48, 47]
    assert riskiest(candidates(5), 0) == []


def test_alarms_and_risks_cannot_crowd_each_other_out():
    """Of four places one is for an alarm, the gravest being what could not be scored; three go by risk."""
    calm = candidates(40)
    alarmed = [replace(one, alarm=True) for one in candidates(40, 100)]
    unknown = replace(candidates(1, 200)[0], risk=None, alarm=True)
    quiet = [replace(one, alarm=True, risk=0.0) for one in candidates(5, 300)]
    assert [one.key for one in riskiest([*calm, *quiet, unknown], 8)] == [200, 39, 38, 37, 300, 36, 35, 34]
    assert len(riskiest([*calm, *alarmed], 30)) == 30


def test_each_is_drawn_with_the_probability_that_is_said():
    """Over many seeds: none is spared, none is favoured."""
    found = candidates(40)
    seeds = 3_000
    counts = Counter(key for seed in range(seeds) for key in drawn(found, 0.13, str(seed)))
    error = (0.13 * 0.87 / seeds) ** 0.5
    assert max(abs(counts[one.key] / seeds - 0.13) for one in found) < 4 * error


@pytest.mark.parametrize("chance", [0.05, 0.1, 1 / 3])
def test_strata_are_kept_in_proportion(chance: float):
    """By provenance and directory, and the number as a whole: to within one of what each is due."""
    found = candidates(1_200)
    picked = drawn(found, chance, "seed")
    assert abs(len(picked) - 1_200 * chance) <= 1
    for part in (lambda one: one.provenance, lambda one: (one.provenance, one.directory)):
        sizes = Counter(part(one) for one in found)
        here = Counter(part(one) for one in found if one.key in picked)
        assert all(abs(here[stratum] - size * chance) <= 1 for stratum, size in sizes.items())


def test_a_draw_can_be_repeated_by_its_seed_alone():
    """The order in which changes are given does not matter; another seed is another draw."""
    found = candidates(300)
    assert drawn(found, 0.1, "a") == drawn(found[::-1], 0.1, "a") != drawn(found, 0.1, "b")
    assert drawn(found, 1.0, "a") == {one.key for one in found}
    with pytest.raises(LabelError):
        drawn(found, 0.0, "a")


def test_what_is_decided_stays_and_new_changes_join():
    """A second call decides the new ones alone, with a chance of their own; a third without any does nothing."""
    budget = parse("20 per week")
    first = decide(candidates(200), budget, NOW, "seed")
    assert [one.key for one, selection, _ in first.fresh if selection is Selection.FLAGGED] == list(range(185, 200))
    assert first.chance == 5 / 185
    known = settled(candidates(200), first, NOW)
    later = NOW + timedelta(hours=5)
    second = decide([*known, *candidates(100, 500)], budget, later, "seed")
    assert [one.key for one, _, _ in second.fresh] == list(range(500, 600))
    assert (second.promoted, second.left) == ((), 0)
    assert second.chance == 5 / 285
    third = decide(settled([*known, *candidates(100, 500)], second, later), budget, later, "seed")
    assert (third.fresh, third.promoted, third.chance) == ((), (), None)


def test_in_the_next_period_what_found_no_place_may_get_one():
    """The riskiest of all that have none; it is then certain to be seen, whatever the draw had been."""
    budget = parse("20 per week")
    known = settled(candidates(200), decide(candidates(200), budget, NOW, "seed"), NOW)
    plan = decide(known, budget, NOW + timedelta(days=7), "other")
    assert sorted(one.key for one in plan.promoted) == list(range(170, 185))


def test_who_gets_a_place_does_not_depend_on_the_draw():
    """The same changes have places after several calls whatever the seed is."""
    budget = parse("10%")
    ends = set()
    for seed in ("a", "b", "c"):
        known: list[Candidate] = []
        for call in range(5):
            now = NOW + timedelta(days=call)
            known += candidates(60, 1000 - 100 * call)
            known = settled(known, decide(known, budget, now, seed), now)
        ends.add(frozenset(one.key for one in known if one.selection is Selection.FLAGGED))
    assert len(ends) == 1


def test_what_people_judged_before_needs_no_asking():
    """It takes no place, and its propensity is 1: what it is, is known."""
    found = [replace(one, judged=one.key >= 95) for one in candidates(100)]
    plan = decide(found, parse("4%"), NOW, "seed")
    fates = {one.key: (selection, chance) for one, selection, chance in plan.fresh}
    assert {fates[key] for key in range(95, 100)} == {(Selection.REQUEST, 1.0)}
    assert [key for key, fate in fates.items() if fate[0] is Selection.FLAGGED] == [92, 93, 94]


def test_a_slow_start_of_a_period_does_not_spend_all_of_it():
    """Early in a week the chance is that of the week before, whose number is what is to be expected."""
    budget = parse("20 per week")
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    before = [replace(one, considered_at=monday - timedelta(days=3)) for one in candidates(500)]
    plan = decide([*before, *candidates(30, 1000)], budget, monday + timedelta(hours=1), "seed")
    assert plan.chance == 5 / 500
    after_a_flood = [replace(one, considered_at=monday - timedelta(days=3)) for one in candidates(9_000)]
    quiet = decide([*after_a_flood, *candidates(70, 10_000)], budget, monday + timedelta(days=3.5), "seed")
    assert quiet.chance == pytest.approx(5 / 110)
