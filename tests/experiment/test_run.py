"""From a repository to a model: what is learned from, what is held out, and what is said about it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment.cache import ReadingCache
from oversight.experiment.card import card
from oversight.experiment.choice import CANDIDATES
from oversight.experiment.human import read_labels
from oversight.experiment.pool import Pool, read_pool, with_labels
from oversight.experiment.reading import Reading, edition, read_changes
from oversight.experiment.run import Plan, Stage, Trained, train
from oversight.experiment.weak import NAMES, weak_labels
from oversight.history.model import GoldLabel
from oversight.reviewers.model import WeakLabel
from oversight.students.student import NetworkLearner
from oversight.students.training import Budget
from tests.experiment.histories import CHANGES, is_risky, learnable

QUICK = NetworkLearner(budget=Budget(epochs=4, batch=16, learning_rate=1e-2))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history")
    learnable(path)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pool(clone: Path) -> Pool:
    with Repository.open(clone) as repository:
        return read_pool(repository, repository.resolve("HEAD"))


@pytest.fixture(scope="module")
def readings(clone: Path, pool: Pool, cache: Path) -> dict[str, Reading]:
    with Repository.open(clone) as repository:
        measures = dict(zip(pool.shas, pool.measures, strict=True))
        return read_changes(repository, measures, jobs=1, cache_directory=cache)


@pytest.fixture(scope="module")
def trained(clone: Path, cache: Path) -> Trained:
    return run(clone, Plan(learner=QUICK, cache=cache, weak="lexical"))


@contextmanager
def silent(_description: str, _total: int | None) -> Iterator[object]:
    yield lambda _steps: None


def run(clone: Path, plan: Plan) -> Trained:
    stage: Stage = silent  # type: ignore[assignment]
    with Repository.open(clone) as repository:
        return train(repository, repository.resolve("HEAD"), plan, stage)


def test_the_pool_leaves_out_reverts_and_the_first_commit(pool: Pool) -> None:
    """Reverts are not learned from, their targets are risky, and rows are in order of time."""
    assert pool.commits == CHANGES + CHANGES // 4
    assert len(pool.shas) == CHANGES - 1
    assert pool.risky.sum() == CHANGES // 4
    assert (np.diff(pool.times) >= 0).all()
    assert not np.isnan(pool.decided[pool.risky]).any()


def test_labels_are_as_they_were_known_then(pool: Pool) -> None:
    """A change that was withdrawn after the cut-off is not known as risky at the cut-off, nor as clean."""
    row = int(np.flatnonzero(pool.risky)[30])
    known = pool.known_at(pool.times[row] + 3_600)
    assert not known.risky[row]
    assert not known.mature[row]
    assert pool.known_at(pool.decided[row] + 1).risky[row]


def test_people_are_believed_over_history(pool: Pool) -> None:
    """A verdict replaces what history says of a change, either way."""
    moment = datetime.fromtimestamp(0, UTC)
    clean, risky = int(np.flatnonzero(~pool.risky)[5]), int(np.flatnonzero(pool.risky)[5])
    judged = {
        pool.shas[clean]: GoldLabel(pool.shas[clean], True, "verdict", moment, ()),
        pool.shas[risky]: GoldLabel(pool.shas[risky], False, "verdict", moment, ()),
    }
    told = with_labels(pool, judged)
    assert told.risky[clean]
    assert not told.risky[risky]
    assert told.risky.sum() == pool.risky.sum()


def test_readings_come_back_from_the_cache_as_they_were(
    pool: Pool, readings: dict[str, Reading], clone: Path, cache: Path
) -> None:
    """A second run reads nothing anew and sees the same, principles included."""
    path = next(cache.glob("*.readings.sqlite"))
    measures = dict(zip(pool.shas, pool.measures, strict=True))
    with ReadingCache(path, edition(opinions=True)) as stored:
        again = {reading.example.change_id: reading for reading in stored.get(measures)}
    assert again.keys() == readings.keys() == set(pool.shas)
    for sha, reading in readings.items():
        np.testing.assert_array_equal(again[sha].example.tokens, reading.example.tokens)
        np.testing.assert_array_equal(again[sha].example.facts, reading.example.facts)
        assert again[sha].opinions == reading.opinions
    with ReadingCache(path, "another edition") as stored:
        assert list(stored.get(measures)) == []


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_a_damaged_cache_is_thrown_away(tmp_path: Path, content: bytes, readings: dict[str, Reading]) -> None:
    """What cannot be read is read anew; a cache is never an error."""
    path = tmp_path / "readings.sqlite"
    path.write_bytes(content)
    one = next(iter(readings.values()))
    with ReadingCache(path, "e") as stored:
        stored.put([one])
        (back,) = stored.get({one.example.change_id: one.example.measures})
    assert back.opinions == one.opinions


def test_no_place_for_a_cache_is_no_error(tmp_path: Path, readings: dict[str, Reading]) -> None:
    """Where no file can be written, readings are kept in memory for as long as the run lasts."""
    (tmp_path / "file").write_text("in the way")
    one = next(iter(readings.values()))
    with ReadingCache(tmp_path / "file" / "readings.sqlite", "e") as stored:
        stored.put([one])
        assert len(list(stored.get({one.example.change_id: one.example.measures}))) == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_weak_reviewer_labels_every_change(name: str, pool: Pool, readings: dict[str, Reading]) -> None:
    """Each gives a probability for each change, in order; those that read words find the risky ones here."""
    every = [readings[sha] for sha in pool.shas]
    if name == "claude":  # which says what it was heard to say before
        said = [WeakLabel(sha, 0.6 if risky else 0.1, 1.0) for sha, risky in zip(pool.shas, pool.risky, strict=True)]
        every = [replace(one, claude=label) for one, label in zip(every, said, strict=True)]
    labels = weak_labels(name, every[:100], pool.risky[:100], every[100:], seed=0)
    risks = np.array([label.risk for label in labels])
    assert [label.change_id for label in labels] == list(pool.shas[100:])
    assert ((risks >= 0) & (risks <= 1)).all()
    if name != "principles":
        assert risks[pool.risky[100:]].mean() > risks[~pool.risky[100:]].mean() + 0.2


def test_what_can_be_learned_is_learned(trained: Trained) -> None:
    """The held-out changes are later, and the student orders them well."""
    test = trained.metrics["test"]
    assert test["scores"]["student"]["auroc"]["value"] > 0.9
    assert test["n"] >= 40
    assert trained.reference["full"].shape == trained.reference["none"].shape == (test["n"],)
    assert set(test["scores"]) == {"student", "student, bare diff", "weak", "lines_added", "smallest_first"}


def test_figures_and_card_are_plain(trained: Trained) -> None:
    """Metrics are JSON without NaN, and the card names the figures and what risk means."""
    text = json.dumps(trained.metrics, allow_nan=False)
    assert "auroc" in text
    shown = card("small", "abc", trained.metrics)
    assert "What `risk` means" in shown
    assert f"{trained.metrics['test']['scores']['student']['auroc']['value']:.3f}" in shown
    assert "Claude" not in shown
    heard = {"recipe": "m, 1 wording, prompt p", "labels": 3, "of": 5}
    assert "3 of 5 changes that were learned from had a label of Claude (m, 1 wording, prompt p)" in card(
        "small", "abc", trained.metrics | {"claude": heard}
    )


def test_the_same_plan_gives_the_same_student(trained: Trained, clone: Path, cache: Path) -> None:
    """Training is deterministic from the repository on."""
    again = run(clone, Plan(learner=QUICK, cache=cache, weak="lexical"))
    assert again.metrics == trained.metrics


def test_auto_says_what_it_chose(clone: Path, cache: Path) -> None:
    """`auto` compares methods on human labels that none of them has learned, and records the scores of all."""
    chosen = run(clone, Plan(method="auto", weak="lexical", learner=QUICK, cache=cache, human=60))
    assert set(chosen.metrics["choice"]["scores"]) == set(CANDIDATES)
    assert chosen.metrics["choice"]["method"] == chosen.metrics["method"]["name"]
    assert chosen.metrics["method"]["asked"] == "auto"
    assert chosen.metrics["human_labels"] == {"n": 60, "risky": chosen.metrics["human_labels"]["risky"], "given": False}


def test_labels_of_people_are_used_alone(clone: Path, cache: Path, pool: Pool, tmp_path: Path) -> None:
    """With a file of verdicts no label of the training windows comes from history."""
    windows = pool.windows()
    rows = np.concatenate((windows.weak_train, windows.student_train))[:90]
    lines = [json.dumps({"commit": pool.shas[row], "risky": bool(is_risky(int(row) + 1))}) for row in rows]
    (tmp_path / "verdicts.jsonl").write_text("\n".join(lines) + "\n")
    labels = read_labels(tmp_path / "verdicts.jsonl")
    told = run(clone, Plan(labels=labels, learner=QUICK, cache=cache, weak="lexical"))
    assert told.metrics["human_labels"] == {
        "n": 90, "risky": sum(label.risky for label in labels.values()), "given": True
    }  # fmt: skip


def test_a_history_without_labels_is_an_error(tmp_path: Path) -> None:
    """Nothing was ever withdrawn: there is nothing to learn, and the error says what to do."""
    learnable(tmp_path / "clean", reverts=False, changes=60)
    with pytest.raises(LabelError, match="too few") as caught:
        run(tmp_path / "clean", Plan(cache=tmp_path / "cache"))
    assert "--human" in caught.value.mend


def test_a_history_of_few_commits_is_an_error(tmp_path: Path) -> None:
    """One or two commits cannot be divided into windows."""
    learnable(tmp_path / "short", changes=2)
    with pytest.raises(LabelError):
        run(tmp_path / "short", Plan(cache=tmp_path / "cache"))


def test_more_labels_than_there_are_is_an_error(clone: Path, cache: Path) -> None:
    """Asking for more human labels than there are mature changes says how many there are."""
    with pytest.raises(LabelError, match="cannot be drawn"):
        run(clone, Plan(human=5_000, cache=cache))


@pytest.mark.parametrize(
    "content",
    ["", "\n", "[]", "{}", '{"commit": 3, "risky": true}', '{"commit": "a", "risky": "yes"}', "{",
     '{"commit": "a", "decision": "perhaps"}', '{"commit": "a", "risky": true, "source": "fixes"}'],
)  # fmt: skip
def test_a_file_of_labels_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """Every malformed line is named by its number."""
    (tmp_path / "labels.jsonl").write_text(content)
    with pytest.raises(LabelError):
        read_labels(tmp_path / "labels.jsonl")
    with pytest.raises(LabelError):
        read_labels(tmp_path / "nowhere")


def test_what_a_reading_depends_on_is_the_same_in_every_process() -> None:
    """The order of sets is not; a cache that was filled in one run is found in the next."""
    told = {
        subprocess.run(
            [sys.executable, "-c", "from oversight.experiment.reading import edition; print(edition(opinions=True))"],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(told) == 1


def test_what_is_older_than_a_date_is_left_out(clone: Path, cache: Path, pool: Pool) -> None:
    """Windows begin with it, and the record says so."""
    first = float(pool.times[40])
    trained = run(clone, Plan(learner=QUICK, weak="lexical", cache=cache, human=60, since=first))
    assert trained.metrics["pool"] == int((pool.times >= first).sum())
    assert trained.metrics["since"] == datetime.fromtimestamp(first, UTC).isoformat()
