"""The queue in its table: what is chosen stays, and what it says is what estimates need. On both databases."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from sqlalchemy import func, select

from oversight.audit.budget.spending import parse
from oversight.audit.store import Store, reading
from oversight.audit.store.intake import take
from oversight.audit.store.overview import population
from oversight.audit.store.queue import Filled, Scope, entries, fill, find
from oversight.audit.store.tables import queue
from oversight.audit.verdict import Landing, Selection, Shown, Source
from oversight.reports import as_json
from tests.audit.builders import verdict
from tests.reports.examples import flagged_by_principle

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
REPORT = json.loads(as_json.render(flagged_by_principle()))
HERE = Source("pages", "o/r")


def report(number: int, risk: float | None = 0.1, **other: Any) -> dict[str, Any]:
    """A report on a change of its own, without findings unless they are given."""
    told = copy.deepcopy(REPORT)
    told["change"] |= {"id": f"{number:040x}", "provenance": {"kind": ("human", "agent")[number % 2], "name": None}}
    told |= {"risk": risk, "status": "unscored" if risk is None else "scored", "findings": [], "flagged_by": []}
    return told | other


def filled(store: Store, count: int, *, first: int = 0, at: datetime = NOW, repository: str = "o/r") -> None:
    for number in range(first, first + count):
        store.add_report(report(number, number / 10_000), source="import", repository=repository, at=at)


def test_the_riskiest_and_a_draw_are_kept(store: Store):
    """With selection, propensity, model and moment; all that was considered is known."""
    filled(store, 200)
    done = fill(store.engine, parse("20 per week"), Scope(), now=NOW, seed="seed")
    assert done == Filled(considered=200, picked=15, drawn=5, chance=5 / 185, left=0)
    found = entries(store.engine, Scope())
    assert [one.commit for one in found[:15]] == [f"{number:040x}" for number in range(199, 184, -1)]
    assert {(one.selection, one.propensity) for one in found[:15]} == {(Selection.FLAGGED, 1.0)}
    assert {(one.selection, one.propensity) for one in found[15:]} == {(Selection.RANDOM, 5 / 185)}
    assert {(one.queued_at, one.model, one.directory) for one in found} == {(NOW, REPORT["model"]["sha256"], "tests")}
    assert len(population(store.engine, Scope(), {}, {})) == 200


def test_what_is_in_the_queue_stays_there(store: Store):
    """Called again nothing changes; what comes later joins, with a chance of its own."""
    filled(store, 100)
    budget = parse("10%")
    fill(store.engine, budget, Scope(), now=NOW, seed="a")
    before = {one.commit: one for one in entries(store.engine, Scope())}
    assert fill(store.engine, budget, Scope(), now=NOW, seed="b").considered == 0
    assert {one.commit: one for one in entries(store.engine, Scope())} == before
    filled(store, 100, first=1_000, at=NOW + timedelta(hours=1))
    later = fill(store.engine, budget, Scope(), now=NOW + timedelta(hours=2), seed="c")
    assert (later.considered, later.picked) == (100, 7)
    after = {one.commit: one for one in entries(store.engine, Scope())}
    assert before.items() <= after.items()


def test_a_report_that_says_what_the_queued_row_says_tells_of_the_hunks(store: Store):
    """Also when it came later; one that says something else is not what people were asked about."""
    told = {number: report(number, 0.5, percentile=90.0, flagged=True) for number in (1, 2)}
    row = {"status": "scored", "risk": 0.5, "percentile": 90.0, "flagged": True, "added": 1, "deleted": 0}
    scores = "".join(json.dumps({"commit": one["change"]["id"], **row}) + "\n" for one in told.values())
    take(store.engine, BytesIO(scores.encode()), "scores.jsonl", repository="o/r", at=NOW)
    fill(store.engine, parse("100%"), Scope(), now=NOW, seed="s")
    assert [one.said for one in entries(store.engine, Scope())] == [(), ()]
    for number, one in told.items():
        later = one | {"risk": number / 2}
        store.add_report(later, source="import", repository="o/r", at=NOW + timedelta(days=1))
    found = {one.commit[-1]: one for one in entries(store.engine, Scope())}
    same, other = found["1"], found["2"]
    assert (len(same.said), same.model, same.risk) == (len(REPORT["hunks"]), REPORT["model"]["sha256"], 0.5)
    assert (other.said, other.model, other.risk) == ((), None, 0.5)
    assert find(store.engine, same.commit)[0].said == same.said


def test_the_same_seed_draws_the_same(store: Store):
    """And without one nobody can foresee the draw."""
    filled(store, 300)
    draws = []
    for seed in ("a", "a", None, None):
        fill(store.engine, parse("20%", 0.5), Scope(), now=NOW, seed=seed)
        draws.append([one.commit for one in entries(store.engine, Scope()) if one.selection is Selection.RANDOM])
        with store.engine.begin() as connection:
            connection.execute(queue.delete())
    assert draws[0] == draws[1]
    assert len({tuple(draw) for draw in draws}) == 3


def test_a_change_counts_from_its_first_review(store: Store):
    """An author sets the clock of a commit; and a number takes no more than this period and the one before."""
    backdated = report(1)
    backdated["change"]["authored_at"] = "1990-01-01T00:00:00+00:00"
    store.add_report(backdated, source="webhook", repository="o/r", at=NOW)
    filled(store, 1, first=2, at=NOW - timedelta(days=30))
    assert fill(store.engine, parse("5 per week"), Scope(), now=NOW).considered == 1
    everything = Scope(since=NOW - timedelta(days=60), until=NOW - timedelta(days=1))
    assert fill(store.engine, parse("5 per week"), everything, now=NOW).considered == 1


def test_what_could_not_be_scored_and_what_a_principle_flags_gets_a_place(store: Store):
    """However low the risk, since neither is one."""
    filled(store, 50)
    store.add_report(report(900, None), source="import", repository="o/r", at=NOW)
    flagged = report(901, 0.0, findings=REPORT["findings"], flagged_by=["principle"])
    store.add_report(flagged, source="import", repository="o/r", at=NOW)
    fill(store.engine, parse("8 per day", 0.25), Scope(), now=NOW, seed="s")
    found = [one for one in entries(store.engine, Scope()) if one.selection is Selection.FLAGGED]
    assert len(found) == 6
    assert {f"{900:040x}", f"{901:040x}"} < {one.commit for one in found}
    assert found[0].risk is None


def test_repositories_are_chosen_in_whichever_case(store: Store):
    """One of them is queued without the others."""
    filled(store, 20)
    filled(store, 20, first=100, repository="other/one")
    assert fill(store.engine, parse("50%"), Scope("Other/ONE"), now=NOW).considered == 20
    assert {one.repository for one in entries(store.engine, Scope())} == {"other/one"}
    assert entries(store.engine, Scope("o/r")) == []


def test_what_is_judged_waits_no_longer(store: Store):
    """Also where the head that was judged landed as the commit that is queued; unsure leaves it waiting."""
    filled(store, 4)
    fill(store.engine, parse("100%", 0.5), Scope(), now=NOW)
    commits = [f"{number:040x}" for number in range(4)]
    head = "f" * 40
    store.append(
        [
            verdict("safe", change_id=commits[0], source=HERE),
            verdict("unsure", change_id=commits[1], source=HERE),
            verdict("safe", change_id=commits[2], source=HERE, own=True),
            verdict("risky", change_id=head, source=HERE),
            Landing(head, commits[3], "o/r", 7, NOW),
        ]
    )
    assert sorted(one.commit for one in entries(store.engine, Scope())) == commits[1:3]
    assert len(entries(store.engine, Scope(), waiting=False)) == 4


def test_what_was_judged_before_is_known_and_not_asked_for(store: Store):
    """It is a part of the population all the same."""
    filled(store, 30)
    store.append([verdict("risky", change_id=f"{29:040x}", shown=Shown(Selection.REQUEST), source=HERE)])
    fill(store.engine, parse("20%"), Scope(), now=NOW)
    known = [one for one in population(store.engine, Scope(), {f"{29:040x}": True}, {}) if one.risky]
    assert [(one.selection, one.propensity) for one in known] == [(Selection.REQUEST, 1.0)]
    assert f"{29:040x}" not in {one.commit for one in entries(store.engine, Scope(), waiting=False)}


def test_changes_are_found_by_the_beginning_of_their_commits(store: Store):
    """In the queue or not; what is in it shows the report that it was queued with."""
    filled(store, 3)
    fill(store.engine, parse("30%", 0.1), Scope(), now=NOW)
    store.add_report(report(2, 0.9), source="webhook", repository="o/r", at=NOW + timedelta(hours=1))
    store.add_report(report(0, 0.8), source="webhook", repository="o/r", at=NOW + timedelta(hours=1))
    (queued,) = find(store.engine, f"{2:040x}")
    assert (queued.selection, queued.risk) == (Selection.FLAGGED, 2 / 10_000)
    assert len(find(store.engine, "0000000")) == 3
    assert find(store.engine, "%") == find(store.engine, "0000000", "no/such") == []


def test_rows_of_scores_can_be_queued(store: Store):
    """Without anything known but the risk."""
    from io import BytesIO

    from oversight.audit.store.intake import take
    from tests.audit.store.test_intake import SCORE, rows

    take(store.engine, BytesIO(rows(SCORE)), "scores", repository="o/r", at=NOW)
    fill(store.engine, parse("100%", 0.01), Scope(), now=NOW)
    (found,) = entries(store.engine, Scope())
    assert (found.risk, found.model, found.provenance, found.said) == (0.25, None, None, ())


def test_what_is_forgotten_leaves_the_queue(store: Store):
    """Reports and changes of a repository go, and their places with them."""
    filled(store, 10)
    fill(store.engine, parse("50%"), Scope(), now=NOW)
    assert store.forget("o/r") == 10
    with reading(store.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(queue)) == 0


def test_a_place_in_a_later_period_makes_a_change_certain(store: Store):
    """Its propensity is 1 from then on, and what was shown before stays as it was."""
    filled(store, 40)
    fill(store.engine, parse("4 per week", 0.5), Scope(), now=NOW, seed="s")
    drawn = {one.commit for one in entries(store.engine, Scope()) if one.selection is Selection.RANDOM}
    for week in range(1, 19):
        since = Scope(since=NOW - timedelta(days=1))
        fill(store.engine, parse("4 per week", 0.5), since, now=NOW + timedelta(weeks=week), seed="s")
    found = {one.commit: one for one in entries(store.engine, Scope())}
    assert len(found) == 38 + sum(one.selection is Selection.RANDOM for one in found.values())
    certain = [found[commit] for commit in drawn if found[commit].selection is Selection.FLAGGED]
    assert certain
    assert {(one.propensity, one.queued_at) for one in certain} == {(1.0, NOW)}
    assert replace(certain[0], selection=None).shown().propensity is None


def test_a_head_and_the_commit_that_it_became_are_one_change(store: Store):
    """Reviewed as a pull request and once more in the history: with the chance that it had, or with the place."""
    filled(store, 60)
    fill(store.engine, parse("20%", 0.5), Scope(), now=NOW, seed="s")
    first = {one.commit: one for one in entries(store.engine, Scope())}
    drawn = next(one for one in first.values() if one.selection is Selection.RANDOM)
    spared = next(f"{number:040x}" for number in range(60) if f"{number:040x}" not in first)
    became = {drawn.commit: f"{900:040x}", spared: f"{901:040x}"}
    store.append(
        [
            *(verdict("risky", change_id=head, source=HERE) for head in became),
            *(Landing(head, commit, "o/r", 7, NOW) for head, commit in became.items()),
        ]
    )
    store.add_report(report(900, 0.2), source="import", repository="o/r", at=NOW)
    fill(store.engine, parse("20%", 0.5), Scope(), now=NOW + timedelta(hours=1), seed="s")
    gold = dict.fromkeys(became.values(), True)
    found = [one for one in population(store.engine, Scope(), gold, became) if one.risky]
    assert [(one.commit, one.selection, one.propensity) for one in found] == [
        (spared, None, drawn.propensity),
        (drawn.commit, Selection.RANDOM, drawn.propensity),
    ]
    store.add_report(report(901, 0.99), source="import", repository="o/R", at=NOW)
    with store.engine.begin() as connection:
        rows = {"change_id": 62, "report_id": 62, "directory": "", "considered_at": NOW, "propensity": 1.0}
        connection.execute(queue.insert(), {**rows, "selection": "flagged", "queued_at": NOW})
    found = [one for one in population(store.engine, Scope(), gold, became) if one.risky]
    assert {(one.commit, one.selection, one.propensity) for one in found} == {
        (f"{901:040x}", Selection.FLAGGED, 1.0),
        (drawn.commit, Selection.RANDOM, drawn.propensity),
    }
