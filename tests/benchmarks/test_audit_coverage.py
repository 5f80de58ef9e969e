"""The page on the coverage of the audit's intervals."""

from __future__ import annotations

import json

from benchmarks.audit_coverage import _OUTPUT, _PAGE, Scene, main, simulate
from benchmarks.audit_coverage_table import UNCORRECTED, table


def test_the_page_is_what_its_figures_give():
    """`python -m benchmarks.audit_coverage --repeats 0 --table` would change nothing."""
    assert _PAGE.read_text(encoding="utf-8") == table(json.loads(_OUTPUT.read_text(encoding="utf-8")))
    assert main(["--repeats", "0"]) == 0


def test_no_interval_of_the_page_is_far_below_what_it_says():
    """Of 500 audits, 95 % less three standard errors; but for those that were not told how often people err."""
    for rows in json.loads(_OUTPUT.read_text(encoding="utf-8")).values():
        for one in (one for one in rows if one["corrected"]):
            for name in {"recall", "missed", "precision", "brier", "observed", "pgr"} & set(one):
                floor = 0.95 - 3 * (0.95 * 0.05 / one[name]["n"]) ** 0.5
                assert one[name]["mean"] > floor, one


def test_people_who_overlook_what_is_risky_hide_what_was_missed():
    """And those who see ghosts invent it, unless the report is told how often they do."""
    rows = json.loads(_OUTPUT.read_text(encoding="utf-8"))[UNCORRECTED]
    told = {(one["rate"], one["sensitivity"], one["specificity"]): one["missed, told"]["mean"] for one in rows}
    for rate in (0.1, 0.3):
        assert told[rate, 0.8, 1.0] < 0.9 * told[rate, 1.0, 1.0]
    for rate in (0.01, 0.05):
        assert told[rate, 1.0, 0.98] > 1.3 * told[rate, 1.0, 1.0]
    again = simulate(Scene(200, 0.3, 0.3, corrected=False), 3)
    assert abs(again["missed, told"]["mean"] - again["missed, true"]["mean"]) < 0.2
