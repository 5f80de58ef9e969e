"""What a history knows of the lines that each change touches: their age, who wrote them, what became of those changes.

One pass over all patches keeps the commit that last wrote each line of each file. A change touches the lines that it
deletes and the two beside every place where it adds some. It is a blame of the whole history for the price of reading
it once, and an approximation where the history forks: patches are laid one over the other in the order of
`oversight.history.order`, and lines of which nothing is known any more say nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.repositories import Source
from benchmarks.student_rows import clone_of, write_arrays
from oversight.changes.model import FileChange, Hunk, LineKind
from oversight.changes.patches import files_of
from oversight.changes.repository import Repository
from oversight.errors import DiffError
from oversight.experiment.pool import read_pool
from oversight.history.log import read_log
from oversight.history.model import Commit
from oversight.history.references import is_fix
from oversight.history.state import DAY, author_key

TOUCHED: tuple[str, ...] = (
    "lines touched", "known share", "youngest, days", "median, days", "oldest, days", "own share",
    "younger than 30 days", "younger than a year", "written by repairs", "commits", "authors", "written by culprits",
)  # fmt: skip
"""Names of the columns; all but the first two are NaN where no touched line is known."""

_UNKNOWN = -1
_EDITION = 1

Row = NDArray[np.float32]


class Lines:
    """Who wrote each line of each file, as numbers of commits."""

    def __init__(self) -> None:
        self._files: dict[str, array[int]] = {}

    def owners(self, path: str) -> list[int]:
        """Return who wrote each line of a file."""
        return list(self._files.get(path, ()))

    def apply(self, file: FileChange, number: int) -> list[int]:
        """Lay one file of commit `number` over what is known; return who wrote each line that it touches."""
        before = file.old_path or file.path
        old = self._files.get(before, array("i"))
        if before != file.path:
            self._files.pop(before, None)
        if file.binary or file.unread is not None:
            self._files.pop(file.path, None)
            return []
        new, touched, at = array("i"), [], 0
        for hunk in file.hunks:
            start = max(hunk.old_start - 1, 0)
            if start > len(old):
                old.extend([_UNKNOWN] * (start - len(old)))
            new.extend(old[at:start])
            at = self._lay(hunk, old, start, new, touched, number)
        new.extend(old[at:])
        self._files[file.path] = new
        return touched

    @staticmethod
    def _lay(hunk: Hunk, old: array[int], at: int, new: array[int], touched: list[int], number: int) -> int:
        """Lay one hunk over the lines of `old` from `at` on; return where it ends there."""
        adding = False
        for line in hunk.lines:
            if line.kind is LineKind.ADDED:
                if not adding:
                    touched += [old[place] for place in (at - 1, at) if 0 <= place < len(old)]
                new.append(number)
                adding = True
                continue
            owner = old[at] if at < len(old) else _UNKNOWN
            if line.kind is LineKind.DELETED:
                touched.append(owner)
            else:
                new.append(owner)
            at += 1
            adding = False
        return min(at, len(old))


def touched_lines(
    repository: Repository, commits: Sequence[Commit], decided: Mapping[str, float]
) -> Iterator[tuple[str, Row]]:
    """Yield each commit with the columns `TOUCHED`, in the order of `commits`, a history without its merges.

    `decided`: when a commit was named as risky, in Unix seconds; what was not known then is not counted.
    """
    past = _Past(commits, decided)
    lines = Lines()
    numbers = {commit.sha: number for number, commit in enumerate(commits)}
    for patch in repository.patches([commit.sha for commit in commits]):
        number = numbers[patch.sha]
        try:
            files = files_of(patch)
        except DiffError:
            continue
        owners = [owner for file in files for owner in lines.apply(file, number)]
        yield patch.sha, past.row(number, owners)


class _Past:
    """What is known of the commits that wrote the lines, as arrays by number."""

    def __init__(self, commits: Sequence[Commit], decided: Mapping[str, float]) -> None:
        self._time = np.array([commit.committed_at for commit in commits], dtype=np.float64)
        names = {name: number for number, name in enumerate(dict.fromkeys(author_key(commit) for commit in commits))}
        self._author = np.array([names[author_key(commit)] for commit in commits], dtype=np.int64)
        self._fix = np.array([is_fix(commit.message) for commit in commits], dtype=np.bool_)
        self._decided = np.array([decided.get(commit.sha, np.inf) for commit in commits])

    def row(self, number: int, owners: Sequence[int]) -> Row:
        """Return the columns of commit `number`, which touches lines of these owners."""
        row = np.full(len(TOUCHED), np.nan, dtype=np.float32)
        known = np.array([owner for owner in owners if owner != _UNKNOWN], dtype=np.int64)
        row[:2] = len(owners), known.size / max(len(owners), 1)
        if known.size:
            now = self._time[number]
            days = np.maximum(now - self._time[known], 0) / DAY
            row[2:] = (
                days.min(), np.median(days), days.max(), np.mean(self._author[known] == self._author[number]),
                np.mean(days < 30), np.mean(days < 365), np.mean(self._fix[known]),
                np.unique(known).size, np.unique(self._author[known]).size, np.mean(self._decided[known] < now),
            )  # fmt: skip
        return row


def read_touched(source: Source, clones: Path, work: Path) -> dict[str, Row]:
    """Return the columns of every commit of a pinned history, from `work` where they are kept there."""
    path = work / f"touched-{source.name}-{source.revision[:12]}-{_EDITION}.npz"
    if not path.exists():
        with Repository.open(clone_of(source, clones)) as repository:
            tip = repository.resolve(source.revision)
            pool = read_pool(repository, tip)
            decided = dict(zip(pool.shas, pool.decided.tolist(), strict=True))
            commits = [commit for commit in read_log(repository, tip) if len(commit.parents) < 2]
            found = dict(touched_lines(repository, commits, decided))
        write_arrays(path, {"shas": np.array(list(found)), "rows": np.stack(list(found.values()))})
    with np.load(path) as kept:
        return dict(zip(kept["shas"].tolist(), kept["rows"], strict=True))
