"""Figures worked out by hand, the rows that they are of, and what a period and a repository leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from oversight.audit.budget import telling
from oversight.audit.canaries.figures import figures_of
from oversight.audit.dashboard import Dashboard, gather, tables
from oversight.audit.dashboard.model import Behind, Flock, Group
from oversight.audit.dashboard.trends import flocks, newest_flocks
from oversight.audit.dashboard.view import Measure, view
from oversight.audit.figures import FEWEST
from oversight.audit.store import Store
from oversight.audit.verdict import Selection, Shown, Source
from tests.audit.builders import verdict
from tests.audit.dashboard.stores import MODELS, NAME, NOW, OTHER, START, asked, flock, measured, several


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


def rows(dashboard: Dashboard, *behind: Behind | None) -> int:
    """How many rows there are behind a number; a section that is named is one of those that there are."""
    found = []
    for one in behind:
        assert one is not None
        sections = {section.key: section for section in tables.table(dashboard, one.table).sections}
        found += sections.values() if one.section is None else [sections[one.section]]
    assert all(section.items for section in found) or len(found) > 1
    return sum(len(section.items) for section in found)


def told(words: str) -> int:
    """The number that words begin with, or that follows the first of them."""
    return int(next(word for word in words.replace(",", "").split() if word.isdigit()))


def agrees(dashboard: Dashboard, measure: Measure) -> None:
    """Fail where a figure is of more rows than it leads to, or of fewer; what is taken off a figure is none of them."""
    taken, of = [], []
    for one in measure.behind:
        (taken if one.words.startswith("less ") else of).append(one)
        if any(word.isdigit() for word in one.words.replace(",", "").split()):
            assert rows(dashboard, one) == told(one.words), (measure.name, one)
    number = told(measure.of or measure.reason or "")
    if of and not of[0].words.startswith("among "):
        assert rows(dashboard, *of) == number, (measure.name, of)
    elif not of:
        assert number == 0, measure.name


def every_number_agrees(dashboard: Dashboard) -> None:
    """Fail where a number on the page and the rows behind its link differ."""
    shown = view(dashboard)
    for measure in (*shown.first, *shown.others, *shown.calibration, shown.pgr):
        agrees(dashboard, measure)
    for group in (*shown.authors, *shown.months, *shown.models):
        for measure in group.measures:
            agrees(dashboard, measure)
    for part in (part for bar in shown.bars for part in bar.parts if part.behind is not None):
        assert rows(dashboard, part.behind) == part.count, part
    for one in shown.bins:
        assert rows(dashboard, one.behind) == one.count
    assert shown.misses_in_all == tables.table(dashboard, shown.misses_behind.table).count
    for newest in newest_flocks(dashboard):
        for kind in (*newest.kinds, *newest.languages):
            assert rows(dashboard, *kind.measures[0].behind) == kind.count
            for measure in kind.measures:
                agrees(dashboard, measure)
        for cell in (cell for row in newest.cells for cell in row if isinstance(cell, Behind)):
            assert rows(dashboard, cell) == int(cell.words.split()[-1])
    for trend in flocks(dashboard):
        ways = [cell for row in trend.rows for cell in row if isinstance(cell, Behind)]
        assert [rows(dashboard, way) for way in ways] == [int(way.words) for way in ways]
        assert len(ways) == len(trend.rows)
        for mark in (mark for line in trend.chart.lines for mark in line.marks):
            assert mark.behind in ways
    for number, one in enumerate(dashboard.beside, 1):
        assert rows(dashboard, Behind("", "shadows", str(number))) == one.n


def test_every_figure_is_of_the_rows_that_it_leads_to(dashboard: Dashboard):
    """They are as many as it says."""
    every_number_agrees(dashboard)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str | None, Dashboard]:
    """The dashboards of two repositories, and of both together."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('wide')}/audit.db") as store:
        predictions = several(store)
        names = (NAME, OTHER, None)
        return {
            name: gather(store, name, predictions=predictions, measured=[measured(3, 0.4)], at=NOW) for name in names
        }


@pytest.mark.parametrize("name", [NAME, OTHER, None])
def test_every_figure_of_several_repositories_is_of_its_rows(wide: Mapping[str | None, Dashboard], name: str | None):
    """Also where verdicts are outside of the queue, of people's own accord, or on what had no risk."""
    every_number_agrees(wide[name])


def test_there_are_links_to_each_kind_of_rows(wide: Mapping[str | None, Dashboard]):
    """What the test before looks at is there: it would be content with nothing."""
    shown, found = view(wide[None]), wide[None]
    assert {one.name: one.behind[0].table for one in (*shown.others, shown.pgr) if one.behind} == {
        "risky share of all": "picked", "blind verdicts": "blind", "agreement (Krippendorff's alpha)": "several",
        "PGR (AUROC)": "pgr",
    }  # fmt: skip
    assert 0 < tables.table(found, "blind").count < len(found.said)
    assert [one.words for one in shown.first[1].behind if one.section == "risky"] == [
        "less 4 found of people's own accord"
    ]
    assert [one.n for one in found.beside] == [22]
    assert len(newest_flocks(found)) == 2
    assert [len(one.rows) for one in flocks(found)] == [2, 2]
    assert {one.section for kind in newest_flocks(found)[0].kinds for one in kind.measures[0].behind} == {"6", "6-1"}


def test_a_month_without_anything_asked_leads_nowhere(wide: Mapping[str | None, Dashboard]):
    """What people said of their own accord is in none of its figures."""
    (month,) = [one for one in view(wide[OTHER]).months if one.name == "2026-05"]
    assert month.considered == 10
    assert [one.behind for one in month.measures] == [()] * 3


def test_nobody_is_told_for_what_a_change_waits(wide: Mapping[str | None, Dashboard]):
    """How many of them had a place is said, and which of them is not: all that wait are behind one link."""
    bars = {bar.name: bar.parts for bar in view(wide[OTHER]).bars}
    waiting = [part for name in ("had a place", "drawn at random") for part in bars[name] if part.words == "open"]
    assert all(part.behind is None for part in waiting)
    (both,) = bars["open, of both"]
    assert both.count == sum(part.count for part in waiting) > 0


def test_bars_are_of_all_changes_and_verdicts(dashboard: Dashboard):
    """Each change is in one part, but for those that wait, which are told of together as well."""
    places, drawn, waiting, known, others, verdicts = view(dashboard).bars
    assert [(one.words, one.count) for one in places.parts] == [("judged", 19), ("open", 1)]
    assert [bar.count for bar in (places, drawn, waiting, known, others, verdicts)] == [20, 16, 1, 0, 64, 48]
    assert sum(part.width for part in verdicts.parts) == pytest.approx(100)


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
    assert [one.words for one in recall.behind] == ["12 flagged, judged elsewhere", "12 drawn, judged elsewhere"]
    assert rows(found, *recall.behind) == 24
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
