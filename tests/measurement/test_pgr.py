"""Performance gap recovered, its intervals, and the controls that must come out null."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from oversight.errors import LabelError
from oversight.measurement.bootstrap import hierarchical, time_blocks
from oversight.measurement.metrics import METRICS, auroc, brier
from oversight.measurement.pgr import mean_of, recover, recovery_of


def runs(labels: np.ndarray, separation: float, seeds: int, generator: np.random.Generator) -> np.ndarray:
    """Scores (seeds, n) that share most of their noise, as models of one test set do."""
    shared = generator.normal(size=labels.size)
    own = generator.normal(size=(seeds, labels.size))
    return separation * labels + 0.9 * shared + math.sqrt(1 - 0.81) * own


@pytest.fixture(name="world")
def world_fixture():
    """1,500 changes, a fifth risky, five seeds of a weak reviewer, a student and a ceiling."""
    generator = np.random.default_rng(0)
    labels = generator.random(1500) < 0.2
    return labels, {
        name: runs(labels, separation, 5, generator)
        for name, separation in (("weak", 0.4), ("student", 1.0), ("ceiling", 1.3))
    }


def test_pgr_is_the_ratio_of_means_over_seeds():
    """By hand: two seeds, four changes; weak .5 and .75, student .75 and 1, ceiling 1 and 1: .25 / .375."""
    labels = np.tile([1, 1, 0, 0], 60)
    half, three, full = [1, 0, 1, 0], [2, 1, 1, 0], [2, 2, 1, 0]
    three_quarters = [3, 1, 2, 0]
    assert [auroc(labels[:4], row).value for row in (half, three_quarters, three, full)] == [0.5, 0.75, 0.875, 1.0]
    found = recover(
        labels,
        weak=np.tile([half, three_quarters], 60),
        student=np.tile([three_quarters, full], 60),
        ceiling=np.tile(full, 60),
        resamples=300,
    )
    assert (found.weak.value, found.student.value, found.ceiling.value) == (0.625, 0.875, 1.0)
    assert found.pgr == pytest.approx(0.25 / 0.375)
    assert (found.n, found.positives, found.seeds, found.groups) == (240, 120, 2, 240)


def test_a_student_that_is_the_weak_reviewer_recovers_nothing(world):
    """Null control: PGR is exactly 0, with no width."""
    labels, series = world
    found = recover(labels, weak=series["weak"], student=series["weak"], ceiling=series["ceiling"], resamples=200)
    assert (found.pgr, found.interval, found.reason) == (0.0, (0.0, 0.0), None)


def test_a_student_that_is_the_ceiling_recovers_everything(world):
    """PGR is exactly 1."""
    labels, series = world
    found = recover(labels, weak=series["weak"], student=series["ceiling"], ceiling=series["ceiling"], resamples=200)
    assert (found.pgr, found.interval) == (1.0, (1.0, 1.0))


def test_pgr_is_never_clipped(world):
    """A student above the ceiling or below the weak reviewer is reported as it is."""
    labels, series = world
    above = recover(labels, weak=series["weak"], student=series["ceiling"], ceiling=series["student"], resamples=200)
    below = recover(labels, weak=series["student"], student=series["weak"], ceiling=series["ceiling"], resamples=200)
    assert above.pgr is not None
    assert below.pgr is not None
    assert above.pgr > 1
    assert below.pgr < 0


def test_permuted_labels_leave_no_gap_and_no_number(world):
    """Null control: on labels that mean nothing AUROC is near .5 and PGR is None, but for the one time in twenty
    that a 95 % interval is wrong.
    """
    labels, series = world
    generator = np.random.default_rng(1)
    found = [recover(generator.permutation(labels), **series, resamples=200) for _ in range(40)]
    assert np.mean([one.weak.value for one in found]) == pytest.approx(0.5, abs=0.01)
    without = [one for one in found if one.pgr is None]
    assert len(without) >= 36
    assert all(one.reason and one.interval is None and one.standard_error is None for one in without)


def test_constant_scorers_leave_no_gap():
    """Null control: three models that know nothing are all at .5."""
    labels = np.arange(200) % 4 == 0
    flat = np.zeros(200)
    found = recover(labels, weak=flat, student=flat, ceiling=flat, resamples=50)
    assert (found.weak.value, found.student.value, found.pgr) == (0.5, 0.5, None)


def test_a_ceiling_below_the_weak_reviewer_is_said_to_be(world):
    """The gap is significant and negative: that is not a gap to recover."""
    labels, series = world
    found = recover(labels, weak=series["ceiling"], student=series["student"], ceiling=series["weak"], resamples=300)
    assert found.pgr is None
    assert "below the weak reviewer" in str(found.reason)
    assert found.gap.high is not None
    assert found.gap.high < 0


@pytest.mark.parametrize(
    ("labels", "reason"), [(np.zeros(30), "no row is risky"), (np.ones(30), "every row is risky"), ([], "no rows")]
)
def test_labels_that_determine_nothing_have_a_reason(labels, reason):
    """One class, or no changes at all."""
    scores = np.arange(len(labels), dtype=float)
    found = recover(labels, weak=scores, student=scores, ceiling=scores, others={"naive": scores})
    assert (found.pgr, found.reason, found.weak.value) == (None, reason, None)
    assert found.differences["naive"].reason == reason


def test_a_change_without_a_score_is_named_with_its_series():
    """A model that failed on a change is neither helped nor harmed: there is no number."""
    labels, scores = np.arange(10) % 2, np.arange(10.0)
    broken = np.where(np.arange(10) == 3, np.nan, scores)
    found = recover(labels, weak=scores, student=broken, ceiling=scores)
    assert found.reason == "student: 1 of 10 rows have no score"


def test_one_group_cannot_be_resampled(world):
    """An interval of no width would be a lie."""
    labels, series = world
    found = recover(labels, **series, groups=np.zeros(labels.size))
    assert found.pgr is None
    assert "one group" in str(found.reason)


def test_a_handful_of_positives_has_no_interval():
    """One risky change is missing from a third of the resamples."""
    labels = np.arange(50) == 7
    scores = np.linspace(0, 1, 50)
    found = recover(labels, weak=scores, student=scores, ceiling=labels, resamples=200)
    assert found.pgr is None
    assert "too few" in str(found.reason)


def test_small_gaps_and_few_seeds_are_warned_of():
    """The number is given, with what is wrong with it."""
    generator = np.random.default_rng(5)
    labels = generator.random(6000) < 0.3
    weak = labels + generator.normal(size=6000)
    ceiling = weak + 0.1 * labels
    found = recover(labels, weak=weak, student=weak + 0.05 * labels, ceiling=ceiling, resamples=200)
    assert found.pgr is not None
    assert any("below 0.05" in warning for warning in found.warnings)
    assert any("seed" in warning for warning in found.warnings)


def test_enough_seeds_and_a_wide_gap_need_no_warning(world):
    """Nothing is said where there is nothing to say."""
    labels, series = world
    assert recover(labels, **series, resamples=200).warnings == ()


def test_rivals_are_compared_in_pairs(world):
    """A student equal to a rival differs by exactly nothing; one clearly better has an interval above zero."""
    labels, series = world
    found = recover(labels, **series, others={"naive": series["student"], "human_only": series["weak"]}, resamples=300)
    same, better = found.differences["naive"], found.differences["human_only"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert better.low is not None
    assert better.low > 0
    assert found.others["human_only"].value == found.weak.value


def test_less_is_better_works_as_well():
    """With Brier scores the gap and the differences still point upwards for the better model."""
    generator = np.random.default_rng(3)
    truth = generator.random(2000)
    labels = generator.random(2000) < truth
    weak, student = np.full(2000, 0.5), (truth + 0.5) / 2
    found = recover(
        labels, weak=weak, student=student, ceiling=truth, others={"weak": weak}, metric=brier, resamples=200
    )
    assert found.gap.low is not None
    assert found.gap.low > 0
    assert found.pgr == pytest.approx(0.75, abs=0.1)
    assert found.differences["weak"].excludes(0.0)
    assert (found.differences["weak"].value or 0) > 0


@pytest.mark.parametrize("name", ["ap", "recall@5%", "accuracy"])
def test_every_reported_metric_has_a_pgr(world, name):
    """Nothing depends on AUROC."""
    labels, series = world
    metric = METRICS[name]
    found = recover(labels, **series, metric=metric, resamples=100)
    assert found.metric == name
    assert found.student.value == pytest.approx(np.mean([metric(labels, run).require() for run in series["student"]]))


def test_series_must_fit_the_labels(world):
    """Other rows or other seeds are the caller's mistake."""
    labels, series = world
    with pytest.raises(LabelError, match="student"):
        recover(labels, weak=series["weak"], student=series["student"][:, :-1], ceiling=series["ceiling"])
    with pytest.raises(LabelError, match="student"):
        recover(labels, weak=series["weak"], student=series["student"][:3], ceiling=series["ceiling"])


def test_groups_are_counted(world):
    """The report says how many independent draws there were."""
    labels, series = world
    groups = time_blocks(np.arange(labels.size), blocks=30)
    assert recover(labels, **series, groups=groups, resamples=50).groups == 30


def test_the_delta_method_and_the_bootstrap_agree(world):
    """Two independent ways to the standard error, within a third of each other where the gap is wide."""
    labels, series = world
    found = recover(labels, **series, resamples=1000)
    assert found.interval is not None
    assert found.standard_error == pytest.approx((found.interval[1] - found.interval[0]) / 3.92, rel=0.35)


def test_intervals_of_pgr_cover_the_truth():
    """About 95 of 100 intervals hold the true PGR, over fresh test sets and fresh seeds."""
    generator = np.random.default_rng(21)
    areas = [NormalDist().cdf(separation / math.sqrt(2)) for separation in (0.4, 1.0, 1.3)]
    truth = (areas[1] - areas[0]) / (areas[2] - areas[0])
    held, delta_held = 0, 0
    for seed in range(100):
        labels = generator.random(500) < 0.3
        weak, student, ceiling = (runs(labels, separation, 5, generator) for separation in (0.4, 1.0, 1.3))
        found = recover(labels, weak=weak, student=student, ceiling=ceiling, seed=seed, resamples=200)
        assert found.interval is not None
        assert found.pgr is not None
        assert found.standard_error is not None
        held += found.interval[0] <= truth <= found.interval[1]
        delta_held += abs(found.pgr - truth) <= 1.96 * found.standard_error
    assert held >= 90
    assert delta_held >= 88


def test_few_groups_are_warned_of(world):
    """A cluster bootstrap of four clusters is too narrow, and says so."""
    labels, series = world
    found = recover(labels, **series, groups=np.arange(labels.size) % 4, resamples=100)
    assert any("4 groups" in warning for warning in found.warnings)


def test_two_ways_to_the_error_that_disagree_are_warned_of():
    """A gap that is only just significant makes PGR heavy-tailed: its interval outgrows the delta method's error."""
    generator = np.random.default_rng(6)
    labels = np.arange(120) % 2
    warned = []
    for _ in range(60):
        weak, student, ceiling = (separation * labels + generator.normal(size=120) for separation in (1.0, 0.3, 1.6))
        found = recover(labels, weak=weak, student=student, ceiling=ceiling, resamples=300)
        if found.interval is not None and found.standard_error is not None:
            factor = (found.interval[1] - found.interval[0]) / 3.92 / found.standard_error
            said = any("delta method" in warning for warning in found.warnings)
            assert said == (not 0.5 <= factor <= 2.0)
            warned.append(said)
    assert any(warned)
    assert not all(warned)


def test_means_over_repositories_are_a_ratio_of_means(world):
    """By hand from each repository's means; one repository alone is what `recover` says of it."""
    labels, series = world
    other = {name: scores + (0.5 * labels if name == "ceiling" else 0) for name, scores in series.items()}
    drawn = [
        hierarchical(
            [[auroc.bind(labels, run) for run in one[name]] for name in ("weak", "student", "ceiling")],
            labels.size,
            seed=seed,
            resamples=200,
        )
        for seed, one in enumerate((series, other))
    ]
    counts = {"n": 3000, "positives": 600, "seeds": 5, "groups": 3000}
    weak, student, ceiling = np.mean([one.values for one in drawn], axis=0)
    found = recovery_of(mean_of(drawn), (), **counts)
    assert found.pgr == pytest.approx((student - weak) / (ceiling - weak))
    assert (found.n, found.standard_error) == (3000, None)
    alone = recovery_of(mean_of(drawn[:1]), (), **counts)
    plain = recover(labels, **series, resamples=200)
    assert (alone.pgr, alone.interval) == (plain.pgr, plain.interval)
    with pytest.raises(LabelError):
        mean_of([])


def test_weights_make_a_sample_stand_for_all():
    """Of rows of which the student's favourites are certain to be seen and a tenth of the others: weighted, AUROC is on
    average that of all; otherwise it is far below, since favourites are hard to tell apart.
    """
    generator = np.random.default_rng(11)
    labels = generator.random(1_000) < 0.2
    student = labels + generator.normal(size=1_000)
    favourite = student > np.quantile(student, 0.7)
    whole = recover(labels, weak=student, student=student, ceiling=student, resamples=2).student.value
    weighted, plain = [], []
    for _ in range(20):
        seen = favourite | (generator.random(1_000) < 0.1)
        sizes = np.where(favourite, 1.0, 10.0)[seen]
        rows = dict.fromkeys(("weak", "student", "ceiling"), student[seen])
        weighted.append(recover(labels[seen], **rows, weights=sizes, strata=favourite[seen], resamples=2).student.value)
        plain.append(recover(labels[seen], **rows, resamples=2).student.value)
    assert np.mean(weighted) == pytest.approx(whole, abs=0.03)
    assert np.mean(plain) < whole - 0.05


def test_weights_of_one_change_nothing():
    """To the last digit; in strata the number of rows of each stays as it is."""
    generator = np.random.default_rng(12)
    labels = np.arange(80) % 2 == 0
    gains = {"weak": 0.2, "student": 1.0, "ceiling": 3.0}
    rows = {name: labels * gain + generator.normal(size=80) for name, gain in gains.items()}
    assert recover(labels, **rows, weights=np.ones(80), resamples=50) == recover(labels, **rows, resamples=50)
    kept = recover(labels, **rows, strata=labels, resamples=50)
    assert kept.student.undefined == 0
