"""How each measure of `oversight.history.context` is computed: from the change itself, and from a `State`."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from oversight.changes.model import FileStatus
from oversight.history.model import Commit, Touch
from oversight.history.paths import PathKind, kinds_of
from oversight.history.references import is_fix
from oversight.history.state import (
    DAY,
    INHERITING,
    NARROW,
    AreaState,
    FileState,
    State,
    author_key,
    directory_of,
    subsystem_of,
)

HISTORY_FILES: Final = 100
"""Files of a change whose history is looked at, by path: more change nothing but the time it takes."""

RECENT_DAYS: Final = 90
USUAL_TIMES: Final = 3
USUAL_SHARE: Final = 0.5

SIZE: Final = (
    "ns", "nd", "nf", "entropy", "la", "ld", "fix",
    "files_added", "files_deleted", "files_renamed",  # by status
    "files_test", "files_documentation", "files_build", "files_generated",  # by path; generated or vendored
    "files_binary",  # git counts no lines in them
    "message_words",
    "message_ticket",  # the message names a ticket, an issue or a pull request
)  # fmt: skip

HISTORY: Final = (
    "lt", "ndev", "age", "nuc", "exp", "rexp", "sexp",
    "file_new_share",  # share of the files that have no history
    "file_days",  # days since a file first appeared, mean
    "file_changes_mean", "file_changes_max",  # earlier changes
    "file_recent_mean",  # of its latest 20 changes, those of the last 90 days
    "file_fixes_mean", "file_fixes_max",  # earlier repairs
    "file_fix_days",  # days since the latest repair of any of the files
    "file_culprits_mean", "file_culprits_max",  # earlier changes since named by a repair or a revert
    "file_culprit_days",  # days since the latest such naming
    "own_share",  # the author's share of the earlier changes of a file, mean
    "own_top_share",  # the most frequent author's share, mean: low means nobody's file
    "own_last_share",  # share of the files that the author was the last to change
    "cochange_share",  # share of the file pairs that changed together among each file's latest 20 changes
    "cochange_absent",  # files that changed along in at least half of those, three times or more, and are absent
    "cochange_absent_confidence",  # the largest such share
    "directory_changes",  # earlier changes in a touched directory, mean
    "directory_fix_share",  # share of repairs among them
    "directory_fix_days",  # days since the latest of these repairs
    "directory_own_share",  # the author's share of them
    "author_days", "author_gap_days",  # since the author's first change, and the latest one
    "author_recent",  # the author's changes in the last 90 days
    "author_culprits", "author_culprit_share",  # the author's changes since named by a repair or a revert
)  # fmt: skip

_NAN = float("nan")
_TICKET = re.compile(r"#\d|\b(?:[Bb]ugzilla|[Ii]ssues?|[Tt]icket|[Bb]ug(?:[ -]?(?:id|ID))?:)[ /:#-]")


def size_values(commit: Commit) -> list[float]:
    """Values of `SIZE`, in that order. Lines are NaN where git counts none in any file."""
    touches = commit.touches
    churn = [touch.added + touch.deleted for touch in touches if touch.added is not None and touch.deleted is not None]
    known = bool(churn) or not touches
    status = Counter(touch.status for touch in touches)
    marks = [_marks_of(touch.path) for touch in touches]
    return [
        float(len({subsystem_of(touch.path) for touch in touches})),
        float(len({directory_of(touch.path) for touch in touches})),
        float(len(touches)),
        _entropy(churn) if known else _NAN,
        float(sum(touch.added or 0 for touch in touches)) if known else _NAN,
        float(sum(touch.deleted or 0 for touch in touches)) if known else _NAN,
        float(is_fix(commit.message)),
        float(status[FileStatus.ADDED]),
        float(status[FileStatus.DELETED]),
        float(status[FileStatus.RENAMED]),
        *(map(float, map(sum, zip(*marks, strict=True))) if marks else (0.0,) * len(_KINDS)),
        float(len(touches) - len(churn)),
        float(len(commit.message.split())) if commit.message else _NAN,
        float(_TICKET.search(commit.message) is not None) if commit.message else _NAN,
    ]


_KINDS = (PathKind.TEST, PathKind.DOCUMENTATION, PathKind.BUILD, PathKind.GENERATED | PathKind.VENDORED)


@lru_cache(maxsize=1 << 16)
def _marks_of(path: str) -> tuple[bool, ...]:
    kinds = kinds_of(path)
    return tuple(bool(kinds & wanted) for wanted in _KINDS)


def history_values(state: State, commit: Commit) -> list[float]:
    """Values of `HISTORY`, in that order, from a state that holds exactly what came before `commit`."""
    author, now = author_key(commit), commit.committed_at
    touches = looked_at(commit.touches)
    records = [known for touch in touches if (known := state.files.get(source_of(touch))) is not None]
    return [
        *_kamei(state, records, touches, author, now),
        1.0 - len(records) / len(touches) if touches else _NAN,
        *_files(records, now),
        *_ownership(records, author),
        *_cochange(state, touches),
        *_directories(state, touches, author, now),
        *_author(state, author, now),
    ]


def looked_at(touches: Sequence[Touch]) -> Sequence[Touch]:
    """The touches whose history counts: the first `HISTORY_FILES` by path."""
    if len(touches) <= HISTORY_FILES:
        return touches
    return sorted(touches, key=lambda touch: touch.path)[:HISTORY_FILES]


def source_of(touch: Touch) -> str:
    """The path under which a touched file was known before the change."""
    return touch.old_path if touch.status in INHERITING and touch.old_path is not None else touch.path


def _entropy(churn: Sequence[int]) -> float:
    total = sum(churn)
    return -sum(part / total * math.log2(part / total) for part in churn if part) if total else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else _NAN


def _days(now: int, then: int | None) -> float:
    """Days from `then` to `now`; 0 where clocks disagree, NaN where it never happened."""
    return max(now - then, 0) / DAY if then is not None else _NAN


def _latest(times: Iterable[int | None]) -> int | None:
    return max((time for time in times if time is not None), default=None)


def _kamei(state: State, records: list[FileState], touches: Sequence[Touch], author: str, now: int) -> list[float]:
    known = state.authors.get(author)
    lines: list[float] = [record.lines for record in records if record.lines is not None]
    lines.extend(0.0 for touch in touches if touch.status is FileStatus.ADDED and touch.path not in state.files)
    subsystems = sorted({subsystem_of(touch.path) for touch in touches})  # sums of floats depend on their order
    experience = [_share_of(state.areas.get(subsystem), author)[0] for subsystem in subsystems]
    return [
        _mean(lines),
        float(len(set().union(*(record.authors for record in records)))),
        _mean([_days(now, record.last) for record in records]),
        float(len({record.last_commit for record in records})),
        float(len(known.times)) if known else 0.0,
        known.experience(now) if known else 0.0,
        _mean(experience),
    ]


def _files(records: list[FileState], now: int) -> list[float]:
    since = now - RECENT_DAYS * DAY
    changes = [float(record.changes) for record in records]
    fixes = [float(record.fixes) for record in records]
    culprits = [float(record.culprits) for record in records]
    return [
        _mean([_days(now, record.first) for record in records]),
        _mean(changes),
        max(changes, default=_NAN),
        _mean([float(sum(1 for time, _ in record.recent if time >= since)) for record in records]),
        _mean(fixes),
        max(fixes, default=_NAN),
        _days(now, _latest(record.last_fix for record in records)),
        _mean(culprits),
        max(culprits, default=_NAN),
        _days(now, _latest(record.last_culprit for record in records)),
    ]


def _ownership(records: list[FileState], author: str) -> list[float]:
    return [
        _mean([record.authors.get(author, 0) / record.changes for record in records]),
        _mean([max(record.authors.values()) / record.changes for record in records]),
        _mean([float(record.last_author == author) for record in records]),
    ]


def _cochange(state: State, touches: Sequence[Touch]) -> list[float]:
    """Support and confidence of co-change over the first `NARROW` files."""
    touches = touches[:NARROW]
    present = {touch.path for touch in touches} | {source_of(touch) for touch in touches}
    paths = sorted({source_of(touch) for touch in touches})
    together: set[tuple[str, str]] = set()
    absent: dict[str, float] = {}
    known = False
    for path in paths:
        record = state.files.get(path)
        if record is None:
            continue
        known = True
        counts = Counter(chain.from_iterable(partners for _, partners in record.recent))
        together.update((min(path, other), max(path, other)) for other in paths if other != path and other in counts)
        needed = max(USUAL_TIMES, USUAL_SHARE * len(record.recent))
        for other, count in counts.items():
            if count >= needed and other not in present:
                absent[other] = max(absent.get(other, 0.0), count / len(record.recent))
    if not known:
        return [_NAN, _NAN, _NAN]
    pairs = len(paths) * (len(paths) - 1) // 2
    return [len(together) / pairs if pairs else _NAN, float(len(absent)), max(absent.values(), default=0.0)]


def _share_of(area: AreaState | None, author: str) -> tuple[float, float]:
    """An author's changes in an area, and all changes there."""
    return (float(area.authors.get(author, 0)), float(area.changes)) if area is not None else (0.0, 0.0)


def _directories(state: State, touches: Sequence[Touch], author: str, now: int) -> list[float]:
    names = sorted({directory_of(touch.path) for touch in touches})
    areas = [area for name in names if (area := state.areas.get(name)) is not None]
    changes = sum(area.changes for area in areas)
    return [
        _mean([float(area.changes) for area in areas]),
        sum(area.fixes for area in areas) / changes if changes else _NAN,
        _days(now, _latest(area.last_fix for area in areas)),
        sum(area.authors.get(author, 0) for area in areas) / changes if changes else _NAN,
    ]


def _author(state: State, author: str, now: int) -> list[float]:
    known = state.authors.get(author)
    if known is None or not known.times:
        return [_NAN, _NAN, 0.0, 0.0, _NAN]
    recent = len(known.times) - bisect_left(known.times, now - RECENT_DAYS * DAY)
    return [
        _days(now, known.times[0]),
        _days(now, known.times[-1]),
        float(recent),
        float(known.culprits),
        known.culprits / len(known.times),
    ]
