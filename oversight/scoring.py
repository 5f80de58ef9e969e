"""A whole history scored: one row a commit, streamed, resumable, on all cores.

The reader streams commits out of git in this process; workers parse, examine and score batches of
them; rows come back in order. Percentiles are taken here, since each looks at the rows before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from oversight.assessment import RECENT, examine, flags, percentile_of, score
from oversight.changes.repository import Span, change_of
from oversight.errors import UnscoredError
from oversight.history.context import contexts
from oversight.history.log import read_commits
from oversight.history.model import Completeness
from oversight.reports.model import Status
from oversight.reviewers.principles import Principles

if TYPE_CHECKING:
    from oversight.changes.repository import CommitId, Patch, Repository
    from oversight.history.index import Index
    from oversight.history.model import Context
    from oversight.students.runtime import Model

FEW = 30
"""Looking up one commit's context costs about as much as passing over this many."""

BATCH = 32
"""Commits that a worker takes at once: enough to hide the hand-over, few enough to keep memory flat."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of scores.jsonl. `risk` and `percentile` are None where the change could not be scored."""

    commit: str
    status: str
    risk: float | None
    percentile: float | None
    flagged: bool
    added: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Raw:
    """What a worker says of one commit: everything but its place among the others."""

    commit: str
    risk: float | None
    completeness: Completeness
    by_principle: bool
    added: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Work:
    """What every batch needs, small enough to be sent along: a display name, a model by name, principle files."""

    repository: str
    model: str | None
    principles: tuple[tuple[str, bytes], ...] = ()


@lru_cache(maxsize=2)
def _tools(work: Work) -> tuple[Model, Principles]:
    """Load what a worker process needs, once."""
    from oversight.reviewers.principles import parse_named
    from oversight.students.runtime import open_model

    return open_model(work.model), Principles(parse_named(work.principles))


def score_batch(work: Work, jobs: Sequence[tuple[Patch, Context]]) -> list[Raw]:
    """Score some commits in this process; runs in workers."""
    model, principles = _tools(work)
    rows = []
    for patch, context in jobs:
        examined = examine(change_of(patch, work.repository), context, principles)
        try:
            risk: float | None = score(examined, model).risk
        except UnscoredError:
            risk = None
        change = examined.change
        rows.append(
            Raw(patch.sha, risk, context.completeness, examined.flagged_by_principle, change.added, change.deleted)
        )
    return rows


def raw_scores(work: Work, jobs: Iterable[tuple[Patch, Context]], *, workers: int) -> Iterator[Raw]:
    """Score commits in order, a batch a worker at a time; reading waits while all workers are busy.

    Runs on whichever joblib backend is active: processes of this machine, or a dask cluster.
    """
    source = iter(jobs)
    batches = iter(lambda: list(islice(source, BATCH)), [])
    if workers == 1:
        for batch in batches:
            yield from score_batch(work, batch)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="3*n_jobs", batch_size=1)
    for rows in parallel(delayed(score_batch)(work, batch) for batch in batches):
        yield from rows


class Ranking:
    """Gives each commit its percentile among the RECENT ones before it, and its flag."""

    def __init__(self, model: Model, budget: float) -> None:
        self._model = model
        self._budget = budget
        self._recent: deque[float] = deque(maxlen=RECENT)

    def place(self, raw: Raw) -> Row:
        """Return the row of the next commit; the order of calls is the order of the history."""
        if raw.risk is None:
            return Row(raw.commit, Status.UNSCORED.value, None, None, True, raw.added, raw.deleted)
        percentile = percentile_of(raw.risk, raw.completeness, self._recent, self._model)
        self.remember(raw.risk)
        flagged = bool(flags(percentile, self._budget, by_principle=raw.by_principle))
        return Row(raw.commit, Status.SCORED.value, raw.risk, percentile, flagged, raw.added, raw.deleted)

    def remember(self, risk: float | None) -> None:
        """Take a commit that was placed before among the recent ones."""
        if risk is not None:
            self._recent.append(risk)


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
