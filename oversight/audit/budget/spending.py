"""What people have time for, as they say it: "20 per week", "10 per day", "80 per month", or a percentage of all
changes.

A part of it, `share`, goes to the random slice. A number is spent period by period, by the calendar in UTC: what a week
has left over is gone on Monday. Of a percentage there is as much as there are changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from oversight.errors import UsageError

SHARE = 0.25
"""Of the budget, what the random slice gets unless told otherwise."""

_COUNT = re.compile(r"([1-9][0-9]{0,5})\s*(?:per|a|/)\s*(day|week|month)", re.IGNORECASE)
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")
_MEND = 'write it as "20 per week", "10 per day" or "5%"'


class Period(StrEnum):
    """How long a number of places lasts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, moment: datetime) -> datetime:
        """Return when the period began that `moment` is in: at midnight, on Monday, on the first; UTC."""
        day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case _:
                return day.replace(day=1)

    def before(self, moment: datetime) -> datetime:
        """Return when the period before that one began."""
        return self.start(self.start(moment) - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class Budget:
    """What people can judge: `count` changes a `period`, or the part `fraction` of all, in (0, 1]; the other is None.

    `share` in (0, 1] of it is for the random slice.
    """

    count: int | None
    period: Period | None
    fraction: float | None
    share: float = SHARE

    def places(self, changes: int) -> int:
        """Return how many of the riskiest of `changes` changes are to be seen in any case."""
        most = self.count if self.count is not None else (self.fraction or 0.0) * changes
        return int(most * (1.0 - self.share) + 0.5)

    def chance(self, changes: int) -> float:
        """Return the probability, in (0, 1], with which one of `changes` changes that have no place is to be drawn.

        For a number it spends the share on average. For a percentage it is the same whatever number of changes there
        is, and spends the share of all, those with a place included.
        """
        if self.count is not None:
            return min(1.0, self.count * self.share / max(changes, 1))
        fraction = self.fraction or 0.0
        rest = 1.0 - fraction * (1.0 - self.share)
        return min(1.0, fraction * self.share / rest) if rest > 0 else 1.0


def parse(text: str, share: float = SHARE) -> Budget:
    """Return the budget that `text` says; `UsageError` for what is none.

    >>> parse("20 per week").places(1000), round(parse("5%").chance(1000), 4)
    (15, 0.013)
    """
    if not 0.0 < share <= 1.0:
        raise UsageError(
            "the share of the random slice must be above 0, and at most 1",
            mend="without a draw nobody knows what is missed: leave --share out, or give 0.1",
        )
    if told := _COUNT.fullmatch(text.strip()):
        return Budget(int(told[1]), Period(told[2].lower()), None, share)
    if (told := _PERCENT.fullmatch(text.strip())) and 0.0 < float(told[1]) <= 100.0:
        return Budget(None, None, float(told[1]) / 100.0, share)
    raise UsageError("the budget cannot be understood", mend=_MEND)
