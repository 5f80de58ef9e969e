"""The protocol of PGR: who sees which label, and when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from oversight import methods
from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment import protocol, weak
from oversight.experiment.pool import Pool, read_pool, with_labels
from oversight.experiment.protocol import Floats, Ground, Protocol, Stage
from oversight.history.model import GoldLabel
from oversight.measurement.metrics import auroc
from tests.experiment.histories import DAY, START, learnable

NOW = datetime(2030, 1, 1, tzinfo=UTC)
YEAR = 365.25 * DAY


@contextmanager
def silent(_description: str, _total: int | None) -> Iterator[object]:
    yield lambda _steps: None


STAGE: Stage = silent  # type: ignore[assignment]


def verdict(sha: str, risky: bool) -> GoldLabel:
    """What somebody decided of a change, long afterwards."""
    return GoldLabel(sha, risky, "verdict", NOW, ())


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history")
    learnable(path, noise=True)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def pool(clone: Path) -> Pool:
    with Repository.open(clone) as repository:
        return read_pool(repository, repository.resolve("HEAD"))


def ground_of(clone: Path, cache: Path, pool: Pool, **settings: object) -> Ground:
    asked = Protocol(**{"human": 40, "seeds": 2, "cache": cache, **settings})  # type: ignore[arg-type]
    with Repository.open(clone) as repository:
        return protocol.ground_of(repository, pool, asked, STAGE)


@pytest.fixture(scope="module")
def ground(clone: Path, cache: Path, pool: Pool) -> Ground:
    return ground_of(clone, cache, pool)


def test_windows_go_forward_in_time(ground: Ground, pool: Pool) -> None:
    """Human labels are of the oldest changes, then come the student's, then the test; the newest are in none."""
    times = pool.times
    for draw in ground.draws:
        assert times[draw.rows].max() < times[ground.student].min()
    assert times[ground.student].max() < times[ground.test].min()
    assert ground.test.max() < pool.windows().dropped.min()
    assert (np.diff(ground.test) > 0).all()


def test_the_history_is_read_once_from_its_tip(clone: Path, cache: Path, ground: Ground) -> None:
    """`lay` gives what reading the pool and dividing it gives."""
    with Repository.open(clone) as repository:
        asked = Protocol(human=40, seeds=2, cache=cache)
        laid = protocol.lay(repository, repository.resolve("HEAD"), asked, STAGE)
    np.testing.assert_array_equal(laid.test, ground.test)
    np.testing.assert_array_equal(laid.truth, ground.truth)


def test_labels_are_as_known_at_the_end_of_their_window(clone: Path, cache: Path, pool: Pool, ground: Ground) -> None:
    """What is found out after a window is in no label that its rows are taught with, and in the truth of the test."""
    windows = pool.windows()
    late = pool.decided.copy()
    drawn = ground.draws[0].rows[ground.draws[0].labels][0]
    taught, tested = ground.student[ground.gold][0], ground.test[ground.truth][0]
    late[drawn], late[taught], late[tested] = windows.student_from, windows.test_from, pool.times[-1] + YEAR
    told = ground_of(clone, cache, replace(pool, decided=late), human=int(ground.draws[0].rows.size))
    assert not told.draws[0].labels[told.draws[0].rows == drawn].any()
    assert not told.gold[told.student == taught].any()
    assert told.truth[told.test == tested].all()


def test_no_gold_of_later_windows_reaches_reviewers_or_methods(
    clone: Path, cache: Path, pool: Pool, ground: Ground
) -> None:
    """With every label after the first window turned round, all but ceiling and truth say the same to the last bit."""
    later = pool.times >= pool.windows().student_from
    risky = pool.risky ^ later
    decided = np.where(later, np.where(risky, pool.times + DAY, np.nan), pool.decided)
    turned = ground_of(clone, cache, replace(pool, risky=risky, decided=decided))
    np.testing.assert_array_equal(turned.truth, ~ground.truth)
    assert (turned.gold != ground.gold).any()
    told = [said_of(one) for one in (ground, turned)]
    for one, other in zip(*told, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (protocol.ceiling(ground, ground.draws[0]) != protocol.ceiling(turned, turned.draws[0])).any()


def said_of(ground: Ground) -> tuple[Floats, ...]:
    """What weak reviewer, human labels alone and a student say of the test changes, and weak labels of all others."""
    draw = ground.draws[0]
    said = protocol.supervise(ground, "principles", draw)
    examples = [*ground.examples(draw.rows), *ground.examples(ground.student)]
    made = methods.method("residual-mixed")(ground.learner)
    student = made.fit(examples, said.labels, protocol.gold_labels(ground, draw), seed=draw.seed)
    risks = np.array([label.risk for label in said.labels])
    return said.test, risks, protocol.human_only(ground, draw), student.predict(ground.examples(ground.test))


def test_human_labels_are_drawn_by_seed(clone: Path, cache: Path, pool: Pool, ground: Ground) -> None:
    """Each seed draws others, the same ones again, and a smaller draw is part of a larger one."""
    first, second = ground.draws
    assert (first.seed, second.seed) == (0, 1)
    assert first.rows.size == np.unique(first.rows).size == 40
    assert not np.array_equal(first.rows, second.rows)
    smaller = ground_of(clone, cache, pool, human=25, seeds=1, first_seed=1).draws[0]
    assert set(smaller.rows.tolist()) < set(second.rows.tolist())


@pytest.mark.parametrize(
    ("risky", "changes", "wanted"),
    [(100, 1000, 300), (20, 1000, 1000), (50, 1000, 400), (3, 5000, 5000), (0, 200, 200)],
)
def test_rare_risk_takes_more_labels(risky: int, changes: int, wanted: int) -> None:
    """300 are enough where 20 of them are risky, as many more are drawn where it takes them, all at the most."""
    assert protocol.how_many(np.arange(changes) < risky) == wanted


def test_where_nobody_says_how_many_it_is_seen(clone: Path, cache: Path, pool: Pool, ground: Ground) -> None:
    """Of a short history all of the first window is drawn: fewer would hold too few risky changes."""
    drawn = ground_of(clone, cache, pool, human=None, seeds=1).draws[0]
    assert drawn.rows.size > ground.draws[0].rows.size
    assert drawn.labels.sum() >= ground.draws[0].labels.sum()


def test_every_ripe_change_is_drawn_as_often(pool: Pool) -> None:
    """Over many seeds each ripe change of the first window comes up about as often as any other."""
    windows = pool.windows()
    ripe = windows.weak_train[pool.known_at(windows.student_from).mature[windows.weak_train]]
    drawn = np.concatenate([protocol.draw_human(ripe, 20, seed=seed) for seed in range(400)])
    counts = np.bincount(drawn, minlength=len(pool.shas))[ripe]
    expected = 400 * 20 / ripe.size
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_labels_of_methods_are_those_of_the_draw(ground: Ground) -> None:
    """Methods get each drawn change's label by its sha, and no other."""
    draw = ground.draws[0]
    labels = protocol.gold_labels(ground, draw)
    assert [one.change_id for one in labels] == [ground.pool.shas[row] for row in draw.rows]
    assert [one.risky for one in labels] == draw.labels.tolist()


def test_weak_labels_of_drawn_changes_come_from_reviewers_that_did_not_learn_them(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every drawn change is labelled by a reviewer that was taught other ones alone, so that labels can be checked."""
    taught_of: dict[str, set[str]] = {}
    original = weak.weak_labels

    def spied(name, taught, labels, wanted, *, seed):  # type: ignore[no-untyped-def]
        for one in wanted:
            taught_of[one.example.change_id] = {each.example.change_id for each in taught}
        return original(name, taught, labels, wanted, seed=seed)

    monkeypatch.setattr(weak, "weak_labels", spied)
    said = protocol.supervise(ground, "principles", ground.draws[0])
    assert len(said.drawn) == 40
    assert all(one.change_id not in taught_of[one.change_id] for one in said.drawn)
    assert all(30 <= len(taught_of[one.change_id]) < 40 for one in said.drawn)
    assert said.labels == [*said.student, *said.drawn]


def test_since_leaves_out_what_is_older(clone: Path, cache: Path, pool: Pool) -> None:
    """Windows are those of the changes from that moment on."""
    since = START + 5 * YEAR
    later = ground_of(clone, cache, pool, since=since, human=30)
    assert later.pool.times.min() >= since
    assert later.draws[0].rows.size == 30


def test_the_ceiling_learns_what_there_is_to_learn(ground: Ground) -> None:
    """With gold labels on what students see, held-out changes are ordered well; so does boosting on them."""
    assert auroc(ground.truth, protocol.ceiling(ground, ground.draws[0])).require() > 0.8
    assert auroc(ground.truth, protocol.boosting(ground)).require() > 0.8


def test_a_number_that_no_change_has_is_no_obstacle(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures may be unknown throughout a window, as in a clone without a past."""
    profiles = protocol.profiles

    def unknown(examples):  # type: ignore[no-untyped-def]
        found = profiles(examples).copy()
        found[:, 0] = np.nan
        return found

    monkeypatch.setattr(protocol, "profiles", unknown)
    assert np.isfinite(protocol.boosting(ground)).all()


# -- labels of people


def test_verdicts_outrank_history_whenever_they_were_made(clone: Path, cache: Path, pool: Pool, ground: Ground) -> None:
    """A verdict of today counts in every window, either way: it is on the change itself."""
    draw = ground.draws[0]
    one, other = draw.rows[draw.labels][0], draw.rows[~draw.labels][0]
    taught, tested = ground.student[~ground.gold][0], ground.test[~ground.truth][0]
    wanted = {one: False, other: True, taught: True, tested: True}
    labels = {pool.shas[row]: verdict(pool.shas[row], risky) for row, risky in wanted.items()}
    told = ground_of(clone, cache, pool, labels=labels)
    assert told.draws[0].labels[told.draws[0].rows == other].all()
    assert not told.draws[0].labels[told.draws[0].rows == one].any()
    assert told.gold[told.student == taught].all()
    assert told.truth[told.test == tested].all()


def test_what_history_decided_later_stays_unknown_until_then(pool: Pool) -> None:
    """A label of history from a file is censored as history's own are."""
    row = int(np.flatnonzero(~pool.risky)[10])
    sha = pool.shas[row]
    decided = datetime.fromtimestamp(pool.times[row] + YEAR, UTC)
    told = with_labels(pool, {sha: GoldLabel(sha, True, "fixes", decided, ())})
    assert not told.known_at(pool.times[row] + YEAR / 2).risky[row]
    assert told.known_at(pool.times[row] + 2 * YEAR).risky[row]


@pytest.mark.parametrize("since", [None, START + 5 * YEAR])
def test_labels_of_other_histories_are_refused(clone: Path, cache: Path, pool: Pool, since: float | None) -> None:
    """A commit that is not in the history is named; one that the pool leaves out, or that is too old, is no error."""
    reverted = next(iter(pool.excluded))
    known = {sha: verdict(sha, True) for sha in (reverted, pool.shas[0])}
    ground_of(clone, cache, pool, labels=known, since=since, human=30)
    foreign = {sha: verdict(sha, True) for sha in ("a" * 40, "b" * 40)}
    with pytest.raises(LabelError, match=r"2 of 4 labels are of no commit of this history, first a{40} "):
        ground_of(clone, cache, pool, labels={**known, **foreign}, since=since)


def test_a_history_that_names_nothing_labels_nothing(tmp_path: Path, cache: Path) -> None:
    """There people's labels are all that is measured on: what nobody labelled is not clean for it."""
    learnable(tmp_path / "silent", reverts=False, changes=200)
    with Repository.open(tmp_path / "silent") as repository:
        silent_pool = read_pool(repository, repository.resolve("HEAD"))
    shas = silent_pool.shas[::2]
    labels = {sha: verdict(sha, number % 3 == 0) for number, sha in enumerate(shas)}
    told = ground_of(tmp_path / "silent", cache, silent_pool, labels=labels, human=20, seeds=1)
    assert told.pool.shas == shas
    assert told.truth.tolist() == [labels[told.pool.shas[row]].risky for row in told.test]


# -- refusals


def refused(clone: Path, cache: Path, pool: Pool, **settings: object) -> LabelError:
    with pytest.raises(LabelError) as caught:
        ground_of(clone, cache, pool, **settings)
    return caught.value


def test_more_labels_than_there_are_are_refused(clone: Path, cache: Path, pool: Pool) -> None:
    """The message says how many could be drawn."""
    assert "5000 human labels cannot be drawn from 80" in refused(clone, cache, pool, human=5_000).message


def test_draws_with_too_few_risky_changes_name_a_number_that_is_enough(clone: Path, cache: Path, pool: Pool) -> None:
    """The mend is a number of labels, and taking it works."""
    mend = refused(clone, cache, pool, human=8).mend
    enough = int(mend.split("--human ")[1].split(",")[0])
    assert 8 < enough < 120
    assert ground_of(clone, cache, pool, human=enough).draws[0].labels.sum() >= protocol.FEWEST


def test_a_history_without_repairs_is_told_of_labels(clone: Path, cache: Path, pool: Pool) -> None:
    """Where nothing was ever named, people have to label."""
    silent_pool = replace(pool, risky=np.zeros_like(pool.risky), decided=np.full_like(pool.decided, np.nan))
    assert "--labels FILE" in refused(clone, cache, silent_pool).mend


def test_repairs_that_began_later_are_told_of_a_date(clone: Path, cache: Path, pool: Pool) -> None:
    """Where the first window ends before anything was named, the mend names the day of the first repair."""
    early = pool.times < pool.windows().student_from
    decided = np.where(early, np.nan, pool.decided)
    late_pool = replace(pool, risky=pool.risky & ~early, decided=decided)
    first = datetime.fromtimestamp(float(np.nanmin(decided)), UTC).date().isoformat()
    assert f"--since {first}" in refused(clone, cache, late_pool).mend


def test_repairs_that_became_a_custom_are_told_of_the_year(clone: Path, cache: Path, pool: Pool) -> None:
    """Where a few repairs were named before it, the mend names the year from which on they are, and taking it works."""
    named = pool.times > START + 5 * YEAR
    named[np.flatnonzero(pool.risky)[:2]] = True
    told = replace(pool, risky=pool.risky & named, decided=np.where(named, pool.decided, np.nan))
    mend = refused(clone, cache, told, human=30).mend
    since = datetime.fromisoformat(mend.split("--since ")[1]).replace(tzinfo=UTC)
    assert since.year in (2006, 2007)
    assert ground_of(clone, cache, told, human=30, since=since.timestamp()).draws[0].labels.sum() >= protocol.FEWEST


@pytest.mark.parametrize("window", ["student", "test"])
def test_windows_of_one_kind_alone_are_refused(clone: Path, cache: Path, pool: Pool, window: str) -> None:
    """Neither a ceiling nor a test can be had from clean changes alone."""
    windows = pool.windows()
    rows = windows.student_train if window == "student" else windows.test
    clean = np.zeros(len(pool.shas), dtype=bool)
    clean[rows] = True
    told = replace(pool, risky=pool.risky & ~clean, decided=np.where(clean, np.nan, pool.decided))
    error = refused(clone, cache, told)
    assert f"the {window} window has" in error.message
    assert "0 of them risky" in error.message


def test_a_date_after_the_last_change_is_refused(clone: Path, cache: Path, pool: Pool) -> None:
    """Nothing is left to measure on."""
    assert "earlier date" in refused(clone, cache, pool, since=START + 100 * YEAR).mend


# -- since when repairs are recorded


def test_recording_is_a_custom_from_the_first_year_on_without_a_gap(pool: Pool) -> None:
    """Years before the last one in which nearly nothing was named do not count, nor does the newest year."""
    assert protocol.recorded_since(pool) == 2001
    silent_years = pool.times < START + 6 * YEAR
    decided = np.where(silent_years, np.nan, pool.decided)
    since = protocol.recorded_since(replace(pool, risky=~np.isnan(decided), decided=decided))
    assert since in (2007, 2008)
    nothing = replace(pool, risky=np.zeros_like(pool.risky), decided=np.full_like(pool.decided, np.nan))
    assert protocol.recorded_since(nothing) is None
