"""Why, in words that a reviewer can act on: from principles, edit facts and measures of the past.

Sentences are ours; the only foreign text in them is the name of the enclosing definition, which the
faces escape like everything else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from oversight.changes.model import FileChange, Hunk
from oversight.changes.syntax import HunkSyntax
from oversight.history.context import MEASURES
from oversight.history.model import Context
from oversight.reviewers.model import Opinion, Place

_REMOVED = (
    ("conditions", "a condition", "{n} conditions"),
    ("handlers", "an error handler", "{n} error handlers"),
    ("assertions", "an assertion", "{n} assertions"),
    ("raises", "a raised error", "{n} raised errors"),
)
_ADDED = (("conditions", "a condition", "{n} conditions"), ("loops", "a loop", "{n} loops"))
_LARGE_HUNK = 50


def hunk_reasons(file: FileChange, hunk: Hunk, syntax: HunkSyntax, opinions: Sequence[Opinion]) -> tuple[str, ...]:
    """Say what stands out in one hunk, the principles that point at it first."""
    reasons = [
        opinion.reason
        for opinion in opinions
        if opinion.principle and any(_points_at(place, file, hunk) for place in opinion.lines)
    ]
    where = f" in {syntax.enclosing}" if syntax.enclosing else ""
    if syntax.formatting_only:
        return (*reasons, f"changes only the formatting{where}")
    if syntax.comment_only:
        return (*reasons, f"changes only comments{where}")
    lost = _counted(_REMOVED, syntax, gone=True)
    if lost:
        reasons.append(f"removes {lost}{where}")
    gained = _counted(_ADDED, syntax, gone=False)
    if gained:
        reasons.append(f"adds {gained}{where}")
    size = len(hunk.added) + len(hunk.deleted)
    if size >= _LARGE_HUNK:
        reasons.append(f"{size} changed lines in one place{where}")
    if not reasons and where:
        reasons.append(f"changes{where}")
    return tuple(reasons)


def _points_at(place: Place, file: FileChange, hunk: Hunk) -> bool:
    if place.start is None or place.path not in (file.new_path, file.old_path):
        return False
    last = place.end or place.start
    numbers = (line.old_number if place.side == "old" else line.new_number for line in hunk.lines)
    return any(number is not None and place.start <= number <= last for number in numbers)


def _counted(kinds: tuple[tuple[str, str, str], ...], syntax: HunkSyntax, *, gone: bool) -> str:
    """Name what one side has more of than the other: an edited condition is neither added nor removed."""
    words = []
    for kind, one, many in kinds:
        balance = getattr(syntax.added, kind) - getattr(syntax.deleted, kind)
        count = -balance if gone else balance
        if count > 0:
            words.append(one if count == 1 else many.format(n=count))
    return " and ".join(words)


def change_reasons(context: Context) -> tuple[str, ...]:
    """Say what the past tells about this change; nothing where it is unknown."""
    measures = dict(zip(MEASURES, context.values.tolist(), strict=True))

    def at_least(name: str, least: float) -> bool:
        value = measures[name]
        return not math.isnan(value) and value >= least

    reasons = []
    if at_least("file_culprits_max", 2):
        reasons.append(
            f"Changes of a file touched here had to be repaired {measures['file_culprits_max']:.0f} times before."
        )
    elif at_least("file_fixes_max", 5):
        reasons.append(f"A file touched here was repaired {measures['file_fixes_max']:.0f} times before.")
    if not math.isnan(measures["exp"]) and measures["exp"] < 5:
        made = (
            "no change"
            if measures["exp"] == 0
            else f"only {measures['exp']:.0f} change{'s' if measures['exp'] > 1 else ''}"
        )
        reasons.append(f"The author has made {made} in this repository before.")
    elif not math.isnan(measures["own_share"]) and measures["own_share"] == 0 and at_least("file_changes_max", 5):
        reasons.append("The author has not changed these files before.")
    if at_least("nd", 8):
        reasons.append(f"It reaches into {measures['nd']:.0f} folders.")
    if at_least("cochange_absent", 1):
        count = measures["cochange_absent"]
        reasons.append(
            "A file that usually changes along with these is not part of it."
            if count == 1
            else f"{count:.0f} files that usually change along with these are not part of it."
        )
    return tuple(reasons)
