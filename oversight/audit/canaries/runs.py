"""One run of canaries through the review, as it is kept: who was reviewed, and what was said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from oversight.audit.canaries.judging import Judged, Said
from oversight.changes.model import Change


class Part(StrEnum):
    """What a reviewed change is in its pair."""

    CANARY = "canary"
    CONTROL = "control"
    BEFORE = "before"
    """The real change, without what was planted in it."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One change of one pair. `pair` counts from 0; class and language are those of the pair's canary.

    `change_id` is a commit, or of a canary its id, which is none. Lines that could not be counted are None.
    """

    pair: int
    part: Part
    kind: str
    language: str
    change_id: str
    origin: str
    added: int | None
    deleted: int | None
    said: Said


@dataclass(frozen=True, slots=True)
class Run:
    """A run: `model` is the sha256 of its manifest, `budget` the percentage that is flagged, `at` when it ended."""

    repository: str
    at: datetime
    head: str
    seed: int
    budget: float
    model: str
    reviewed: tuple[Reviewed, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of which there was a canary, in order."""
        return tuple(sorted({one.kind for one in self.reviewed if one.part is Part.CANARY}))

    @property
    def asked(self) -> tuple[str, float, tuple[str, ...]]:
        """What points of one line have to share: a larger budget, or easier classes, are no progress."""
        return self.repository.lower(), self.budget, self.classes


def reviewed_of(judged: Iterable[Judged]) -> tuple[Reviewed, ...]:
    """Return the changes of all pairs, in order, as they are kept."""
    return tuple(row for number, one in enumerate(judged) for row in _rows(number, one))


def _rows(number: int, one: Judged) -> Iterator[Reviewed]:
    canary = one.pair.canary
    changes: Sequence[tuple[Part, Change | None, str, Said | None]] = (
        (Part.CANARY, canary.change, canary.change.id, one.canary),
        (Part.CONTROL, one.pair.control, one.pair.control.id, one.control),
        (Part.BEFORE, None, canary.origin, one.before),
    )
    for part, change, change_id, said in changes:
        if said is not None:
            added, deleted = (None, None) if change is None else (change.added, change.deleted)
            origin = canary.origin if part is Part.CANARY else change_id
            yield Reviewed(number, part, canary.kind, canary.language, change_id, origin, added, deleted, said)
