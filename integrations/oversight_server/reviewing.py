"""Reviews, each computed in a child process: of pull requests, of revisions, and of bare diffs.

    what is wanted ──> clone, fetched here with the token ──> child: "lacking" <──> contents fetched here ──> report
                  └──> the API, where git cannot ───────────> child ──────────────────────────────────────> report

The token stays with this process and the git that it starts. Whatever reads the change (parsers, the network, the
past) does so in a child (`children/pool.py`), which names the contents that a clone lacks and gets them fetched.

A change that cannot be scored is an unscored report that says why, never an error and never a low risk. What is raised
says nothing of the change and may be asked again: GitHub that does not answer, and children that cannot be had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from oversight.config import load
from oversight.errors import ConfigError, DiffError, RepositoryError, UnscoredError, UsageError
from oversight.reports import RiskReport
from oversight_github.client import Client, RateLimited, Unavailable
from oversight_github.code.clone import FetchError, GoneError
from oversight_github.code.unscored import unscored
from oversight_github.code.wanted import Wanted
from oversight_github.events import Pull
from oversight_github.shas import is_sha
from oversight_server.children import wire
from oversight_server.children.pool import LostError, Pool
from oversight_server.clones import Clones
from oversight_server.github_app import READING, GitHubApp

_ROUNDS = 3
_BLOBLESS = (
    "This repository is large: its history was fetched without contents, so lengths of files and renames of before the "
    "newest changes are unknown."
)


@dataclass(frozen=True, slots=True)
class How:
    """How a review is to be done: `budget` None as the operator or the repository says.

    `patience`: seconds to wait for a child, and for GitHub where it limits rates; None: as long as it takes.
    """

    budget: float | None = None
    patience: float | None = None


USUAL = How()


class Reviews:
    """What reviews. Thread-safe. `local` are repositories of this machine by the names that they may be asked for."""

    def __init__(
        self,
        pool: Pool,
        clones: Clones,
        app: GitHubApp | None = None,
        *,
        local: Mapping[str, Path] | None = None,
        budget: float | None = None,
    ) -> None:
        self._pool = pool
        self._clones = clones
        self._app = app
        self._local = dict(local or {})
        self._budget = budget

    @property
    def version(self) -> str:
        """The sha256 of the model: a change is reviewed once by each. Raises ModelError where it cannot be loaded."""
        return str(self._pool.warm()["sha256"])

    def pull(self, pull: Pull, *, repository: str, installation: int) -> RiskReport:
        """Review a pull request at the head that it was asked for at. Raises GitHubError, NoChildError.

        GoneError where git's side of GitHub does not have it any more, or does not have it yet.
        """
        wanted = Wanted(pull.head_sha, (pull.base_sha,), pull=pull)
        return self._of_github(wanted, repository, installation, USUAL)

    def of_github(self, wanted: Wanted, *, repository: str, installation: int, how: How = USUAL) -> RiskReport:
        """Review what is wanted of a repository on GitHub.

        Raises GitHubError, NoChildError, and UsageError for a name that is no branch or tag there.
        """
        try:
            return self._of_github(wanted, repository, installation, how)
        except GoneError as error:
            return unscored(error, wanted.head, repository, self._budget_of(how))

    def _of_github(self, wanted: Wanted, repository: str, installation: int, how: How) -> RiskReport:
        if self._app is None:
            raise UsageError("the server is no GitHub App", mend="set OVERSIGHT_GITHUB__APP_ID and its like")
        with self._app.client(installation, repository, READING, patience=how.patience) as client:
            kilobytes = wanted.pull.kilobytes if wanted.pull is not None else _size_of(client)
            renewal = self._app.renewal(installation, repository, READING)
            try:
                with self._clones.hold(repository, renewal, kilobytes=kilobytes) as held:
                    return self._or_unscored(
                        wanted.head, repository, how, lambda: self._in_clone(held, wanted, repository, how)
                    )
            except GoneError:
                raise
            except (RepositoryError, OSError) as error:
                why = error if isinstance(error, RepositoryError) else _disk(error)
                return self._or_unscored(
                    wanted.head, repository, how, lambda: self._through_api(wanted, client, why, how)
                )

    def of_machine(self, name: str, span: str, *, how: How = USUAL) -> RiskReport:
        """Review a revision or a range of a repository of this machine. Raises UsageError, RepositoryError."""
        if name not in self._local:
            raise UsageError("there is no such repository", mend="name one that the operator has listed")
        message = {
            "do": "span", "path": str(self._local[name]), "index": str(self._clones.index_of(name)), "span": span,
            "name": name, "notes": [],
        }  # fmt: skip
        try:
            return self._asked(message, how)
        except (ConfigError, UnscoredError) as error:
            return unscored(error, None, name, self._budget_of(how))

    def diff(self, text: bytes, *, how: How = USUAL) -> RiskReport:
        """Review a bare diff. Raises DiffError where it is none, NoChildError."""
        try:
            return self._asked({"do": "diff", "text": text.decode("utf-8", "surrogateescape")}, how)
        except UnscoredError as error:
            return unscored(error, None, None, self._budget_of(how))

    def knows(self, name: str) -> bool:
        """Whether `name` is a repository of this machine that may be asked for."""
        return name in self._local

    def forget(self, repository: str) -> None:
        """Delete what is kept of a repository's code. Raises InUseError while it is being read."""
        self._clones.forget(repository)

    def close(self) -> None:
        """End all children; reviews that are under way are lost."""
        self._pool.close()

    def _in_clone(self, held: Any, wanted: Wanted, repository: str, how: How) -> RiskReport:
        tip, head = held.fetch(wanted)
        message = {
            "do": "revision", "path": str(held.path), "index": str(held.index), "tip": tip, "head": head,
            "else_alone": wanted.else_alone, "name": repository, "blobless": held.blobless,
            "notes": [_BLOBLESS] if held.blobless else [],
        }  # fmt: skip
        for number in range(_ROUNDS):
            answer = self._answer({**message, "complete": number == _ROUNDS - 1}, how)
            if "report" in answer:
                return self._read(answer)
            held.fetch_contents(_shas(answer.get("lacking")))
        raise UnscoredError("the review did not come to an end", mend="report it, please")

    def _through_api(self, wanted: Wanted, client: Client, because: RepositoryError, how: How) -> RiskReport:
        from oversight_github.code.through_api import through_api

        try:
            source = through_api(wanted, client, because=because)
        except UnscoredError as error:
            if isinstance(error.__cause__, Unavailable | RateLimited):
                raise error.__cause__ from None
            raise
        settings = source.settings()
        extra = source.principles(load(settings).principles)
        message = {
            "do": "change", "change": wire.encode(source.change), "settings": _text(settings),
            "principles": [[name, _text(content)] for name, content in extra],
        }  # fmt: skip
        report = self._asked(message, how)
        return replace(report, notes=(*report.notes, source.note))

    def _or_unscored(self, head: str, repository: str, how: How, review: Callable[[], RiskReport]) -> RiskReport:
        """Return the report, or one that says why there is none: also where the base's own settings are wrong."""
        try:
            return review()
        except (UnscoredError, ConfigError, DiffError) as error:
            return unscored(error, head if is_sha(head) else None, repository, self._budget_of(how))

    def _asked(self, message: Mapping[str, Any], how: How) -> RiskReport:
        return self._read(self._answer(message, how))

    def _answer(self, message: Mapping[str, Any], how: How) -> dict[str, Any]:
        """Return a child's answer; one that was lost, and not for being late, has a second chance."""
        whole = {**message, "budget": self._budget_of(how), "seconds": self._pool.bounds.seconds}
        try:
            return self._pool.ask(whole, patience=how.patience)
        except LostError as error:
            if error.late:
                raise
            return self._pool.ask(whole, patience=how.patience)

    def _read(self, answer: Mapping[str, Any]) -> RiskReport:
        try:
            return wire.decode(RiskReport, answer.get("report"))
        except ValueError:
            raise UnscoredError("the review ended in no report", mend="report it, please") from None

    def _budget_of(self, how: How) -> float | None:
        return self._budget if how.budget is None else how.budget


def _size_of(client: Client) -> int | None:
    """Return GitHub's figure for the size of a repository in kilobytes."""
    about = client.get(client.here())
    size = about.get("size") if isinstance(about, dict) else None
    return size if isinstance(size, int) else None


def _disk(error: OSError) -> FetchError:
    return FetchError(f"the clone cannot be written: {error.strerror}")


def _shas(value: object) -> list[str]:
    """Return the contents that a child asks for: ids alone, since they go into a command's input."""
    if not isinstance(value, list) or not all(isinstance(one, str) and is_sha(one) for one in value):
        raise UnscoredError("the review asked for something that is no content", mend="report it, please")
    return value


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "surrogateescape")
