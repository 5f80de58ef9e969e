"""What a canary is: frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from oversight.changes.model import Change, FileChange
from oversight.changes.rendering import render
from oversight.changes.repository import Span
from oversight.history.pool import CANARY

MARKER = "OVERSIGHT CANARY: a seeded defect; never merge it, run it, or learn from it"
"""What stands in the record of every canary, and never in its diff."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A change with a planted defect.

    `kind` is its class, `language` that of the file with the defect. `origin` is the commit that was mutated, or
    the repair that was reversed, and `span` the place in the history where the canary is taken to stand: that of
    `origin`. `path` is the file with the defect, None where all of the change is one.
    """

    change: Change
    kind: str
    language: str
    origin: str
    span: Span
    path: str | None

    def record(self) -> dict[str, Any]:
        """Return the answer to this canary: JSON, with the marker, and without a line of the diff."""
        return {
            "marker": MARKER,
            "change_id": self.change.id,
            "class": self.kind,
            "language": self.language,
            "origin": self.origin,
            "path": self.path,
            "added": self.change.added,
            "deleted": self.change.deleted,
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """A canary and its control: a real change of the same language with as many lines added and deleted."""

    canary: Canary
    control: Change
    control_span: Span


@dataclass(frozen=True, slots=True)
class Flock:
    """Pairs made from one history by one seed, in an order that tells nothing.

    `asked` is how many canaries were wanted of each class, `head` the commit up to which the history was read.
    """

    repository: str
    head: str
    seed: int
    asked: Mapping[str, int]
    pairs: tuple[Pair, ...]


def marked(change: Change, files: tuple[FileChange, ...]) -> Change:
    """Return a change with other files, under the id of a canary: it is no commit, and nobody takes it for one."""
    digest = hashlib.sha256(render(files)).hexdigest()
    return replace(change, id=f"{CANARY}{digest}", head=None, files=files)


def draw(seed: int, *parts: str) -> str:
    """Return a text to sort by that follows from a seed and some names alone: a draw that more history leaves alone."""
    return hashlib.sha256("\0".join([str(seed), *parts]).encode("utf-8", "surrogateescape")).hexdigest()
