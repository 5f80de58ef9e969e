"""The past that canaries are made from: ordinary changes, and repairs of those that went wrong.

Ordinary are changes that are old enough to be called clean, that nobody has named since, and that count in the pool.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from oversight.changes.languages import language_of
from oversight.changes.repository import Repository
from oversight.history.duplicates import later_duplicates
from oversight.history.index import Index
from oversight.history.labels import Mined, Miner, clean
from oversight.history.log import read_log
from oversight.history.merges import MergeTable
from oversight.history.model import Commit
from oversight.history.state import directory_of

WINDOW = 1_000
"""Ordinary changes, the newest, that canaries are made from where no dates are given: what the model reads around them
takes seconds then, and they are from the code as it is now."""

Key = tuple[str, int, int]
"""Language, lines added, lines deleted: what a canary and its control have in common."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A commit as counts: `position` in the order of the history, the `language` of most changed lines, the folder of
    the file with most of them.
    """

    sha: str
    position: int
    language: str
    added: int
    deleted: int
    files: int
    folder: str

    @property
    def key(self) -> Key:
        """What a control has to have in common with it."""
        return self.language, self.added, self.deleted


@dataclass(frozen=True, slots=True)
class Past:
    """`ordinary` changes and `repairs`, in the order of the history."""

    ordinary: Sequence[Shape]
    repairs: Sequence[Shape]

    def by_key(self) -> Mapping[Key, Sequence[Shape]]:
        """The ordinary changes by what they have in common."""
        found: defaultdict[Key, list[Shape]] = defaultdict(list)
        for shape in self.ordinary:
            found[shape.key].append(shape)
        return found


def shape_of(commit: Commit, position: int) -> Shape | None:
    """Return a commit as counts, None where not all of its lines can be counted, or none is of a known language."""
    weights: Counter[str] = Counter()
    folders: Counter[str] = Counter()
    added = deleted = 0
    for touch in commit.touches:
        if touch.added is None or touch.deleted is None:
            return None
        added, deleted = added + touch.added, deleted + touch.deleted
        folders[directory_of(touch.path)] += touch.added + touch.deleted
        if (language := language_of(touch.path)) is not None:
            weights[language] += touch.added + touch.deleted
    language = main_language(weights)
    if language is None:
        return None
    folder = max(sorted(folders), key=lambda name: folders[name])
    return Shape(commit.sha, position, language, added, deleted, len(commit.touches), folder)


def main_language(weights: Mapping[str, int]) -> str | None:
    """Return the language with most changed lines, the first by name of several; None where there is none."""
    return max(sorted(weights), key=lambda name: weights[name]) if sum(weights.values()) else None


def read_past(
    repository: Repository,
    head: str,
    index: Index,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    advance: Callable[[int], None] = lambda _steps: None,
) -> Past:
    """Read the history of `head` into what canaries are made from: of the WINDOW newest ordinary changes without dates,
    else of those that were committed within them. `advance` hears of every commit.
    """
    miner = Miner()
    shapes: dict[str, Shape] = {}
    for position, commit in enumerate(index.absorb(head, read_log(repository, head))):
        miner.add(commit)
        shape = shape_of(commit, position)
        if shape is not None:
            shapes[commit.sha] = shape
        advance(1)
    mined = miner.finish(later_duplicates(repository, miner.candidates()), MergeTable(repository, head))
    first = since.timestamp() if since is not None else float("-inf")
    last = until.timestamp() if until is not None else float("inf")
    within = {sha for sha, at in zip(mined.shas, mined.committed, strict=True) if first <= at <= last}
    names = [label.change_id for label in clean(mined)]
    ordinary = [shapes[sha] for sha in names if sha in shapes and sha in within and sha not in mined.excluded]
    if since is None and until is None:
        ordinary = ordinary[-WINDOW:]
    start = ordinary[0].position if ordinary else 0
    repairs = [shapes[sha] for sha in _repairs(mined) if sha in shapes and sha in within]
    found = {shape.sha for shape in repairs}
    return Past(
        [shape for shape in ordinary if shape.sha not in found],
        [shape for shape in repairs if shape.position >= start],
    )


def _repairs(mined: Mined) -> Iterable[str]:
    """The commits that repair or withdraw another one and that nobody repaired in turn, in the history's order."""
    risky = [label for label in mined.labels if label.risky]
    named = {label.change_id for label in risky}
    found = {sha for label in risky for sha in label.evidence} - named
    return [sha for sha in mined.shas if sha in found and mined.excluded.get(sha) in (None, "revert")]
