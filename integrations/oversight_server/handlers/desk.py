"""What handlers have before them: what a delivery tells of itself, and what a job is done with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from oversight_github.events import Origin
from oversight_server.queue.model import Job, State
from oversight_server.services import Services

_BELIEVED = 2  # failures before


@dataclass(frozen=True, slots=True)
class Asked:
    """A delivery but for its event. `repository` and `installation` are None where it is about none.

    `drafts`: whether the operator wants drafts reviewed.
    """

    delivery: str
    at: datetime
    repository: str | None
    installation: int | None
    sender: str | None
    sender_type: str | None
    drafts: bool

    @classmethod
    def of(cls, origin: Origin, delivery: str, at: datetime, *, drafts: bool) -> Asked:
        """Return what is known of a delivery that came `at` a moment, time-zone aware."""
        return cls(delivery, at, origin.repository, origin.installation, origin.sender, origin.sender_type, drafts)

    @property
    def person(self) -> str | None:
        """The login of who did it, None where that was no person."""
        found = self.sender if self.sender_type == "User" else None
        return None if found is None or found.endswith("[bot]") else found


@dataclass(frozen=True, slots=True)
class Desk:
    """What a job is done with. `running`: whether the job is still wanted; `repositories`: those of an installation
    that have jobs on the books, and `strike` takes those of one off them that are no newer than this one. `last`: a
    failure will have no other turn. `reviews`: those of a head of a pull request of "owner/name", the newest first.
    """

    services: Services
    running: Callable[[], bool]
    repositories: Callable[[int], list[str]]
    strike: Callable[[str], None]
    now: Callable[[], datetime]
    last: bool = False
    reviews: Callable[[str, int, str], list[Job]] = lambda *_: []

    def base_of(self, repository: str, number: int, head: str) -> str | None:
        """Return the branch that the last review of a head compared it with, None where none is known."""
        done = [one for one in self.reviews(repository, number, head) if one.state is State.DONE]
        return done[0].base if done else None


def gone(job: Job, desk: Desk) -> bool:
    """Whether to believe GitHub that something is not there: it says so too, for a moment, of what is new."""
    return desk.last or job.tries >= _BELIEVED


def repository_of(job: Job) -> str:
    """Return the repository of a job that is about one."""
    if job.repository is None:
        raise ValueError(f"{job.id} is about no repository")
    return job.repository


def number_of(job: Job) -> int:
    """Return the pull request's number of a job that is about one."""
    if job.number is None:
        raise ValueError(f"{job.id} is about no pull request")
    return job.number
