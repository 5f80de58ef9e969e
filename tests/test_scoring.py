"""Rows, ranking and errors on their way out of workers."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import numpy as np
import pytest

from oversight.errors import MissingExtraError, ModelError, OversightError, UnscoredError
from oversight.history.model import Completeness
from oversight.history.readings import Reading
from oversight.neighbours import first_of, standing_alone
from oversight.reports.model import Status
from oversight.scoring import BATCH, Ranking, Raw, Row, Work, raw_scores
from oversight.students.batch import PROFILE
from oversight.students.runtime import Model, load
from oversight.students.scale import BLOCK, ENOUGH, RECENT


@pytest.fixture(scope="module")
def loaded(model) -> Model:
    return load(model)


def raw(pooled: float | None, name: str = "c", *, by_principle: bool = False) -> Raw:
    """A commit that differs from others in what its hunks add up to alone."""
    reading = None if pooled is None else Reading(pooled, np.zeros(len(PROFILE), dtype=np.float32))
    status = Status.UNSCORED if pooled is None else Status.SCORED
    return Raw(name, status, reading, Completeness.FULL, by_principle, 1, 0)


def ranked(model: Model, *pooled: float | None, budget: float = 10) -> list[Row]:
    return list(Ranking(model, budget).rows(raw(one) for one in pooled))


def test_percentiles_are_among_the_commits_before_once_there_are_enough(loaded: Model):
    """The first ENOUGH take the model's reference; from then on the repository's own neighbours speak, ties half."""
    *early, same, high, low = ranked(loaded, *[0.0] * ENOUGH, 0.0, 5.0, -5.0)
    for row in early:
        assert row.risk is not None
        assert row.percentile == loaded.reference.percentile(row.risk, Completeness.FULL)
    assert [row.percentile for row in (same, high, low)] == [50, 100, 0]


def test_only_the_newest_neighbours_count(loaded: Model):
    """A commit that is more than RECENT ago is forgotten, scored or not."""
    silence = RECENT - ENOUGH
    rows = ranked(loaded, *[5.0] * RECENT, *[None] * silence, 0.0, *[None] * ENOUGH, 0.0)
    assert rows[RECENT + silence].percentile == 0
    assert rows[-1].risk is not None
    assert rows[-1].percentile == loaded.reference.percentile(rows[-1].risk, Completeness.FULL)


def test_what_has_no_risk_is_flagged_and_has_no_number(loaded: Model):
    """Unknown is None and asks for a reader; it is never a zero."""
    for pooled in (None, float("nan")):
        (row,) = ranked(loaded, pooled)
        assert (row.status, row.risk, row.percentile, row.flagged) == ("unscored", None, None, True)


def test_a_principle_flags_whatever_the_percentile(loaded: Model):
    """The model cannot waive a principle."""
    rows = Ranking(loaded, 0.001).rows(raw(-9.0, by_principle=flagged) for flagged in (False, True))
    assert [row.flagged for row in rows] == [False, True]


@pytest.mark.parametrize("position", [1, BLOCK, 3 * BLOCK + 7, 5 * BLOCK])
def test_a_ranking_may_begin_anywhere_before(loaded: Model, position: int):
    """From the anchor that a commit needs on, it gets the row that it gets in the whole history."""
    random = np.random.default_rng(0)
    raws = [
        Raw(str(number), Status.SCORED, Reading(float(random.normal()), profile), Completeness.FULL, False, 1, 0)
        for number, profile in enumerate(random.gamma(1, 9, (6 * BLOCK, len(PROFILE))).astype(np.float32))
    ]
    whole = list(Ranking(loaded, 10).rows(raws))
    start = first_of(position)
    part = list(Ranking(loaded, 10, start=start).rows(raws[start : position + 1]))
    assert part[-1] == whole[position]
    with pytest.raises(ValueError, match="anchor"):
        Ranking(loaded, 10, start=start + 1)


def test_rows_come_a_block_at_a_time(loaded: Model):
    """No more than a block is held back, so that memory stays flat and a stopped run loses little."""
    asked: list[int] = []

    def endless() -> Iterator[Raw]:
        while True:
            asked.append(1)
            yield raw(0.0)

    rows = Ranking(loaded, 10).rows(endless())
    for number in range(2 * BLOCK):
        next(rows)
        assert len(asked) <= (number // BLOCK + 1) * BLOCK + 1


def test_in_a_shallow_history_every_commit_stands_alone(loaded: Model):
    """No commit has known ones before it, and each is placed as a review of it places it."""
    raws = [raw(number / 100) for number in range(3 * BLOCK)]
    for one, row in zip(raws, Ranking(loaded, 10, shallow=True).rows(raws), strict=True):
        assert one.reading is not None
        standing = standing_alone(one.reading, one.completeness, loaded)
        assert standing is not None
        assert (row.risk, row.percentile) == (standing.risk, standing.percentile)


def test_reading_waits_for_scoring(model):
    """With one worker no more than a batch is read ahead, so that memory stays flat."""
    read: list[int] = []

    def endless():
        while True:
            read.append(1)
            yield ("no patch", "no context")

    with pytest.raises(AttributeError):
        next(raw_scores(Work("r", str(model)), endless(), workers=1))
    assert len(read) == BATCH


@pytest.mark.parametrize(
    "error",
    [
        OversightError("a", mend="b"),
        ModelError("a", mend="b"),
        UnscoredError("a", mend="b"),
        MissingExtraError("a feature", "dask"),
    ],
)
def test_errors_survive_the_way_out_of_a_worker(error: OversightError):
    """Message, mend and exit code are the same after pickling and copying."""
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own bytes
        assert type(same) is type(error)
        assert (same.message, same.mend, same.exit_code, str(same)) == (
            error.message, error.mend, error.exit_code, str(error),
        )  # fmt: skip
