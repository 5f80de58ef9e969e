"""How the shipped model is taught: by a weak reviewer and the few labels of people that taught it; and by gold labels.

    past ─┬─ N drawn at random of the ripe changes: labels of people ─┬─ 85 % teach the weak reviewer and the student
          │                                                           └─ 15 % calibrate, and nothing else
          └─ all others: the weak reviewer's labels ──────────────────── teach the student

N is 1,000, and 500 more at a time until `ENOUGH` risky changes are among them, as people would label who need examples
of both kinds. In the gold-trained variant history has labelled every change, the young ones as far as is known.

Repairs are recorded ten times as often in one repository as in another (`Fixes:` trailers here, reverts alone there).
A repository's base rate is therefore given to the network as a constant in training and left out afterwards, and
calibration counts every repository the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.student_models import GENERAL, Variant
from benchmarks.student_rows import Table, clone_of, write_arrays
from oversight import methods
from oversight.changes.repository import Repository
from oversight.experiment.protocol import gold_of
from oversight.experiment.reading import edition, read_changes
from oversight.experiment.weak import cross_fitted, weak_labels
from oversight.features.model import Example
from oversight.history.model import GoldLabel
from oversight.history.schema import cache_directory
from oversight.measurement.platt import fit_platt, logit, sigmoid
from oversight.measurement.splits import draw_human
from oversight.reviewers.model import WeakLabel
from oversight.students.student import NetworkStudent, logits_in_time

WEAK = "panel"
METHOD = "residual-mixed"
CALIBRATION = 0.15
FIRST, STEP, ENOUGH = 1_000, 500, 12

_BACKGROUND = 2_000  # changes without labels that tell a cross-fitted reviewer which words are rare
_BINS = GENERAL[0].bins
_GENERAL = Variant(architecture=GENERAL[0], budget=GENERAL[1])

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """What one repository gives: its `past` (n rows) to learn from and rows to measure on (t).

    For gold-trained students: which rows of the past are `put_aside` (n,) for calibration alone. For the others:
    `drawn` (N,) rows that people labelled, which of them `calibrate` (N,), and the weak reviewer's P(risky) of the past
    (n,) and of the test (t,): of drawn rows by a reviewer that was not taught with them, NaN where there is none.
    """

    past: Table
    test: Table
    put_aside: Flags
    drawn: Indices
    calibrate: Flags
    weak_past: Floats
    weak_test: Floats

    @cached_property
    def learned(self) -> Table:
        """The rows that gold-trained students learn from."""
        return self.past.take(np.flatnonzero(~self.put_aside))

    @property
    def taught(self) -> Indices:
        """Rows whose human labels are learned from."""
        return self.drawn[~self.calibrate]

    @property
    def name(self) -> str:
        """The repository's name."""
        return self.past.source.name

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that a student can learn from it or be measured on."""
        arrays = (self.put_aside, self.drawn, self.calibrate, self.weak_past)
        content = b"".join(array.tobytes() for array in arrays)
        tables = f"{self.past.fingerprint} {self.test.fingerprint}"
        return hashlib.sha256(tables.encode() + content).hexdigest()[:16]


def draw(past: Table, *, seed: int) -> Indices:
    """Return the rows that people label, in ascending order."""
    ripe = np.flatnonzero(past.ripe).astype(np.int64)
    for count in range(FIRST, ripe.size, STEP):
        rows = draw_human(ripe, count, seed=seed)
        if min(past.labels[rows].sum(), (~past.labels[rows]).sum()) >= ENOUGH:
            return rows
    return ripe


class Teach(Protocol):
    """Trains one student on all parts."""

    def __call__(self, parts: Sequence[Part], *, seed: int) -> NetworkStudent:
        """See `teach_weakly`."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where clones are read from, where what the weak reviewer said is kept, and how many processes read changes."""

    clones: Path
    work: Path
    jobs: int


def divide(past: Table, test: Table, place: Place, *, seed: int) -> Part:
    """Draw what people label, put rows aside for calibration, and ask the weak reviewer about all others."""
    put_aside, drawn = _share(len(past), seed), draw(past, seed=seed)
    calibrate = _share(drawn.size, seed)
    what = (past.fingerprint, test.fingerprint, edition(opinions=True), WEAK, drawn.tolist(), calibrate.tolist(), seed)
    key = hashlib.sha256(repr(what).encode()).hexdigest()[:16]
    path = place.work / f"weak-{past.source.name}-{key}.npz"
    if not path.exists():
        said, tested = _ask(past, test, drawn[~calibrate], drawn[calibrate], place, seed=seed)
        write_arrays(path, {"past": said, "test": tested})
    with np.load(path) as kept:
        return Part(past, test, put_aside, drawn, calibrate, kept["past"], kept["test"])


def _share(count: int, seed: int) -> Flags:
    """Return which of so many are for calibration, drawn at random, (count,)."""
    return np.asarray(np.random.default_rng(seed).permutation(count) < int(CALIBRATION * count))


def _ask(
    past: Table, test: Table, taught: Indices, kept_out: Indices, place: Place, *, seed: int
) -> tuple[Floats, Floats]:
    """Return the weak reviewer's P(risky) of the past (n,), NaN for what is `kept_out`, and of the test (t,)."""
    wanted = {example.change_id: example.measures for example in (*past.examples, *test.examples)}
    with Repository.open(clone_of(past.source, place.clones)) as repository:
        readings = read_changes(repository, wanted, jobs=place.jobs, cache_directory=cache_directory())
    past_readings = [readings[example.change_id] for example in past.examples]
    people = [past_readings[row] for row in taught.tolist()]
    labels = past.labels[taught]
    rest = np.setdiff1d(np.arange(len(past)), np.concatenate((taught, kept_out)))
    others = [past_readings[row] for row in rest.tolist()]
    tested = [readings[example.change_id] for example in test.examples]
    told = np.array([one.risk for one in weak_labels(WEAK, people, labels, [*others, *tested], seed=seed)])
    said = np.full(len(past), np.nan)
    said[rest] = told[: rest.size]
    chosen = np.sort(np.random.default_rng(seed).permutation(rest.size)[:_BACKGROUND])
    background = [others[row] for row in chosen.tolist()]
    unseen = cross_fitted(WEAK, people, labels, background, seed=seed)
    if unseen:
        said[taught] = [one.risk for one in unseen]
    return said, told[rest.size :]


def teach_weakly(parts: Sequence[Part], *, seed: int) -> NetworkStudent:
    """Train one student on all parts by `METHOD`, each on its own scale, and calibrate it by human labels put aside."""
    learner = replace(_GENERAL.learner([part.past for part in parts]), prior=dict(_base_rates(parts)), found={})
    examples = [example for part in parts for example in part.past.examples]
    weak = [label for part in parts for label in _weak(part)]
    human = [label for part in parts for label in _human(part)]
    student = methods.method(METHOD)(learner).fit(examples, weak, human, seed=seed)
    if not isinstance(student, NetworkStudent):
        raise TypeError(f"{METHOD} makes no network, and a network is what is shipped")
    rows = [part.drawn[part.calibrate] for part in parts]
    pairs = zip(parts, rows, strict=True)
    return _calibrated(student, parts, rows, [part.past.labels[some].astype(np.float64) for part, some in pairs])


def teach_by_gold(parts: Sequence[Part], *, seed: int) -> NetworkStudent:
    """Train one student on all that history says of the parts, each on its own scale, and calibrate it.

    The risk of a row not known as risky is what the student expects of it: some of these will be repaired yet.
    """
    student = _GENERAL.fit([part.learned for part in parts], seed)
    rows = [np.flatnonzero(part.put_aside).astype(np.int64) for part in parts]
    targets = []
    for part, some in zip(parts, rows, strict=True):
        logits, _ = logits_in_time(student, (), part.past.examples, _BINS)
        expected, found = sigmoid(logits[some] + part.learned.prior), part.past.found[some]
        to_come = expected * (1 - found) / (1 - expected * found)
        targets.append(np.where(part.past.labels[some], 1.0, to_come))
    return _calibrated(student, parts, rows, targets)


@dataclass(frozen=True, slots=True)
class Teacher:
    """A way to teach, by a name that tells it from others."""

    name: str
    teach: Teach


WEAKLY = Teacher(f"{WEAK}-{METHOD}", teach_weakly)
BY_GOLD = Teacher("gold", teach_by_gold)


def risks(student: NetworkStudent, part: Part) -> Floats:
    """Return P(risky) of the rows to measure on (t,), on the scale that a review would take from the changes before."""
    logits, _ = logits_in_time(student, part.past.examples, part.test.examples, _BINS)
    return student.change_calibration(logits)


def _calibrated(
    student: NetworkStudent, parts: Sequence[Part], rows: Sequence[Indices], targets: Sequence[Floats]
) -> NetworkStudent:
    """Fit both calibrations on rows of each part that were put aside, with every part counting the same."""
    whole, alone = [], []
    for part, some in zip(parts, rows, strict=True):
        logits, hunks = logits_in_time(student, (), part.past.examples, _BINS)
        whole.append(logits[some])
        alone.append(hunks[some])
    weights = np.concatenate([np.full(some.size, 1_000 / some.size) for some in rows])
    labels = np.concatenate(targets)
    return student.with_calibration(
        fit_platt(np.concatenate(whole), labels, weights), fit_platt(np.concatenate(alone), labels, weights)
    )


def _base_rates(parts: Sequence[Part]) -> Iterator[tuple[str, float]]:
    """Yield for every change the log-odds of a risky one in its repository, by the human labels alone."""
    for part in parts:
        labels = part.past.labels[part.taught]
        rate = float(logit((labels.sum() + 1) / (labels.size + 20)))
        yield from ((example.change_id, rate) for example in part.past.examples)


def _weak(part: Part) -> Iterator[WeakLabel]:
    for example, risk in zip(part.past.examples, part.weak_past.tolist(), strict=True):
        if not np.isnan(risk):
            yield WeakLabel(example.change_id, risk, 1.0, ())


def _human(part: Part) -> list[GoldLabel]:
    return gold_of([_id(part, row) for row in part.taught.tolist()], part.past.labels[part.taught])


def _id(part: Part, row: int) -> str:
    example: Example = part.past.examples[row]
    return example.change_id
