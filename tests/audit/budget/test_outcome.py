"""What a budget brought: worked by hand, silent where little is known, and right about 95 times of 100."""

from __future__ import annotations

import pytest

from benchmarks.audit_coverage import CAREFUL, HASTY, Scene, simulate
from oversight.audit.budget.outcome import Considered, by_provenance, outcome
from oversight.audit.verdict import Selection
from oversight.measurement.audited import Auditor

CHANCE = 0.1


def changes(
    count: int, risky: bool | None, selection: str | None, *, provenance: str | None = "human", chance: float = CHANCE
) -> list[Considered]:
    chosen = None if selection is None else Selection(selection)
    propensity = 1.0 if chosen in (Selection.FLAGGED, Selection.REQUEST) else chance
    return [Considered("o/r", f"{number:040x}", provenance, chosen, propensity, risky) for number in range(count)]


POPULATION = [
    *changes(8, True, "flagged"), *changes(12, False, "flagged"),
    *changes(1, True, "random"), *changes(19, False, "random"), *changes(178, None, None),
    *changes(2, True, None), *changes(1, True, "request"), *changes(4, False, "request"),
]  # fmt: skip


def test_an_outcome_worked_by_hand():
    """Of 200 that had no place one in twenty is risky, one was judged before: eleven, of which four are known."""
    told = outcome(POPULATION)
    assert (told.considered, told.picked, told.picked_judged, told.drawn, told.drawn_judged) == (225, 20, 20, 20, 20)
    assert (told.known, told.caught, told.found) == (5, 8, 12)
    assert told.missed.value == pytest.approx(10 + 1 - 4)
    assert told.recall.value == pytest.approx(8 / (8 + 11))
    assert told.risky.value == pytest.approx(19 / 225)
    assert told.cost.value == pytest.approx(47 / 12)
    assert told.recall.interval is not None
    assert told.recall.interval[0] < 8 / 19 < told.recall.interval[1]


def test_what_people_judge_of_their_own_accord_tells_nothing_of_the_rest():
    """They look where they expect something: it is found, and not a part of the estimate."""
    more = outcome([*POPULATION, *changes(30, True, None)])
    fewer = outcome([*POPULATION, *changes(30, None, None)])
    assert more.recall.value == fewer.recall.value
    assert more.found == fewer.found + 30


def test_what_people_call_risky_by_mistake_is_not_found():
    """Of people who call a tenth of what is safe risky: ten of a hundred at their own accord are that tenth, and take
    nothing away from what was missed.
    """
    drawn = [*changes(19, True, "random"), *changes(81, False, "random"), *changes(900, None, None)]
    placed = changes(20, True, "flagged")
    erring = Auditor(1.0, 0.9)
    fewer = outcome([*placed, *drawn, *changes(100, None, None)], erring).missed
    more = outcome([*placed, *drawn, *changes(10, True, None), *changes(90, False, None)], erring).missed
    assert fewer.value == pytest.approx(1100 * 0.1 - 10)
    assert more.value == pytest.approx(fewer.value)


def test_little_is_told_of_little():
    """Nine draws are too few for recall, nine verdicts for the cost; each says what is missing."""
    few = outcome([*changes(20, True, "flagged"), *changes(9, False, "random"), *changes(91, None, None)])
    assert few.recall.value is few.missed.value is few.risky.value is None
    assert few.recall.reason == "9 judged changes of the random slice, and 10 are needed"
    unjudged = outcome([*changes(9, True, "flagged"), *changes(11, None, "flagged"), *changes(12, False, "random")])
    assert unjudged.recall.reason == "9 judged changes of those with a place, and 10 are needed"
    assert unjudged.missed.value == 0.0
    assert outcome(changes(5, True, "flagged")).cost.reason == "5 judged changes, and 10 are needed"
    assert "audit queue" in (outcome([]).recall.reason or "")


def test_no_miss_found_is_not_none():
    """Twenty safe ones of 2,000 leave room for many."""
    told = outcome([*changes(20, True, "flagged"), *changes(20, False, "random"), *changes(1_980, None, None)])
    assert told.missed.value == 0.0
    assert told.missed.interval is not None
    assert told.missed.interval[1] > 200


def test_kinds_of_authors_are_told_apart():
    """Each by its own changes; those of whom nothing is known count in the whole alone."""
    found = by_provenance(
        [*POPULATION, *changes(15, True, "flagged", provenance="agent"), *changes(3, None, None, provenance=None)]
    )
    assert list(found) == ["agent", "human"]
    assert (found["agent"].caught, found["human"].caught) == (15, 8)
    assert found["agent"].missed.value == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "scene",
    [
        Scene(400, 0.01, 0.2),
        Scene(400, 0.1, 0.1),
        Scene(400, 0.1, 0.2, calls=8),
        Scene(400, 0.1, 0.2, answered=0.8),
        Scene(400, 0.1, 0.2, CAREFUL),
        Scene(400, 0.3, 0.2, HASTY),
    ],
    ids=lambda scene: f"{scene.rate}-{scene.budget}-{scene.calls}-{scene.answered}-{scene.auditor.sensitivity}",
)
def test_intervals_cover_the_truth(scene: Scene):
    """Those of recall and of what was missed, of 95 %: in 120 audits not far less often, whoever judges."""
    told = simulate(scene, 120, seed=1)
    for name in ("recall", "missed"):
        assert told[name]["n"] >= 90
        assert told[name]["mean"] >= 0.9
    assert told["recall, width"]["mean"] < 1.0
