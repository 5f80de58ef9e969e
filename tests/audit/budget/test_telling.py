"""Figures in words: one is said as one, and what has no interval says why."""

from __future__ import annotations

import pytest

from oversight.audit.budget.summary import summary
from oversight.audit.budget.telling import as_markdown, text
from oversight.audit.figures import few
from oversight.audit.verdict import Verdict
from oversight.measurement.audited import PERFECT
from tests.audit.builders import verdict


def both(count: int) -> list[Verdict]:
    """Two people of one mind on so many changes, the first of which is risky."""
    return [
        verdict("safe" if number else "risky", who=who, hours=number, change_id=f"{number:040x}")
        for number in range(count)
        for who in ("ann", "bob")
    ]


@pytest.mark.parametrize(
    ("found", "noun", "told"),
    [(1, "change", "1 change"), (0, "change", "0 changes"), (2, "canary", "2 canaries"), (1, "canary", "1 canary")],
)
def test_one_is_said_as_one(found, noun, told):
    """And any other number as several."""
    assert few(found, noun) == f"{told}, and 10 are needed"


def test_a_figure_without_an_interval_says_why():
    """Agreement of which many resamples hold no risky change has a value alone."""
    told = summary([], both(12), {}, PERFECT)
    for page in (text(told), as_markdown(told)):
        (row,) = [line for line in page.splitlines() if "Krippendorff" in line]
        assert "1.000" in row
        assert "12 changes that two people or more judged; no interval: undefined in" in row


def test_one_change_is_too_few():
    """And is one change in the reason."""
    assert "1 change judged by two people or more, and 10 are needed" in text(summary([], both(1), {}, PERFECT))
