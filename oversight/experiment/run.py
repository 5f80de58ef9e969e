"""`oversight train` on one page: a repository and a plan become a student with its figures.

pool ── windows forward in time ──> weak-train: N human labels │ student-train: weak labels │ test: figures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment import weak
from oversight.experiment.answered import Answered, only_answered
from oversight.experiment.choice import DEFAULT
from oversight.experiment.evaluation import Test, evaluate
from oversight.experiment.human import is_verdict
from oversight.experiment.pool import Pool, Rows, read_pool, with_labels
from oversight.experiment.protocol import how_many
from oversight.experiment.reading import Reading, read_changes
from oversight.experiment.teaching import FEWEST, FOLDS, Lesson, Taught, teach
from oversight.experiment.texts import LIMITS, read_texts
from oversight.history.model import GoldLabel
from oversight.history.schema import cache_directory
from oversight.measurement.metrics import auroc, misfit
from oversight.measurement.splits import Windows, draw_human
from oversight.methods import Parameters
from oversight.reviewers.model import WeakLabel
from oversight.students.batch import profiles
from oversight.students.encoder import EncoderLearner
from oversight.students.pretrained import Pretrained
from oversight.students.scale import RECENT, Scales, moving_scales
from oversight.students.student import NetworkLearner, NetworkStudent, logits_in_time

Stage: TypeAlias = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""A stage of the work with its name and number of steps; yields what to call with the steps that are done."""

CHANGES = 12_000
"""Changes that are read for weak labels and for the test together; more cost time and add little."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train. `human` is a number of labels to draw, None for the default; `labels` are people's own, by sha.

    `since`, in Unix seconds, leaves out what is older. `start` names the model that the learner goes on from: name,
    version, sha256. Where there is an `encoder`, the method trains it, and it teaches the learner. `answered` is what
    Claude has said of this history. `parameters` are those of the method; `promotion` says where they are from:
    experiment, identity, ledger; None where nobody promoted them.
    """

    weak: str = weak.DEFAULT
    method: str = DEFAULT
    parameters: Parameters = field(default_factory=dict)
    promotion: Mapping[str, str] | None = None
    human: int | None = None
    labels: Mapping[str, GoldLabel] = field(default_factory=dict)
    seeds: int = 1
    changes: int = CHANGES
    jobs: int = 1
    seed: int = 0
    learner: NetworkLearner = field(default_factory=NetworkLearner)
    start: Mapping[str, Any] | None = None
    encoder: Pretrained | None = None
    since: float | None = None
    cache: Path | None = None
    answered: Answered = field(default_factory=Answered)


@dataclass(frozen=True, slots=True)
class Trained:
    """The student of the first seed, its figures, and risks of held-out changes with history and without."""

    student: NetworkStudent
    metrics: dict[str, Any]
    reference: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Draw:
    """Rows of a pool: N with human labels (N,), those to be labelled weakly, and those to test on."""

    human: Rows
    labels: NDArray[np.bool_]
    student: Rows
    test: Rows


def train(repository: Repository, tip: str, plan: Plan, stage: Stage) -> Trained:
    """Train on the history of `tip`.

    Raises `LabelError` where the history is too short, or holds too few labels of either kind.
    """
    with stage("reading the history", None) as advance:
        pool = read_pool(repository, tip, advance=advance)
    if plan.since is not None:
        pool = pool.since(plan.since)
    pool = with_labels(pool, plan.labels)
    if plan.weak == "claude":
        pool = only_answered(pool, plan.answered)
    windows = pool.windows()
    draw = _draw(pool, windows, plan)
    wanted = np.concatenate((draw.human, draw.student, draw.test))
    with stage("reading changes", wanted.size) as advance:
        readings = read_changes(
            repository,
            {pool.shas[row]: pool.measures[row] for row in np.sort(wanted).tolist()},
            jobs=plan.jobs,
            cache_directory=plan.cache or cache_directory(),
            opinions=plan.weak not in ("lexical", "claude"),
            advance=advance,
        )
    readings = plan.answered.among(readings)
    draw = _readable(draw, pool, readings)
    lesson = Lesson(
        [readings[pool.shas[row]] for row in draw.human.tolist()],
        draw.labels,
        [readings[pool.shas[row]] for row in draw.student.tolist()],
        plan.weak,
        plan.learner,
        _scales(pool, draw, readings, plan.learner.bins),
        _encoder(repository, [pool.shas[row] for row in _learned(draw).tolist()], plan, stage),
        plan.parameters,
    )
    trainings = plan.seeds * (1 + FOLDS)
    with stage("training", trainings) as advance:
        taught = [
            teach(lesson, plan.method, seed=plan.seed + number, advance=lambda _what: advance(1))
            for number in range(plan.seeds)
        ]
    return _measured(pool, draw, readings, lesson, taught, plan)


def _encoder(repository: Repository, shas: Sequence[str], plan: Plan, stage: Stage) -> EncoderLearner | None:
    """Return what fine-tunes the encoder of the plan on the texts of the commits `shas`; None where there is none."""
    if plan.encoder is None:
        return None
    with stage("reading texts", len(shas)) as advance:
        texts = read_texts(repository, shas, advance=advance)
    return EncoderLearner(plan.encoder, texts, bins=plan.learner.bins)


def _draw(pool: Pool, windows: Windows, plan: Plan) -> Draw:
    if plan.labels:
        human, labels = _given(pool, windows, plan.labels)
    else:
        known = pool.known_at(windows.student_from)
        ripe = windows.weak_train[known.mature[windows.weak_train]]
        human = draw_human(ripe, _how_many(known.risky[ripe], plan.human), seed=plan.seed)
        labels = known.risky[human]
    student = np.setdiff1d(windows.student_train, human)
    test = windows.test[pool.mature[windows.test]]
    return Draw(
        human, labels, _thin(student, plan.changes * 2 // 3, plan.seed), _thin(test, plan.changes // 3, plan.seed)
    )


def _how_many(risky: NDArray[np.bool_], asked: int | None) -> int:
    """Return how many labels to draw from rows with these labels (n,)."""
    if asked is not None:
        return asked
    found = int(risky.sum())
    if found < FEWEST:
        raise LabelError(
            f"history had named {found} risky changes by the end of the first window, too few to learn from",
            mend="use a longer history, or give people's labels with --human FILE",
        )
    return how_many(risky)


def _given(pool: Pool, windows: Windows, labels: Mapping[str, GoldLabel]) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the rows before the test window that people labelled; what history said later is censored."""
    before = np.sort(np.concatenate((windows.weak_train, windows.student_train)))
    rows = [
        row
        for row in before.tolist()
        if (label := labels.get(pool.shas[row])) is not None
        and (is_verdict(label) or label.decided_at.timestamp() < windows.test_from)
    ]
    if not rows:
        raise LabelError(
            "none of the labels is of a change before the test window, the newest 30 % of the history",
            mend="label older changes too, by their full shas",
        )
    return np.array(rows, dtype=np.int64), np.array([labels[pool.shas[row]].risky for row in rows])


def _thin(rows: Rows, most: int, seed: int) -> Rows:
    """Return at most `most` of the rows, drawn at random, in order of time."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])


def _readable(draw: Draw, pool: Pool, readings: Mapping[str, Reading]) -> Draw:
    """Return the draw without the rows whose diff could not be read."""

    def read(rows: Rows) -> NDArray[np.bool_]:
        return np.array([pool.shas[row] in readings for row in rows.tolist()], dtype=bool)

    kept = read(draw.human)
    return Draw(draw.human[kept], draw.labels[kept], draw.student[read(draw.student)], draw.test[read(draw.test)])


def _learned(draw: Draw) -> Rows:
    """Return the rows that are learned from, in order of time."""
    return np.sort(np.concatenate((draw.human, draw.student)))


def _scales(pool: Pool, draw: Draw, readings: Mapping[str, Reading], bins: int) -> Scales:
    """Return the scales that reviews would have placed these changes on, of what was read of the history."""
    examples = [readings[pool.shas[row]].example for row in _learned(draw).tolist()]
    return moving_scales([example.change_id for example in examples], profiles(examples), bins)


def _measured(
    pool: Pool, draw: Draw, readings: Mapping[str, Reading], lesson: Lesson, taught: Sequence[Taught], plan: Plan
) -> Trained:
    """Score the test rows with every seed's student, and the weak supervisor beside the first."""
    tested = [readings[pool.shas[row]] for row in draw.test.tolist()]
    examples = [one.example for one in tested]
    bare = [replace(one, measures=row) for one, row in zip(examples, pool.without_history(draw.test), strict=True)]
    first, labels = taught[0], pool.risky[draw.test]
    before = [readings[pool.shas[row]].example for row in _learned(draw)[-RECENT:].tolist()]
    logits = [logits_in_time(one.student, before, examples, plan.learner.bins)[0] for one in taught]
    risks = [one.student.change_calibration(each) for one, each in zip(taught, logits, strict=True)]
    weak_risks = _risks(weak.weak_labels(plan.weak, lesson.human, lesson.labels, tested, seed=plan.seed))
    without = first.student.predict(bare)
    test = Test(labels, pool.times[draw.test], pool.lines_added[draw.test], pool.churn[draw.test])
    students = first.student.predict([one.example for one in lesson.unlabelled])
    metrics = {
        "repository": pool.name,
        "commits": pool.commits,
        "pool": len(pool.shas),
        "since": None if plan.since is None else datetime.fromtimestamp(plan.since, UTC).isoformat(),
        "human_labels": {"n": int(draw.labels.size), "risky": int(draw.labels.sum()), "given": bool(plan.labels)},
        "weak_labels": {"n": len(first.weak), "reviewer": plan.weak, "mean_risk": float(_risks(first.weak).mean())},
        "claude": _heard(plan, lesson),
        "method": {
            "name": first.method,
            "asked": plan.method,
            "parameters": dict(plan.parameters),
            "out_of_fold_log_loss": first.loss,
        },
        "promotion": None if plan.promotion is None else dict(plan.promotion),
        "choice": None if first.choice is None else asdict(first.choice),
        "started_from": None if plan.start is None else dict(plan.start),
        "encoder": None if plan.encoder is None else plan.encoder.described() | LIMITS,
        "misfit": misfit(_risks(first.weak), students).value,
        "seeds": {"first": plan.seed, "auroc": [auroc(labels, risk).value for risk in risks]},
        "test": evaluate(test, {"student": risks[0], "student, bare diff": without, "weak": weak_risks}),
    }
    return Trained(first.student, metrics, {"full": risks[0], "none": without})


def _heard(plan: Plan, lesson: Lesson) -> dict[str, Any] | None:
    """Say how many of the changes that are learned from Claude labelled; None where it had no say."""
    if plan.weak not in ("claude", "panel") or not plan.answered.labels:
        return None
    learned = (*lesson.human, *lesson.unlabelled)
    return {
        "recipe": plan.answered.recipe,
        "labels": sum(one.claude is not None for one in learned),
        "of": len(learned),
    }


def _risks(labels: Sequence[WeakLabel]) -> NDArray[np.float64]:
    return np.array([label.risk for label in labels], dtype=np.float64)
