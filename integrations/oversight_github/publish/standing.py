"""What stands on a pull request already: its head, our summaries, our inline comments and what became of them.

Comments are read through GraphQL, which alone says whether they are ours and whether a thread is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from oversight_github.client import Client
from oversight_github.connections import of_pull
from oversight_github.markers import FindingMark, SummaryMark, as_written, read_finding, read_summary
from oversight_github.publish.model import Target
from oversight_github.shown import dated

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._:/~-]+")

_COMMENT_FIELDS = "fullDatabaseId body createdAt lastEditedAt viewerDidAuthor author { login } editor { login }"
_THREAD_FIELDS = """
          id
          path
          isResolved
          viewerCanResolve
          comments(first: 100) {
            nodes { fullDatabaseId body viewerDidAuthor author { __typename login } editor { __typename login } }
            pageInfo { hasNextPage }
          }
"""
_THREADS_AT_ONCE = 50


class Superseded(Exception):  # noqa: N818  # no error: somebody pushed, or closed the pull request
    """The report is not about what the pull request is now."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary comment of ours, its marks `dated` by `written`, GitHub's own words. `edited`: somebody else has edited
    it, so that nothing of what it says is to be gone by.
    """

    id: int
    body: str
    mark: SummaryMark
    written: str
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread that an inline comment of ours began. `answered`: somebody who is no bot has replied."""

    id: str
    path: str
    comment: int
    body: str
    mark: FindingMark
    resolved: bool
    resolvable: bool
    answered: bool


class Standing:
    """One pull request as it is on GitHub."""

    def __init__(self, api: Client, target: Target, number: int, key: str) -> None:
        self._api = api
        self._head = target.head
        self._key = key
        self.number = number

    def check(self) -> str | None:
        """Return the pull request's address, None where GitHub gives none.

        Raises Superseded unless it is open and its head the one that was reviewed, GitHubError. To be asked right
        before each write: a review takes its time, and people push.
        """
        pull = self._api.get(self._api.here("pulls", self.number))
        found = pull if isinstance(pull, dict) else {}
        if found.get("state") != "open":
            raise Superseded("the pull request is closed")
        head = found.get("head")
        if not isinstance(head, dict) or head.get("sha") != self._head:
            raise Superseded("the pull request has a newer head, whose own review will tell of it")
        address = found.get("html_url")
        return address if isinstance(address, str) and _ADDRESS.fullmatch(address) else None

    def summaries(self) -> list[Summary]:
        """Return our summaries, the oldest first. Raises GitHubError."""
        found = []
        for node in of_pull(self._api, self.number, "comments", _COMMENT_FIELDS):
            mark = read_summary(node["body"]) if node["viewerDidAuthor"] else None
            if mark is not None and mark.key == self._key:
                written = node["lastEditedAt"] or node["createdAt"]
                body = dated(node["body"], written)
                found.append(Summary(int(node["fullDatabaseId"]), body, mark, written, not as_written(node)))
        return sorted(found, key=lambda summary: summary.id)

    def threads(self) -> list[Thread]:
        """Return the threads that we began. Raises GitHubError."""
        found = []
        listed = of_pull(self._api, self.number, "reviewThreads", _THREAD_FIELDS, at_once=_THREADS_AT_ONCE)
        for node in listed:
            comments = node["comments"]["nodes"]
            # Who may write can edit ours, and would have another finding count as told.
            mark = read_finding(comments[0]["body"]) if comments and as_written(comments[0]) else None
            if mark is None or mark.key != self._key:
                continue
            # A thread too long to be read whole has people in it; so has one with an account that is gone.
            answered = node["comments"]["pageInfo"]["hasNextPage"] or any(map(_by_a_person, comments[1:]))
            first = comments[0]
            found.append(
                Thread(
                    node["id"], node["path"], int(first["fullDatabaseId"]), first["body"], mark,
                    node["isResolved"], node["viewerCanResolve"], answered,
                )
            )  # fmt: skip
        return found


def diff_address(pull: str, path: str, start: int | None = None, end: int | None = None) -> str:
    """Return the address of lines of the new file in a pull request's diff; of it, no part is the change's own text."""
    name = sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
    lines = "" if start is None else f"R{start}" if end is None or end == start else f"R{start}-R{end}"
    return f"{pull}/files#diff-{name}{lines}"


def _by_a_person(comment: Mapping[str, Any]) -> bool:
    author = comment["author"]
    return not comment["viewerDidAuthor"] and (author is None or author["__typename"] != "Bot")
