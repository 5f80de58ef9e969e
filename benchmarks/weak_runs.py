"""The trainings of `benchmarks.weak_to_strong`: one file of test scores for each, so that a stopped run goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.repositories import SOURCES, Source
from benchmarks.student_rows import clone_of, write_arrays
from oversight import methods
from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment import protocol
from oversight.experiment.choice import AUTO, Fold, choose_on, folds_of, lessons_of
from oversight.experiment.pool import Pool, read_pool
from oversight.experiment.protocol import Draw, Ground, Protocol, Supervision
from oversight.features.example import SCHEMA
from oversight.history.schema import cache_directory
from oversight.students.head import HeadLearner, HeadStudent, solve

Floats = NDArray[np.float64]

WEAK = ("lexical", "panel")
STARTS = ("nothing", "others")
"""What every student goes on from: nothing, or a head that the gold labels of the other repositories with trailers
taught, never those of its own.
"""

REFERENCES = ("human-only", "ceiling")
"""Trainings that no weak reviewer has a part in."""

_EDITION = 1  # of the code that turns rows into scores, where no other setting tells of a change
_POOL = ("times", "measures", "risky", "decided", "mature", "groups")


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


@dataclass(frozen=True)
class Place:
    """Where clones are read from and work is kept, how much is read, and by how many processes."""

    clones: Path
    work: Path
    student: int
    test: int
    jobs: int


@dataclass(frozen=True)
class Cell:
    """What is trained on one repository with so many human labels."""

    human: int
    starts: Sequence[str]
    weak: Sequence[str]
    names: Sequence[str]
    seeds: int


class Site:
    """One repository: its pool, and grounds with any number of human labels."""

    def __init__(self, source: Source, place: Place) -> None:
        self.source, self.place = source, place

    @cached_property
    def since(self) -> int | None:
        """The year that the pool begins with, None for all of the history."""
        return protocol.recorded_since(self._whole) if self.source.kind == "trailers" else None

    @cached_property
    def _whole(self) -> Pool:
        path = self.place.work / f"pool-{self.source.name}-{SCHEMA[:8]}-{self.source.revision[:12]}.npz"
        if not path.exists():
            with Repository.open(clone_of(self.source, self.place.clones)) as repository:
                pool = read_pool(repository, repository.resolve(self.source.revision))
            told = json.dumps({"name": pool.name, "key": pool.key, "commits": pool.commits})
            arrays = {name: getattr(pool, name) for name in _POOL}
            write_arrays(path, {"shas": np.array(pool.shas), "told": np.array(told), **arrays})
        with np.load(path) as kept:
            told = json.loads(str(kept["told"]))
            return Pool(shas=tuple(kept["shas"].tolist()), **told, **{name: kept[name] for name in _POOL})

    def ground(self, human: int, seeds: int) -> Ground:
        """Return what is measured on; `LabelError` where the draws hold too few labels of either kind."""
        place = self.place
        since = None if self.since is None else datetime(self.since, 1, 1, tzinfo=UTC).timestamp()
        chosen = Protocol(
            human, seeds, student=place.student, test=place.test, since=since, jobs=place.jobs, cache=cache_directory()
        )
        with Repository.open(clone_of(self.source, place.clones)) as repository:
            return protocol.ground_of(repository, self._whole, chosen, _silent)

    def key(self, *settings: object) -> str:
        """Return a hash of these settings and of all that scores depend on."""
        place = self.place
        what = (_EDITION, SCHEMA, self.source.revision, self.since, place.student, place.test, *settings)
        return hashlib.sha256(repr(what).encode()).hexdigest()[:16]

    def path(self, human: int, start: str, weak: str, name: str, seed: int) -> Path:
        """Return the file of one training's scores."""
        key = self.key(human, start, weak, name, seed)
        return self.place.work / f"{self.source.name}-{human}-{start}-{weak}-{name}-{seed}-{key}.npz"

    def rows(self) -> tuple[NDArray[np.float32], Floats]:
        """Return the represented student rows (S, D) and their gold labels (S,), for starts of other repositories."""
        path = self.place.work / f"rows-{self.source.name}-{self.key('rows')}.npz"
        if not path.exists():
            ground = self._first_ground()
            matrix = ground.learner.represent(ground.examples(ground.student))
            write_arrays(path, {"matrix": matrix.astype(np.float16), "gold": ground.gold})
        with np.load(path) as kept:
            return kept["matrix"].astype(np.float32), kept["gold"].astype(np.float64)

    def _first_ground(self) -> Ground:
        """Return a ground with whatever number of human labels the history allows: they do not matter here."""
        for human in (300, 1_000):
            with contextlib.suppress(LabelError):
                return self.ground(human, 1)
        return self.ground(50, 1)


def start_of(site: Site, place: Place) -> NDArray[np.float32]:
    """Return the weights (D,) of a head taught by the other repositories with trailers, each with a base rate of its
    own.
    """
    path = place.work / f"start-{site.source.name}-{site.key('start')}.npz"
    if not path.exists():
        others = [one for one in SOURCES if one.kind == "trailers" and one.name != site.source.name]
        parts = [Site(one, place).rows() for one in others]
        sizes = [len(matrix) for matrix, _ in parts]
        # A large column is hardly held by the prior: an intercept for each repository.
        own = np.repeat(10 * np.eye(len(parts), dtype=np.float32), sizes, axis=0)
        matrix = np.concatenate((np.concatenate([matrix for matrix, _ in parts]), own), axis=1)
        gold = np.concatenate([labels for _, labels in parts])
        weights, _ = solve(matrix, gold, np.ones(gold.size), np.zeros(matrix.shape[1], dtype=np.float32))
        write_arrays(path, {"weights": weights[: -len(parts)]})
    with np.load(path) as kept:
        return np.asarray(kept["weights"], dtype=np.float32)


def compute(site: Site, cell: Cell) -> str | None:
    """Run what was not run before; return why the protocol refuses this number of labels, if it does."""
    refused = site.place.work / f"refused-{site.source.name}-{site.key(cell.human, cell.seeds)}.json"
    if refused.exists():
        return str(json.loads(refused.read_text(encoding="utf-8")))
    missing = [one for one in _wanted(cell) if not site.path(cell.human, *one).exists()]
    if not missing:
        return None
    try:
        ground = site.ground(cell.human, cell.seeds)
    except LabelError as error:
        refused.write_text(json.dumps(str(error)), encoding="utf-8")
        return str(error)
    _keep_truth(site, ground)
    learners = {start: _learner(site, ground, start) for start in cell.starts}
    for draw in ground.draws:
        jobs = [one for one in missing if one[3] == draw.seed]
        _train(site, ground, learners, draw, cell.human, jobs)
        if jobs:
            say(f"{site.source.name}, {cell.human} labels, seed {draw.seed}: {len(jobs)} trainings")
    return None


def truth_of(site: Site) -> dict[str, NDArray[Any]]:
    """Return the labels, times, lines added and churn of the test rows, and how boosting on gold orders them, (T,)."""
    with np.load(_truth(site)) as kept:
        return {name: kept[name] for name in kept.files}


def _truth(site: Site) -> Path:
    return site.place.work / f"truth-{site.source.name}-{site.key('truth')}.npz"


def _keep_truth(site: Site, ground: Ground) -> None:
    pool, test = ground.pool, ground.test
    peers = {"boosting": protocol.boosting(ground)}
    arrays = {"times": pool.times[test], "lines_added": pool.lines_added[test], "churn": pool.churn[test], **peers}
    write_arrays(_truth(site), {"labels": ground.truth, **arrays})


def _learner(site: Site, ground: Ground, start: str) -> HeadLearner:
    if start == "nothing":
        return ground.learner
    begun = HeadStudent(ground.learner.representation, start_of(site, site.place), 0.0)
    return replace(ground.learner, start=begun)


def _wanted(cell: Cell) -> Iterator[tuple[str, str, str, int]]:
    """Yield (start, weak, name, seed) of every training."""
    for seed in range(cell.seeds):
        for start in cell.starts:
            for name in REFERENCES:
                yield start, "-", name, seed
        for weak in cell.weak:
            yield "-", weak, "weak", seed
            for start in cell.starts:
                for name in cell.names:
                    yield start, weak, name, seed


def _train(
    site: Site,
    ground: Ground,
    learners: Mapping[str, HeadLearner],
    draw: Draw,
    human: int,
    missing: Sequence[tuple[str, str, str, int]],
) -> None:
    """Run the trainings of one draw; a weak reviewer is taught once for all of them."""
    test = ground.examples(ground.test)
    examples = [*ground.examples(draw.rows), *ground.examples(ground.student)]
    gold = protocol.gold_labels(ground, draw)
    said: dict[str, Supervision] = {}
    folds: dict[str, list[Fold]] = {}
    for start, weak, name, seed in missing:
        if weak != "-" and weak not in said:
            said = {weak: protocol.supervise(ground, weak, draw)}
        began = time.perf_counter()
        if name == "weak":
            scores = said[weak].test
        elif name in REFERENCES:
            started = replace(ground, learner=learners[start])
            scores = (protocol.human_only if name == "human-only" else protocol.ceiling)(started, draw)
        else:
            learner, called = learners[start], name
            if name == AUTO:
                if weak not in folds:
                    folds = {weak: list(folds_of(lessons_of(ground, weak, draw), seed=draw.seed))}
                called = choose_on(folds[weak], draw.labels, learner, seed=draw.seed).method
            made = methods.method(called)(learner)
            scores = made.fit(examples, said[weak].labels, gold, seed=seed).predict(test)
        seconds = np.array(time.perf_counter() - began)
        write_arrays(site.path(human, start, weak, name, seed), {"scores": scores, "seconds": seconds})


@contextmanager
def _silent(_what: str, _steps: int | None) -> Iterator[object]:
    yield lambda _done: None
