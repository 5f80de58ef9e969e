"""What the model and the principles think of a change, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oversight.audit.budget.entry import Entry, Said, why
from oversight.audit.looking.placing import Placed
from oversight.history.model import Completeness
from oversight.reports.model import Coverage, Skipped
from oversight.reports.words import coverage_sentence, in_reading_order

_FIRST = 5


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a report says of a change as a whole.

    `reasons`: why it is where it is; `first`: the hunks to read first, with their numbers in the change, None for one
    that is not in the diff. `coverage` and `model` are None where no report tells; `skipped` is what was not scored.
    """

    word: str
    reasons: tuple[str, ...]
    first: tuple[tuple[Said, int | None], ...]
    coverage: str | None
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    model: str | None


def opinion_of(entry: Entry, body: Mapping[str, Any] | None, shown: Placed) -> Opinion:
    """Return what `entry` and the rest of its report say."""
    flag = "Flagged" if entry.flagged else "Not flagged"
    word = flag if entry.status == "scored" else f"{entry.status.capitalize()}, {flag.lower()}"
    numbers = {(file.file.path, one.hunk.span): one.number for file in shown.files for one in file.hunks}
    hunks = in_reading_order(one for one in entry.said if one.principle is None and one.risk is not None)
    first = tuple((one, numbers.get((one.path, (one.start or 0, one.end or 0)))) for one in hunks[:_FIRST])
    if body is None:
        return Opinion(word, tuple(why(entry)), first, None, (), (), None)
    told, model = body["coverage"], body["model"]
    skipped = tuple(Skipped(one["path"], one["reason"]) for one in told["skipped"])
    coverage = Coverage(
        told["files_total"], told["files_scored"], told["lines_total"], told["lines_scored"],
        Completeness(told["context"]), skipped,
    )  # fmt: skip
    named = None if model is None else f"{model['name']} {model['version']}"
    return Opinion(word, tuple(why(entry)), first, coverage_sentence(coverage), skipped, tuple(body["notes"]), named)
