"""`oversight score`: a whole history, one row a commit."""

from __future__ import annotations

import math
import os
import signal
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oversight.cli.options import HERE, Budget, ModelName, Repo, Since, Until

if TYPE_CHECKING:
    from oversight.changes.repository import Repository
    from oversight.cli.progress import Advance
    from oversight.config import Settings
    from oversight.scoring import Raw, Row, Work


class Backend(StrEnum):
    """Where the workers run."""

    LOCAL = "local"
    DASK = "dask"


def score(
    output: Annotated[Path, typer.Option(help="Write the rows here, as JSON Lines, oldest commit first; - is stdout.")],
    repo: Repo = HERE,
    model: ModelName = None,
    budget: Budget = None,
    since: Since = None,
    until: Until = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="Worker processes.  [default: one a core]", show_default=False)
    ] = os.cpu_count() or 1,
    backend: Annotated[
        Backend,
        typer.Option(help="Processes of this machine, or dask: the cluster of DASK_SCHEDULER_ADDRESS, else one here."),
    ] = Backend.LOCAL,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
) -> None:
    """Score every non-merge commit reachable from HEAD.

    While it runs, rows are kept in OUTPUT.partial; OUTPUT appears whole at the end. --resume takes the partial
    rows up again if they were made by the same model, budget and settings, for the same commits. A commit that
    cannot be scored has a row that says so, and ends nothing: the exit code is 0 once all rows are written. A model in
    the shadow ranks and flags nothing: each row says whose it is, and audit import keeps them apart.
    """
    from oversight.base_settings import principle_files, settings_file
    from oversight.changes.repository import Repository
    from oversight.cli.options import period
    from oversight.config import load
    from oversight.scoring import Work

    with Repository.open(repo) as repository:
        head = repository.resolve("HEAD")
        settings = load(settings_file(repository, head), budget=budget, model=model)
        principles = principle_files(repository, head, settings.principles)
        work = Work(repository.name, settings.model, principles, settings.paths)
        dates = period(since, until)
        run = _Run(repository, head, work, settings, dates)
        workers = max(1, min(jobs, run.batches))
        with _workers(backend, workers) as started:
            run.write(output, resume=resume, workers=started)


class _Run:
    """One scoring of one selection of commits."""

    def __init__(
        self, repository: Repository, head: str, work: Work, settings: Settings, dates: tuple[Any, Any]
    ) -> None:
        from oversight.students.runtime import open_model

        self.repository, self.work, self.settings = repository, work, settings
        self.model = open_model(settings.model)
        self.commits = repository.commits(head)
        since, until = (None if date is None else date.timestamp() for date in dates)
        self.chosen = [
            place
            for place, commit in enumerate(self.commits)
            if (since is None or commit.committed_at >= since) and (until is None or commit.committed_at <= until)
        ]
        self.identity = {
            "head": head,
            "model": self.model.info.sha256,
            "budget": settings.budget,
            "paths": asdict(settings.paths),
            "principles": [name for name, _ in work.principles],
            "since": since,
            "until": until,
        }

    @property
    def batches(self) -> int:
        """How many workers could find something to do."""
        from oversight.scoring import BATCH

        return math.ceil(len(self._read(0)) / BATCH)

    def _read(self, done: int) -> range:
        """What has to be read for the rows after the first `done`: with them, all commits that they are placed among.

        These are not always among the chosen ones: a commit may be older than the one before it.
        """
        from oversight.neighbours import first_of

        if done >= len(self.chosen):
            return range(0)
        return range(first_of(self.chosen[done]), self.chosen[-1] + 1)

    def write(self, output: Path, *, resume: bool, workers: int) -> None:
        """Score what is not yet in the partial rows, and put the output in place."""
        from oversight.cli.partial import Partial
        from oversight.reports.escape import terminal

        unscored = 0
        with Partial(output, self.identity, resume=resume) as partial:
            for row in self._rows(partial.count, workers):
                partial.add(self._told(row))
                unscored += row.risk is None
        where = "" if str(output) == "-" else f" into {terminal(output.name)}"
        lost = f", {unscored:,} of the new ones could not be scored" if unscored else ""
        typer.echo(f"{partial.count:,} commits{where}{lost}", err=True)

    def _told(self, row: Row) -> dict[str, Any]:
        """Return a row as JSON. A model in the shadow flags nothing; what it would flag stands beside who it is."""
        told = asdict(row)
        if self.model.shadow:
            told |= {"flagged": False, "shadow": {**asdict(self.model.info), "flagged": row.flagged}}
        return told

    def _rows(self, done: int, workers: int) -> Iterator[Row]:
        """The rows after the first `done`."""
        from oversight.cli.progress import progress
        from oversight.history.index import Index
        from oversight.scoring import Ranking, jobs_of, raw_scores

        places = self._read(done)
        ranking = Ranking(self.model, self.settings.budget, start=places.start, shallow=self.repository.shallow)
        wanted = {self.commits[place].sha for place in self.chosen[done:]}
        needed = [self.commits[place].sha for place in places]
        with Index.open(self.repository) as index, progress("scoring", len(needed)) as advance:
            jobs = jobs_of(self.repository, index, self.commits, needed)
            raws = _counted(raw_scores(self.work, jobs, workers=workers), advance)
            yield from (row for row in ranking.rows(raws) if row.commit in wanted)


def _counted(raws: Iterable[Raw], advance: Advance) -> Iterator[Raw]:
    for raw in raws:
        advance(1)
        yield raw


@contextmanager
def _workers(backend: Backend, jobs: int) -> Iterator[int]:
    """Start the workers and make joblib run on them for the length of the block; how many, as `raw_scores` counts."""
    if backend is Backend.DASK:
        with _cluster(jobs):
            yield -1
        return
    if jobs == 1:
        yield 1
        return
    from joblib import Parallel, delayed, parallel_config

    from oversight.scoring import follow

    # joblib's word on a run that is stopped, which may come as late as the end of the process; ours is enough.
    warnings.filterwarnings("ignore", message=".*adjusting the input task iterator")
    with parallel_config(backend="loky", initializer=follow, initargs=(os.getpid(),)):
        with _deaf_to_interrupts():
            Parallel(n_jobs=jobs)(delayed(int)() for _ in range(jobs))
        yield jobs


@contextmanager
def _cluster(jobs: int) -> Iterator[None]:
    from oversight.errors import MissingExtraError

    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("--backend dask", "dask") from error
    from joblib import parallel_config

    # DASK_SCHEDULER_ADDRESS names a running cluster; without it the workers are processes of this machine.
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    local = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
    with _deaf_to_interrupts():
        client = Client(address, **({} if address else local))  # type: ignore[no-untyped-call]
    with client, parallel_config(backend="dask"):
        yield


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that inherit deafness to Ctrl-C: it is for this one to stop them, without their tracebacks."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
