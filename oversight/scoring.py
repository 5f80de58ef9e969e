"""A whole history scored: one row a commit, streamed, resumable, on all cores.

The reader streams commits out of git in this process; workers parse, examine and read batches of them; readings come
back in order. Risks and percentiles are taken here, a block at a time, since each looks at the commits before it.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, islice
from typing import TYPE_CHECKING

from oversight.assessment import examine, flags, keep_covered, read
from oversight.changes.repository import Span, change_of
from oversight.config import Paths
from oversight.errors import ModelError, UnscoredError
from oversight.history.context import contexts
from oversight.history.log import read_commits
from oversight.history.model import Completeness
from oversight.history.readings import Reading
from oversight.neighbours import Block, Standing, anchor_of, standing_alone
from oversight.reports.model import Status
from oversight.reviewers.principles import Principles
from oversight.students.scale import RECENT

if TYPE_CHECKING:
    from oversight.changes.repository import CommitId, Patch, Repository
    from oversight.history.index import Index
    from oversight.history.model import Context
    from oversight.students.runtime import Model

FEW = 30
"""Looking up one commit's context costs about as much as passing over this many."""

BATCH = 32
"""Commits that a worker takes at once: enough to hide the hand-over, few enough to keep memory flat."""

_GLANCE = 0.5  # seconds between two looks whether the parent is there


@dataclass(frozen=True, slots=True)
class Row:
    """One line of scores.jsonl. What could not be known of a commit is None; `status` is as in a report."""

    commit: str
    status: str
    risk: float | None
    percentile: float | None
    flagged: bool
    added: int | None
    deleted: int | None


@dataclass(frozen=True, slots=True)
class Raw:
    """What a worker says of one commit: everything but where it stands among the others."""

    commit: str
    status: Status
    reading: Reading | None
    completeness: Completeness
    by_principle: bool
    added: int | None
    deleted: int | None


@dataclass(frozen=True, slots=True)
class Work:
    """What every batch needs, small enough to be sent along: a display name, a model by name, principle files."""

    repository: str
    model: str | None
    principles: tuple[tuple[str, bytes], ...] = ()
    paths: Paths = field(default_factory=Paths)


@lru_cache(maxsize=2)
def _tools(work: Work) -> tuple[Model, Principles]:
    """Load what a worker process needs, once."""
    from oversight.reviewers.principles import parse_named
    from oversight.students.runtime import open_model

    tools = open_model(work.model), Principles(parse_named(work.principles))
    # What is loaded stays, and changes hold no cycles: looking for them takes a fifth of the time of parsing.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    return tools


def read_batch(work: Work, jobs: Sequence[tuple[Patch, Context]]) -> list[Raw]:
    """Read some commits in this process; runs in workers."""
    model, principles = _tools(work)
    return [_read_one(work, model, principles, patch, context) for patch, context in jobs]


def _read_one(work: Work, model: Model, principles: Principles, patch: Patch, context: Context) -> Raw:
    try:
        change = keep_covered(change_of(patch, work.repository), work.paths)
        examined = examine(change, context, principles, named=False)
        status, reading = Status.SCORED, None
        try:
            reading = read(examined, model).reading
        except UnscoredError:
            status = Status.UNSCORED
    except ModelError:
        raise
    except Exception:  # one commit that breaks the review is told from a clean one, and the others go on
        return Raw(patch.sha, Status.ERROR, None, context.completeness, False, None, None)
    return Raw(
        patch.sha, status, reading, context.completeness, examined.flagged_by_principle, change.added, change.deleted
    )


def raw_scores(work: Work, jobs: Iterable[tuple[Patch, Context]], *, workers: int) -> Iterator[Raw]:
    """Read commits in order, a batch a worker at a time; git waits while all workers are busy.

    Runs on whichever joblib backend is active: processes of this machine, or a dask cluster. One worker is this
    process itself, and -1 are as many as the backend has.
    """
    source = iter(jobs)
    batches = iter(lambda: list(islice(source, BATCH)), [])
    if workers == 1:
        for batch in batches:
            yield from read_batch(work, batch)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="3*n_jobs", batch_size=1)
    for rows in parallel(delayed(read_batch)(work, batch) for batch in batches):
        yield from rows


def follow(parent: int) -> None:
    """Let this worker end soon after the process `parent`, which started it: one that is killed tells nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_GLANCE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Ranking:
    """Gives each commit its risk, its percentile and its flag, as a review would.

    `start` is the position in the history of the first commit, an anchor. Where the history is `shallow`, no commit
    has known ones before it.
    """

    def __init__(self, model: Model, budget: float, *, start: int = 0, shallow: bool = False) -> None:
        if start != anchor_of(start):
            raise ValueError("a ranking starts at an anchor")
        self._model = model
        self._budget = budget
        self._start = start
        self._shallow = shallow

    def rows(self, raws: Iterable[Raw]) -> Iterator[Row]:
        """Yield the rows of commits that follow each other in the history, once all of a block are there."""
        if self._shallow:
            for raw in raws:
                yield self._row(raw, self._alone(raw))
            return
        before: deque[Reading | None] = deque(maxlen=RECENT)
        for _, group in groupby(enumerate(raws, self._start), key=lambda pair: anchor_of(pair[0])):
            block = [raw for _, raw in group]
            judged = Block(tuple(before), [raw.reading for raw in block], self._model)
            for number, raw in enumerate(block):
                yield self._row(raw, judged.standing(number, raw.completeness))
            before.extend(raw.reading for raw in block)

    def _alone(self, raw: Raw) -> Standing | None:
        return None if raw.reading is None else standing_alone(raw.reading, raw.completeness, self._model)

    def _row(self, raw: Raw, standing: Standing | None) -> Row:
        if standing is None:
            status = Status.UNSCORED if raw.status is Status.SCORED else raw.status
            return Row(raw.commit, status.value, None, None, True, raw.added, raw.deleted)
        flagged = bool(flags(standing.percentile, self._budget, by_principle=raw.by_principle))
        return Row(raw.commit, raw.status.value, standing.risk, standing.percentile, flagged, raw.added, raw.deleted)


def jobs_of(
    repository: Repository, index: Index, commits: Sequence[CommitId], selected: Sequence[str]
) -> Iterator[tuple[Patch, Context]]:
    """Pair each of the `selected` commits with its context; `commits` is the whole history that they belong to.

    A few are looked up in the index; for many, one pass over the history is cheaper. Both give the same.
    """
    if len(selected) * FEW <= len(commits):
        for patch in repository.patches(selected):
            change = change_of(patch, repository.name)
            yield patch, index.context_of(change, Span(patch.parent, patch.sha, single=True))
        return
    wanted = set(selected)
    log = contexts(read_commits(repository, [commit.sha for commit in commits]), shallow=repository.shallow)
    known = (context for commit, context in log if commit.sha in wanted)
    yield from zip(repository.patches(selected), known, strict=True)
