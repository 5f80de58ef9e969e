"""Reading many changes of a history: examples and what the principles say, in parallel and through the cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oversight.changes.patches import Patch
from oversight.changes.repository import Repository, change_of
from oversight.changes.syntax import analyse
from oversight.errors import DiffError
from oversight.features.example import SCHEMA, featurise
from oversight.features.model import Example
from oversight.history.model import Completeness, Context
from oversight.reviewers.model import Opinion, WeakLabel
from oversight.reviewers.principles import Principles

_CHUNK = 32  # patches handed to a worker at a time


@dataclass(frozen=True, slots=True)
class Reading:
    """A change as the student sees it, and what the principles say of it, without reasons and places; and what Claude
    said when it was asked, None where it was not, or abstained.
    """

    example: Example
    opinions: tuple[Opinion, ...]
    claude: WeakLabel | None = None


def edition(*, opinions: bool) -> str:
    """Return a hash of all that a reading depends on besides the commit."""
    principles = Principles().principles if opinions else ()
    return hashlib.sha256(f"{SCHEMA} {_told(principles)}".encode()).hexdigest()[:16]


def _told(value: object) -> str:
    """Return `repr` of a value with its sets in order: theirs differs from process to process."""
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_told, value)))}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_told, value))})"
    if is_dataclass(value):
        held = (f"{each.name}={_told(getattr(value, each.name))}" for each in fields(value))
        return f"{type(value).__name__}({', '.join(held)})"
    return repr(value)


def read_changes(
    repository: Repository,
    measures: Mapping[str, NDArray[np.float32]],
    *,
    jobs: int,
    cache_directory: Path,
    opinions: bool = True,
    advance: Callable[[int], None] = lambda _steps: None,
) -> dict[str, Reading]:
    """Return the readings of the commits in `measures` (M,), by sha. One whose diff cannot be parsed is left out.

    Without `opinions` the principles are not asked, which saves half of the time.
    """
    from joblib import Parallel, delayed

    from oversight.experiment.cache import ReadingCache

    path = cache_directory / f"{repository.key}.readings.sqlite"
    with ReadingCache(path, edition(opinions=opinions)) as kept:
        found = {reading.example.change_id: reading for reading in kept.get(measures)}
        advance(len(found))
        chunks = _chunks(repository.patches(sha for sha in measures if sha not in found))
        work = delayed(_read)
        tasks = (work([(patch, measures[patch.sha]) for patch in chunk], repository.name, opinions) for chunk in chunks)
        for readings in Parallel(n_jobs=jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")(tasks):
            kept.put(readings)
            found.update((reading.example.change_id, reading) for reading in readings)
            advance(len(readings))
    return found


def cores() -> int:
    """Return how many processes may run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chunks(patches: Iterable[Patch]) -> Iterator[list[Patch]]:
    iterator = iter(patches)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


@cache
def _principles() -> Principles:
    """The constitution, one a process: compiling its queries takes longer than reading a patch."""
    return Principles()


def _read(patches: Sequence[tuple[Patch, NDArray[np.float32]]], repository: str, ask: bool) -> list[Reading]:
    """Read patches, in a worker process."""
    readings: list[Reading] = []
    for patch, measures in patches:
        try:
            change = change_of(patch, repository)
        except DiffError:
            continue
        context = Context(measures, Completeness.FULL)
        syntax = tuple(analyse(file) for file in change.files)
        said = _principles().review(change, context, syntax) if ask else ()
        opinions = tuple(
            Opinion(one.reviewer, one.risk, "", principle=one.principle, severity=one.severity) for one in said
        )
        readings.append(Reading(featurise(change, context, syntax), opinions))
    return readings
