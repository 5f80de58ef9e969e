"""The student's benchmark: peers, trainings that are not run twice, figures, and words that follow from them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import student_figures
from benchmarks.command import rounded
from benchmarks.peers import PEERS, POOLED_PEER, boosting_pooled, placed
from benchmarks.repositories import PERMISSIVE, SOURCES, Source
from benchmarks.results_table import page, shown, targets
from benchmarks.student import collect, compute, main, results
from benchmarks.student_figures import Held, Scored, matched_auroc, means, resample
from benchmarks.student_models import (
    ALONE,
    POOLED,
    STUDENTS,
    UNSEEN,
    VARIANTS,
    WITH_LINES,
    Job,
    ablations,
    jobs,
    without_facts,
    without_message,
    without_tokens,
)
from benchmarks.student_rows import Floats, Table
from benchmarks.touched_lines import TOUCHED
from oversight.measurement.matching import size_matched, size_matched_auroc
from oversight.measurement.metrics import auroc
from oversight.students.batch import PROFILE, profiles
from oversight.students.scale import quantile_edges
from oversight.students.student import NetworkStudent, logits_in_time
from tests.synthetic import examples

TINY = Source("tiny", "0" * 40, "MIT", "trailers", True)
OTHER = Source("other", "1" * 40, "MIT", "reverts", True)


def table(count: int, *, seed: int = 0, source: Source = TINY) -> Table:
    """Rows of synthetic changes, the newest tenth of them unripe."""
    changes, risky = examples(count, seed=seed)
    named = tuple(replace(one, change_id=f"{source.name}-{seed}-{one.change_id}") for one in changes)
    ripe = np.arange(count) < 0.9 * count
    found = np.where(ripe, 1.0, 0.5)
    language = np.where(np.arange(count) % 3 == 0, "c", "python")
    return Table(source, named, risky, ripe, found, np.arange(count, dtype=float), language, np.full(count, "human"))


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_scores_every_row(name):
    """A finite score for each row, the same in a second run."""
    train, evaluation = table(200), table(60, seed=1)
    scores = PEERS[name](train, evaluation, 0)
    assert scores.shape == (60,)
    assert np.isfinite(scores).all()
    assert scores.tolist() == PEERS[name](train, evaluation, 0).tolist()


def test_peers_learn_from_ripe_rows_alone():
    """Labels of unripe rows change nothing."""
    train, evaluation = table(200), table(60, seed=1)
    other = replace(train, labels=np.where(train.ripe, train.labels, ~train.labels))
    for name in ("Kamei logistic regression", "gradient boosting", "TF-IDF logistic regression"):
        assert PEERS[name](train, evaluation, 0).tolist() == PEERS[name](other, evaluation, 0).tolist()


def test_the_pooled_peer_places_numbers_among_those_of_their_repository():
    """Multiplying all numbers of a repository changes no score, for training and evaluation alike."""
    scale = [np.array([1.0, 2.0, 4.0], dtype=np.float32), np.array([], dtype=np.float32)]
    values = np.array([[2.0, 1.0], [np.nan, 1.0], [9.0, 1.0]], dtype=np.float32)
    assert placed(values, scale)[:, 0].tolist() == pytest.approx([0.5, np.nan, 1.0], nan_ok=True)
    assert np.isnan(placed(values, scale)[:, 1]).all()
    pairs = [(table(150), table(40, seed=1)), (table(150, seed=2, source=OTHER), table(40, seed=3, source=OTHER))]
    trains, evaluations = zip(*pairs, strict=True)
    assert [scores.shape for scores in boosting_pooled(trains, evaluations, 0)] == [(40,), (40,)]


def test_the_list_is_closed_and_what_ships_is_permissive():
    """Twelve repositories at whole revisions; nothing under the GPL is trained on for shipping."""
    assert len({source.name for source in SOURCES}) == len(SOURCES) == 12
    assert all(len(source.revision) == 40 for source in SOURCES)
    assert not any("GPL" in source.licence for source in PERMISSIVE)


def test_a_training_is_not_run_twice(tmp_path):
    """Kept scores are read again; other rows or another seed are trained on anew."""
    calls = []

    def run(trains: Sequence[Table], evaluations: Sequence[Table], seed: int) -> list[Floats]:
        calls.append(seed)
        return [np.arange(len(one), dtype=float) for one in evaluations]

    trains, evaluations = {"tiny": table(50)}, {"tiny": table(30, seed=1)}
    wanted = [Job("student", seed, ("tiny",), ("tiny",), run, "", False) for seed in (0, 1)]
    assert compute(wanted, trains, evaluations, tmp_path) == {}
    compute(wanted, trains, evaluations, tmp_path)
    assert calls == [0, 1]
    assert collect(wanted, trains, evaluations, tmp_path)["tiny"].models["student"].scores.shape == (2, 30)
    compute(wanted, {"tiny": table(50, seed=5)}, evaluations, tmp_path)
    compute([replace(wanted[0], settings="wider")], trains, evaluations, tmp_path)
    assert calls == [0, 1, 0, 1, 0]


def test_a_training_that_fails_is_told_with_its_reason(tmp_path):
    """One kind of label alone teaches nothing; the others go on, and no score stands for the failed one."""
    train = table(50)
    one_kind = replace(train, labels=np.zeros(50, dtype=bool))
    wanted = list(jobs({"tiny": one_kind}, seeds=1, seeds_left_out=1))
    chosen = [job for job in wanted if job.model in {"lines added", "Kamei logistic regression"}]
    failed = compute(chosen, {"tiny": one_kind}, {"tiny": train}, tmp_path)
    assert list(failed) == ["Kamei logistic regression"]
    assert "one kind" in failed["Kamei logistic regression"][0]
    assert list(collect(chosen, {"tiny": one_kind}, {"tiny": train}, tmp_path)["tiny"].models) == ["lines added"]


def test_what_learns_from_whom():
    """A pooled student learns from its kind, one that never saw it from all others, of both kinds."""
    third = replace(TINY, name="third")
    tables = {"tiny": table(9), "third": table(9, source=third), "other": table(9, source=OTHER)}
    wanted = list(jobs(tables, seeds=2, seeds_left_out=1))
    pooled = {job.learn for job in wanted if job.model == POOLED}
    assert pooled == {("tiny", "third"), ("other",)}
    unseen = {job.score: job.learn for job in wanted if job.model == UNSEEN}
    assert unseen == {("tiny",): ("third", "other"), ("third",): ("tiny", "other"), ("other",): ("tiny", "third")}
    assert [job.seed for job in wanted if job.model == ALONE] == [0, 0, 0, 1, 1, 1]


def test_a_student_that_never_saw_a_repository_is_placed_on_its_past():
    """Its newest rows before the window give the scale; other ones give other scores, which are kept apart."""
    trains = {"tiny": table(80), "other": table(120, seed=2, source=OTHER)}
    grown = tuple(replace(one, facts=one.facts * 100) for one in trains["other"].examples)
    changed = {**trains, "other": replace(trains["other"], examples=grown, labels=~trains["other"].labels)}
    scores, paths = [], []
    for tables in (trains, changed):
        (job,) = (
            job for job in jobs(tables, seeds=0, seeds_left_out=1) if job.model == UNSEEN and job.score == ("other",)
        )
        evaluation = table(20, seed=1, source=OTHER)
        (found,) = job.run([tables["tiny"]], [evaluation], 0)
        scores.append(found)
        paths.append(job.paths(tables, {"other": evaluation}, Path())["other"])
    assert np.isfinite(scores).all()
    assert np.abs(scores[0] - scores[1]).max() > 0.01
    assert paths[0] != paths[1]


def test_changes_are_placed_among_those_before_them_as_reviews_do(student: NetworkStudent):
    """Each block on the scale of the RECENT changes before it, those of earlier blocks among them, and no later one."""
    before, rows = table(400, seed=2).examples, table(250, seed=3).examples
    whole, _ = logits_in_time(student, before, rows, student.network.architecture.bins)
    known = profiles([*before, *rows])
    for start in (0, 100, 200):
        scale = quantile_edges(known[100 + start : 400 + start], student.network.architecture.bins)
        expected = student.on(scale).logits(rows[start : start + 100])[0]
        np.testing.assert_array_equal(whole[start : start + 100], expected)


def test_students_learn_and_ablations_take_away():
    """A student of two repositories scores both; what is taken away of a change is unknown or empty, never zero."""
    trains = [table(80), table(80, seed=2, source=OTHER)]
    scores = VARIANTS[0].scores(trains, [table(20, seed=1)], 0)
    assert np.isfinite(scores[0]).all()
    change = trains[0].examples[0]
    assert not without_tokens(change).tokens.size
    facts = profiles([without_facts(change)])[0, PROFILE.index("conditions_added, all hunks")]
    assert np.isnan(facts)
    assert np.isnan(without_message(change).measures).sum() >= 3
    assert len({repr(variant) for variant in VARIANTS}) == len(VARIANTS)


def test_pairs_of_one_size_are_measured_as_the_library_does():
    """The mean over one pairing is `size_matched_auroc` of the same seed, and a constant is at chance."""
    rows = table(300)
    scores = rows.measure("ns")
    pairs = size_matched(rows.labels, rows.churn, seed=0)
    plain = matched_auroc([pairs], scores)(np.ones((1, 300)))
    assert plain[0] == pytest.approx(size_matched_auroc(rows.labels, scores, rows.churn, seed=0).require())
    assert matched_auroc([pairs], np.zeros(300))(np.ones((2, 300))).tolist() == [0.5, 0.5]


def held(rows: Table, **strength: float) -> Held:
    """Scores that know the labels as well as `strength` says, by the model's name."""
    random = np.random.default_rng(0)
    noise = {name: random.normal(size=(2, len(rows))) for name in strength}
    return Held(rows, {name: Scored(rows.labels * value + noise[name], False, 1.0) for name, value in strength.items()})


def found(strength: float, *, count: int = 400) -> dict[str, object]:
    """Figures of two repositories, where students know as much as `strength` and peers 1."""
    helds = {
        source.name: held(
            table(count, seed=seed, source=source),
            **dict.fromkeys(STUDENTS, strength), **{"lines added": 0.2, "gradient boosting": 1.0, POOLED_PEER: 1.5},
        )
        for seed, source in enumerate((TINY, OTHER))
    }  # fmt: skip
    settings = {
        "window": "test", "train": 10, "test": 10, "pooled": 10, "seeds": 2, "seeds_left_out": 2, "resamples": 100,
        "seconds": 1.0, "failed": {},
    }  # fmt: skip
    trains = {name: one.table for name, one in helds.items()}
    return rounded({"settings": settings, **results(helds, trains, resamples=100)})


def test_the_words_follow_from_the_figures():
    """A student that knows more meets every target, one that knows less misses all; the page says so."""
    better, worse = found(3.0), found(0.0)
    assert [target.met for target in targets(better)] == [True] * 10
    assert [target.met for target in targets(worse)] == [False] * 10
    assert "**Met**" in page(better)
    assert "**Missed**" not in page(better)
    assert "**Missed**" in page(worse)
    assert "**Met**" not in page(worse)
    assert "*gradient boosting*" in str(targets(better)[0])
    assert f"*{POOLED_PEER}*" in str(targets(better)[2])


def test_the_peer_that_knows_as_much_decides_a_target_of_its_own():
    """Above the peers of the field and below boosting that was taught by the same repositories: both are said."""
    between = [target.met for target in targets(found(1.25))[:4]]
    assert between[2:] == [False, False]


def test_a_kind_of_which_none_counts_is_shown_with_what_there_is():
    """Repositories with few positives make a mean of their own, never one with those that count; the page says so."""
    small = found(3.0, count=140)
    group = small["means"]["reverts"]
    assert group["repositories"] == ["other"]
    assert not group["counts"]
    assert small["means"]["all"]["repositories"] == []
    assert "none has enough positives to count" in page(small)


def test_an_interval_that_holds_zero_is_a_miss():
    """Above on the mean is not enough."""
    close = found(1.05)
    assert [target.met for target in targets(close)[:2]] == [False, False]


def test_too_few_positives_are_told_and_never_averaged():
    """Without a repository that counts no target can be told, and none is met."""
    few = found(3.0, count=60)
    assert {target.met for target in targets(few)} == {None}
    assert "**Cannot be told**" in page(few)
    language = few["repositories"]["tiny"]["models"][ALONE]["language"]["c"]
    assert (language["value"], language["reason"]) == (None, "too few")


def test_a_model_without_scores_somewhere_has_no_mean():
    """A mean over fewer repositories would compare what cannot be compared."""
    both = {name: resample(held(table(300, source=source), a=1.0, b=1.0), resamples=20)
            for name, source in (("tiny", TINY), ("other", OTHER))}  # fmt: skip
    del both["other"]["auroc"]["b"]
    group = means({"tiny": "trailers", "other": "reverts"}, ["tiny", "other"], both)["all"]["auroc"]
    assert list(group["models"]) == ["a"]
    assert group["incomplete"] == ["b"]


def test_differences_are_paired():
    """Equal scores differ by nothing, without any width, whatever they are worth."""
    one = held(table(300), a=1.0)
    same = resample(Held(one.table, {"a": one.models["a"], "b": one.models["a"]}), resamples=50)
    gap = student_figures.difference(same["auroc"]["a"], same["auroc"]["b"])
    assert (gap["value"], gap["low"], gap["high"]) == (0, 0, 0)


def test_ablations_stand_beside_the_whole_student():
    """The first row has no difference to itself; a variant that knows less has a negative one."""
    helds = {
        source.name: held(
            table(300, seed=seed, source=source), whole=2.0, less=0.2, **{POOLED_PEER: 1.0, WITH_LINES: 3.0}
        )
        for seed, source in enumerate((TINY, OTHER))
    }
    rows = student_figures.of_ablations(helds, resamples=50)
    assert rows[0]["auroc, difference"]["value"] == 0
    assert rows[1]["auroc, difference"]["high"] < 0
    assert rows[2]["auroc, difference"]["high"] < 0
    assert rows[3]["against"] == POOLED_PEER
    assert rows[3]["auroc, difference"]["low"] > 0
    settings = {"window": "validation", "seeds": 2, "train": 5_000}
    text = page({"ablations": {"settings": settings, "repositories": list(helds), "rows": rows}})
    assert "| whole | 0." in text
    assert "| less | 0." in text
    assert "tiny, other; seeds: 2" in text


def test_boosting_is_shown_what_is_known_of_touched_lines():
    """What separates the classes and stands in no profile is found by the peer that is given it, and by no other."""
    rows, tested = table(300), table(100, seed=1)
    random = np.random.default_rng(0)
    touched = {
        one.change_id: np.append(random.normal(size=len(TOUCHED) - 1), label).astype(np.float32)
        for each in (rows, tested)
        for one, label in zip(each.examples, random.permutation(each.labels), strict=True)
    }
    labels = {name: bool(row[-1]) for name, row in touched.items()}
    rows, tested = (
        replace(each, labels=np.array([labels[e.change_id] for e in each.examples])) for each in (rows, tested)
    )
    wanted = list(ablations({"tiny": rows}, touched, seeds=0))
    assert [job.model for job in wanted] == [POOLED_PEER, WITH_LINES]
    plain, more = (auroc(tested.labels, job.run([rows], [tested], 0)[0]).require() for job in wanted)
    assert more > 0.95 > 0.7 > plain


def test_figures_are_shown_with_their_reason_where_there_are_none():
    """None is told, never a zero."""
    assert shown({"value": 0.5, "low": 0.4, "high": 0.6, "reason": None}) == "0.500 [0.400, 0.600]"
    assert shown({"value": None, "low": None, "high": None, "reason": "too few"}) == "too few"


def test_a_clone_that_is_missing_is_named(tmp_path, capsys):
    """One line, and the exit code of an error."""
    assert main([str(tmp_path), "--only", "rdma-core", "--work", str(tmp_path), "--output", str(tmp_path / "o")]) == 2
    assert "rdma-core" in capsys.readouterr().err
