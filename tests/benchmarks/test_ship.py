"""The shipped model's training: what is put aside, what is expected of young changes, and the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.ship import card, divide, figures, teach
from benchmarks.student_rows import Table
from oversight.students.student import logits_in_time
from tests.benchmarks.test_student import OTHER, table


def test_rows_for_calibration_are_not_learned_from():
    """Both parts together are all rows, and they share none."""
    rows = table(100)
    part = divide(rows, table(20, seed=1), seed=0)
    learned, held = ({one.change_id for one in each.examples} for each in (part.learned, part.calibration))
    assert len(held) == 15
    assert not learned & held
    assert learned | held == {one.change_id for one in rows.examples}


def test_risk_counts_repairs_that_are_still_to_come():
    """The same labels mean a higher risk where only a part of the repairs would be known by now."""
    rows = table(400)
    rows = replace(rows, labels=rows.labels & (np.arange(400) % 4 == 0), found=np.ones(400))
    young = replace(rows, found=np.full(400, 0.3))
    risks = [
        teach([divide(each, table(20, seed=1), seed=0)], seed=0).predict(rows.examples).mean() for each in (rows, young)
    ]
    assert risks[1] > 1.2 * risks[0]


def test_every_repository_is_placed_on_its_own_scale():
    """Numbers that are a hundred times as large in one repository than in another teach and say the same."""
    rows, tested = table(400), table(60, seed=1)

    def enlarged(one: Table) -> Table:
        large = [
            replace(each, change_id=f"x{each.change_id}", measures=each.measures * 100, facts=each.facts * 100)
            for each in one.examples
        ]
        return replace(one, source=OTHER, examples=tuple(large))

    student = teach([divide(rows, tested, seed=0), divide(enlarged(rows), tested, seed=0)], seed=0)
    bins = student.network.architecture.bins
    small = logits_in_time(student, rows.examples, tested.examples, bins)[0]
    large = logits_in_time(student, enlarged(rows).examples, enlarged(tested).examples, bins)[0]
    mistaken = logits_in_time(student, rows.examples, enlarged(tested).examples, bins)[0]
    assert np.abs(small - large).mean() < 0.5 * np.abs(small - mistaken).mean()


def test_the_card_says_what_was_learned_and_what_is_reached():
    """Every repository has its revision, its rows, and figures with and without having been learned from."""
    parts = [
        divide(table(150), table(60, seed=1), seed=0),
        divide(table(150, seed=2, source=OTHER), table(60, seed=3, source=OTHER), seed=0),
    ]
    found, reference = figures(parts, teach(parts, seed=0), seed=0)
    text = card(found)
    for part in parts:
        assert f"### {part.name}" in text
        assert part.test.source.revision[:12] in text
        assert "student that never saw it" in found["repositories"][part.name]["test"]["scores"]
    assert "| 1 with trailers | student that never saw it |" in text
    assert found["means"]["reverts"]["auroc"]["differences"]["student"]["lines added"]["low"] is not None
    assert all(np.isfinite(values).all() for values in reference.values())
