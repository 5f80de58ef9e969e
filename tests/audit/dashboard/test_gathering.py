"""Figures worked out by hand, the rows that they are of, and what a period and a repository leave out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from oversight.audit.budget import telling
from oversight.audit.canaries.figures import figures_of
from oversight.audit.dashboard import Dashboard, gather, tables
from oversight.audit.dashboard.model import Flock, Group
from oversight.audit.dashboard.trends import flocks, newest_flocks
from oversight.audit.dashboard.view import Measure, view
from oversight.audit.figures import FEWEST
from oversight.audit.store import Store
from oversight.audit.verdict import Selection, Shown, Source
from tests.audit.builders import verdict
from tests.audit.dashboard.stores import MODELS, NAME, NOW, START, asked, flock, measured


def numbers(rows: object) -> list[int]:
    return [int(one.commit, 16) for one in rows]  # type: ignore[attr-defined]


def test_the_figures_are_those_of_the_verdicts(dashboard: Dashboard):
    """Of 20 places 19 are settled and 10 risky; one of 16 drawn of 80 is: 5, of which 4 nobody knows."""
    assert asked(dashboard, Selection.FLAGGED) == list(range(80, 100))
    assert [number for number in asked(dashboard, Selection.RANDOM) if number % 10 == 0] == [50]
    found = {one.key: one for one in telling.figures_of(dashboard.summary)}
    assert found["missed"].value == pytest.approx(80 / 16 - 1)
    assert found["recall"].value == pytest.approx((20 * 10 / 19) / (20 * 10 / 19 + 5))
    assert found["cost"].value == pytest.approx(35 / 11)
    assert found["precision"].value == pytest.approx(9 / 14)
    assert found["blind"].value == pytest.approx(12 / 48)
    assert (found["agreement"].n, found["recall"].n, found["missed"].n) == (12, 35, 16)


def rows(dashboard: Dashboard, measure: Measure) -> int:
    """How many rows a measure leads to."""
    sections = [
        section
        for behind in measure.behind
        for section in tables.table(dashboard, behind.table).sections
        if behind.section in (None, section.key)
    ]
    return sum(len(one.items) for one in sections)


def test_every_figure_is_of_the_rows_that_it_leads_to(dashboard: Dashboard):
    """They are as many as it says."""
    shown = view(dashboard)
    for measure in (*shown.first, *shown.others, *shown.calibration):
        assert rows(dashboard, measure) == int(measure.of.split()[0]), measure.name
    for group in (*shown.authors, *shown.months, *shown.models):
        assert [one.name for one in group.measures] == ["risky", "recall", "precision"]
        assert rows(dashboard, group.measures[0]) == int(group.measures[0].of.split()[0]), group.name
    for newest in newest_flocks(dashboard):
        for kind in (*newest.kinds, *newest.languages):
            assert rows(dashboard, kind.measures[0]) == kind.count


def test_bars_are_of_all_changes_and_verdicts(dashboard: Dashboard):
    """Each part leads to as many rows, and all of them to all changes."""
    places, drawn, known, others, verdicts = view(dashboard).bars
    assert [(one.words, one.count) for one in places.parts] == [("judged", 19), ("open", 1)]
    assert [bar.count for bar in (places, drawn, known, others, verdicts)] == [20, 16, 0, 64, 48]
    assert sum(part.width for part in verdicts.parts) == pytest.approx(100)
    for part in (*places.parts, *drawn.parts, *others.parts, *verdicts.parts):
        sections = tables.table(dashboard, part.behind.table).sections
        assert part.count == sum(len(one.items) for one in sections if part.behind.section in (None, one.key))


def test_bins_hold_the_changes_that_they_count(dashboard: Dashboard):
    """All that have a risk and a label, each once."""
    bins = list(tables.bins_of(dashboard))
    assert [len(one) for one in bins] == [one.count for one in dashboard.summary.figures.reliability.bins]
    assert len({one.commit for group in bins for one in group}) == 35
    for told, rows in zip(dashboard.summary.figures.reliability.bins, bins, strict=True):
        risky = sum(one.weight or 0.0 for one in rows if one.risky)
        assert risky / sum(one.weight or 0.0 for one in rows) == pytest.approx(told.observed)


def test_what_was_passed_comes_with_the_lowest_percentile_first(dashboard: Dashboard):
    """Called risky by people or repaired in the history, and not flagged: 95 was, so that it is no miss."""
    assert [(int(one.commit, 16), one.people, one.source) for one in dashboard.passed] == [
        (5, None, "fixes"), (7, None, "fixes"), (50, True, None), (80, True, None),
    ]  # fmt: skip


def test_of_what_waits_no_row_says_what_a_review_thinks(dashboard: Dashboard):
    """Neither risk nor flag nor chance, and in no order of them."""
    for key in (Group.WAITING, Group.REST):
        table = tables.table(dashboard, key.value)
        assert table.columns == ("change", "written by")
    rest = [one for section in tables.table(dashboard, "rest").sections for one in section.items]
    assert sorted(numbers(rest)) != numbers(rest)
    assert numbers(dashboard.group(Group.WAITING)) == [96]


def test_models_and_months_are_those_of_the_changes(dashboard: Dashboard):
    """Half of the changes each; the model has the name that reports give it."""
    assert {key: one.considered for key, one in dashboard.models.items()} == dict.fromkeys(MODELS, 50)
    assert set(dashboard.names.values()) == {("small", "1")}
    assert {key: one.considered for key, one in dashboard.months.items()} == {"2026-04": 100}
    assert [one.name for one in view(dashboard).models] == ["small 1 aaaaaaaaaaaa", "small 1 bbbbbbbbbbbb"]


def test_a_period_has_its_own_changes_runs_and_verdicts(database: Path):
    """By the first review, the end of a canaries' run, and the time of a measurement; another repository has none."""
    runs = [measured(3, 0.4), measured(20, 0.6), measured(1, 0.1, when="someday")]
    with Store.open(f"sqlite:///{database}") as store:
        early = gather(store, NAME.upper(), None, START + timedelta(days=10), measured=runs, at=NOW)
        other = gather(store, "octo/other", at=NOW)
    assert (early.summary.outcome.considered, len(early.flocks), len(early.measured)) == (50, 1, 1)
    assert {int(one.commit, 16) % 2 for one in early.changes} == {0}
    assert (other.changes, other.said, other.passed, other.flocks) == ((), (), (), ())


def test_what_was_judged_elsewhere_counts_where_nothing_was_considered(tmp_path: Path):
    """As the Action gathers it: flagged and drawn verdicts tell of recall, and their rows are there."""
    said = [
        replace(
            verdict("risky" if number % 3 == 0 else "safe", hours=number, change_id=f"{number:040x}"),
            shown=Shown(
                selection, 0.5 if selection is Selection.RANDOM else 1.0, selection is Selection.FLAGGED, number / 100
            ),
            source=Source("comment", NAME, number + 1, number + 1),
        )
        for number, selection in enumerate([Selection.FLAGGED, Selection.RANDOM] * (FEWEST + 2))
    ]
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        store.append(said)
        found = gather(store, NAME, at=NOW)
    recall, _, precision, _ = view(found).first
    assert [one.words for one in recall.behind] == ["24 judged elsewhere"]
    assert [(one.words, one.table) for one in precision.behind] == [("the rows", "flagged")]
    assert tables.table(found, "flagged").count == 12
    assert found.summary.figures.recall.value is not None
    assert {one.number for one in found.group(Group.ELSEWHERE)} == set(range(1, 25))


def test_a_trend_of_canaries_is_of_runs_that_can_be_compared(dashboard: Dashboard):
    """Another budget or other classes are another line, of which a single run is none."""
    runs = [flock(number, 3) for number in range(6)]
    runs[1], runs[4] = (replace(runs[number], budget=20.0) for number in (1, 4))
    runs[2] = replace(runs[2], reviewed=tuple(one for one in runs[2].reviewed if one.kind == "guard-removed"))
    shown = flocks(replace(dashboard, flocks=tuple(Flock(run, figures_of(run.reviewed)) for run in runs)))
    assert [(one.name, one.classes, len(one.rows)) for one in shown] == [
        ("octo/repo, budget 10 %", "guard-removed, lock-dropped", 3),
        ("octo/repo, budget 20 %", "guard-removed, lock-dropped", 2),
    ]
