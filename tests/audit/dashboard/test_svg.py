"""Geometry: whatever the values are, they are inside of the picture, and larger ones are higher or farther right."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.audit.dashboard import svg
from oversight.audit.dashboard.model import Behind
from oversight.measurement.calibration import ReliabilityBin, reliability

SHARE = st.floats(0, 1)
ANY = st.floats(-1e9, 1e9)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_ticks_are_round_few_and_in_order(low: float, size: float, most: int):
    """Never beyond the ends, and never more than were asked for."""
    found = svg.ticks(low, low + size, most)
    assert len(found) <= most
    assert all(first < second for first, second in pairwise(found))
    assert all(low - 1e-6 * size <= one <= low + size * (1 + 1e-6) for one in found)


@given(st.lists(st.tuples(st.booleans(), SHARE), min_size=1, max_size=60))
def test_a_reliability_diagram_is_inside_of_its_axes(rows: list[tuple[bool, float]]):
    """Marks, intervals and ticks; bins with higher risks are farther right, and 0 is at the corner of both axes."""
    bins = reliability([one for one, _ in rows], [one for _, one in rows]).bins
    chart = svg.reliability(bins, [None] * len(bins))
    (line,) = chart.lines
    assert len(line.marks) == len(bins)
    for mark in line.marks:
        assert chart.left <= mark.x <= chart.right
        assert chart.top <= mark.top <= mark.y <= mark.bottom <= chart.bottom
        assert (mark.cut_top, mark.cut_bottom) == (False, False)
        assert mark.x + mark.radius <= chart.width
    assert all(first.x <= second.x for first, second in pairwise(line.marks))
    assert (chart.x_ticks[0].at, chart.y_ticks[0].at) == (chart.left, chart.bottom)
    for ticks, sign in ((chart.x_ticks, 1), (chart.y_ticks, -1)):
        assert all(sign * first.at < sign * second.at for first, second in pairwise(ticks))


def test_a_bin_stands_where_its_risk_and_its_share_are():
    """Half-way along and a quarter up, on axes that end at the next round number; its size and rows go with it."""
    one = ReliabilityBin(count=40, low=0.1, high=0.3, predicted=0.2, observed=0.1, interval=(0.05, 0.4))
    behind = Behind("the rows", "risks", "1")
    chart = svg.reliability([one], [behind])
    (mark,) = chart.lines[0].marks
    assert [tick.words[0] for tick in chart.x_ticks] == ["0 %", "10 %", "20 %", "30 %", "40 %"]
    assert mark.x == pytest.approx((chart.left + chart.right) / 2)
    assert mark.y == pytest.approx(chart.bottom - (chart.bottom - chart.top) / 4)
    assert mark.top == chart.top
    assert mark.behind is behind
    assert mark.title == "40 changes shown with 20 % on average: 10 % risky, 95 % interval 5 % to 40 %"


def series(name: str, values: list[float | None]) -> svg.Series:
    intervals = tuple(None if one is None else (one - 1, one + 1) for one in values)
    return svg.Series(name, "first", tuple(values), intervals, tuple("" for _ in values))


@given(st.lists(st.none() | ANY, min_size=1, max_size=50))
def test_a_trend_is_inside_of_its_axes(values: list[float | None]):
    """One mark for each value, none for a run without one; what reaches beyond the axis is cut off there."""
    runs = [("2026-01-01", "abc")] * len(values)
    bounds = svg.bounds_of(values, 0.0, 1.0, 0.1)
    chart = svg.trend([series("a", values), series("b", values)], runs, ["1"] * len(values), bounds, "PGR")
    for line in chart.lines:
        assert len(line.marks) == len([one for one in values if one is not None])
        assert sum(len(piece) for piece in line.pieces) == len(line.marks)
        for mark in line.marks:
            assert 0 <= mark.x <= chart.width
            assert chart.top <= mark.top <= mark.y <= mark.bottom <= chart.bottom
        assert all(first.x < second.x for first, second in pairwise(line.marks))
    assert len(chart.x_ticks) <= 8


def test_runs_without_a_value_break_the_line_and_new_versions_are_marked():
    """Nothing is drawn between what was not measured; a version stands where it came."""
    values = [0.2, 0.3, None, 0.5]
    chart = svg.trend([series("PGR", values)], [("d",)] * 4, ["1", "1", "2", "2"], (0.0, 1.0), "PGR", {1.0: "ceiling"})
    (line,) = chart.lines
    assert [len(piece) for piece in line.pieces] == [2, 1]
    assert all(mark.cut_top and mark.cut_bottom for mark in line.marks)
    version, ceiling = chart.guides
    assert (version.words, ceiling.words) == ("2", "ceiling")
    assert line.marks[1].x < version.x1 < line.marks[2].x
    assert ceiling.y1 == ceiling.y2 == chart.top


@given(SHARE, SHARE, SHARE)
def test_a_whisker_keeps_the_order_of_its_numbers(first: float, second: float, third: float):
    """From 0 to 100."""
    low, value, high = sorted((first, second, third))
    found = svg.whisker(value, (low, high))
    assert 0 <= found.low <= found.value <= found.high <= 100
