"""`/api/jobs/dead`: the jobs that were given up, and another try for one of them, or for all.

For the operator, who has the API token. What a job failed with is in our own words, and names no code.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from oversight_server.errors import Problem
from oversight_server.health import require_token
from oversight_server.queue.jobs import Jobs
from oversight_server.queue.model import Job, Kind
from oversight_server.settings import Settings

PATH = "/api/jobs/dead"
_MOST = 1_000
_LONGEST_ID = 1_000
_REFUSED: dict[int | str, dict[str, Any]] = {401: {"description": "The API token is missing or wrong"}}


class DeadJob(BaseModel):
    """A job that was given up; null where it is about no such thing. `tries`: failures that counted before the last."""

    id: str
    kind: Kind
    repository: str | None
    number: int | None
    head: str | None
    attempt: int
    tries: int
    error: str | None
    created_at: datetime

    @classmethod
    def of(cls, job: Job) -> DeadJob:
        """Return what there is to tell of a job."""
        return cls(
            id=job.id, kind=job.kind, repository=job.repository, number=job.number, head=job.head,
            attempt=job.attempt, tries=job.tries, error=job.error, created_at=job.created_at,
        )  # fmt: skip


class Retried(BaseModel):
    """The job that waits for its turn again."""

    id: str


class RetriedAll(BaseModel):
    """How many jobs wait for their turn again."""

    retried: int


def router(jobs: Jobs | None, settings: Settings) -> APIRouter:
    """Return the routes; without a queue no job was ever given up."""

    def known(request: Request) -> None:
        require_token(request, settings)

    # Before anything of the request is looked at: strangers are all answered alike.
    routes = APIRouter(dependencies=[Depends(known)])

    @routes.get(PATH, summary="The jobs that were given up, the newest first", responses=_REFUSED)
    async def dead(limit: Annotated[int, Query(ge=1, le=_MOST)] = 100) -> list[DeadJob]:
        found = [] if jobs is None else await asyncio.to_thread(jobs.dead, limit)
        return [DeadJob.of(job) for job in found]

    @routes.post(
        f"{PATH}/retry",
        summary="Another try for a job that was given up",
        status_code=202,
        responses={**_REFUSED, 404: {"description": "No such job was given up"}},
    )
    async def retry(identity: Annotated[str, Query(alias="id", min_length=1, max_length=_LONGEST_ID)]) -> Retried:
        if jobs is None or not await asyncio.to_thread(jobs.retry, identity):
            raise Problem(404, "no job of that id was given up", mend=f"GET {PATH} lists them")
        return Retried(id=identity)

    @routes.post(
        f"{PATH}/retry-all", summary="Another try for all jobs that were given up", status_code=202, responses=_REFUSED
    )
    async def retry_all() -> RetriedAll:
        return RetriedAll(retried=0 if jobs is None else await asyncio.to_thread(jobs.retry_all))

    return routes
