"""Why, in words that a reviewer can act on: from principles, edit facts and measures of the past.

Sentences are ours; the only foreign text in them is the name of the enclosing definition, which stands
between backticks and which the faces escape like everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from keyword import kwlist

from oversight.changes.model import FileChange, Hunk
from oversight.changes.syntax import HunkSummary
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
_EDITED = (
    ("conditions", "a condition", "{n} conditions"),
    ("loops", "a loop", "{n} loops"),
    ("handlers", "an error handler", "{n} error handlers"),
    ("assertions", "an assertion", "{n} assertions"),
    ("returns", "what is returned", "{n} returns"),
    ("imports", "an import", "{n} imports"),
)
_LARGE_HUNK = 50

_NO_NAMES = frozenset(
    [
        *kwlist, "begin", "case", "const", "do", "end", "enum", "export", "foreach", "func", "function", "impl",
        "include", "interface", "let", "local", "macro", "message", "method", "mod", "module", "namespace", "option",
        "package", "private", "proc", "project", "public", "set", "static", "struct", "sub", "switch", "template",
        "then", "type", "union", "use", "using", "var", "void",
    ]
)  # fmt: skip
"""What a language without a grammar can leave as the name of the enclosing definition, and tells nobody anything."""


def hunk_reasons(file: FileChange, hunk: Hunk, syntax: HunkSummary, opinions: Sequence[Opinion]) -> tuple[str, ...]:
    """Say what stands out in one hunk, the principles that point at it first."""
    reasons = [
        opinion.reason
        for opinion in opinions
        if opinion.principle and any(_points_at(place, file, hunk) for place in opinion.lines)
    ]
    where = _where(syntax.enclosing)
    if syntax.formatting_only:
        return (*reasons, f"changes only the formatting{where}")
    if syntax.comment_only:
        return (*reasons, f"changes only comments{where}")
    added, deleted = syntax.added, syntax.deleted
    # Without a grammar the counts are guesses from words, which prose is full of: good as features, not as reasons.
    sure = syntax.language is not None
    lost = sure and _counted(_REMOVED, lambda kind: getattr(deleted, kind) - getattr(added, kind))
    gained = sure and _counted(_ADDED, lambda kind: getattr(added, kind) - getattr(deleted, kind))
    reasons += [f"{verb} {what}{where}" for verb, what in (("removes", lost), ("adds", gained)) if what]
    size = len(hunk.added) + len(hunk.deleted)
    if size >= _LARGE_HUNK:
        reasons.append(f"{size:,} changed lines in one place{where}")
    if not reasons:
        edited = sure and _counted(_EDITED, lambda kind: max(getattr(added, kind), getattr(deleted, kind)))
        reasons.append(f"changes {edited}{where}" if edited else f"{_lines(hunk)}{where}")
    return tuple(reasons)


def _where(enclosing: str | None) -> str:
    name = (enclosing or "").replace("`", "")
    return f" in `{name}`" if name and name not in _NO_NAMES else ""


def _lines(hunk: Hunk) -> str:
    added, deleted = len(hunk.added), len(hunk.deleted)
    verb = "changes" if added and deleted else "adds" if added else "removes"
    return f"{verb} a line" if max(added, deleted) == 1 else f"{verb} {max(added, deleted)} lines"


def _points_at(place: Place, file: FileChange, hunk: Hunk) -> bool:
    if place.start is None or place.path not in (file.new_path, file.old_path):
        return False
    last = place.end or place.start
    numbers = (line.old_number if place.side == "old" else line.new_number for line in hunk.lines)
    return any(number is not None and place.start <= number <= last for number in numbers)


def _counted(kinds: tuple[tuple[str, str, str], ...], count: Callable[[str], int]) -> str:
    """Name the kinds of which there are any, in words."""
    counts = [(count(kind), one, many) for kind, one, many in kinds]
    words = [one if n == 1 else many.format(n=n) for n, one, many in counts if n > 0]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


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
        reasons.append(f"The change reaches into {measures['nd']:.0f} folders.")
    if at_least("cochange_absent", 1):
        count = measures["cochange_absent"]
        reasons.append(
            "A file that usually changes along with these is not part of it."
            if count == 1
            else f"{count:.0f} files that usually change along with these are not part of it."
        )
    return tuple(reasons)
