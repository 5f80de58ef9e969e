"""What deliveries tell of, asked for: one that never came leaves a pull request unreviewed, or reviewed against a base
that it has no more.

One request a repository: the open pull requests that changed last. What they are now goes on the books as a delivery of
it would, and what is there already stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from oversight_github.client import Client, NotFound
from oversight_github.events import EventError, Pull
from oversight_server.handlers.comments import pull_of
from oversight_server.handlers.desk import Desk, gone, repository_of
from oversight_server.queue.model import Done, Job, Review

LOOK_BACK = timedelta(days=3)
"""How old a change of a pull request may be that is made up for."""

_MOST = 100  # as many as one answer holds


def perform(job: Job, desk: Desk) -> Done:
    """Compare what is on the books with what GitHub says of a repository."""
    repository = repository_of(job)
    with desk.services.github.client(job.installation, repository) as api:
        try:
            found = list(_changed(api, desk))
        except NotFound:
            if not gone(job, desk):
                raise
            return Done("gone")
    drafts = desk.services.options.drafts
    reviews = [
        Review(repository, job.installation, pull.number, pull.head_sha, pull.updated_at, base=pull.base_ref)
        for pull in found
        if drafts or not pull.draft
    ]
    return Done("reconciled", then=tuple(reviews))


def _changed(api: Client, desk: Desk) -> Iterator[Pull]:
    first = desk.now() - LOOK_BACK
    for one in islice(api.pages(api.here("pulls"), state="open", sort="updated", direction="desc"), _MOST):
        try:
            pull = pull_of(one)
        except EventError:
            continue  # as one whose base's name is none that git takes
        if pull.updated_at is not None and pull.updated_at < first:
            return
        yield pull
