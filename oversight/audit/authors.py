"""Who wrote the commits of a clone, and when, under which title: for rows of scores, which say nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oversight.changes.repository import Repository
from oversight.reports.as_json import TITLE
from oversight.reports.escape import data

Who = Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]
"""Says of some commits (full shas) what it knows: author, provenance, agent, authored_at and title, as in a report."""


def of_repository(repository: Repository) -> Who:
    """Return what knows the commits of a repository; others are left out of its answers."""

    def who(commits: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return {
            change.id: {
                "author": None if change.author is None else data(change.author, TITLE),
                "provenance": str(change.provenance.kind),
                "agent": None if change.provenance.name is None else data(change.provenance.name, TITLE),
                "authored_at": change.authored_at,
                "title": data(change.title, TITLE),
            }
            for change in repository.headers(commits)
        }

    return who
