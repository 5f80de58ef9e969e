"""Pull requests as verdicts need them: whose they are, and what had been shown of which head at a moment.

What was shown is known from our own marks (`oversight_github.shown`), in comments that GitHub says are ours and that
nobody else has edited, and in check runs: those of our own App, or where workflows are it, any that took a right to
write. Without any of them a verdict is tied to the head of the pull request if GitHub had made a suite of checks for it
by then: GitHub's clock, not the commit's, which is the author's to set, nor a check run's, which is its maker's.
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
from oversight_github.markers import as_written, made_by, read_summary
from oversight_github.shown import Shown, at_the_time, dated, read_shown
from oversight_github.verdicts.answers import at, list_at, moment_at, number_at, sha_at, text_at
from oversight_github.verdicts.sampling import SHARE, in_slice

_MOVES = ("base_ref_changed", "automatic_base_change_succeeded")
_EARLIER = 10  # commits before the head whose check runs are looked at
_MOST_COMMITS = 250  # that GitHub lists of a pull request
_WRITTEN = "body createdAt lastEditedAt viewerDidAuthor author { login } editor { login }"
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


class Pulls:
    """The pull requests of one repository, each asked for once.

    `app`: id or client id of the App whose check runs alone are ours; None where all workflows are it.
    """

    def __init__(self, client: Client, app: str | None = None) -> None:
        self._client = client
        self._app = app
        self._pulls: dict[int, Any] = {}
        self._makers: dict[int, frozenset[str] | None] = {}
        self._summaries: dict[int, tuple[Shown, ...]] = {}
        self._checks: dict[str, tuple[Shown, ...]] = {}

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
        reviews = [*self._summaries_of(number), *self._checks_of(head)]
        review = at_the_time(reviews, moment) or next(self._before(number, head, moment), None)
        if review is not None:
            # A flag that was cleared had been up: the change was shown for it.
            once = any(one.flagged and one.head == review.head and one.at < moment for one in reviews)
            return Seen(review.head, self._as_shown(review, number, flagged=once or review.flagged))
        since = self._known_since(head)
        return Seen(head, audit.Shown(Selection.REQUEST)) if since is not None and since <= moment else None

    def told_by(self, run: Any, number: int, moment: datetime) -> Seen | None:
        """Return what a check run of ours told people at a moment of its commit, None where it told nothing yet."""
        head = sha_at(run, "head_sha")
        reviews = [one for one in self._marked(run) if one.head == head and one.at < moment]
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
            review = at_the_time(self._checks_of(sha), moment)
            if review is not None:
                yield review

    def _checks_of(self, sha: str) -> Sequence[Shown]:
        if sha not in self._checks:
            found = [one for run in self._listed(sha, "check_runs", filter="all") for one in self._marked(run)]
            self._checks[sha] = tuple(one for one in found if one.head == sha)
        return self._checks[sha]

    def _known_since(self, sha: str) -> datetime | None:
        """Return since when GitHub has known a commit at least: it makes suites of checks as soon as one is pushed."""
        made = [moment_at(suite, "created_at") for suite in self._listed(sha, "check_suites")]
        return min((moment for moment in made if moment is not None), default=None)

    def _listed(self, sha: str, what: str, **options: str) -> list[Any]:
        """Return the check runs or suites of a commit, none where the token may not know."""
        path = self._client.here("commits", sha, what.replace("_", "-"))
        try:
            return list(self._client.pages(path, key=what, **options))
        except (Forbidden, NotFound):
            return []

    def _marked(self, run: Any) -> tuple[Shown, ...]:
        """Return what the marks of a check run say, none where it is not ours."""
        if not made_by(run, self._app):
            return ()
        texts = (dated(text_at(run, "output", name), at(run, "completed_at")) for name in ("text", "summary"))
        return next(filter(None, map(read_shown, texts)), ())

    def _summaries_of(self, number: int) -> Sequence[Shown]:
        if number not in self._summaries:
            written = [one for one in of_pull(self._client, number, "comments", _WRITTEN) if as_written(one)]
            bodies = [dated(text_at(one, "body"), at(one, "lastEditedAt") or at(one, "createdAt")) for one in written]
            reviews = [one for body in bodies if read_summary(body) is not None for one in read_shown(body)]
            self._summaries[number] = tuple(reviews)
        return self._summaries[number]
