"""What a vault keeps of each ground: labels, the series that students are compared with, and which half is open.

The test changes are divided by blocks of time. Of two blocks that follow each other a coin opens one and seals the
other, so that both halves see all of the window. The coin, and the rows of each query, come from a key that is a hash
of the study's seed and of the labels themselves: the same study gives the same answers, and whoever knows the seed, and
not the labels, cannot tell which rows an answer is about.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oversight.errors import LabelError, VaultError
from oversight.measurement.bootstrap import time_blocks
from oversight.research.model import Floats, Gold
from oversight.research.vault import files
from oversight.research.vault.policy import untouched

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

SERIES = ("weak", "ceiling", "naive", "human_only", "default")
"""What every ground has beside its labels: the ends of PGR, and what a student is compared with."""

_BLOCKS = 50
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PREFIX = "series."


@dataclass(frozen=True)
class Ground:
    """One repository's T test changes in K draws. `labels`, `blocks` of time and whether each is `open`, all (T,);
    `series` (K, T) by name; `key` settles which rows a query is about. A ground of `confirmation` is never queried.
    """

    name: str
    confirmation: bool
    labels: Flags
    blocks: Numbers
    open: Flags
    series: dict[str, Floats]
    key: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Draws and test changes: the shape of predictions."""
        draws, rows = self.series["default"].shape
        return draws, rows

    def shown(self, query: int, share: float) -> Flags:
        """Return the open rows (T,) that one query is scored on: a share of the blocks, others for each query."""
        blocks = np.unique(self.blocks[self.open])
        count = max(2, round(share * blocks.size))
        for attempt in itertools.count():
            chosen = np.random.default_rng([*self.key, query, attempt]).permutation(blocks)[:count]
            rows: Flags = self.open & np.isin(self.blocks, chosen)
            if _both(self.labels[rows]):
                return rows
        raise AssertionError("the open half has labels of both kinds")


def keep(vault: Path, gold: Gold, *, seed: int) -> None:
    """Put what `gold` says of a ground into the vault, divided by `seed`.

    Raises `LabelError` where nothing could be measured with it, and `VaultError` where the vault has been opened.
    """
    untouched(vault)
    _check(gold)
    arrays = {
        "labels": gold.truth,
        "times": np.asarray(gold.times, dtype=np.float64),
        "seed": np.array(seed, dtype=np.int64),
        "confirmation": np.array(gold.role == "confirmation"),
        **{f"{_PREFIX}{name}": gold.series[name].astype(np.float32) for name in SERIES},
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy takes its own options by name as well
    _ground(gold.name, buffer.getvalue())
    files.folder(vault)
    files.write(vault / files.GOLD / f"{gold.name}.npz", buffer.getvalue())


def grounds_of(vault: Path) -> dict[str, Ground]:
    """Return every ground of a vault by name; `VaultError` where one cannot be read."""
    try:
        return {path.stem: _ground(path.stem, path.read_bytes()) for path in _paths(vault)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise VaultError("the vault's labels cannot be read", mend="start another study") from error


def digests(vault: Path) -> dict[str, str]:
    """Return a sha256 of what is kept of each ground."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in _paths(vault)}


def _paths(vault: Path) -> list[Path]:
    return sorted((vault / files.GOLD).glob("*.npz"))


def _ground(name: str, content: bytes) -> Ground:
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        labels, times, seed = kept["labels"], kept["times"], int(kept["seed"])
        series = {one: kept[f"{_PREFIX}{one}"].astype(np.float64) for one in SERIES}
        confirmation = bool(kept["confirmation"])
    digest = hashlib.sha256(f"{name}\n{seed}\n".encode() + np.packbits(labels).tobytes()).digest()
    key = tuple(np.frombuffer(digest, dtype="<u4").tolist())
    blocks = time_blocks(times, blocks=_BLOCKS)
    opened = np.isin(blocks, _opened(np.unique(blocks), key))
    if not (_both(labels[opened]) and _both(labels[~opened])):
        raise LabelError(
            f"{int(labels.sum())} of {labels.size} test changes are risky: too few for an open and a sealed half",
            mend="leave this repository out, or give a longer history",
        )
    return Ground(name, confirmation, labels, blocks, opened, series, key)


def _opened(blocks: Numbers, key: tuple[int, ...]) -> Numbers:
    """Return one of every two blocks that follow each other; a last one alone is sealed."""
    pairs = blocks[: blocks.size // 2 * 2].reshape(-1, 2)
    heads = np.random.default_rng(key).integers(0, 2, len(pairs))
    return pairs[np.arange(len(pairs)), heads].astype(np.int64)


def _both(labels: Flags) -> bool:
    return bool(labels.any() and not labels.all())


def _check(gold: Gold) -> None:
    """Raise `LabelError` unless the arrays fit each other and hold probabilities."""
    mend = "lay the ground again"
    if not _NAME.fullmatch(gold.name):
        raise LabelError(
            "a ground has a name that cannot be one of a file", mend="use letters, digits, dots and dashes"
        )
    rows = gold.truth.size
    if gold.truth.dtype != np.bool_ or gold.truth.shape != (rows,) or np.shape(gold.times) != (rows,):
        raise LabelError(f"the labels and times of {gold.name} do not fit", mend=mend)
    if missing := set(SERIES) - set(gold.series):
        raise LabelError(f"{gold.name} has no series called {min(missing)}", mend=mend)
    shapes = {gold.series[name].shape for name in SERIES}
    if len(shapes) != 1 or len(min(shapes)) != 2 or min(shapes)[1] != rows or not min(shapes)[0]:
        raise LabelError(f"the series of {gold.name} differ in shape: {sorted(shapes)}", mend=mend)
    for name in SERIES:
        if not ((gold.series[name] >= 0) & (gold.series[name] <= 1)).all():
            raise LabelError(f"{name} of {gold.name} holds what is no probability", mend=mend)
