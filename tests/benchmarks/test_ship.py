"""The shipped model's training: who labels what, what is put aside, what is expected of young changes, and the card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ship, ship_teaching
from benchmarks.repositories import Source
from benchmarks.ship import figures
from benchmarks.ship_card import card
from benchmarks.ship_teaching import Part, Place, divide, draw, risks, teach_by_gold, teach_weakly
from benchmarks.student_rows import Table, read_tables
from oversight.changes.repository import Repository
from oversight.measurement.metrics import auroc
from oversight.students.student import logits_in_time
from tests.benchmarks.test_student import OTHER, table
from tests.experiment.histories import learnable


def part(past: Table, test: Table, *, human: int = 60, noise: float = 0.3) -> Part:
    """A repository whose oldest changes people labelled; the weak reviewer is right as often as `noise` lets it."""
    rng = np.random.default_rng(0)
    said = [np.clip(rows.labels + rng.normal(0, noise, len(rows)), 0.01, 0.99) for rows in (past, test)]
    drawn, aside = np.arange(human), np.arange(human) % 4 == 0
    said[0][drawn[aside]] = np.nan
    put_aside = rng.permutation(len(past)) < len(past) // 7
    return Part(past, test, put_aside, drawn, aside, *said)


@pytest.fixture(name="real", scope="module")
def real_fixture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, Table, Place]:
    """A git history, divided as the shipped model divides it."""
    path = tmp_path_factory.mktemp("clones")
    learnable(path / "one")
    with Repository.open(path / "one") as repository:
        source = Source("one", repository.resolve("HEAD"), "MIT", "trailers", True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERSIGHT_CACHE_DIR", str(path / "cache"))
        past, test = read_tables(source, path, path / "work", window="test", train=10_000, test=5_000, jobs=1)
    return past, test, Place(path, path / "work", 1)


def test_people_label_until_they_have_seen_risky_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ripe changes alone, as many as it takes; each draw holds the one before."""
    past = table(300)
    monkeypatch.setattr(ship_teaching, "FIRST", 10)
    monkeypatch.setattr(ship_teaching, "STEP", 10)
    counts = []
    for enough in (1, 12, 10_000):
        monkeypatch.setattr(ship_teaching, "ENOUGH", enough)
        rows = draw(past, seed=0)
        assert past.ripe[rows].all()
        counts.append(rows.size)
        assert enough > 300 or past.labels[rows].sum() >= enough
    assert counts[0] < counts[1] < counts[2] == past.ripe.sum()


def test_the_weak_reviewer_labels_all_but_what_calibrates(
    real: tuple[Table, Table, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked of every change of past and test, never of those put aside, and once: what it said is kept."""
    past, test, place = real
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(place.clones / "cache"))
    monkeypatch.setattr(ship_teaching, "FIRST", 60)
    monkeypatch.setattr(ship_teaching, "WEAK", "lexical")
    found = divide(past, test, place, seed=0)
    aside = found.drawn[found.calibrate]
    assert 0 < aside.size < found.drawn.size
    assert np.isnan(found.weak_past[aside]).all()
    assert not np.isnan(np.delete(found.weak_past, found.drawn)).any()
    assert found.weak_test.shape == (len(test),)
    assert auroc(test.labels, found.weak_test).require() > 0.6
    monkeypatch.setattr(ship_teaching, "_ask", None)
    assert np.array_equal(divide(past, test, place, seed=0).weak_test, found.weak_test)


def test_a_weakly_taught_student_sees_no_gold_but_that_of_people() -> None:
    """Other labels of history change nothing in it, and it learns from the weak ones."""
    past, test = table(400), table(200, seed=1)
    known = part(past, test)
    other = past.labels.copy()
    other[60:] = ~other[60:]
    flipped = replace(known, past=replace(past, labels=other, found=np.full(400, 0.5)))
    students = [teach_weakly([each], seed=0) for each in (known, flipped)]
    scores = [risks(student, known) for student in students]
    assert np.array_equal(scores[0], scores[1])
    assert auroc(test.labels, scores[0]).require() > 0.8


def test_rows_for_calibration_are_not_learned_from() -> None:
    """Turning their labels changes what risks are called, never their order."""
    past, test = table(300), table(100, seed=1)
    known = part(past, test)
    other = past.labels.copy()
    rows = known.drawn[known.calibrate]
    other[rows] = True
    flipped = replace(known, past=replace(past, labels=other))
    first, second = (risks(teach_weakly([each], seed=0), known) for each in (known, flipped))
    assert np.array_equal(np.argsort(first, kind="stable"), np.argsort(second, kind="stable"))
    assert second.mean() > first.mean()
    assert not set(np.flatnonzero(known.put_aside)) & {past.examples.index(one) for one in known.learned.examples}


def test_risk_counts_repairs_that_are_still_to_come() -> None:
    """The same labels mean a higher risk where only a part of the repairs would be known by now."""
    rows = table(400)
    rows = replace(rows, labels=rows.labels & (np.arange(400) % 4 == 0), found=np.ones(400))
    young = replace(rows, found=np.full(400, 0.3))
    risks = [
        teach_by_gold([part(each, table(20, seed=1))], seed=0).predict(rows.examples).mean() for each in (rows, young)
    ]
    assert risks[1] > 1.2 * risks[0]


def test_every_repository_is_placed_on_its_own_scale() -> None:
    """Numbers that are a hundred times as large in one repository than in another teach and say the same."""
    rows, tested = table(400), table(60, seed=1)

    def enlarged(one: Table) -> Table:
        large = [
            replace(each, change_id=f"x{each.change_id}", measures=each.measures * 100, facts=each.facts * 100)
            for each in one.examples
        ]
        return replace(one, source=OTHER, examples=tuple(large))

    student = teach_by_gold([part(rows, tested), part(enlarged(rows), tested)], seed=0)
    bins = student.network.architecture.bins
    small = logits_in_time(student, rows.examples, tested.examples, bins)[0]
    large = logits_in_time(student, enlarged(rows).examples, enlarged(tested).examples, bins)[0]
    mistaken = logits_in_time(student, rows.examples, enlarged(tested).examples, bins)[0]
    assert np.abs(small - large).mean() < 0.5 * np.abs(small - mistaken).mean()


def test_the_card_says_what_was_learned_and_what_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every repository has its revision, its rows, and figures of both trainings, with and without it."""
    parts = [
        part(table(150), table(60, seed=1)),
        part(table(150, seed=2, source=OTHER), table(60, seed=3, source=OTHER)),
    ]
    found, reference = figures(parts, teach_weakly(parts, seed=0), tmp_path, seed=0)
    text = card(found)
    for each in parts:
        assert f"### {each.name}" in text
        assert each.test.source.revision[:12] in text
        assert "student that never saw it" in found["repositories"][each.name]["test"]["scores"]
        assert f"| {each.past.labels[:60].sum()} | 90 |" in text
    assert text.count("| gold-trained, never saw it |") == 4
    differences = found["means"]["reverts"]["auroc"]["differences"]
    assert differences["student"]["lines added"]["low"] is not None
    assert differences["student that never saw it"]["gold-trained, never saw it"]["low"] is not None
    assert all(np.isfinite(values).all() for values in reference.values())
    monkeypatch.setattr(ship, "risks", None)
    again = ship.unseen(parts, ship_teaching.WEAKLY, tmp_path, seed=0)
    assert set(again) == {each.name for each in parts}
