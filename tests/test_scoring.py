"""Rows, ranking and errors on their way out of workers."""

from __future__ import annotations

import copy
import pickle

import pytest

from oversight.assessment import ENOUGH, RECENT
from oversight.errors import MissingExtraError, ModelError, OversightError, UnscoredError
from oversight.history.model import Completeness
from oversight.reports.model import Status
from oversight.scoring import BATCH, Ranking, Raw, Work, raw_scores
from oversight.students.runtime import Model, load


@pytest.fixture(scope="module")
def loaded(model) -> Model:
    return load(model)


def raw(risk: float | None, name: str = "c", *, by_principle: bool = False) -> Raw:
    status = Status.UNSCORED if risk is None else Status.SCORED
    return Raw(name, status, risk, Completeness.FULL, by_principle, 1, 0)


def test_percentiles_are_among_the_commits_before_once_there_are_enough(loaded: Model):
    """The first ENOUGH take the model's reference; from then on the repository's own neighbours speak, ties half."""
    ranking = Ranking(loaded, 10)
    early = [ranking.place(raw(0.5)) for _ in range(ENOUGH)]
    assert {row.percentile for row in early} == {loaded.reference.percentile(0.5, Completeness.FULL)}
    assert ranking.place(raw(0.5)).percentile == 50
    assert ranking.place(raw(0.9)).percentile == 100
    assert ranking.place(raw(0.1)).percentile == 0


def test_only_the_newest_neighbours_count(loaded: Model):
    """A commit that is more than RECENT ago is forgotten, scored or not."""
    ranking = Ranking(loaded, 10)
    for _ in range(RECENT):
        ranking.place(raw(0.9))
    for _ in range(RECENT - ENOUGH):
        ranking.place(raw(None))
    assert ranking.place(raw(0.5)).percentile == 0
    for _ in range(ENOUGH):
        ranking.place(raw(None))
    assert ranking.place(raw(0.5)).percentile == loaded.reference.percentile(0.5, Completeness.FULL)


def test_what_has_no_risk_is_flagged_and_has_no_number(loaded: Model):
    """Unknown is None and asks for a reader; it is never a zero."""
    row = Ranking(loaded, 10).place(raw(None))
    assert (row.status, row.risk, row.percentile, row.flagged) == ("unscored", None, None, True)


def test_a_principle_flags_whatever_the_percentile(loaded: Model):
    """The model cannot waive a principle."""
    assert not Ranking(loaded, 0.001).place(raw(0.001)).flagged
    assert Ranking(loaded, 0.001).place(raw(0.001, by_principle=True)).flagged


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
