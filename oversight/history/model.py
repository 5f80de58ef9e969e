"""What history knows: commits as read from the log, gold labels, and context as known at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from oversight.changes.model import FileStatus

if TYPE_CHECKING:  # the report and its faces need these values' names, and no numpy
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Touch:
    """What a commit did to one file: counts only.

    `added` and `deleted` are None where git gives none: binary files, submodules, blobs that are missing.
    """

    path: str
    old_path: str | None
    status: FileStatus
    added: int | None
    deleted: int | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One non-merge commit of the log. Times are Unix seconds; `message` is the whole message."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: int
    committed_at: int
    message: str
    touches: tuple[Touch, ...]

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class GoldLabel:
    """What people later decided about a change, and when it became known.

    `source` is "fixes", "reverts", "szz", "verdict" or "clean"; `decided_at` is the committer date of the
    commit that decided (for clean: the moment the waiting time ended), time-zone aware; `evidence` holds
    the shas of the deciding commits.
    """

    change_id: str
    risky: bool
    source: str
    decided_at: datetime
    evidence: tuple[str, ...]


class Completeness(StrEnum):
    """How much of the history a context was computed from."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Context:
    """The measures of a change as known at its moment.

    `values` has shape (len(MEASURES),), float32, in the order of `oversight.history.context.MEASURES`;
    NaN means unknown (no history, a shallow clone), which is not zero.
    """

    values: NDArray[np.float32]
    completeness: Completeness
