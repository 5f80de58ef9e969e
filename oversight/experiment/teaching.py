"""Human labels -> weak supervisor -> weak labels -> method -> calibrated student.

What the method trains is a head on the network that training starts from (`oversight.students.head`), which becomes one
more layer of it; a network from nothing, where there is no start; or an encoder, whose judgement the network then
learns.

The N human labels are all the gold that anything here sees. They teach the weak supervisor, take part in the
method, choose between methods, and calibrate; whatever has learned a label is never calibrated or chosen by it:
the labels are divided into folds, and each fold is scored by a student that was taught, from the weak
supervisor on, without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from oversight import methods
from oversight.errors import LabelError
from oversight.experiment.choice import AUTO, Choice, Lessons, choose_for
from oversight.experiment.protocol import gold_of
from oversight.experiment.reading import Reading
from oversight.experiment.weak import cross_fitted, weak_labels
from oversight.features.model import Example
from oversight.measurement.platt import Platt, fit_platt
from oversight.reviewers.model import WeakLabel
from oversight.students.batch import profiles
from oversight.students.encoder import EncoderLearner
from oversight.students.head import HeadLearner, HeadStudent, crowned
from oversight.students.representation import represent
from oversight.students.scale import Scales, quantile_edges
from oversight.students.student import Learner, NetworkLearner, NetworkStudent, logits_placed

FOLDS = 3
FEWEST = 10
"""Human labels of either kind: with fewer, folds of them would hold too few to learn from."""

_BACKGROUND = 2_000  # changes without labels that tell a cross-fitted reviewer which words are rare


@dataclass(frozen=True, slots=True)
class Taught:
    """A calibrated student, the method that made it, why it was chosen (None where it was asked for), its log loss on
    the human labels out of fold (nats), and the weak labels of what has no human one.
    """

    student: NetworkStudent
    method: str
    choice: Choice | None
    loss: float
    weak: list[WeakLabel]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is taught: N readings with human labels (N,), readings without, and how.

    Profiles are placed on `scales`, where these name every change. With an `encoder` it is what the method trains, and
    the network learns from its probabilities. `parameters` are those of the method, and of heads where these are what
    it trains.
    """

    human: Sequence[Reading]
    labels: NDArray[np.bool_]
    unlabelled: Sequence[Reading]
    weak: str
    learner: NetworkLearner
    scales: Scales = field(default_factory=Scales)
    encoder: EncoderLearner | None = None
    parameters: methods.Parameters = field(default_factory=dict)

    def check(self) -> None:
        """Raise `LabelError` where there are too few labels to teach with."""
        risky = int(self.labels.sum())
        clean = int(self.labels.size) - risky
        if min(risky, clean) < FEWEST:
            raise LabelError(
                f"{risky} risky and {clean} clean labels are too few to learn from",
                mend=f"give at least {FEWEST} of either kind: a larger --human N, or a file of verdicts",
            )

    def without(self, fold: NDArray[np.bool_]) -> Lesson:
        """The lesson without the human labels of `fold` (N,)."""
        kept = np.flatnonzero(~fold)
        return replace(self, human=[self.human[row] for row in kept.tolist()], labels=self.labels[kept])

    def weak_labels(self, seed: int) -> list[WeakLabel]:
        """Teach the weak supervisor, and let it label what has no label."""
        return weak_labels(self.weak, self.human, self.labels, self.unlabelled, seed=seed)

    @property
    def examples(self) -> list[Example]:
        """All that is learned from."""
        return [one.example for one in (*self.human, *self.unlabelled)]

    def heads(self) -> HeadLearner:
        """Return what trains heads of these changes; on the log-odds of the network that is started from, if any."""
        examples, start = self.examples, self.learner.start
        known = None if start is None else logits_placed(start, examples, self.scales)[0]
        representation = represent(examples, self.scales, self.learner.bins, known)
        return HeadLearner(representation, **methods.of_part(self.parameters, methods.HEAD))

    def student(self, method: str, labels: Sequence[WeakLabel], heads: HeadLearner, seed: int) -> NetworkStudent:
        """Train a student by `method` and weak labels of what has no label, not yet calibrated."""
        examples, start = self.examples, self.learner.start
        gold = gold_of([one.example.change_id for one in self.human], self.labels)
        said = [*labels, *cross_fitted(self.weak, self.human, self.labels, self.unlabelled[:_BACKGROUND], seed=seed)]
        network = self.learner.placed(self.scales)
        first: Learner = network if start is None else heads
        if self.encoder is not None:
            first = self.encoder.placed(self.scales)
        student = methods.method(method, self.parameters)(first).fit(examples, said, gold, seed=seed)
        if isinstance(student, NetworkStudent):
            return student
        if start is None or self.encoder is not None:
            # What an encoder read in the text is in the tokens, of which a head sees nothing.
            return network.fit(examples, student.predict(examples), seed=seed)
        if not isinstance(student, HeadStudent):
            # Several heads: one learns what they say of everything.
            student = heads.fit(examples, student.predict(examples), seed=seed)
        return crowned(student, start, quantile_edges(profiles(examples), self.learner.bins))


def teach(lesson: Lesson, method: str, *, seed: int, advance: Callable[[str], None] = lambda _what: None) -> Taught:
    """Teach by `method`, or by the one that `AUTO` chooses; `advance` hears of every training.

    Raises `LabelError` where there are too few human labels of either kind.
    """
    lesson.check()
    choice, heads = None, lesson.heads()
    if method == AUTO:
        lessons = Lessons(lesson.human, lesson.labels, lesson.unlabelled, lesson.weak)
        choice = choose_for(lessons, heads, seed=seed)
        method = choice.method
    folds = _folds(lesson.labels, seed)
    whole, alone = np.zeros(folds.size), np.zeros(folds.size)
    for number in range(FOLDS):
        fold = folds == number
        advance(f"{method}, fold {number + 1} of {FOLDS}")
        rest = lesson.without(fold)
        held = [lesson.human[row].example for row in np.flatnonzero(fold).tolist()]
        student = rest.student(method, rest.weak_labels(seed), heads, seed)
        whole[fold], alone[fold] = logits_placed(student, held, lesson.scales)
    advance(f"{method}, all labels")
    labels = lesson.weak_labels(seed)
    calibrated = lesson.student(method, labels, heads, seed).with_calibration(
        fit_platt(whole, lesson.labels), fit_platt(alone, lesson.labels)
    )
    return Taught(calibrated, method, choice, _loss(whole, lesson.labels), labels)


def _folds(labels: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """Return the fold of each row (N,), with the same share of risky rows in each."""
    order = np.random.default_rng(seed).permutation(labels.size)
    folds = np.zeros(labels.size, dtype=np.int64)
    for kind in (True, False):
        rows = order[labels[order] == kind]
        folds[rows] = np.arange(rows.size) % FOLDS
    return folds


def _loss(logits: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    platt: Platt = fit_platt(logits, labels)
    probabilities = platt(logits)
    return float(-np.log(np.where(labels, probabilities, 1 - probabilities).clip(1e-9)).mean())
