"""Geometry of the charts: numbers on a page become places in a picture. Nothing is drawn here; templates do that.

All places are in the units of a chart's view box, from its upper left corner, and inside of it whatever the values are:
what lies beyond an axis is put at its end and marked as cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from oversight.audit.dashboard.model import Behind
from oversight.measurement.calibration import ReliabilityBin
from oversight.measurement.intervals import Interval

_NO_LEVELS: Mapping[float, str] = {}
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0)
_LABELS = 8  # of an axis of runs, at most
_RADII = (3.5, 9.0)
_APART = 9.0  # between series at one place, so that intervals do not hide each other


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` as places from `start` to `end`, which may run backwards."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value; of one that is beyond an end, that end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def holds(self, value: float) -> bool:
        """Whether a value is on the scale."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of an axis, and what stands at it, a line of text each."""

    at: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """A line to read others by, with its words at the end."""

    x1: float
    y1: float
    x2: float
    y2: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval from `top` to `bottom`; `cut_top`, `cut_bottom`: it goes on beyond the axis."""

    x: float
    y: float
    radius: float
    top: float
    bottom: float
    cut_top: bool
    cut_bottom: bool
    title: str
    behind: Behind | None


@dataclass(frozen=True, slots=True)
class Line:
    """A series: its marks, and the pieces of line between those that follow each other."""

    name: str
    style: str
    marks: tuple[Mark, ...]
    pieces: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of `width` and `height`, whose plot has the corners (`left`, `top`) and (`right`, `bottom`)."""

    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_words: str
    y_words: str
    guides: tuple[Guide, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share and its interval on a line from 0 to 100, as the ends of the interval and the place of the value."""

    low: float
    high: float
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values over runs: None where there was none; each with its interval, its words for whoever points at it, and
    where `behind` has any, its rows.
    """

    name: str
    style: str
    values: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...]
    titles: tuple[str, ...]
    behind: tuple[Behind, ...] = ()


def ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Return round numbers from `low` to `high`, both included where they are round, `most` of them at most.

    >>> ticks(0.0, 0.35), ticks(0.0, 1.0)
    ((0.0, 0.1, 0.2, 0.3), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(one * power for one in _STEPS if (high - low) / (one * power) <= most - 1 + 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(number * step, 10) for number in range(first, last + 1))


def whisker(value: float, interval: Interval) -> Whisker:
    """Return where a share and the ends of its interval are."""
    scale = Scale(0.0, 1.0, 0.0, 100.0)
    return Whisker(scale.at(interval[0]), scale.at(interval[1]), scale.at(value))


def reliability(bins: Sequence[ReliabilityBin], behind: Sequence[Behind | None]) -> Chart:
    """Return the reliability diagram of some bins, at least one: what was shown along, what it was upwards.

    Circles are as large as their bins; on the diagonal risks are right. `behind` leads to the rows of each bin.
    """
    top = min(1.0, _rounded_up(max(max(one.predicted, one.interval[1]) for one in bins)))
    along, upward = Scale(0.0, top, 62.0, 418.0), Scale(0.0, top, 376.0, 16.0)
    largest = max(one.count for one in bins)
    marks = []
    for one, rows in zip(bins, behind, strict=True):
        said = f"{one.count} changes shown with {_percent(one.predicted)} on average: {_percent(one.observed)} risky"
        said += f", 95 % interval {_percent(one.interval[0])} to {_percent(one.interval[1])}"
        radius = max(_RADII[0], round(_RADII[1] * math.sqrt(one.count / largest), 2))
        marks.append(_mark(along.at(one.predicted), upward, one.observed, one.interval, said, radius, rows))
    steps = ticks(0.0, top)
    right = Guide(along.at(0.0), upward.at(0.0), along.at(top), upward.at(top), "as many as shown")
    return Chart(
        width=440.0,
        height=430.0,
        left=along.start,
        top=upward.end,
        right=along.end,
        bottom=upward.start,
        x_ticks=tuple(Tick(along.at(step), (_percent(step),)) for step in steps),
        y_ticks=tuple(Tick(upward.at(step), (_percent(step),)) for step in steps),
        x_words="risk that was shown",
        y_words="changes that people call risky",
        guides=(right,),
        lines=(Line("bins", "first", tuple(marks), (tuple((one.x, one.y) for one in marks),)),),
    )


def trend(
    series: Sequence[Series],
    runs: Sequence[tuple[str, ...]],
    versions: Sequence[str],
    bounds: Interval,
    words: str,
    levels: Mapping[float, str] = _NO_LEVELS,
) -> Chart:
    """Return values over runs, one at least, on an axis with these `bounds`; what stands below each run, a line where
    its version differs from that of the run before, and lines at `levels` that have a name.
    """
    count = len(runs)
    upward = Scale(*bounds, 236.0, 26.0)
    along = Scale(-0.5, count - 0.5, 56.0, 626.0)
    named = range(0, count, -(-count // _LABELS))
    changed = [place for place in range(1, count) if versions[place] != versions[place - 1]]
    return Chart(
        width=640.0,
        height=285.0,
        left=along.start,
        top=upward.end,
        right=along.end,
        bottom=upward.start,
        x_ticks=tuple(Tick(along.at(place), runs[place]) for place in named),
        y_ticks=tuple(Tick(upward.at(step), (f"{step:g}",)) for step in ticks(*bounds)),
        x_words="",
        y_words=words,
        guides=(
            *(_change(along.at(place - 0.5), upward, versions[place]) for place in changed),
            *(Guide(along.start, upward.at(one), along.end, upward.at(one), name) for one, name in levels.items()),
        ),
        lines=tuple(_line(one, number, len(series), along, upward) for number, one in enumerate(series)),
    )


def bounds_of(values: Iterable[float | None], low: float, high: float, margin: float) -> Interval:
    """Return an axis that has `low`, `high` and every value on it, with a margin."""
    known = [one for one in values if one is not None]
    return min(low, *known, low) - margin, max(high, *known, high) + margin


def _change(x: float, upward: Scale, version: str) -> Guide:
    return Guide(x, upward.end, x, upward.start, version)


def _line(series: Series, number: int, count: int, along: Scale, upward: Scale) -> Line:
    beside = (number - (count - 1) / 2.0) * min(_APART, (along.at(1.0) - along.at(0.0)) / (count + 1))
    marks: list[Mark | None] = []
    for place, (value, interval, title) in enumerate(zip(series.values, series.intervals, series.titles, strict=True)):
        x = round(along.at(place) + beside, 2)
        rows = series.behind[place] if series.behind else None
        marks.append(None if value is None else _mark(x, upward, value, interval or (value, value), title, 4.0, rows))
    pieces = [list(piece) for there, piece in groupby(marks, key=lambda one: one is not None) if there]
    return Line(
        series.name,
        series.style,
        tuple(one for one in marks if one is not None),
        tuple(tuple((one.x, one.y) for one in piece if one is not None) for piece in pieces),
    )


def _mark(
    x: float, upward: Scale, value: float, interval: Interval, title: str, radius: float, behind: Behind | None
) -> Mark:
    low, high = interval
    return Mark(
        x, upward.at(value), radius, upward.at(high), upward.at(low),
        not upward.holds(high), not upward.holds(low), title, behind,
    )  # fmt: skip


def _rounded_up(value: float) -> float:
    """Return the next end of an axis above a value, which is above 0."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-3)))
    return next(step * power for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if step * power >= value - 1e-9)


def _percent(share: float) -> str:
    return f"{round(100 * share, 1):g} %"
