"""What figures are of, on both databases: who was considered, what was passed, and which models spoke."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

from oversight.audit.budget.spending import parse
from oversight.audit.store import Store, overview
from oversight.audit.store.export import json_lines
from oversight.audit.store.intake import take
from oversight.audit.store.queue import Scope, fill
from tests.audit.store.test_queue import NOW, report

LATER = NOW + timedelta(days=30)


def add(store: Store, number: int, *, flagged: bool = False, at: Any = NOW, **other: Any) -> None:
    """A report on a change of its own, placed by its number."""
    told = report(number, number / 100, **{"percentile": float(number), "flagged": flagged, **other})
    store.add_report(told, source="import", repository="o/r", at=at)


def label(store: Store, number: int, *, risky: bool, month: int) -> None:
    """What the history says of it."""
    line = {
        "commit": f"{number:040x}", "risky": risky, "source": "fixes", "decided_at": f"2026-0{month}-01T00:00:00+00:00",
        "evidence": [], "excluded": None,
    }  # fmt: skip
    take(store.engine, BytesIO(json.dumps(line).encode()), "labels.jsonl", repository="o/r", at=NOW)


def passed(store: Store, scope: Scope, gold: dict[str, bool], landed: dict[str, str]) -> list[tuple[int, Any, Any]]:
    found = overview.passed(store.engine, scope, gold, landed)
    return [(int(one.commit, 16), one.people, one.source) for one in found]


def test_what_was_passed_is_not_flagged_and_risky_by_somebodys_word(store: Store):
    """By the newest label or by people, under the head or the commit that it became; the lowest percentile first."""
    for number in (3, 5, 7, 9, 11):
        add(store, number)
    add(store, 13, flagged=True)
    add(store, 15, percentile=None, at=LATER)
    for number, risky, month in ((3, True, 1), (3, False, 2), (5, True, 2), (7, False, 1), (7, True, 2), (13, True, 1)):
        label(store, number, risky=risky, month=month)
    gold = {f"{9:040x}": True, f"{5:040x}": False, "e" * 40: True, f"{13:040x}": True, f"{15:040x}": True}
    landed = {f"{11:040x}": "e" * 40}
    everything = [(5, False, "fixes"), (7, None, "fixes"), (9, True, None), (11, True, None), (15, True, None)]
    assert passed(store, Scope(), gold, landed) == everything
    assert passed(store, Scope("O/R", until=NOW + timedelta(days=1)), gold, landed) == everything[:4]
    assert passed(store, Scope(since=LATER), gold, landed) == everything[4:]
    assert passed(store, Scope("o/other"), gold, landed) == []


def test_the_newest_label_is_the_one_that_was_imported_last(store: Store):
    """Whenever it was decided; an export says the same."""
    for number, labels in ((3, ((True, 2), (False, 1))), (5, ((False, 2), (True, 1)))):
        add(store, number)
        for risky, month in labels:
            label(store, number, risky=risky, month=month)
    assert passed(store, Scope(), {}, {}) == [(5, None, "fixes")]
    exported = [json.loads(line) for line in json_lines(store.engine, "labels")]
    assert [(int(one["commit"], 16), one["risky"]) for one in exported] == [(3, False), (5, True)]


def test_a_head_and_the_commit_that_it_became_are_one_change(store: Store):
    """Told once, by what came first, with the history's word on the commit; and no miss where either was flagged."""
    for number, flagged in ((20, False), (21, False), (22, True), (23, False), (24, False), (25, True)):
        add(store, number, flagged=flagged)
    landed = {f"{head:040x}": f"{head + 1:040x}" for head in (20, 22, 24)}
    gold = {f"{number:040x}": True for number in (21, 25)}
    label(store, 21, risky=True, month=1)
    label(store, 23, risky=True, month=1)
    assert passed(store, Scope(), gold, landed) == [(20, True, "fixes")]
    assert passed(store, Scope(), gold, {}) == [(21, True, "fixes"), (23, None, "fixes")]


def test_the_report_in_the_queue_says_whether_a_change_was_flagged(store: Store):
    """It is the one that people were asked about; of others the newest."""
    add(store, 20)
    fill(store.engine, parse("100%"), Scope(), now=NOW, seed="s")
    add(store, 21)
    for number in (20, 21):
        add(store, number, flagged=True, at=LATER, budget=50)
    gold = {f"{number:040x}": True for number in (20, 21)}
    assert [number for number, *_ in passed(store, Scope(), gold, {})] == [20]


def test_models_have_the_names_that_reports_give_them(store: Store):
    """One report of each is read; a digest that none names has no name."""
    for number, sha in ((1, "a" * 64), (2, "a" * 64), (3, "b" * 64)):
        add(store, number, model={"name": f"model {number}", "version": "1", "sha256": sha})
    found = overview.models(store.engine, {"a" * 64, "b" * 64, "c" * 64})
    assert found == {"a" * 64: ("model 1", "1"), "b" * 64: ("model 3", "1")}


def test_who_was_considered_is_told_with_title_and_moment(store: Store):
    """In the order in which changes came, those of the period alone."""
    add(store, 1)
    add(store, 2, at=LATER)
    fill(store.engine, parse("50%"), Scope(), now=LATER, seed="s")
    add(store, 3)
    found = overview.population(store.engine, Scope(since=LATER), {f"{2:040x}": True}, {})
    assert [(one.commit[-1], one.risky, one.considered_at) for one in found] == [("2", True, LATER)]
    assert found[0].title == report(2)["change"]["title"]
    assert len(overview.population(store.engine, Scope(), {}, {})) == 2
