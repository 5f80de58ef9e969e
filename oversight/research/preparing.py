"""Laying a study: from repositories to rows and labels for experiments, and gold for the vault.

    repository ── protocol ── ground ──┬── rows, weak labels, human labels      grounds/NAME.npz
                                       └── truth, references                    vault/

Each ground is one step, so that a run that was stopped goes on with the next one. The references (naive, human labels
alone, the hand-chosen default, the ceiling) are trained on the very rows that experiments are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from oversight.changes.repository import Repository
from oversight.errors import UsageError
from oversight.experiment import protocol
from oversight.experiment.pool import Pool, read_pool
from oversight.experiment.protocol import Protocol, Stage
from oversight.history.schema import cache_directory
from oversight.research import lessons
from oversight.research.lessons import Draw, Floats, Fold, Ground, Lesson
from oversight.research.model import Gold
from oversight.research.references import REFERENCES
from oversight.research.study import Laid, Plan, append_line, laid_of, read_lines, write_study
from oversight.research.supervising import Said, Supervised, supervise
from oversight.research.vault import Policy, keep, limit
from oversight.research.worker.training import Trained

FOLDS = 4
"""Into which human labels are divided for screens: a reviewer without two of them still has half of the labels."""

_LAID = "laid.jsonl"  # what was asked, and the grounds that are done


@dataclass(frozen=True)
class Asked:
    """A repository to be laid, and whether it is for confirmation."""

    path: Path
    confirmation: bool


def lay(
    folder: Path, plan: Plan, asked: Sequence[Asked], policy: Policy, stage: Stage, *, jobs: int
) -> tuple[Laid, ...]:
    """Lay a study in `folder`, whose vault answers by `policy`, or go on laying it; return its grounds.

    `UsageError` where another one is there, and where two of the repositories share a history; `VaultError` where the
    vault was opened already; `LabelError` where a history is too short or names too few repairs.
    """
    settings = {"plan": asdict(plan), "asked": [[str(one.path.resolve()), one.confirmation] for one in asked]}
    done = list(read_lines(folder / _LAID))
    if done and done[0] != settings:
        raise UsageError("another study is laid in that folder", mend="name another folder with --output")
    if not done:
        _check_apart(asked)
    (folder / "grounds").mkdir(parents=True, exist_ok=True)
    (folder / "vault").mkdir(mode=0o700, exist_ok=True)
    limit(folder / "vault", policy)  # before there is a study: none is ever there with the limits of another
    if not done:
        append_line(folder / _LAID, settings)
    laid = [laid_of(one) for one in done[1:]]
    for one in asked[len(laid) :]:
        laid.append(_lay_one(folder, plan, one, [other.name for other in laid], stage, jobs))
        append_line(folder / _LAID, asdict(laid[-1]))
    write_study(folder, plan, laid)
    return tuple(laid)


def _check_apart(asked: Sequence[Asked]) -> None:
    """Raise `UsageError` where two repositories have a first commit in common: the same one, a clone or a fork of it.

    What was searched on in one would be confirmed on changes that the search has seen. A history that was written anew
    goes unnoticed.
    """
    begun: dict[str, str] = {}
    for one in asked:
        with Repository.open(one.path) as repository:
            roots = repository.run("rev-list", "--max-parents=0", repository.resolve("HEAD"), "--").decode().split()
            name = repository.name
        if (other := next((begun[root] for root in roots if root in begun), None)) is not None:
            raise UsageError(
                f"'{other}' and '{name}' share a history: they are one repository, or forks",
                mend="name each repository once, and confirm on one that has nothing in common with the others",
            )
        begun.update(dict.fromkeys(roots, name))


def _lay_one(folder: Path, plan: Plan, asked: Asked, taken: Sequence[str], stage: Stage, jobs: int) -> Laid:
    with Repository.open(asked.path) as repository:
        name = _name(asked.path.absolute().name, taken)
        with stage(f"{name}: reading the history", None) as advance:
            pool = read_pool(repository, repository.resolve("HEAD"), advance=advance)
        read = protocol.ground_of(repository, pool, _protocol(plan, pool, jobs), _named(name, stage))
    ground, gold = _divided(name, read, plan, stage, jobs)
    keep(folder / "vault", replace(gold, role="confirmation") if asked.confirmation else gold, seed=plan.seed)
    lessons.save(ground, folder / "grounds" / f"{name}.npz")
    risky = tuple(int(draw.labels.sum()) for draw in read.draws)
    return Laid(name, str(asked.path), asked.confirmation, read.student.size, read.test.size, len(read.draws), risky)


def _protocol(plan: Plan, pool: Pool, jobs: int) -> Protocol:
    """Return the protocol of a ground: years before repairs were recorded are left out, since they only look clean."""
    year = protocol.recorded_since(pool)
    since = None if year is None else datetime(year, 1, 1, tzinfo=UTC).timestamp()
    return Protocol(
        plan.human, plan.draws, plan.seed, plan.student, plan.test, since, jobs=jobs, cache=cache_directory()
    )


def _divided(name: str, read: protocol.Ground, plan: Plan, stage: Stage, jobs: int) -> tuple[Ground, Gold]:
    """Return what experiments see of a ground, and what the vault does, rows in an order drawn at random."""
    generator = np.random.default_rng([plan.seed, *name.encode()])
    drawn = np.unique(np.concatenate([draw.rows for draw in read.draws]))
    learned = generator.permutation(np.concatenate((read.student, drawn)))
    order = generator.permutation(read.test.size)
    number = {row: place for place, row in enumerate(learned.tolist())}
    with stage(f"{name}: teaching the weak reviewer", len(read.draws)) as advance:
        said = list(_supervised(read, plan, jobs, advance))
    draws = (
        Draw(
            draw.seed,
            _lesson(read, draw, number, one.whole),
            tuple(
                Fold(_lesson(read, draw, number, fold), _places(number, draw.rows[fold.held]), draw.labels[fold.held])
                for fold in one.folds
            ),
        )
        for draw, one in zip(read.draws, said, strict=True)
    )
    shown = _halved(read.learner.represent(read.examples(learned)))
    asked = _halved(read.learner.represent(read.examples(read.test[order])))
    # Of a column that no row fills (a third or more) nothing is learned: it would only make every training longer.
    filled = shown.any(axis=0)
    ground = Ground(name, shown[:, filled], asked[:, filled], tuple(draws))
    gold = dict(zip(read.student.tolist(), read.gold.tolist(), strict=True))
    with stage(f"{name}: training the references", len(read.draws)) as advance:
        series = _references(ground, np.array([gold.get(row, np.nan) for row in learned.tolist()]), advance)
    series["weak"] = np.stack([one.test[order] for one in said]).astype(np.float32)
    return ground, Gold(name, "study", read.truth[order], read.pool.times[read.test][order], series)


def _references(ground: Ground, gold: Floats, advance: Callable[[int], None]) -> dict[str, NDArray[np.float32]]:
    """Return P(risky) of the test rows by every reference, each (K, T); `gold` (R,) of the rows that are learned from,
    NaN where there is none, is for the ceiling alone.
    """
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in (*REFERENCES, "ceiling")}
    for draw in ground.draws:
        lesson = draw.lesson
        told = np.where(np.isnan(lesson.human), gold[lesson.rows], lesson.human)
        taught = {name: (lesson, configuration) for name, configuration in REFERENCES.items()}
        taught["ceiling"] = (replace(lesson, human=told), REFERENCES["human_only"])
        for name, (labels, configuration) in taught.items():
            student = Trained(ground.matrix, labels, configuration, seed=draw.seed)
            found[name].append(student.predict(ground.test).astype(np.float32))
        advance(1)
    return {name: np.stack(runs) for name, runs in found.items()}


def _supervised(read: protocol.Ground, plan: Plan, jobs: int, advance: Callable[[int], None]) -> Iterator[Supervised]:
    """Yield what the weak reviewer says, draw by draw."""
    student, test = read.read(read.student), read.read(read.test)
    work = delayed(supervise)
    tasks = (work(plan.weak, draw, read.read(draw.rows), student, test, plan.folds) for draw in read.draws)
    for said in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        yield said
        advance(1)


def _lesson(read: protocol.Ground, draw: protocol.Draw, number: Mapping[int, int], said: Said) -> Lesson:
    """Return what a draw teaches, but for the human labels that are held out."""
    kept = np.setdiff1d(np.arange(draw.rows.size), said.held)
    places = _places(number, np.concatenate((draw.rows[kept], read.student)))
    weak = np.concatenate((said.drawn[kept], said.student))
    human = np.concatenate((draw.labels[kept].astype(np.float64), np.full(read.student.size, np.nan)))
    order = np.argsort(places)
    return Lesson(places[order], weak[order], human[order])


def _places(number: Mapping[int, int], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([number[row] for row in rows.tolist()], dtype=np.int64)


def _halved(matrix: lessons.Matrix) -> lessons.Matrix:
    """Round as files and workers do, so that the references are trained on the same numbers."""
    return matrix.astype(np.float16).astype(np.float32)


def _name(folder: str, taken: Sequence[str]) -> str:
    """Return what a ground is called: letters that are safe in a file's name, and no other's."""
    name = re.sub("[^a-z0-9._-]+", "-", folder.lower()).strip(".-")[:40] or "ground"
    others = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in others if one not in taken)


def _named(name: str, stage: Stage) -> Stage:
    return lambda what, steps: stage(f"{name}: {what}", steps)
