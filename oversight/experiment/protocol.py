"""The protocol that PGR is measured by: which changes are labelled by whom, and who may learn what.

    weak-train    N of the mature changes, drawn at random by seed: their labels as known at the end of the window,
                  and all the gold that the weak reviewer, a method or a choice between methods ever sees
    student-train labelled by the weak reviewer; for the ceiling alone, by history as known at the end of the window
    test          mature changes, labelled as known today; nothing learns from them

Students are heads (`oversight.students.head`) on one representation of all these changes, so that a training takes a
second; weak, human-only, ceiling and every method see the same rows. Where a start is given, all of them go on from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment.answered import Answered, only_answered
from oversight.experiment.pool import Pool, Rows, read_pool, with_labels
from oversight.experiment.reading import Reading, read_changes
from oversight.experiment.weak import cross_fitted, weak_labels
from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.history.schema import cache_directory
from oversight.measurement.splits import draw_human
from oversight.reviewers.model import WeakLabel
from oversight.students.batch import profiles
from oversight.students.head import HeadLearner
from oversight.students.representation import Representation, represent
from oversight.students.scale import moving_scales
from oversight.students.student import NetworkLearner, NetworkStudent, logits_placed

Flags: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Stage: TypeAlias = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""A stage of the work with its name and number of steps; yields what to call with the steps that are done."""

FEWEST = 6
"""Human labels of either kind, below which no weak reviewer can be taught."""

HUMAN = 300
"""Human labels that are drawn where nobody says how many, or as many more as hold `EXPECTED` risky ones."""

EXPECTED = 20

CUSTOM = 0.01
"""Share of a year's changes that history must name in the year for the recording of repairs to count as a custom."""

_BACKGROUND = 2_000  # changes without labels that tell a cross-fitted reviewer which words are rare


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is measured. `human` labels are drawn for each of `seeds` seeds from `first_seed` on, None: `how_many`.

    Of the student window and the test at most so many changes are read, drawn at random. `since`, in Unix seconds,
    leaves out what is older: where a history began to record repairs late, its older changes only look clean. `labels`
    are people's own, by sha, and outrank the history's. `answered` is what Claude has said of this history; with
    `answered_only` no other change takes part.
    """

    human: int | None = HUMAN
    seeds: int = 5
    first_seed: int = 0
    student: int = 8_000
    test: int = 5_000
    since: float | None = None
    labels: Mapping[str, GoldLabel] = field(default_factory=dict)
    start: NetworkStudent | None = None
    jobs: int = 1
    cache: Path | None = None
    answered: Answered = field(default_factory=Answered)
    answered_only: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """The human labels of one seed: rows (N,) of a ground and what history said of them (N,)."""

    seed: int
    rows: Rows
    labels: Flags


@dataclass(frozen=True)
class Ground:
    """The changes of one repository that are measured on, read and represented.

    `readings` by row of the pool. `learner` trains every student. `draws` one a seed. `student` (S,) rows with `gold`
    (S,) as known at the end of the window, for ceilings alone. `test` (T,) rows with `truth` (T,) as known today.
    """

    pool: Pool
    readings: Mapping[int, Reading]
    learner: HeadLearner
    draws: tuple[Draw, ...]
    student: Rows
    gold: Flags
    test: Rows
    truth: Flags

    def read(self, rows: Rows) -> list[Reading]:
        """Return the readings of these rows."""
        return [self.readings[row] for row in rows.tolist()]

    def examples(self, rows: Rows) -> list[Example]:
        """Return the examples of these rows."""
        return [self.readings[row].example for row in rows.tolist()]


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the weak reviewer says, taught by one draw: labels of the student rows, of the test rows, and of the drawn
    rows themselves by a reviewer that was not taught with them (none where there are too few labels for that).
    """

    student: list[WeakLabel]
    test: Floats
    drawn: list[WeakLabel]

    @property
    def labels(self) -> list[WeakLabel]:
        """All that a method is given."""
        return [*self.student, *self.drawn]


def lay(repository: Repository, tip: str, protocol: Protocol, stage: Stage) -> Ground:
    """Read what the protocol needs of the history of `tip`; errors as of `ground_of`."""
    with stage("reading the history", None) as advance:
        pool = read_pool(repository, tip, advance=advance)
    return ground_of(repository, pool, protocol, stage)


def ground_of(repository: Repository, pool: Pool, protocol: Protocol, stage: Stage) -> Ground:
    """Divide a pool by the protocol, draw human labels, and read the changes.

    Raises `LabelError` where the history is too short, a draw holds too few labels of either kind, a later window
    labels of one kind alone, or people's labels name commits that are not in the history.
    """
    pool = _labelled(pool, protocol.labels)
    if protocol.answered_only:
        pool = only_answered(pool, protocol.answered)
    whole = pool
    if protocol.since is not None:
        pool = pool.since(protocol.since)
    windows = pool.windows()
    before, then = pool.known_at(windows.student_from), pool.known_at(windows.test_from)
    ripe = windows.weak_train[before.mature[windows.weak_train]]
    human = how_many(before.risky[ripe]) if protocol.human is None else protocol.human
    draws = tuple(
        Draw(seed, rows, before.risky[rows])
        for seed in range(protocol.first_seed, protocol.first_seed + protocol.seeds)
        for rows in (draw_human(ripe, human, seed=seed),)
    )
    for draw in draws:
        _check(pool, whole, draw, before.risky[ripe])
    student = _thin(windows.student_train, protocol.student)
    test = _thin(windows.test[pool.mature[windows.test]], protocol.test)
    wanted = np.unique(np.concatenate((*(draw.rows for draw in draws), student, test)))
    with stage("reading changes", wanted.size) as advance:
        readings = read_changes(
            repository,
            {pool.shas[row]: pool.measures[row] for row in wanted.tolist()},
            jobs=protocol.jobs,
            cache_directory=protocol.cache or cache_directory(),
            advance=advance,
        )
    readings = protocol.answered.among(readings)
    found = {row: readings[pool.shas[row]] for row in wanted.tolist() if pool.shas[row] in readings}
    student, test = _among(student, found), _among(test, found)
    for name, labels in (("student", then.risky[student]), ("test", pool.risky[test])):
        _check_window(name, labels)
    return Ground(
        pool,
        found,
        HeadLearner(_represent([reading.example for reading in found.values()], protocol.start)),
        tuple(_readable(draw, found) for draw in draws),
        student,
        then.risky[student],
        test,
        pool.risky[test],
    )


def how_many(ripe: Flags) -> int:
    """Return how many human labels to draw from changes with these labels (n,) where nobody says how many."""
    found = max(1, int(ripe.sum()))
    return min(ripe.size, max(HUMAN, math.ceil(EXPECTED * ripe.size / found)))


def recorded_since(pool: Pool) -> int | None:
    """Return the first year from which on history named at least `CUSTOM` of the changes of every year, the last one
    left out: before that a change looks clean because nobody recorded repairs. None where there is no such year.
    """
    years = pool.times.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    named = (
        pool.decided[~np.isnan(pool.decided)].astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    )
    last = int(np.quantile(years, 0.99))  # a clock that was wrong may date a change far ahead
    first: int | None = None
    for year in range(last - 1, int(years.min()) - 1, -1):
        changes = int((years == year).sum())
        if changes and (named == year).sum() < CUSTOM * changes:
            break
        first = year
    return first


def supervise(ground: Ground, weak: str, draw: Draw) -> Supervision:
    """Teach the weak reviewer called `weak` the labels of one draw, and let it label what the student sees."""
    drawn, student, test = ground.read(draw.rows), ground.read(ground.student), ground.read(ground.test)
    said = weak_labels(weak, drawn, draw.labels, [*student, *test], seed=draw.seed)
    risks = np.array([label.risk for label in said[len(student) :]], dtype=np.float64)
    chosen = np.sort(np.random.default_rng(draw.seed).permutation(len(student))[:_BACKGROUND])
    background = [student[row] for row in chosen.tolist()]
    return Supervision(said[: len(student)], risks, cross_fitted(weak, drawn, draw.labels, background, seed=draw.seed))


def gold_labels(ground: Ground, draw: Draw) -> list[GoldLabel]:
    """Return the labels of a draw as methods take them."""
    return gold_of([ground.pool.shas[row] for row in draw.rows.tolist()], draw.labels)


def gold_of(changes: Sequence[str], labels: Flags) -> list[GoldLabel]:
    """Return labels (N,) of these changes as methods take them."""
    moment = datetime.fromtimestamp(0, UTC)  # when a label was decided no longer matters once it may be used
    return [GoldLabel(change, bool(label), "human", moment, ()) for change, label in zip(changes, labels, strict=True)]


def human_only(ground: Ground, draw: Draw) -> Floats:
    """Return log-odds of the test rows (T,) by a student of the human labels alone."""
    student = ground.learner.fit(ground.examples(draw.rows), draw.labels.astype(np.float64), seed=draw.seed)
    return student.logits(ground.examples(ground.test))


def ceiling(ground: Ground, draw: Draw) -> Floats:
    """Return log-odds of the test rows (T,) by a student with gold labels on every row that students see."""
    rows = np.concatenate((draw.rows, ground.student))
    targets = np.concatenate((draw.labels, ground.gold)).astype(np.float64)
    student = ground.learner.fit(ground.examples(rows), targets, seed=draw.seed)
    return student.logits(ground.examples(ground.test))


def boosting(ground: Ground) -> Floats:
    """Return P(risky) of the test rows (T,) by gradient boosting on the numbers of a change, taught gold labels of the
    student rows: a simple peer, which a ceiling must not be below.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(learning_rate=0.05, max_iter=150, max_leaf_nodes=15, random_state=0)
    taught, test = profiles(ground.examples(ground.student)), profiles(ground.examples(ground.test))
    known = ~np.isnan(taught).all(axis=0)  # a number that no change has cannot be binned
    model.fit(taught[:, known], ground.gold)
    return np.asarray(model.predict_proba(test[:, known])[:, 1], dtype=np.float64)


def _labelled(pool: Pool, labels: Mapping[str, GoldLabel]) -> Pool:
    """Put people's labels in place of the history's; where that names nothing at all, its silence labels nothing
    either, and the changes that people labelled are all there is.
    """
    told = with_labels(pool, labels)
    if not labels or pool.risky.any():
        return told
    return told.take(np.flatnonzero([sha in labels for sha in told.shas]).astype(np.int64))


def _check_window(name: str, labels: Flags) -> None:
    risky = int(labels.sum())
    if 0 < risky < labels.size:
        return
    raise LabelError(
        f"the {name} window has {labels.size} changes, {risky} of them risky: nothing can be measured with one kind",
        mend="use a longer history, leave out old years with --since, or give people's labels with --labels FILE",
    )


def _check(pool: Pool, whole: Pool, draw: Draw, ripe: Flags) -> None:
    """Raise `LabelError` where a draw is too poor. The mend knows the `whole` history, older changes included."""
    risky = int(draw.labels.sum())
    if min(risky, draw.labels.size - risky) >= FEWEST:
        return
    raise LabelError(
        f"{draw.labels.size} human labels drawn with seed {draw.seed} hold {risky} risky changes, and a weak reviewer "
        f"needs {FEWEST} of either kind",
        mend=_more(pool, whole, ripe),
    )


def _more(pool: Pool, whole: Pool, ripe: Flags) -> str:
    """Say what would help: more labels, where there are any; else a later beginning."""
    found = int(ripe.sum())
    if not found:
        first = np.nanmin(pool.decided) if pool.risky.any() else np.nan
        if np.isnan(first):
            return "this history names no repairs and no reverts: give people's labels with --labels FILE"
        since = datetime.fromtimestamp(float(first), UTC).date().isoformat()
        return f"the first was named on {since}: leave out what is older with --since {since}, or use --labels FILE"
    enough = int(np.ceil(4 * FEWEST * ripe.size / found))
    if enough <= ripe.size:
        return f"ask for --human {enough}, or {_otherwise(pool, whole)}"
    return f"there are {found} in all of the window: {_otherwise(pool, whole)}"


def _otherwise(pool: Pool, whole: Pool) -> str:
    year = recorded_since(whole)
    if year is None or pool.times[0] >= datetime(year, 1, 1, tzinfo=UTC).timestamp():
        return "give people's labels with --labels FILE"
    return f"leave out the years before repairs were recorded with --since {year}-01-01"


def _thin(rows: Rows, most: int) -> Rows:
    """Return at most so many of the rows, drawn at random, in order of time."""
    return np.sort(np.random.default_rng(0).permutation(rows)[:most])


def _among(rows: Rows, found: Mapping[int, Reading]) -> Rows:
    return np.array([row for row in rows.tolist() if row in found], dtype=np.int64)


def _readable(draw: Draw, found: Mapping[int, Reading]) -> Draw:
    kept = np.array([row in found for row in draw.rows.tolist()], dtype=bool)
    return Draw(draw.seed, draw.rows[kept], draw.labels[kept])


def _represent(examples: Sequence[Example], start: NetworkStudent | None) -> Representation:
    """Represent changes in order of time, each on the scale of those before it."""
    bins = NetworkLearner().bins
    scales = moving_scales([example.change_id for example in examples], profiles(examples), bins)
    known = None if start is None else logits_placed(start, examples, scales)[0]
    return represent(examples, scales, bins, known)
