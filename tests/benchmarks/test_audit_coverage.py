"""The page on the coverage of the audit's intervals."""

from __future__ import annotations

import json

from benchmarks.audit_coverage import _OUTPUT, _PAGE, main, table


def test_the_page_is_what_its_figures_give():
    """`python -m benchmarks.audit_coverage --repeats 0 --table` would change nothing."""
    assert _PAGE.read_text(encoding="utf-8") == table(json.loads(_OUTPUT.read_text(encoding="utf-8")))
    assert main(["--repeats", "0"]) == 0


def test_no_interval_of_the_page_is_far_below_what_it_says():
    """Of 500 audits, 95 % less three standard errors."""
    for rows in json.loads(_OUTPUT.read_text(encoding="utf-8")).values():
        for one in rows:
            for name in ("recall", "missed"):
                floor = 0.95 - 3 * (0.95 * 0.05 / one[name]["n"]) ** 0.5
                assert one[name]["mean"] > floor, one
