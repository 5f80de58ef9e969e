"""What jobs work with, handed from part to part. Protocols say what is asked of the parts that others make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine

from oversight.audit.verdict import Landing, Record, Verdict
from oversight.reports import RiskReport
from oversight_github.client import Client
from oversight_github.events import Pull
from oversight_github.publish import Comment, Wishes
from oversight_server.queue.retries import Limits
from oversight_server.settings import Settings


class GitHub(Protocol):
    """The App on its GitHub."""

    def client(self, installation: int, repository: str) -> AbstractContextManager[Client]:
        """Give a client of one repository. It raises GitHubError, NotFound where the App is there no more."""

    def forget(self, installation: int) -> None:
        """Drop the tokens of an installation that is no more."""


class Reviews(Protocol):
    """What reviews."""

    @property
    def version(self) -> str:
        """What tells one model from another; a change is reviewed once by each."""

    def pull(self, pull: Pull, *, repository: str, installation: int) -> RiskReport:
        """Review a pull request as it was when it was asked for. Raises OversightError."""

    def forget(self, repository: str) -> None:
        """Delete what is kept of a repository's code."""


class Ledger(Protocol):
    """Where reports and verdicts are kept."""

    @property
    def engine(self) -> Engine:
        """The database."""

    def add_report(
        self, report: Mapping[str, Any], *, source: str, repository: str, number: int | None, at: datetime
    ) -> int:
        """Keep a report; the same one again is kept once."""

    def append(self, entries: Iterable[Verdict | Landing]) -> int:
        """Put on record what is not there yet, and return how many entries that were."""

    def record(self, repository: str, number: int | None = None) -> Record:
        """Return what people said in a repository, or in one pull request of it."""

    def forget(self, repository: str) -> object:
        """Delete the reports on a repository. What people said stays: it is a chain."""


class Metrics(Protocol):
    """What is counted."""

    def reviewed(self, outcome: str, seconds: float | None = None) -> None:
        """Count a review by what came of it; `seconds`: what it took, None where none was computed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator says of jobs.

    `workers`: jobs at once in this process; of one repository there is never more than one, in all processes. `drafts`:
    whether drafts are reviewed. `beat`: seconds between two signs of life of a worker; one of which nothing was heard
    for `dead_after` is taken for dead, and its jobs go to others. Jobs that are closed are kept for `keep_days`.
    `reconcile`: seconds after which GitHub is asked what deliveries should have told, 0 for never.
    """

    workers: int = 2
    limits: Limits = field(default_factory=Limits)
    wishes: Wishes = field(default_factory=lambda: Wishes(buttons=True))
    drafts: bool = False
    poll: float = 0.25
    beat: float = 2.0
    dead_after: float = 20.0
    keep_days: float = 30.0
    reconcile: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Options:
        """Return what the settings say."""
        queue, posting = settings.queue, settings.posting
        return cls(
            workers=settings.reviews.processes,
            limits=Limits(attempts=queue.attempts, patience=queue.patience_hours * 3600),
            wishes=Wishes(
                comment=Comment(posting.comment),
                inline=posting.inline,
                check_run=posting.check_run,
                labels=posting.labels,
                gate=posting.gate,
                buttons=True,
                app=settings.github.app_id,
            ),
            drafts=settings.reviews.drafts,
            dead_after=queue.dead_seconds,
            keep_days=settings.retention.jobs_days,
            reconcile=queue.reconcile_hours * 3600,
        )


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a job may need."""

    github: GitHub
    reviews: Reviews
    ledger: Ledger
    metrics: Metrics
    options: Options = field(default_factory=Options)
