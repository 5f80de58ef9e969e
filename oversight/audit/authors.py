"""Who wrote the commits of a clone, when, where and under which title: for rows of scores, which say nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oversight.audit.budget.plan import directory_of
from oversight.changes.repository import Repository
from oversight.reports.as_json import TITLE
from oversight.reports.escape import data

Who = Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]
"""Says of some commits (full shas) what it knows: author, provenance, agent, authored_at and title, as in a report, and
the directory in which most of their files are, None where that is unknown.
"""


def of_repository(repository: Repository) -> Who:
    """Return what knows the commits of a repository; others are left out of its answers."""

    def who(commits: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        directories = {commit: data(directory_of(paths)) for commit, paths in repository.touched(commits)}
        return {
            change.id: {
                "author": None if change.author is None else data(change.author, TITLE),
                "provenance": str(change.provenance.kind),
                "agent": None if change.provenance.name is None else data(change.provenance.name, TITLE),
                "authored_at": change.authored_at,
                "title": data(change.title, TITLE),
                "directory": directories.get(change.id),
            }
            for change in repository.headers(commits)
        }

    return who
