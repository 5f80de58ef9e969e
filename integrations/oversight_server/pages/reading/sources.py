"""Where the repositories are that changes are looked up in.

A source passes a message on to a child, and brings what a clone lacks; the child says what that is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oversight.errors import RepositoryError, UsageError
from oversight_github.code.wanted import Wanted
from oversight_github.shas import is_sha
from oversight_server.clones import Clones, Held
from oversight_server.github_app import READING, GitHubApp

Ask = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Asks a child."""

_ROUNDS = 3


class Source(Protocol):
    """One repository, or one place where there are several."""

    def look(self, repository: str, message: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
        """Return a child's answer to a message, whose repository this is. Raises OversightError, OSError."""


@dataclass(frozen=True, slots=True)
class Local:
    """A repository of this machine, whatever it is called. `index`: the folder of its history; None: the usual one."""

    path: Path
    index: Path | None = None

    def look(self, repository: str, message: Mapping[str, Any], ask: Ask) -> dict[str, Any]:  # noqa: ARG002
        """Ask a child."""
        index = None if self.index is None else str(self.index)
        return ask({**message, "path": str(self.path), "index": index, "blobless": False, "complete": True})


@dataclass(frozen=True, slots=True)
class OfGitHub:
    """Clones of the repositories that the App is installed on; what they lack is fetched."""

    app: GitHubApp
    clones: Clones
    patience: float

    def look(self, repository: str, message: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
        """Ask a child until nothing is lacking."""
        installation = self.app.installation_of(repository, patience=self.patience)
        with self.app.client(installation, repository, READING, patience=self.patience) as client:
            about = client.get(client.here())
        size = about.get("size") if isinstance(about, dict) else None
        renewal = self.app.renewal(installation, repository, READING)
        kilobytes = size if isinstance(size, int) else None
        with self.clones.hold(repository, renewal, kilobytes=kilobytes) as held:
            return self._held(held, message, ask)

    def _held(self, held: Held, message: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
        base = message["base"]
        wanted = Wanted(message["commit"], () if base is None else (base,), else_alone=True)
        answer: dict[str, Any] = {}
        for number in range(_ROUNDS):
            answer = ask({
                **message, "path": str(held.path), "index": str(held.index), "blobless": held.blobless,
                "complete": number == _ROUNDS - 1,
            })  # fmt: skip
            if "absent" in answer and number == 0:
                held.fetch(wanted)
            elif "lacking" in answer:
                held.fetch_contents(_shas(answer["lacking"]))
            else:
                break
        return answer


@dataclass(frozen=True, slots=True)
class Sources:
    """Repositories by their names, in small letters, and what all others are looked up in; None: nowhere."""

    named: Mapping[str, Source]
    others: Source | None

    def look(self, repository: str, message: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
        """Ask the source that has the repository."""
        source = self.named.get(repository.lower(), self.others)
        if source is None:
            raise UsageError("this server has no repository of that name", mend="name it in its settings")
        return source.look(repository, message, ask)


def _shas(value: object) -> list[str]:
    """Return the contents that a child asks for: ids alone, since they go into a command's input."""
    if not isinstance(value, list) or not all(isinstance(one, str) and is_sha(one) for one in value):
        raise RepositoryError("the change asks for something that is no content", mend="report it, please")
    return value
