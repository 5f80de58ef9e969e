"""Pull requests as verdicts need them: whose they are, and what had been shown of which head at a moment.

What was shown is known from our own marks (`oversight_github.shown`), in comments that GitHub says are ours and that
nobody else has edited, and in check runs, which take a right to write. Without any of them a verdict is tied to the
head of the pull request if a workflow had begun to run on it by then: GitHub's clock, not the commit's, which is the
author's to set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oversight.audit import verdict as audit
from oversight.audit.verdict import Selection
from oversight_github.client import Client, Forbidden, NotFound
from oversight_github.connections import of_pull
from oversight_github.markers import as_written, read_summary
from oversight_github.shown import Shown, at_the_time, read_shown
from oversight_github.verdicts.answers import at, list_at, moment_at, number_at, sha_at, text_at
from oversight_github.verdicts.sampling import SHARE, in_slice

_MOVES = ("base_ref_changed", "automatic_base_change_succeeded")
_EARLIER = 10  # commits before the head whose check runs are looked at
_MOST_COMMITS = 250  # that GitHub lists of a pull request
_WRITTEN = "body viewerDidAuthor author { login } editor { login }"
_MADE = """
  commit {
    authors(first: 100) { nodes { user { login } } pageInfo { hasNextPage } }
    committer { user { login } }
  }
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The head that somebody had before them, and what they had been shown of it."""

    head: str
    shown: audit.Shown


@dataclass(frozen=True, slots=True)
class _Checks:
    """What the check runs of a commit tell: reviews of ours, and since when GitHub has known the commit."""

    reviews: tuple[Shown, ...]
    since: datetime | None


class Pulls:
    """The pull requests of one repository, each asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pulls: dict[int, Any] = {}
        self._makers: dict[int, frozenset[str] | None] = {}
        self._summaries: dict[int, tuple[Shown, ...]] = {}
        self._checks: dict[str, _Checks] = {}

    def pull(self, number: int) -> Any:
        """Return the pull request as GitHub describes it, None where the number is none's."""
        if number not in self._pulls:
            try:
                self._pulls[number] = self._client.get(self._client.here("pulls", number))
            except NotFound:
                self._pulls[number] = None
        return self._pulls[number]

    def has_part(self, number: int, who: str) -> bool:
        """Whether somebody opened a pull request, or wrote or co-wrote a commit of it, as far as GitHub can tell.

        True where it cannot tell of all: where the account that opened it is gone, or there are too many commits.
        """
        author = text_at(self.pull(number), "user", "login").lower()
        if not author or author == who.lower():
            return True
        if number not in self._makers:
            self._makers[number] = self._makers_of(number)
        makers = self._makers[number]
        return makers is None or who.lower() in makers

    def _makers_of(self, number: int) -> frozenset[str] | None:
        """Return the logins, in lower case, of those whose commits these are, None where not all of them are listed."""
        if number_at(self.pull(number), "commits") > _MOST_COMMITS:
            return None
        found: set[str] = set()
        for node in of_pull(self._client, number, "commits", _MADE):
            authors = at(node, "commit", "authors")
            if at(authors, "pageInfo", "hasNextPage"):
                return None
            people = [*list_at(authors, "nodes"), at(node, "commit", "committer")]
            found |= {text_at(one, "user", "login").lower() for one in people}
        return frozenset(found - {""})

    def seen(self, number: int, moment: datetime) -> Seen | None:
        """Return what people saw of a pull request at a moment, None where nobody can tell which head that was."""
        head = sha_at(self.pull(number), "head", "sha")
        checks = self._checks_of(head)
        reviews = [*self._summaries_of(number), *checks.reviews]
        review = at_the_time(reviews, moment) or next(self._before(number, head, moment), None)
        if review is not None:
            # A flag that was cleared had been up: the change was shown for it.
            once = any(one.flagged and one.head == review.head and one.at <= moment for one in reviews)
            return Seen(review.head, self._as_shown(review, number, flagged=once or review.flagged))
        if checks.since is not None and checks.since <= moment:
            return Seen(head, audit.Shown(Selection.REQUEST))
        return None

    def told_by(self, run: Any, number: int, moment: datetime) -> Seen | None:
        """Return what a check run of ours told people at a moment of its commit, None where it told nothing yet."""
        head = sha_at(run, "head_sha")
        reviews = [one for one in _marked(run) if one.head == head and one.at <= moment]
        review = at_the_time(reviews, moment)
        if review is None:
            return None
        return Seen(head, self._as_shown(review, number, flagged=any(one.flagged for one in reviews)))

    def moved(self, number: int, moment: datetime) -> bool:
        """Whether a pull request has got another base branch since then: its author chooses it."""
        events = self._client.pages(self._client.here("issues", number, "events"))
        when = [moment_at(event, "created_at") for event in events if text_at(event, "event") in _MOVES]
        return any(one is None or one >= moment for one in when)

    def _as_shown(self, review: Shown, number: int, *, flagged: bool) -> audit.Shown:
        if flagged:
            selection, propensity = Selection.FLAGGED, 1.0
        elif in_slice(self._client.repository, number):
            selection, propensity = Selection.RANDOM, SHARE
        else:
            selection, propensity = Selection.REQUEST, None
        return audit.Shown(selection, propensity, review.flagged, review.risk, review.percentile, review.model)

    def _before(self, number: int, head: str, moment: datetime) -> Iterator[Shown]:
        """Yield what check runs of earlier commits say had been shown by then, of the newest commit first."""
        commits = list(self._client.pages(self._client.here("pulls", number, "commits")))
        earlier = [sha for one in commits if (sha := sha_at(one, "sha")) != head]
        for sha in earlier[::-1][:_EARLIER]:
            review = at_the_time(self._checks_of(sha).reviews, moment)
            if review is not None:
                yield review

    def _checks_of(self, sha: str) -> _Checks:
        if sha not in self._checks:
            try:
                path = self._client.here("commits", sha, "check-runs")
                runs = list(self._client.pages(path, key="check_runs", filter="all"))
            except (Forbidden, NotFound):
                runs = []
            starts = [moment for run in runs if (moment := moment_at(run, "started_at")) is not None]
            found = [one for run in runs for one in _marked(run) if one.head == sha]
            self._checks[sha] = _Checks(tuple(found), min(starts, default=None))
        return self._checks[sha]

    def _summaries_of(self, number: int) -> Sequence[Shown]:
        if number not in self._summaries:
            bodies = [
                text_at(one, "body") for one in of_pull(self._client, number, "comments", _WRITTEN) if as_written(one)
            ]
            reviews = [one for body in bodies if read_summary(body) is not None for one in read_shown(body)]
            self._summaries[number] = tuple(reviews)
        return self._summaries[number]


def _marked(run: Any) -> tuple[Shown, ...]:
    return read_shown(text_at(run, "output", "text")) or read_shown(text_at(run, "output", "summary"))
