"""What experiments learn from: the rows of each ground, and who says what of them.

    Ground ── matrix (R, D): rows that are learned from ── test (T, D): rows to predict, no label with them
      └─ Draw, one a seed ── lesson: all of its labels ── folds: the same without some human labels, which are `held`

Rows are in an order drawn at random, and have no names: nothing tells which commit one is, or when it was made.
Labels of the test are not here: the vault has them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from oversight.errors import ResearchError

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """Numbers of rows (M,), and their labels: `weak` P(risky) (M,) and `human` 0 or 1 (M,), NaN where there is none."""

    rows: Rows
    weak: Floats
    human: Floats

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the lesson as arrays by name."""
        return {"rows": self.rows, "weak": self.weak, "human": self.human}


@dataclass(frozen=True)
class Fold:
    """A lesson whose weak reviewer and method know nothing of the human labels `truth` (H,) of rows `held` (H,)."""

    lesson: Lesson
    held: Rows
    truth: NDArray[np.bool_]


@dataclass(frozen=True)
class Draw:
    """The human labels of one seed."""

    seed: int
    lesson: Lesson
    folds: tuple[Fold, ...]


@dataclass(frozen=True)
class Ground:
    """One repository, as a study sees it; see the module's docstring."""

    name: str
    matrix: Matrix
    test: Matrix
    draws: tuple[Draw, ...]


def save(ground: Ground, path: Path) -> None:
    """Write a ground, whole or not at all. Rows are kept in half precision: they are places among quantiles."""
    arrays: dict[str, NDArray[Any]] = {
        "matrix": ground.matrix.astype(np.float16),
        "test": ground.test.astype(np.float16),
        "seeds": np.array([draw.seed for draw in ground.draws], dtype=np.int64),
    }
    for number, draw in enumerate(ground.draws):
        arrays.update(_named(f"{number}", draw.lesson.arrays()))
        for other, fold in enumerate(draw.folds):
            told = {**fold.lesson.arrays(), "held": fold.held, "truth": fold.truth}
            arrays.update(_named(f"{number}.{other}", told))
    write_arrays(path, arrays)


def load(path: Path) -> Ground:
    """Read a ground; `ResearchError` where the file is damaged."""
    arrays = read_arrays(path)
    try:
        return Ground(
            path.stem,
            arrays["matrix"].astype(np.float32),
            arrays["test"].astype(np.float32),
            tuple(_draw(arrays, number, int(seed)) for number, seed in enumerate(arrays["seeds"])),
        )
    except KeyError as error:
        raise ResearchError("a file of the study is damaged", mend="lay its grounds again in a new folder") from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to an .npz file, whole or not at all, on disk when this returns."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes `allow_pickle` for an array
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an .npz file; `ResearchError` where it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise ResearchError("a file of the study is damaged", mend="lay its grounds again in a new folder") from error


def _draw(arrays: Mapping[str, NDArray[Any]], number: int, seed: int) -> Draw:
    return Draw(seed, _lesson(arrays, f"{number}"), tuple(_folds(arrays, number)))


def _folds(arrays: Mapping[str, NDArray[Any]], number: int) -> Iterator[Fold]:
    other = 0
    while f"{number}.{other}.held" in arrays:
        start = f"{number}.{other}"
        yield Fold(_lesson(arrays, start), arrays[f"{start}.held"], arrays[f"{start}.truth"])
        other += 1


def _lesson(arrays: Mapping[str, NDArray[Any]], start: str) -> Lesson:
    return Lesson(arrays[f"{start}.rows"], arrays[f"{start}.weak"], arrays[f"{start}.human"])


def _named(start: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{start}.{name}": array for name, array in arrays.items()}
