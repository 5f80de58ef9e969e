"""What a job has to go by, handed from part to part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oversight_github.action.inputs import Inputs
from oversight_github.action.outputs import Outputs
from oversight_github.action.runner import Runner
from oversight_github.client import Client


@dataclass(frozen=True, slots=True)
class Job:
    """A job: where it runs, what it was asked, where it writes, whom it asks, and the event's payload.

    `verdicts` names the place that verdicts are kept in (`oversight_github.verdicts.places`), None for the usual one.
    """

    runner: Runner
    inputs: Inputs
    outputs: Outputs
    client: Client
    payload: Mapping[str, Any]
    verdicts: str | None = None

    @property
    def default_branch(self) -> str | None:
        """The repository's, where the event tells."""
        found = self._repository().get("default_branch")
        return found if isinstance(found, str) else None

    @property
    def kilobytes(self) -> int | None:
        """How large the repository is by GitHub's own figure, where the event tells."""
        found = self._repository().get("size")
        return found if isinstance(found, int) else None

    def _repository(self) -> Mapping[str, Any]:
        found = self.payload.get("repository")
        return found if isinstance(found, Mapping) else {}
