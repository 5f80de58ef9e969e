"""`--method auto`: which method to trust, by the human labels it was given and no other gold.

The labels are divided into folds. Each fold is ordered by students that were taught, from the weak reviewer on, without
it, and the AUROC of these out-of-fold scores says what a method is worth. A few hundred labels hold a few dozen risky
changes, among which the best of many methods is mostly the luckiest one. Hence few candidates, in the order in which
they did best on development histories (`benchmarks/WEAK_TO_STRONG.md`), and a rule of one standard error (Breiman et
al. 1984): the first stays unless another is above it by more than the error of their difference.

A tenth of the weak labels is held back as well: a student that does not order those better than chance has not heard
its supervisor, and is no candidate, unless it is that of the human labels alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oversight import methods
from oversight.errors import LabelError
from oversight.experiment.protocol import Draw, Ground, gold_of
from oversight.experiment.reading import Reading
from oversight.experiment.weak import cross_fitted, stratified_folds, weak_labels
from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.measurement.bootstrap import paired_difference
from oversight.measurement.metrics import auroc
from oversight.reviewers.model import WeakLabel
from oversight.students.student import Learner

Floats = NDArray[np.float64]

HUMAN_ONLY = "human-only"

DEFAULT = "residual-mixed"
"""The method where none is named."""

AUTO = "auto"
"""What is asked for where a method is to be chosen."""

CANDIDATES = (DEFAULT, "noisy-channel", "logconf", HUMAN_ONLY)
"""What is chosen between."""

FOLDS = 3
_HELD_BACK = 0.1  # of the weak labels
_BACKGROUND = 1_000
_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A method, why it was chosen, in a sentence, and the out-of-fold AUROC of each candidate on the human labels."""

    method: str
    why: str
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a choice is made on: readings with human labels (N,), readings without, the weak reviewer's name."""

    human: Sequence[Reading]
    labels: NDArray[np.bool_]
    unlabelled: Sequence[Reading]
    weak: str


def choose(ground: Ground, weak: str, draw: Draw, *, advance: Callable[[int], None] = lambda _steps: None) -> Choice:
    """Choose for one draw of the protocol. `advance` hears of every fold."""
    return choose_for(lessons_of(ground, weak, draw), ground.learner, seed=draw.seed, advance=advance)


def lessons_of(ground: Ground, weak: str, draw: Draw) -> Lessons:
    """Return what is chosen on for one draw of the protocol."""
    return Lessons(ground.read(draw.rows), draw.labels, ground.read(ground.student), weak)


def choose_for(
    lessons: Lessons, learner: Learner, *, seed: int, advance: Callable[[int], None] = lambda _steps: None
) -> Choice:
    """Choose by students of `learner`'s, which should be quick: each candidate is trained once a fold."""
    return choose_on(folds_of(lessons, seed=seed), lessons.labels, learner, seed=seed, advance=advance)


@dataclass(frozen=True, slots=True)
class Fold:
    """A lesson without some of its human labels: `held` (H,) are the numbers of their rows, `wanted` (H,) what is to be
    ordered. Of the weak labels some are `given`, with the gold ones that are left, and `risks` (B,) of `unseen` (B,)
    held back; there are none where the labels that are left cannot teach the reviewer.
    """

    held: NDArray[np.int64]
    wanted: list[Example]
    examples: list[Example]
    given: list[WeakLabel]
    gold: list[GoldLabel]
    unseen: list[Example]
    risks: Floats


def folds_of(lessons: Lessons, *, seed: int) -> Iterator[Fold]:
    """Teach the weak reviewer once a fold; students of any learner can be compared on what it says."""
    for held in stratified_folds(lessons.labels, FOLDS, seed):
        yield _fold(lessons, held, seed)


def choose_on(
    folds: Iterable[Fold],
    labels: NDArray[np.bool_],
    learner: Learner,
    *,
    seed: int,
    advance: Callable[[int], None] = lambda _steps: None,
) -> Choice:
    """Choose on folds of human labels (N,) that were made before."""
    scores = {name: np.full(labels.size, np.nan) for name in CANDIDATES}
    heard: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for fold in folds:
        for name, (found, agreement) in _ordered(fold, learner, seed).items():
            scores[name][fold.held] = _ranked(found)
            heard[name].append(agreement)
        advance(1)
    deaf = {name for name in CANDIDATES if name != HUMAN_ONLY and np.mean(heard[name] or [0.0]) <= 0.5}
    able = [name for name in CANDIDATES if name not in deaf and not np.isnan(scores[name]).any()]
    if not able:
        raise LabelError("no method learns from these labels", mend="give more human labels, of both kinds")
    return _best(able, scores, labels, seed)


def _fold(lessons: Lessons, held: NDArray[np.int64], seed: int) -> Fold:
    kept = np.setdiff1d(np.arange(lessons.labels.size), held)
    taught, labels = [lessons.human[row] for row in kept.tolist()], lessons.labels[kept]
    try:
        said = weak_labels(lessons.weak, taught, labels, lessons.unlabelled, seed=seed)
    except LabelError:
        said = []
    checked = cross_fitted(lessons.weak, taught, labels, lessons.unlabelled[:_BACKGROUND], seed=seed)
    order = np.random.default_rng(seed).permutation(len(said))
    back, shown = np.split(order, [int(_HELD_BACK * len(said))])
    return Fold(
        held,
        [lessons.human[row].example for row in held.tolist()],
        [one.example for one in (*taught, *lessons.unlabelled)],
        [*(said[row] for row in np.sort(shown).tolist()), *checked] if said else [],
        gold_of([one.example.change_id for one in taught], labels),
        [lessons.unlabelled[row].example for row in back.tolist()],
        np.array([said[row].risk for row in back.tolist()]),
    )


def _ordered(fold: Fold, learner: Learner, seed: int) -> dict[str, tuple[Floats, float]]:
    """Return, by candidate, scores of the held-out rows and AUROC on the held-back weak labels."""
    found: dict[str, tuple[Floats, float]] = {}
    for name in CANDIDATES if fold.given else (HUMAN_ONLY,):
        try:
            student = methods.method(name)(learner).fit(fold.examples, fold.given, fold.gold, seed=seed)
        except LabelError:
            continue
        found[name] = student.predict(fold.wanted), _agreement(fold.risks, student.predict(fold.unseen))
    return found


def _agreement(weak: Floats, student: Floats) -> float:
    """AUROC of the student's scores for the upper half of the weak labels; 1/2 where there is nothing to tell."""
    value = auroc(weak > np.median(weak), student).value if weak.size else None
    return 0.5 if value is None else value


def _ranked(scores: Floats) -> Floats:
    """Scores of different students as places in their own fold, which alone can be compared."""
    places: Floats = np.searchsorted(np.sort(scores), scores, side="left") / max(1, scores.size)
    return places


def _best(able: Sequence[str], scores: dict[str, Floats], labels: NDArray[np.bool_], seed: int) -> Choice:
    values = {name: auroc(labels, scores[name]).require() for name in able}
    default, *others = able
    chosen, why = default, f"{default} orders held-out human labels with AUROC {values[default]:.3f}"
    most = 0.0
    for name in others:
        difference = paired_difference(
            auroc.bind(labels, scores[name]),
            auroc.bind(labels, scores[default]),
            labels.size,
            seed=seed,
            resamples=_RESAMPLES,
        )
        gained = (difference.value or 0.0) - (difference.error or 0.0)
        if difference.error is not None and gained > most:
            most, chosen = gained, name
    if chosen == default:
        why += ", and no other is better by more than a standard error"
    else:
        why = (
            f"{chosen} orders held-out human labels with AUROC {values[chosen]:.3f}, above {default} with "
            f"{values[default]:.3f} by more than a standard error"
        )
    return Choice(chosen, why, values)
