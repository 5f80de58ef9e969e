"""What shows of a change from afar: whoever looks no closer sees this of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from oversight.changes.model import Change, LineKind
from oversight.history.paths import PathKind, kinds_of
from oversight.history.references import is_fix

COUNTS = ("lines added", "lines deleted")
"""The features that a scorer of sizes sees. Both of a pair have the same: it can only guess."""

FEATURES = (
    *COUNTS, "files", "hunks", "files added", "files of tests", "files without a language", "depth of paths",
    "rows of context a hunk", "hunks without context on a side", "hunks with a section", "blank rows changed",
    "rows with blanks at their end", "rows indented by tabs", "longest row", "mean length of a row", "title's length",
    "lines of the message", "message says fix", "first changed row",
)  # fmt: skip
"""What is seen of a change from afar."""


def surface(change: Change) -> list[float]:
    """Return the FEATURES of a change."""
    hunks = [hunk for file in change.files for hunk in file.hunks]
    rows = [line.text for hunk in hunks for line in hunk.lines if line.kind is not LineKind.CONTEXT]
    contexts = [hunk.count(LineKind.CONTEXT) for hunk in hunks]
    bare = [hunk.lines[0].kind is not LineKind.CONTEXT or hunk.lines[-1].kind is not LineKind.CONTEXT for hunk in hunks]
    paths = [file.path for file in change.files]
    lengths = [len(row) for row in rows] or [0]
    return [
        float(change.added or 0), float(change.deleted or 0), float(len(paths)), float(len(hunks)),
        float(sum(file.old_path is None for file in change.files)),
        float(sum(PathKind.TEST in kinds_of(path) for path in paths)),
        float(sum(file.language is None for file in change.files)),
        _mean([path.count("/") for path in paths]), _mean(contexts), _mean(bare),
        _mean([bool(hunk.section) for hunk in hunks]), _mean([not row.strip() for row in rows]),
        _mean([row != row.rstrip() for row in rows]), _mean([row.startswith("\t") for row in rows]),
        float(max(lengths)), _mean(lengths), float(len(change.title)), float(change.body.count("\n")),
        float(is_fix(f"{change.title}\n{change.body}")),
        float(np.log1p(min((hunk.new_start for hunk in hunks), default=0))),
    ]  # fmt: skip


def distance(one: Change, other: Change) -> float:
    """How far two changes are from looking alike, on a scale on which large numbers are near each other; 0: alike."""
    return float(np.abs(np.subtract(*(np.log1p(surface(change)) for change in (one, other)))).sum())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
