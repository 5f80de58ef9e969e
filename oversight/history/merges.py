"""What merge commits brought in, looked up only when a revert names one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from oversight.changes.repository import Repository

WIDEST = 20
"""Commits that a merge may bring in for its revert to tell about each of them; a release branch tells nothing."""

_NUMBER = re.compile(
    r"^Merge (?:pull request|PR|branch\b.*\bin(?:to)?\b.*\()\s*[#!](?P<number>\d{1,15})\b", re.IGNORECASE
)


class MergeTable:
    """All merges reachable from `tip`. Nothing is read before the first question."""

    def __init__(self, repository: Repository, tip: str) -> None:
        self._repository = repository
        self._tip = tip

    def by_prefix(self, prefix: str) -> Sequence[str]:
        """The non-merge commits that the merge with this sha brought in; empty if none or too many."""
        found = [sha for sha in self._merges if sha.startswith(prefix)]
        return self._brought(found[0]) if len(found) == 1 else ()

    def by_number(self, number: int) -> Sequence[str]:
        """The same for the merge of a pull request."""
        sha = self._numbers.get(number)
        return self._brought(sha) if sha is not None else ()

    def _brought(self, sha: str) -> Sequence[str]:
        limit = f"--max-count={WIDEST + 1}"
        listed = self._repository.run("rev-list", "--no-merges", limit, f"{sha}^1..{sha}", "--")
        brought = listed.decode("ascii").split()
        return brought if len(brought) <= WIDEST else ()

    @cached_property
    def _merges(self) -> dict[str, str]:
        """Sha -> subject of every merge."""
        listed = self._repository.run("log", "--merges", "-z", "--format=%H %s", self._tip, "--")
        records = listed.decode("utf-8", "surrogateescape").split("\0")
        return {sha: subject for record in records if record for sha, _, subject in [record.strip().partition(" ")]}

    @cached_property
    def _numbers(self) -> dict[int, str]:
        """Number of a pull request -> the latest merge of it."""
        found: dict[int, str] = {}
        for sha, subject in self._merges.items():
            match = _NUMBER.match(subject)
            if match:
                found.setdefault(int(match["number"]), sha)
        return found
