"""The step summary of a scheduled run."""

from __future__ import annotations

from collections.abc import Callable

from oversight.audit.figures import figures
from oversight_github.verdicts.asking import Asked
from oversight_github.verdicts.recovery import Recovery
from oversight_github.verdicts.summary import Told, render
from tests.audit.test_figures import judged, several

NOTHING = Recovery(None, None, "there is no label yet")


def test_the_summary_of_a_busy_record(golden: Callable[[str, str], None]):
    """Every figure with its interval, the reliability table, and whom to judge next."""
    counts = {("flagged", True): 12, ("flagged", False): 28, ("random", True): 1, ("random", False): 19}
    said = [
        *several(counts),
        *(judged(number, number % 3 == 0, risk=0.2, who="bob") for number in range(12)),
    ]
    recovery = Recovery(0.61, (0.2, 0.9), None, "auroc", 0.7, 0.75, 0.78, 900, 60, 300, ("few | seeds @ann",))
    waiting = [Asked(12, "https://github.test/octo/repo/pull/12"), Asked(13, None)]
    golden("verdicts/summary.md", render(Told(5, 2, figures(said), recovery, waiting)))


def test_the_summary_of_an_empty_record(golden: Callable[[str, str], None]):
    """It says how to begin, and why there is no figure."""
    golden("verdicts/empty.md", render(Told(0, 0, figures([]), NOTHING)))


def test_where_there_is_no_gap_what_there_is_stands_there():
    """Weak reviewer, student and ceiling are told with or without PGR."""
    text = render(Told(0, 0, figures([]), Recovery(None, None, "no gap", "auroc", 0.7, 0.75, 0.71, 900, 60, 300)))
    assert "no gap; 900 test changes, 60 risky; weak 0.700, student 0.750, ceiling 0.710; 300 labels" in text


def test_text_of_a_failed_measurement_is_escaped():
    """It may hold names of the repository."""
    reason = "x | y\n<img src=a> [b](http://c.test) @ann"
    lines = render(Told(0, 0, figures([]), Recovery(None, None, reason))).splitlines()
    (row,) = [line for line in lines if "PGR" in line]
    assert row.count("|") - row.count(r"\|") == 5
    assert "<img" not in row.replace(r"\<img", "")
