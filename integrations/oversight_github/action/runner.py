"""What the runner tells of the job, read once: the `GITHUB_...` variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oversight.errors import UsageError
from oversight.reports.escape import terminal
from oversight_github.code.remote import REPOSITORY

_MEND = "this runs as a step of a workflow: `uses:` it there, or try `oversight review` here"


@dataclass(frozen=True, slots=True)
class Runner:
    """A job and its places; `temp` is emptied after it.

    `repository` is "owner/name"; `sha` what the event put into `GITHUB_SHA`, None where there is none.
    """

    event_name: str
    event_path: Path
    repository: str
    sha: str | None
    workspace: Path
    temp: Path
    api_url: str
    server_url: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Runner:
        """Read the environment of a step. Raises UsageError where something without which nothing works is missing."""
        repository = _needed(environment, "GITHUB_REPOSITORY")
        if not REPOSITORY.fullmatch(repository):
            raise UsageError(f"GITHUB_REPOSITORY is {terminal(repository, 100)}, no repository", mend=_MEND)
        return cls(
            event_name=_needed(environment, "GITHUB_EVENT_NAME"),
            event_path=Path(_needed(environment, "GITHUB_EVENT_PATH")),
            repository=repository,
            sha=environment.get("GITHUB_SHA") or None,
            workspace=Path(_needed(environment, "GITHUB_WORKSPACE")),
            temp=Path(_needed(environment, "RUNNER_TEMP")),
            api_url=environment.get("GITHUB_API_URL") or "https://api.github.com",
            server_url=(environment.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
        )


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise UsageError(f"{name} is not set", mend=_MEND)
    return value
