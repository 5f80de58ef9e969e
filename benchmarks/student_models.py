"""Students and peers as jobs: what is trained on which rows, and whose scores are kept where.

A job is one training. Its scores of every repository are one file each, whose name holds a hash of all that they
depend on, so that a run which was stopped goes on behind the last file and nothing stale is ever shown.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.distillation import expected_labels
from benchmarks.hunk_vectors import Vectors
from benchmarks.peers import NOT_PROBABILITIES, PEERS, POOLED_PEER, Peer, all_numbers, boosting_pooled
from benchmarks.pooling import AttentionPooling, MaximumPooling, MeanPooling
from benchmarks.pretraining import pretrained
from benchmarks.student_rows import Floats, Table, write_arrays
from benchmarks.touched_lines import TOUCHED, Row
from oversight.features.example import HISTORY
from oversight.features.facts import FACTS
from oversight.features.model import Example
from oversight.features.tokens import HASH_BUCKETS
from oversight.history.context import MEASURES
from oversight.measurement.platt import sigmoid
from oversight.students.batch import PROFILE, profiles
from oversight.students.network import Architecture, Network
from oversight.students.scale import BLOCK, RECENT, Scales, moving_scales
from oversight.students.student import NetworkLearner, NetworkStudent, logits_in_time
from oversight.students.training import Budget, Build

Tables: TypeAlias = Mapping[str, Table]
"""By the repository's name."""

Run: TypeAlias = Callable[[Sequence[Table], Sequence[Table], int], list[Floats]]
"""(rows to learn from, rows to score, seed) -> scores of each of the latter."""

STARTED = "student"
ALONE = "student, from nothing"
POOLED = "student, taught by others too"
UNSEEN = "student that never saw it"
STUDENTS = (STARTED, ALONE, POOLED, UNSEEN)
"""*student* goes on from one that the permissive histories taught, by training all of the network further."""

WHOLE = "the whole student"
WITHOUT_TOKENS = "without tokens"
WITH_LINES = f"{POOLED_PEER}, with the history of the touched lines"

AGAINST = {WITH_LINES: POOLED_PEER}
"""What an ablation is compared with, where that is not the whole student."""

POOLED_ROWS = 12_000
"""Most rows of a repository where several of one kind are learned from at once: the newest."""

UNSEEN_ROWS = 5_000
"""The same where all the others are learned from."""

_EDITION = 2  # of the code that turns rows into scores, where no other setting tells of a change

_MESSAGE = ("fix", "message_words", "message_ticket")
_PLAIN = Architecture(buckets=HASH_BUCKETS, facts=len(FACTS), profile=len(PROFILE))

GENERAL = replace(_PLAIN, profile_dropout=0.5), Budget(context_dropout=0.3)
"""For repositories that were not learned from: what a profile says differs more between them than what a hunk says."""


@dataclass(frozen=True)
class Variant:
    """A student with a part of it changed or taken away.

    `change` is applied to every row, learned from or not. `pretrained`: its vectors of tokens are learned beforehand,
    without labels. `distilled`: the share that boosting has in what is learned. `members`: log-odds are the mean of so
    many seeds.
    """

    name: str = POOLED
    change: Callable[[Example], Example] = field(default=lambda example: example, repr=False)
    delayed: bool = True
    own_scale: bool = True
    hunks_alone: bool = False
    pretrained: bool = False
    distilled: float = 0.0
    members: int = 1
    build: Build = field(default=Network, repr=False)
    architecture: Architecture = _PLAIN
    budget: Budget = field(default_factory=Budget)

    def learner(self, trains: Sequence[Table]) -> NetworkLearner:
        """Return the learner of these rows, told what is known of each beforehand."""
        prior, found, scales = {}, {}, Scales()
        for table in trains:
            for example, share in zip(table.examples, table.found.tolist(), strict=True):
                prior[example.change_id] = table.prior
                if self.delayed:
                    found[example.change_id] = share
            if self.own_scale:
                rows = [self.change(example) for example in table.examples]
                changes = [example.change_id for example in rows]
                scales += moving_scales(changes, profiles(rows), self.architecture.bins)
        return NetworkLearner(self.architecture, self.budget, prior, found, scales, build=self.build)

    def fit(self, trains: Sequence[Table], seed: int, start: NetworkStudent | None = None) -> NetworkStudent:
        """Train on all of `trains`, from `start` where there is one."""
        learned = [table if self.delayed else table.ripe_alone() for table in trains]
        examples = [self.change(example) for table in learned for example in table.examples]
        labels = np.concatenate([table.labels for table in learned]).astype(np.float64)
        if self.distilled:
            labels = (1 - self.distilled) * labels + self.distilled * expected_labels(learned, seed=seed)
        learner = replace(self.learner(learned), start=start)
        if self.pretrained:
            guessed = NetworkStudent(pretrained(self.architecture, examples, seed=seed))
            learner = replace(learner, start=guessed, budget=replace(self.budget, pull=0.0))
        return learner.fit(examples, labels, seed=seed)

    def score(self, student: NetworkStudent, past: Table | None, table: Table) -> Floats:
        """Return log-odds of the rows, without the repository's base rate.

        Profiles are placed among the changes before, the first ones among those of the `past`, as a review places them;
        without one, and with one scale for all, on that of all rows.
        """
        rows = [self.change(example) for example in table.examples]
        if self.own_scale and past is not None:
            before = [self.change(example) for example in past.newest(RECENT).examples]
            pair = logits_in_time(student, before, rows, self.architecture.bins)
        else:
            pair = student.logits(rows)
        return pair[1] if self.hunks_alone else pair[0]

    def scores(
        self, trains: Sequence[Table], evaluations: Sequence[Table], seed: int, pasts: Sequence[Table] = ()
    ) -> list[Floats]:
        """Train one student, or several, on all of `trains` and return the log-odds of `evaluations`.

        `pasts` hold changes before those of repositories that are not among `trains`.
        """
        before = {table.source.name: table for table in (*pasts, *trains)}
        students = [self.fit(trains, seed * self.members + member) for member in range(self.members)]
        return [
            np.asarray(np.mean([self.score(one, before.get(table.source.name), table) for one in students], axis=0))
            for table in evaluations
        ]


@dataclass(frozen=True)
class Job:
    """One training: `learn` from these repositories, `score` those; `run` returns scores in that order.

    `probability`: the scores are probabilities. `settings` says what they depend on besides the rows.
    """

    model: str
    seed: int
    learn: tuple[str, ...]
    score: tuple[str, ...]
    run: Run
    settings: str
    probability: bool
    most: int | None = None

    def paths(self, trains: Tables, evaluations: Tables, work: Path) -> dict[str, Path]:
        """Return the file of each repository's scores."""
        learned = [self._rows(trains[name]).fingerprint for name in self.learn]
        measured = [evaluations[name].fingerprint for name in self.score]
        what = repr((_EDITION, self.model, self.seed, self.settings, self.learn, learned, self.score, measured))
        key = hashlib.sha256(what.encode()).hexdigest()[:16]
        slug = re.sub(r"[^a-z]+", "-", self.model.lower()).strip("-")
        return {name: work / f"scores-{slug}-{self.seed}-{name}-{key}.npz" for name in self.score}

    def compute(self, trains: Tables, evaluations: Tables, work: Path) -> None:
        """Train, score and keep, unless all of it was kept before."""
        paths = self.paths(trains, evaluations, work)
        if all(path.exists() for path in paths.values()):
            return
        started = time.perf_counter()
        measured = [evaluations[name] for name in self.score]
        scores = self.run([self._rows(trains[name]) for name in self.learn], measured, self.seed)
        seconds = time.perf_counter() - started
        for path, one in zip(paths.values(), scores, strict=True):
            write_arrays(path, {"scores": one, "seconds": np.array(seconds / len(scores))})

    def _rows(self, table: Table) -> Table:
        return table if self.most is None else table.newest(self.most)


def jobs(tables: Tables, *, seeds: int, seeds_left_out: int) -> Iterator[Job]:
    """Yield every training of the benchmark: peers first, then students, the longest last."""
    for name in tables:
        yield from (_peer_job(model, peer, name) for model, peer in PEERS.items())
    kinds = {kind: tuple(n for n, t in tables.items() if t.source.kind == kind) for kind in ("trailers", "reverts")}
    kinds = {kind: names for kind, names in kinds.items() if names}
    for names in kinds.values():
        yield Job(POOLED_PEER, 0, names, names, boosting_pooled, "", False, POOLED_ROWS)
    plain = Variant()
    for seed in range(seeds):
        for name in tables:
            yield Job(ALONE, seed, (name,), (name,), _with_prior(plain.scores), repr(plain), True)
        for names in kinds.values():
            yield Job(POOLED, seed, names, names, _with_prior(plain.scores), repr(plain), True, POOLED_ROWS)
        settings = repr((GENERAL, plain))
        yield Job(STARTED, seed, tuple(tables), tuple(tables), _with_prior(started), settings, True)
    general = replace(plain, architecture=GENERAL[0], budget=GENERAL[1])
    for seed in range(seeds_left_out if len(tables) > 1 else 0):
        for name in tables:
            others = tuple(other for other in tables if other != name)
            past = tables[name].newest(RECENT)
            settings = repr((general, BLOCK, past.fingerprint))
            yield Job(UNSEEN, seed, others, (name,), _beside(general, past), settings, False, UNSEEN_ROWS)


def ablations(tables: Tables, touched: Mapping[str, Row], *, seeds: int) -> Iterator[Job]:
    """Yield the trainings of the pooled student with one part of it changed or taken away, the whole one first.

    Last comes boosting without and with the history of the lines that a change touches, `touched` by change: what trees
    can make nothing of is not worth a place in every reading.
    """
    names = tuple(tables)
    for seed in range(seeds):
        for variant in VARIANTS:
            yield Job(variant.name, seed, names, names, variant.scores, repr(variant), False, POOLED_ROWS)

    def numbers(table: Table) -> NDArray[np.float32]:
        return np.concatenate((all_numbers(table), [touched[one.change_id] for one in table.examples]), axis=1)

    def with_lines(trains: Sequence[Table], evaluations: Sequence[Table], seed: int) -> list[Floats]:
        return boosting_pooled(trains, evaluations, seed, numbers)

    yield Job(POOLED_PEER, 0, names, names, boosting_pooled, "", False, POOLED_ROWS)
    yield Job(WITH_LINES, 0, names, names, with_lines, repr(TOUCHED), False, POOLED_ROWS)


def readings(tables: Tables, vectors: Mapping[str, Vectors], *, seeds: int) -> Iterator[Job]:
    """Yield the trainings of the pooled student with tokens, without, and with an encoder's vectors in their place."""
    names = tuple(tables)
    for seed in range(seeds):
        for variant in VARIANTS:
            if variant.name in (WHOLE, WITHOUT_TOKENS):
                yield Job(variant.name, seed, names, names, variant.scores, repr(variant), False, POOLED_ROWS)
        for title, found in vectors.items():
            variant = reading(title, found)
            settings = repr((variant, found.fingerprint))
            yield Job(variant.name, seed, names, names, variant.scores, settings, False, POOLED_ROWS)


def _peer_job(model: str, peer: Peer, name: str) -> Job:
    def run(trains: Sequence[Table], evaluations: Sequence[Table], seed: int) -> list[Floats]:
        return [peer(trains[0], evaluations[0], seed)]

    return Job(model, 0, (name,), (name,), run, "", model not in NOT_PROBABILITIES)


def started(trains: Sequence[Table], evaluations: Sequence[Table], seed: int) -> list[Floats]:
    """Teach one student by the permissive histories, and from there one for each repository by its own."""
    general = Variant(architecture=GENERAL[0], budget=GENERAL[1])
    taught = [table for table in trains if table.source.permissive]
    start = general.fit(taught, seed) if taught else None
    own = Variant()
    pairs = zip(trains, evaluations, strict=True)
    return [own.score(own.fit([train], seed, start), train, evaluation) for train, evaluation in pairs]


def _beside(variant: Variant, past: Table) -> Run:
    """Log-odds where the repository was not learned from, as a review gives them that can look at its past."""

    def run(trains: Sequence[Table], evaluations: Sequence[Table], seed: int) -> list[Floats]:
        return variant.scores(trains, evaluations, seed, [past])

    return run


def _with_prior(scores: Run) -> Run:
    """Probabilities where the base rate is known, since the repository was learned from."""

    def run(trains: Sequence[Table], evaluations: Sequence[Table], seed: int) -> list[Floats]:
        priors = {table.source.name: table.prior for table in trains}
        pairs = zip(scores(trains, evaluations, seed), evaluations, strict=True)
        return [sigmoid(logit + priors[table.source.name]) for logit, table in pairs]

    return run


def reading(title: str, vectors: Vectors) -> Variant:
    """Return the student that has an encoder's vectors of hunks in place of tokens."""
    one_a_hunk = replace(_PLAIN, token_dropout=0.0)
    name = f"hunks as {title}"
    return Variant(name, change=vectors.in_place_of_tokens, build=vectors.build, architecture=one_a_hunk)


def without_tokens(example: Example) -> Example:
    """Return the change without the text of its hunks."""
    return replace(example, tokens=example.tokens[:0], offsets=np.zeros_like(example.offsets))


def without_facts(example: Example) -> Example:
    """Return the change with the edit facts of its hunks unknown."""
    return replace(example, facts=np.full_like(example.facts, np.nan))


def without_history(example: Example) -> Example:
    """Return the change with what its repository's history says unknown."""
    return replace(example, measures=np.where(HISTORY, np.nan, example.measures))


def without_message(example: Example) -> Example:
    """Return the change with what was read from its message unknown."""
    measures = example.measures.copy()
    measures[[MEASURES.index(name) for name in _MESSAGE]] = np.nan
    return replace(example, measures=measures)


VARIANTS: tuple[Variant, ...] = (
    Variant(WHOLE),
    Variant("ripe labels alone, no delayed feedback", delayed=False),
    Variant("one scale for all repositories", own_scale=False),
    Variant("without history", change=without_history),
    Variant("without edit facts", change=without_facts),
    Variant("without what the message says", change=without_message),
    Variant(WITHOUT_TOKENS, change=without_tokens),
    Variant("hunks alone, no profile", hunks_alone=True),
    Variant("hunks pooled by their mean", build=MeanPooling),
    Variant("hunks pooled by their maximum", build=MaximumPooling),
    Variant("hunks pooled by attention", build=AttentionPooling),
    Variant("vectors of tokens from guessing hidden ones", pretrained=True),
    Variant("half of each label from boosting", distilled=0.5),
    Variant("mean of 3 seeds", members=3),
    Variant("no dropout", architecture=replace(_PLAIN, dropout=0.0, token_dropout=0.0, profile_dropout=0.0)),
    Variant("token rate 1.0", budget=Budget(embedding_rate=1.0)),
    Variant("token rate 0.1", budget=Budget(embedding_rate=0.1)),
    Variant("4 bins", architecture=replace(_PLAIN, bins=4)),
    Variant("16 bins", architecture=replace(_PLAIN, bins=16)),
)
"""The ablations: the first is what the others are compared with."""
