"""size: the more lines a change touches, the more can be wrong with them. A reviewer to be weighed, never to be
believed.

    risk = churn / (churn + 100)        churn = lines added + lines deleted

Size alone is the bar that everything else here has to clear, and for `Fixes:` labels a high one (LApredict, Zeng
et al. 2021, doi:10.1145/3460319.3464819). The number only orders changes; what it is worth as a probability, the
panel learns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from oversight.changes.model import Change
from oversight.history.context import MEASURES
from oversight.history.model import Context
from oversight.reviewers.model import Opinion

_HALF = 100.0
_ADDED, _DELETED = MEASURES.index("la"), MEASURES.index("ld")


@dataclass(frozen=True)
class Size:
    """The reviewer. It abstains where git counts no lines."""

    name: str = "size"

    def review(self, change: Change, context: Context) -> tuple[Opinion, ...]:  # noqa: ARG002  # measures hold the counts
        """Say how large `change` is."""
        return (self.judge(float(context.values[_ADDED]), float(context.values[_DELETED])),)

    def judge(self, added: float, deleted: float) -> Opinion:
        """Say the same of counts of lines, NaN where unknown."""
        churn = added + deleted
        if math.isnan(churn):
            return Opinion(self.name, None, "git counts no lines in this change")
        return Opinion(self.name, churn / (churn + _HALF), "the number of lines that it touches")
