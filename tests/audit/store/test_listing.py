"""The queue a page at a time: the same changes in the same order as all at once. On both databases."""

from __future__ import annotations

from datetime import timedelta

from oversight.audit.budget.spending import parse
from oversight.audit.store import Store
from oversight.audit.store.listing import (
    Filter,
    Judged,
    Show,
    Spent,
    count,
    has_seen,
    names,
    note_seen,
    order,
    part,
    spent,
)
from oversight.audit.store.queue import Scope, entries, fill
from oversight.audit.verdict import Selection, Source
from tests.audit.builders import verdict
from tests.audit.store.test_queue import HERE, NOW, filled, report


def test_pages_are_the_queue_in_its_order(store: Store):
    """Whatever their size; blind, the same changes in the order of their shas."""
    filled(store, 60)
    store.add_report(report(900, None), source="import", repository="o/r", at=NOW)
    fill(store.engine, parse("20 per week"), Scope(), now=NOW, seed="s")
    whole = entries(store.engine, Scope())
    chosen = Filter()
    pages = [part(store.engine, chosen, start=start, most=7) for start in range(0, count(store.engine, chosen), 7)]
    assert [one for page in pages for one in page] == whole
    assert order(store.engine, chosen) == [(one.repository, one.commit) for one in whole]
    blind = [commit for _, commit in order(store.engine, Filter(blind=True))]
    assert blind == sorted(one.commit for one in whole)
    assert [one.commit for one in part(store.engine, Filter(blind=True), start=0, most=99)] == blind
    assert names(store.engine) == ["o/r"]


def test_filters_leave_out_what_they_say(store: Store):
    """By repository in whichever case, provenance, how it was picked, and whether it was judged."""
    filled(store, 40)
    filled(store, 10, first=500, repository="Other/One")
    fill(store.engine, parse("50%", 0.5), Scope(), now=NOW, seed="s")
    everything = Filter(show=Show.ALL, judged=Judged.ANY)
    assert count(store.engine, everything) == 50
    assert count(store.engine, Filter(["other/ONE"], show=Show.ALL, judged=Judged.ANY)) == 10
    assert count(store.engine, Filter([], show=Show.ALL, judged=Judged.ANY)) == 0
    agents = part(store.engine, Filter(provenance="agent", show=Show.ALL, judged=Judged.ANY), start=0, most=99)
    assert {one.provenance for one in agents} == {"agent"}
    for show, selection in ((Show.PLACES, Selection.FLAGGED), (Show.DRAWN, Selection.RANDOM)):
        assert {one.selection for one in part(store.engine, Filter(show=show), start=0, most=99)} == {selection}
    first = order(store.engine, Filter())[0][1]
    store.append([verdict("safe", change_id=first, source=Source("pages", "other/ONE"))])
    assert order(store.engine, Filter(judged=Judged.YES)) == [("Other/One", first)]
    assert first not in [commit for _, commit in order(store.engine, Filter())]


def test_what_a_budget_still_allows(store: Store):
    """Places and draws of this period, and how many of them are judged; of a percentage, of all."""
    filled(store, 100)
    week = parse("20 per week")
    fill(store.engine, week, Scope(), now=NOW, seed="s")
    store.append([verdict("risky", change_id=entries(store.engine, Scope())[0].commit, source=HERE)])
    assert spent(store.engine, week, None, now=NOW) == Spent(places=15, taken=15, drawn=5, judged=1)
    assert spent(store.engine, week, ["O/R"], now=NOW + timedelta(days=7)) == Spent(15, 0, 0, 0)
    assert spent(store.engine, parse("10%"), ["o/r"], now=NOW).places == 8
    assert spent(store.engine, parse("10%"), [], now=NOW) == Spent(0, 0, 0, 0)


def test_who_was_shown_a_change_is_remembered(store: Store):
    """Once, for that person alone; with the reports it goes."""
    filled(store, 2)
    commits = [f"{number:040x}" for number in range(2)]
    for _ in range(2):
        note_seen(store.engine, "ann", commits[:1], NOW)
    assert has_seen(store.engine, "ann", commits[0])
    assert not has_seen(store.engine, "ann", commits[1])
    assert not has_seen(store.engine, "bob", commits[0])
    store.forget("o/r")
    assert not has_seen(store.engine, "ann", commits[0])


def test_the_same_form_twice_says_one_thing(store: Store):
    """Who has said more or less by now than the form knew of has sent it before, or elsewhere."""
    first, again = verdict("safe"), verdict("safe", hours=1)
    assert store.append_unless_said(first, 0)
    assert not store.append_unless_said(again, 0)
    assert store.append_unless_said(verdict("risky", who="bob", hours=2), 0)
    assert store.append_unless_said(again, 1)
    assert store.head().entries == 3
