"""Who counts in training and measurement, and who is old enough to be called clean.

What is excluded here is still scored; it is only neither learned from nor measured on.

| reason | what | why |
|---|---|---|
| merge | two parents or more | its content was reviewed on its branch |
| revert, reland | says that it withdraws, or lands again, another change | the other change carries the label |
| duplicate | the same `git patch-id` as an earlier commit | one change must not stand on both sides of a split |
| initial import | no parent (also where a shallow clone is cut off) | nothing to compare with, not a change |
| empty | touches no file | nothing to look at |
| docs-only, generated-only, vendored-only | every file is of that kind | not the code that people review here |
| bulk import | more than 100 files or 10,000 changed lines | McIntosh & Kamei, TSE 2018: such changes are noise |
| canary | a seeded defect (`oversight.audit.canaries`) | its answer is ours, not the project's |
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from oversight.errors import LabelError
from oversight.history.model import Commit, GoldLabel
from oversight.history.paths import PathKind, kinds_of
from oversight.history.references import References, read_references

BULK_FILES = 100
BULK_LINES = 10_000

WAITING_DAYS = 180
"""Days after which a change that nobody has repaired may be called clean. Reverts come within two days; of
`Fixes:` trailers about a third have come by then (median lag in DPDK 380 days): waiting longer costs the
newest changes, which are most like those to be scored."""

IMMATURE_SHARE = 0.1
"""The newest share of a history, by number of commits, that is never called clean nor measured on."""

CANARY = "canary:"
"""How the id of every seeded defect begins (`oversight.audit.canaries`): no commit has it, nobody learns from it."""

_DAY = 86_400
_ONLY = (
    (PathKind.DOCUMENTATION, "docs-only"),
    (PathKind.GENERATED, "generated-only"),
    (PathKind.VENDORED, "vendored-only"),
)


def exclusion(commit: Commit, *, references: References | None = None, duplicates: Container[str] = ()) -> str | None:
    """Why `commit` is kept out of the pool, or None. `duplicates` are the later commits of a patch-id."""
    said = references if references is not None else read_references(commit.message)
    if is_canary(commit.sha):
        return "canary"
    if len(commit.parents) > 1:
        return "merge"
    if said.is_reland:
        return "reland"
    if said.is_revert:
        return "revert"
    if commit.sha in duplicates:
        return "duplicate"
    if not commit.parents:
        return "initial import"
    if not commit.touches:
        return "empty"
    return _by_content(commit)


def is_canary(change_id: str) -> bool:
    """Whether an id is that of a seeded defect."""
    return change_id.startswith(CANARY)


def refuse_canaries(change_ids: Iterable[str]) -> None:
    """Raise `LabelError` where one of the changes that are to be learned from is a seeded defect."""
    if any(map(is_canary, change_ids)):
        raise LabelError(
            "there are canaries among what is to be learned from: seeded defects, whose answers are ours",
            mend="leave them out",
        )


def _by_content(commit: Commit) -> str | None:
    shared = kinds_of(commit.touches[0].path)
    for touch in commit.touches:
        if not shared:
            break
        shared &= kinds_of(touch.path)
    for kind, reason in _ONLY:
        if kind in shared:
            return reason
    lines = sum((touch.added or 0) + (touch.deleted or 0) for touch in commit.touches)
    if len(commit.touches) > BULK_FILES or lines > BULK_LINES:
        return "bulk import"
    return None


@dataclass(frozen=True, slots=True)
class Maturity:
    """Which commits may be called clean at a moment: outside the newest share, and past the waiting time.

    `newest` is the last committer date that counts, in Unix seconds.
    """

    newest: int

    @classmethod
    def at(cls, committed: Sequence[int], *, now: int | None = None, waiting_days: int = WAITING_DAYS) -> Maturity:
        """Maturity in a history with these committer dates (any order) as seen at `now`, by default its end.

        A date after this machine's clock is a clock gone wrong, or an attack: it must not end the waiting.
        """
        latest = time.time() if now is None else now
        seen = sorted(when for when in committed if when <= latest)
        if not seen:
            return cls(newest=-1)
        end = seen[-1] if now is None else now
        edge = seen[max(int(len(seen) * (1 - IMMATURE_SHARE)) - 1, 0)]
        return cls(newest=min(edge, end - waiting_days * _DAY))

    def __call__(self, committed_at: int) -> bool:
        """Whether a commit of that committer date is mature."""
        return committed_at <= self.newest


def known_at(labels: Sequence[GoldLabel], moment: float) -> list[GoldLabel]:
    """The labels that were known at `moment` (Unix seconds): censoring for a model trained then."""
    return [label for label in labels if label.decided_at.timestamp() <= moment]


def clean_since(committed_at: int, *, waiting_days: int = WAITING_DAYS) -> int:
    """When a commit that nobody has named becomes known as clean, in Unix seconds."""
    return committed_at + waiting_days * _DAY
