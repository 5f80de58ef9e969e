"""The rows that `benchmarks.student` learns from and measures on, by repository."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.repositories import Source
from oversight.changes.languages import language_of
from oversight.changes.provenance import provenance_of
from oversight.changes.repository import Repository
from oversight.errors import RepositoryError
from oversight.experiment.pool import Pool, Rows, read_pool
from oversight.experiment.reading import read_changes
from oversight.features.example import SCHEMA
from oversight.features.model import Example
from oversight.history.context import MEASURES
from oversight.history.log import read_commits
from oversight.history.model import Commit
from oversight.history.schema import cache_directory
from oversight.measurement.delay import known_share
from oversight.measurement.platt import logit

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Names: TypeAlias = NDArray[np.str_]
Window: TypeAlias = Literal["test", "validation"]

_DAY = 86_400
_TRAIN_SHARE = 0.715  # of the two training windows: 50 % of the history, beside 20 % to choose settings on
_EDITION = 1  # of what is kept of a pool


@dataclass(frozen=True)
class Table:
    """N changes of one repository in order of time.

    `labels`: (N,) as known at the cut-off where they are learned from, as known today where they are measured on.
    `ripe`: (N,) whether the label could be trusted then. `found`: (N,) share of the repairs of changes of that age
    that were known then. `times`: (N,) Unix seconds. `language` and `provenance`: (N,) what most changed lines are
    written in, and who wrote them; empty for rows that are learned from.
    """

    source: Source
    examples: tuple[Example, ...]
    labels: Flags
    ripe: Flags
    found: Floats
    times: Floats
    language: Names
    provenance: Names

    def take(self, rows: NDArray[np.int64] | NDArray[np.intp]) -> Table:
        """Return the rows of these numbers, in that order."""
        return Table(
            self.source,
            tuple(self.examples[row] for row in rows.tolist()),
            self.labels[rows],
            self.ripe[rows],
            self.found[rows],
            self.times[rows],
            self.language[rows],
            self.provenance[rows],
        )

    def newest(self, most: int) -> Table:
        """Return at most so many rows, the newest."""
        return self.take(np.arange(max(0, len(self) - most), len(self)))

    def ripe_alone(self) -> Table:
        """Return the rows whose labels could be trusted at the cut-off."""
        return self.take(np.flatnonzero(self.ripe))

    @property
    def measures(self) -> NDArray[np.float32]:
        """Measures (N, M), NaN where unknown."""
        return np.stack([example.measures for example in self.examples])

    def measure(self, name: str) -> Floats:
        """One measure (N,), 0 where it is unknown."""
        return np.nan_to_num(self.measures[:, MEASURES.index(name)].astype(np.float64))

    @property
    def churn(self) -> Floats:
        """Lines added and deleted (N,)."""
        return self.measure("la") + self.measure("ld")

    @property
    def prior(self) -> float:
        """Log-odds of a risky change, those counted whose repair is still to come."""
        return float(logit((self.labels.sum() + 1) / (self.found.sum() + 20)))

    @property
    def fingerprint(self) -> str:
        """A hash of all that a model can learn from these rows or be measured on."""
        parts = [SCHEMA, *(example.change_id for example in self.examples)]
        arrays = (self.labels, self.ripe, self.found.round(9), self.measures)
        content = "\n".join(parts).encode() + b"".join(array.tobytes() for array in arrays)
        return hashlib.sha256(content).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.examples)


def clone_of(source: Source, clones: Path) -> Path:
    """Return where the clone is; `RepositoryError` where there is none."""
    path = clones / source.name
    if not path.exists():
        raise RepositoryError(f"there is no clone of {source.name} at {path}", mend="clone it there, or use --only")
    return path


def read_tables(
    source: Source, clones: Path, work: Path, *, window: Window, train: int, test: int, jobs: int
) -> tuple[Table, Table]:
    """Return the rows of one repository to learn from, and those to measure on.

    What was computed from the history is kept in `work`, what was read of the changes in the cache of readings.
    """
    settings = (_EDITION, SCHEMA, source.revision, window, train, test, *source.left_out)
    key = hashlib.sha256(repr(settings).encode()).hexdigest()[:16]
    path = work / f"rows-{source.name}-{key}.npz"
    with Repository.open(clone_of(source, clones)) as repository:
        if path.exists():
            with np.load(path) as kept:
                arrays = {name: kept[name] for name in kept.files}
        else:
            arrays = _arrays(repository, source, window=window, train=train, test=test)
            write_arrays(path, arrays)
        measures = dict(zip(arrays["shas"].tolist(), arrays["measures"], strict=True))
        readings = read_changes(repository, measures, jobs=jobs, cache_directory=cache_directory(), opinions=False)
    examples = {sha: reading.example for sha, reading in readings.items()}
    return _table(source, arrays, examples, training=True), _table(source, arrays, examples, training=False)


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write a file whole or not at all: a run may be stopped at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)
    part.replace(path)


def _arrays(repository: Repository, source: Source, *, window: Window, train: int, test: int) -> dict[str, Any]:
    pool = read_pool(repository, repository.resolve(source.revision))
    before, after, cutoff = split(pool, window)
    known = pool.known_at(cutoff)
    age = (cutoff - pool.times) / _DAY
    seen = before[known.risky[before]]
    lag = (pool.decided[seen] - pool.times[seen]) / _DAY
    # Where clocks disagree a repair may be dated before what it repairs.
    share = known_share(age[seen], np.clip(lag, 0, age[seen]))
    outside = _left_out(repository, source)
    learned = np.array([row for row in before.tolist() if pool.shas[row] not in outside], dtype=np.int64)[-train:]
    tested = after[pool.mature[after]]
    tested = np.sort(np.random.default_rng(0).permutation(tested)[:test])
    rows = np.concatenate((learned, tested))
    training = np.arange(rows.size) < learned.size
    shas = [pool.shas[row] for row in tested.tolist()]
    described = [_described(commit) for commit in read_commits(repository, shas)]
    blank = [""] * learned.size
    return {
        "shas": np.array([pool.shas[row] for row in rows.tolist()]),
        "training": training,
        "measures": pool.measures[rows],
        "times": pool.times[rows],
        "labels": np.where(training, known.risky[rows], pool.risky[rows]),
        "ripe": np.where(training, known.mature[rows], True),
        "found": np.where(training, share(age[rows]), 1.0),
        "language": np.array([*blank, *(language for language, _ in described)]),
        "provenance": np.array([*blank, *(provenance for _, provenance in described)]),
    }


def _left_out(repository: Repository, source: Source) -> frozenset[str]:
    """Return the commits that touch paths which nothing is learned from."""
    if not source.left_out:
        return frozenset()
    found = repository.run("log", "--format=%H", "--full-history", source.revision, "--", *source.left_out)
    return frozenset(found.decode("ascii").split())


def split(pool: Pool, window: Window) -> tuple[Rows, Rows, float]:
    """Return rows to learn from, rows to measure on, and the moment between them.

    Settings are chosen on `validation`, the later part of the training windows: the test window stays unseen.
    """
    windows = pool.windows()
    before = np.concatenate((windows.weak_train, windows.student_train))
    if window == "test":
        return before, windows.test, windows.test_from
    first = int(_TRAIN_SHARE * before.size)
    cutoff = float(pool.times[before[first]])
    earlier, later = before[pool.times[before] < cutoff], before[pool.times[before] >= cutoff]
    # The windows part what was picked twice across their own bounds alone.
    return earlier, later[~np.isin(pool.groups[later], pool.groups[earlier])], cutoff


def _described(commit: Commit) -> tuple[str, str]:
    lines: Counter[str] = Counter()
    for touch in commit.touches:
        lines[language_of(touch.path) or "other"] += 1 + (touch.added or 0) + (touch.deleted or 0)
    author = f"{commit.author_name} <{commit.author_email}>"
    language = lines.most_common(1)[0][0] if lines else "other"
    # The log of the pool names no committer; who signs as an agent does so in the message or as the author.
    return language, provenance_of(author, "", commit.message).kind.value


def _table(source: Source, arrays: dict[str, Any], examples: dict[str, Example], *, training: bool) -> Table:
    shas: Iterable[str] = arrays["shas"].tolist()
    read = np.array([sha in examples for sha in shas], dtype=np.bool_)
    rows = np.flatnonzero(read & (arrays["training"] == training))
    names = ("labels", "ripe", "found", "times", "language", "provenance")
    chosen = tuple(examples[sha] for sha in arrays["shas"][rows].tolist())
    return Table(source, chosen, *(arrays[name][rows] for name in names))
