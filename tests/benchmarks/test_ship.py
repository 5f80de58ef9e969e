"""The shipped model's training: what is put aside, what is expected of young changes, and the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.ship import card, divide, figures, teach
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


def test_what_comes_before_the_held_out_changes_is_all_that_came_before():
    """In order of time, whether it was learned from or put aside."""
    rows = table(300)
    assert divide(rows, table(20, seed=1), seed=0).before == list(rows.examples)


def test_every_repository_is_placed_on_its_own_scale():
    """Numbers that are a hundred times as large in one repository than in another teach and say the same."""
    rows, tested = table(300), table(60, seed=1)
    large = [replace(one, facts=one.facts * 100 + 99) for one in rows.examples]
    other = replace(rows, source=OTHER, examples=tuple(replace(one, change_id=f"x{one.change_id}") for one in large))
    student = teach([divide(rows, tested, seed=0), divide(other, tested, seed=0)], seed=0)
    assert set(student.scales) == {rows.source.name, OTHER.name}
    assert student.scales[OTHER.name].sum() > 1.5 * student.scales[rows.source.name].sum()
    mistaken = np.abs(
        student.at(OTHER.name).predict(rows.examples) - student.at(rows.source.name).predict(rows.examples)
    )
    assert mistaken.mean() > 0.01


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
        assert "student that never saw it" in found[part.name]["test"]["scores"]
    assert all(np.isfinite(values).all() for values in reference.values())
