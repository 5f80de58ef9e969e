"""What is said of a run: shares with their intervals, by class and language, and nothing where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oversight.audit.canaries.figures import ALL, Share, figures_of
from oversight.audit.canaries.judging import Said
from oversight.audit.canaries.runs import Part, Reviewed, Run
from oversight.audit.canaries.text import run_text, trend_text
from oversight.audit.store import Store
from oversight.audit.store.canaries import keep, runs
from tests.audit.store.conftest import cluster, postgres, store, url

__all__ = ["cluster", "postgres", "store", "url"]

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def said(percentile: float | None, *, budget: bool = False, principle: bool = False) -> Said:
    status = "scored" if percentile is not None else "unscored"
    risk = None if percentile is None else percentile / 100
    return Said(status, risk, percentile, budget, principle, budget or principle or percentile is None)


def pair(number: int, kind: str, language: str, canary: Said, control: Said, before: Said | None) -> list[Reviewed]:
    parts = (
        (Part.CANARY, f"canary:{64 * 'a'}", canary),
        (Part.CONTROL, 40 * "c", control),
        (Part.BEFORE, 40 * "b", before),
    )
    return [
        Reviewed(number, part, kind, language, name, 40 * "b", 3, None, one)
        for part, name, one in parts
        if one is not None
    ]


def some_run(at: datetime = AT) -> Run:
    reviewed = [
        *pair(0, "guard-removed", "c", said(95, budget=True), said(20), said(95, budget=True)),
        *pair(1, "guard-removed", "python", said(50, principle=True), said(50), said(20)),
        *pair(2, "reversed-repair", "c", said(None), said(93, budget=True), None),
    ]
    return Run("octo/repo", at, 40 * "d", 7, 10.0, 64 * "e", tuple(reviewed))


def test_shares_by_class_and_language():
    """Flagged by the model, by a principle, and by either; the controls and the changes before beside them."""
    found = {(one.kind, one.language): one for one in figures_of(some_run().reviewed)}
    every = found[ALL, ALL]
    assert (every.canaries, every.by_budget.count, every.by_principle.count, every.caught.count) == (3, 1, 1, 3)
    assert (every.false_flags.count, every.before.count, every.before.of, every.unscored) == (1, 1, 2, 1)
    assert (every.above.count, every.above.of) == (1.5, 2), "ties count half, and what has no percentile not at all"
    assert found["guard-removed", ALL].canaries == 2
    assert found[ALL, "c"].canaries == 2
    assert found["reversed-repair", ALL].before.value is None
    assert ("reversed-repair", "python") not in found
    assert Share.among(1, 2).low < 0.5 < Share.among(1, 2).high
    assert figures_of(())[0].caught == Share(0, 0, None, 0.0, 1.0)


def test_words_leave_the_unknown_out():
    """A class without a change before has a dash, few canaries are insufficient for a trend, and no runs are said."""
    text = "\n".join(run_text(some_run()))
    assert "1 canary could not be scored" in text
    (row,) = [line for line in text.splitlines() if line.startswith("reversed-repair")][:1]
    assert " - " in row
    trend = "\n".join(trend_text([some_run()]))
    assert "insufficient data" in trend
    assert [line.split()[0] for line in trend.splitlines() if line.startswith("  ")] == [
        "all", "guard-removed", "reversed-repair", "c", "python",
    ]  # fmt: skip
    assert list(trend_text([])) == ["no runs on record"]


def test_a_trend_is_of_runs_that_can_be_compared():
    """Another budget, other classes or another repository make another line, whatever came in between."""
    run = some_run()
    fewer = replace(run, reviewed=tuple(one for one in run.reviewed if one.kind == "guard-removed"))
    others = (replace(run, budget=20.0), fewer, replace(run, repository="octo/other"))
    lines = list(trend_text([run, *others, replace(run, repository="OCTO/repo", seed=8)]))
    headings = [line for line in lines if ", budget " in line]
    assert headings == [
        "octo/repo, budget 10 %, guard-removed, reversed-repair",
        "octo/repo, budget 20 %, guard-removed, reversed-repair",
        "octo/repo, budget 10 %, guard-removed",
        "octo/other, budget 10 %, guard-removed, reversed-repair",
    ]
    assert [line.rpartition(" ")[2] for line in lines if ", seed " in line] == ["7", "8", "7", "7", "7"]
    assert lines.index(headings[1]) > max(place for place, line in enumerate(lines) if line.endswith("seed 8"))


def test_runs_come_back_as_they_were(store: Store):
    """From both databases, in order of time, of one repository in whichever case, and of a time."""
    later = some_run(AT + timedelta(days=1))
    assert keep(store.engine, later) != keep(store.engine, some_run())
    assert runs(store.engine) == [some_run(), later]
    assert runs(store.engine, repository="OCTO/repo", until=AT) == [some_run()]
    assert runs(store.engine, since=AT + timedelta(hours=1)) == [later]
    assert runs(store.engine, repository="octo/other") == []


def test_canaries_are_no_changes_of_the_store(store: Store):
    """A run leaves nothing where reports, labels and verdicts are: no estimate can take a canary for a change."""
    from sqlalchemy import func, select

    from oversight.audit.store.engine import reading
    from oversight.audit.store.tables import changes, labels, ledger, reports

    keep(store.engine, some_run())
    with reading(store.engine) as connection:
        for table in (changes, reports, labels, ledger):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize("reviewed", [(), some_run().reviewed])
def test_a_run_without_pairs_is_one(store: Store, reviewed: tuple[Reviewed, ...]):
    """It says that nothing was found."""
    run = replace(some_run(), reviewed=reviewed)
    keep(store.engine, run)
    assert runs(store.engine) == [run]
