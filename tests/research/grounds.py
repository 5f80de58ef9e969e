"""Grounds and studies made by hand: labels that a line explains, and a weak reviewer that is half right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oversight.research import lessons
from oversight.research.lessons import Draw, Floats, Fold, Ground, Lesson, Matrix
from oversight.research.model import Configuration, Experiment, Gold, Proposal, Screen, Submission
from oversight.research.study import Laid, Plan, Result, Study, write_study
from oversight.research.vault import keep
from oversight.research.vault.client import Vault

COLUMNS = 12


@dataclass(frozen=True, eq=False)
class World:
    """A ground, and what is true of its test rows (T,)."""

    ground: Ground
    truth: Floats
    weak: Floats


def world(name: str = "a", *, seed: int = 0, student: int = 200, human: int = 80, test: int = 150) -> World:
    """Two draws of `human` labels in two folds each."""
    generator = np.random.default_rng(seed)
    line = generator.normal(size=COLUMNS)
    poor = line + generator.normal(size=COLUMNS)
    rows, labels = _rows(generator, line, student + 2 * human)
    shown, truth = _rows(generator, line, test)
    weak = _risk(rows @ poor)
    return World(
        Ground(name, rows, shown, tuple(_draw(number, student, human, weak, labels) for number in range(2))),
        truth,
        _risk(shown @ poor),
    )


def study(folder: Path, *worlds: World, confirm: Sequence[World] = ()) -> Study:
    """A study on these worlds, the gold of which is in its vault; those of `confirm` for confirmation."""
    (folder / "grounds").mkdir(parents=True)
    (folder / "vault").mkdir(mode=0o700)
    laid = []
    for one in (*worlds, *confirm):
        ground, away = one.ground, one in confirm
        lessons.save(ground, folder / "grounds" / f"{ground.name}.npz")
        noise = np.random.default_rng(1).normal(scale=0.1, size=(3, len(ground.draws), one.truth.size))
        weak = np.broadcast_to(one.weak, (len(ground.draws), one.truth.size))
        near = np.clip(0.3 * one.truth + 0.3 + noise, 0.01, 0.99).astype(np.float32)
        series = {"weak": weak.astype(np.float32), "naive": near[0], "human_only": near[1], "default": near[2]}
        ceiling = np.clip(0.6 * one.truth + 0.2 + noise[0], 0.01, 0.99).astype(np.float32)
        times = np.arange(one.truth.size, dtype=np.float64) * 86_400
        gold = Gold(
            ground.name, "confirmation" if away else "study", one.truth > 0, times, {**series, "ceiling": ceiling}
        )
        keep(folder / "vault", gold, seed=0)
        laid.append(Laid(ground.name, f"/{ground.name}", away, 200, one.truth.size, 2, (20, 20)))
    write_study(folder, Plan(80, 2, "panel", 0, 200, 150, 2), laid)
    return Study(folder)


def _rows(generator: np.random.Generator, line: Floats, count: int) -> tuple[Matrix, Floats]:
    rows = generator.normal(size=(count, COLUMNS)).astype(np.float16).astype(np.float32)
    return rows, (generator.random(count) < _risk(rows @ line)).astype(np.float64)


def _draw(number: int, student: int, human: int, weak: Floats, labels: Floats) -> Draw:
    own = np.arange(student + number * human, student + (number + 1) * human)
    told = np.full(labels.size, np.nan)
    told[own] = labels[own]
    rows = np.concatenate((np.arange(student), own))
    folds = []
    for held in (own[::2], own[1::2]):
        kept = np.setdiff1d(rows, held)
        folds.append(Fold(Lesson(kept, weak[kept], told[kept]), held, labels[held] > 0))
    return Draw(number, Lesson(rows, weak[rows], told[rows]), tuple(folds))


def _risk(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(odds - 1))), dtype=np.float64)


A, B = world("a", test=600), world("b", seed=1, test=300)
GOOD, POOR = Configuration("human-only"), Configuration("written", code="# a method\n")
HOSTILE = "<b>evil\x1b[2J"


def tried(folder: Path) -> Study:
    """A study of `A`, with `B` for confirmation, in which e0001 beat the default, and e0002, a written method of a
    hostile researcher, did not.
    """
    made = study(folder, A, confirm=[B])
    generator = np.random.default_rng(5)
    noise = generator.normal(scale=0.1, size=(2, 2, A.truth.size))
    asked = [("mixer", GOOD, 0.4 * A.truth + 0.3 + 0.5 * noise[0]), (HOSTILE, POOR, 0.1 * A.truth + 0.4 + noise[1])]
    with Vault(made.vault) as vault:
        for number, (who, configuration, risk) in enumerate(asked, 1):
            experiment = Experiment(number, 1, who, Proposal(configuration, "why not"))
            predictions = {"a": np.clip(risk, 0, 1).astype(np.float32)}
            made.keep(experiment.name, predictions)
            answer = vault.ask(Submission(experiment.name, who, configuration, predictions, {"screen": 0.7}))
            made.record(Result(experiment, Screen(0.7, 0.5), answer, 1.0))
    assert [one.answer.answer for one in made.experiments() if one.answer] == ["best", "not better"]
    return made
