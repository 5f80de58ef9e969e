"""What is known of files, directories and authors at a moment, built by replaying commits in order.

There is one implementation for a whole history and for a single change: the bulk pass feeds every commit to
`State.apply`; the index feeds a fresh `State` only those events that bear on the change's files, and the sums
for its directories and author. `State.measure` then reads either in the same way.

Renames: the new path begins with a copy of what was known of the old one, which keeps its own record. Whoever
is later named a culprit for a change made before the rename is therefore credited to both.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from oversight.changes.model import FileStatus
from oversight.history.model import Commit, Touch

RECENT_TOUCHES = 20
"""How many of a file's latest changes co-change and recency look at."""

NARROW = 20
"""Commits that touch more files than this say nothing about which files belong together (Zimmermann et al. 2005)."""

INHERITING = (FileStatus.RENAMED, FileStatus.COPIED)
"""Statuses by which a path takes over what is known of another."""


@dataclass(slots=True)
class FileState:
    """One path: sizes in lines, times in Unix seconds. `lines` is None while nobody knows the file's length."""

    lines: int | None = None
    changes: int = 0
    fixes: int = 0
    culprits: int = 0
    first: int = 0
    last: int = 0
    last_fix: int | None = None
    last_culprit: int | None = None
    last_commit: int = -1
    last_author: str = ""
    authors: dict[str, int] = field(default_factory=dict)
    recent: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    heirs: list[tuple[int, FileState]] = field(default_factory=list)

    def copy(self) -> FileState:
        """A record that goes its own way from here, without the heirs of this one."""
        return FileState(
            self.lines, self.changes, self.fixes, self.culprits, self.first, self.last, self.last_fix,
            self.last_culprit, self.last_commit, self.last_author, dict(self.authors), self.recent.copy(),
        )  # fmt: skip


@dataclass(slots=True)
class AreaState:
    """A directory (files directly in it) or a subsystem (all below a top-level directory): one count a commit."""

    changes: int = 0
    fixes: int = 0
    last_fix: int | None = None
    authors: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class AuthorState:
    """An author: committer dates of all changes, ascending, and how many of them were named culprits."""

    times: list[int] = field(default_factory=list)
    culprits: int = 0

    def experience(self, now: int) -> float:
        """Recent experience (REXP of Kamei et al. 2013): each change weighs 1 / (n + 1), n its age in whole years."""
        total, upper, year = 0.0, len(self.times), 0
        while upper:
            lower = bisect_right(self.times, now - (year + 1) * YEAR, 0, upper)
            total += (upper - lower) / (year + 1)
            upper, year = lower, year + 1
        return total


DAY = 86_400
YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Event:
    """A commit as `State` needs it.

    `identifier` is any number that is the commit's own; `order` grows along the history. `partners` are the
    paths that changed together, empty where there were more than `NARROW`. `culprits` identify the commits
    that this one names, each named for the first time.
    """

    identifier: int
    order: int
    author: str
    time: int
    fix: bool
    touches: Sequence[Touch]
    partners: tuple[str, ...] = ()
    culprits: Sequence[int] = ()


def author_key(commit: Commit) -> str:
    """Who wrote a commit: the e-mail address in lower case, or the name where there is none."""
    return commit.author_email.strip().lower() or commit.author_name.strip().lower()


def directory_of(path: str) -> str:
    """The directory of a path, "" at the top."""
    return path.rpartition("/")[0]


def subsystem_of(path: str) -> str:
    """The top-level directory of a path with a slash at its end, "/" for files at the top."""
    return path.partition("/")[0] + "/" if "/" in path else "/"


def areas_of(touches: Iterable[Touch]) -> set[str]:
    """All directories and subsystems that a commit touches."""
    areas: set[str] = set()
    for touch in touches:
        areas.add(directory_of(touch.path))
        areas.add(subsystem_of(touch.path))
    return areas


def partners_of(touches: Sequence[Touch]) -> tuple[str, ...]:
    """The paths of a commit that count as changed together."""
    return tuple(touch.path for touch in touches) if len(touches) <= NARROW else ()


class State:
    """Everything known before the next commit of the order."""

    def __init__(self) -> None:
        self.files: dict[str, FileState] = {}
        self.areas: dict[str, AreaState] = {}
        self.authors: dict[str, AuthorState] = {}
        self._commits: dict[int, tuple[int, str, tuple[FileState, ...]]] = {}

    def apply(self, event: Event) -> None:
        """Take in a whole commit."""
        self.blame(event)
        self.apply_files(event)
        for area in areas_of(event.touches):
            state = self.areas.get(area)
            if state is None:
                state = self.areas[area] = AreaState()
            state.changes += 1
            state.authors[event.author] = state.authors.get(event.author, 0) + 1
            if event.fix:
                state.fixes += 1
                state.last_fix = event.time if state.last_fix is None else max(state.last_fix, event.time)
        author = self.authors.get(event.author)
        if author is None:
            author = self.authors[event.author] = AuthorState()
        insort(author.times, event.time)

    def apply_files(self, event: Event) -> None:
        """Take in what a commit does to files, or to those of them that matter."""
        # A commit may swap two names, or rename a file and write a new one in its place: read all, then write.
        records = [self._record(touch, event) for touch in event.touches]
        for touch, record in zip(event.touches, records, strict=True):
            self.files[touch.path] = record
            _change(record, touch, event)
        touched = tuple(records)
        self._commits[event.identifier] = (event.order, event.author, touched)

    def blame(self, event: Event) -> None:
        """Credit the commits that `event` names to their files and authors."""
        for identifier in event.culprits:
            known = self._commits.get(identifier)
            if known is None:
                continue
            order, name, touched = known
            author = self.authors.get(name)
            if author is not None:
                author.culprits += 1
            pending = list(touched)
            while pending:
                state = pending.pop()
                state.culprits += 1
                state.last_culprit = event.time if state.last_culprit is None else max(state.last_culprit, event.time)
                pending.extend(heir for since, heir in state.heirs if since > order)

    def _record(self, touch: Touch, event: Event) -> FileState:
        """The record that a touch goes to; the caller files it under the touch's path."""
        if touch.status not in INHERITING or touch.old_path is None:
            return self.files.get(touch.path) or FileState()
        source = self.files.get(touch.old_path)
        if source is None:
            return FileState()
        record = source.copy()
        source.heirs.append((event.order, record))
        return record


def _change(record: FileState, touch: Touch, event: Event) -> None:
    if touch.status is FileStatus.DELETED:
        record.lines = 0
    elif touch.added is None or touch.deleted is None:
        record.lines = None
    elif touch.status is FileStatus.ADDED:
        record.lines = touch.added
    elif record.lines is not None:
        record.lines = max(record.lines + touch.added - touch.deleted, 0)
    if not record.changes:
        record.first = event.time
    record.changes += 1
    if event.fix:
        record.fixes += 1
        record.last_fix = event.time if record.last_fix is None else max(record.last_fix, event.time)
    record.last = event.time
    record.last_commit = event.identifier
    record.last_author = event.author
    record.authors[event.author] = record.authors.get(event.author, 0) + 1
    if len(record.recent) == RECENT_TOUCHES:
        del record.recent[0]
    record.recent.append((event.time, event.partners))
