"""Comparisons, recovery and the ladder, against slower ways to compute the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.vault_world import laid, world
from oversight.measurement.metrics import auroc
from oversight.research.vault.gold import Ground, grounds_of
from oversight.research.vault.ladder import Ladder, told
from oversight.research.vault.policy import Policy
from oversight.research.vault.scoring import compare, mean_auroc, placements, recoveries, scale_of, series_of


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> list[Ground]:
    return list(grounds_of(laid(tmp_path_factory.mktemp("vault"), world(5, {"first": 900, "second": 600}))).values())


def test_placements_add_up_to_auroc() -> None:
    """With ties too, the area is that of the metric, and what the rows add sums to nothing in each class."""
    generator = np.random.default_rng(0)
    labels, scores = generator.random(300) < 0.2, np.round(generator.random(300), 1)
    area, placed = placements(labels, scores)
    assert area == pytest.approx(auroc(labels, scores).require())
    assert placed[labels].sum() == pytest.approx(0)
    assert placed[~labels].sum() == pytest.approx(0)


def test_the_error_of_a_difference_is_that_of_a_bootstrap_over_blocks(grounds: list[Ground]) -> None:
    """Within a tenth, for two students on the open half; a student is no better than itself, without any error."""
    rows = {ground.name: ground.open for ground in grounds}
    naive, default = series_of(grounds, "naive"), series_of(grounds, "default")
    found = compare(grounds, default, naive, rows)
    assert found.value == pytest.approx(mean_auroc(grounds, default, rows) - mean_auroc(grounds, naive, rows))
    generator, drawn = np.random.default_rng(1), []
    for _ in range(400):
        values = []
        for ground in grounds:
            blocks = np.unique(ground.blocks[ground.open])
            counts = np.bincount(generator.choice(blocks, blocks.size), minlength=blocks.max() + 1)
            weights = counts[np.minimum(ground.blocks, blocks.max())] * ground.open
            areas = [
                np.mean([auroc(ground.labels, run, weights).require() for run in one[ground.name]])
                for one in (default, naive)
            ]
            values.append(areas[0] - areas[1])
        drawn.append(np.mean(values))
    assert found.error == pytest.approx(np.std(drawn), rel=0.1)
    same = compare(grounds, naive, naive, rows)
    assert same.value == pytest.approx(0)
    assert same.error == pytest.approx(0)


def test_recovery_is_a_ratio_of_means_with_the_rivals_beside(grounds: list[Ground]) -> None:
    """PGR of the ceiling is 1, of the weak reviewer 0, and of a student what its mean AUROC recovers of the gap."""
    rows = {ground.name: ~ground.open for ground in grounds}
    ends = scale_of(grounds, rows)
    students = {name: series_of(grounds, one) for name, one in (("e1", "ceiling"), ("e2", "weak"), ("e3", "naive"))}
    found = recoveries(grounds, students, rows, resamples=50)
    assert [found[name].pgr for name in ("e1", "e2")] == [pytest.approx(1), pytest.approx(0)]
    assert found["e3"].pgr == pytest.approx(ends.pgr(mean_auroc(grounds, students["e3"], rows)))
    assert found["e3"] == found["naive"]
    assert found["e3"].differences["naive"].value == 0
    assert found["e3"].n == sum(int(one.sum()) for one in rows.values())


def test_the_ladder_wants_more_with_every_best(grounds: list[Ground]) -> None:
    """What beats the naive student is best the first time, and is not after many bests, at the same score."""
    ladder = Ladder(grounds, Policy())
    ceiling, naive = series_of(grounds, "ceiling"), series_of(grounds, "naive")
    assert ladder.step(ceiling, naive, 1, 0).beaten
    assert not ladder.step(ceiling, naive, 1, 100).beaten
    assert not ladder.step(naive, ceiling, 1, 0).beaten
    assert not ladder.step(naive, naive, 1, 0).beaten
    assert ladder.score(ceiling) == 1.0
    assert ladder.score(naive) in [round(0.05 * step, 10) for step in range(21)]


def test_what_answers_tell_at_most_is_counted_in_bits() -> None:
    """No question tells nothing; those without a best tell the default's score; a best tells its place and score."""
    assert told(0, 0, 61) == 0
    assert told(100, 0, 61) == pytest.approx(np.log2(101) + np.log2(61))
    assert told(100, 1, 61) == pytest.approx(np.log2(101) + np.log2(100) + 2 * np.log2(61))


def test_grounds_with_few_labels_are_measured_as_well(tmp_path: Path) -> None:
    """Where a share of the blocks may hold one kind alone, others are drawn until both are there."""
    small = next(iter(grounds_of(laid(tmp_path, world(1, {"first": 120}))).values()))
    for query in range(1, 30):
        rows = small.shown(query, 0.2)
        assert 0 < small.labels[rows].sum() < rows.sum()
