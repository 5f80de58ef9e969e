"""Budgets as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oversight.audit.budget.spending import Budget, Period, parse
from oversight.errors import UsageError


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("20 per week", Budget(20, Period.WEEK, None)),
        (" 10 PER day ", Budget(10, Period.DAY, None)),
        ("80/month", Budget(80, Period.MONTH, None)),
        ("5%", Budget(None, None, 0.05)),
        ("2.5 %", Budget(None, None, 0.025)),
    ],
)
def test_a_budget_is_a_number_in_a_time_or_a_percentage(text: str, budget: Budget):
    """In upper or lower case, with spaces or without."""
    assert parse(text) == budget


@pytest.mark.parametrize(
    "text", ["", "20", "0 per day", "-3 per day", "0%", "101%", "5 per year", "nan%", "1e3 per day"]
)
def test_what_is_no_budget_is_refused_with_examples(text: str):
    """The mend shows how to write one."""
    with pytest.raises(UsageError, match="20 per week"):
        parse(text)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_without_a_draw_nobody_knows_what_is_missed(share: float):
    """So the random slice cannot be left out."""
    with pytest.raises(UsageError, match="random slice"):
        parse("5%", share)


def test_a_number_is_shared_between_places_and_the_draw():
    """Twenty a week: fifteen places, and a draw of five on average, of however many there are."""
    budget = parse("20 per week")
    assert budget.places(10_000) == 15
    assert budget.chance(100) == 0.05
    assert budget.chance(3) == budget.chance(0) == 1.0


@pytest.mark.parametrize("changes", [100, 1_000, 40_000])
def test_a_percentage_is_spent_whatever_number_of_changes_there_is(changes: int):
    """With one chance for all of them, so that it matters to nobody how many come later."""
    budget = parse("10%", 0.3)
    places = budget.places(changes)
    assert places + (changes - places) * budget.chance(changes) == pytest.approx(0.1 * changes)
    assert budget.chance(changes) == budget.chance(7)
    assert parse("100%", 1.0).chance(5) == 1.0


def test_periods_begin_by_the_calendar():
    """At midnight, on Monday, on the first of the month; the one before ends there."""
    moment = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)  # a Wednesday
    assert Period.DAY.start(moment) == datetime(2026, 3, 4, tzinfo=UTC)
    assert Period.WEEK.start(moment) == datetime(2026, 3, 2, tzinfo=UTC)
    assert Period.MONTH.start(moment) == datetime(2026, 3, 1, tzinfo=UTC)
    assert Period.WEEK.before(moment) == datetime(2026, 2, 23, tzinfo=UTC)
    assert Period.MONTH.before(moment) == datetime(2026, 2, 1, tzinfo=UTC)
