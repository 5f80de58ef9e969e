"""The store: what goes in comes out, once, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from oversight.audit.store import Store, reading
from oversight.audit.store.tables import changes, opinions, reports
from oversight.audit.verdict import Decision, Landing, Record, Selection, Shown, Source
from oversight.errors import LabelError, StoreError
from oversight.reports import as_json
from tests.audit.builders import HEAD, OTHER, at, verdict
from tests.reports.examples import flagged_by_principle

LANDING = Landing(HEAD, OTHER, "octo/repo", 7, at(9))


def test_what_was_said_comes_back_in_its_order(store: Store):
    """Verdicts and landings are on record as they were given, unknown values as unknown."""
    said = [
        verdict(),
        verdict("safe", who="bob", hours=1.5, finding="f" * 32 + ":2", own=True),
        verdict("unsure", hours=2, shown=Shown(Selection.REQUEST), source=Source("import")),
        verdict("dismissed", hours=3, note="", shown=Shown(Selection.RANDOM, 0.05, flagged=False, risk=0.0)),
    ]
    assert store.append([said[0], LANDING, *said[1:]]) == 5
    assert store.record() == Record(tuple(said), (LANDING,))


def test_what_is_delivered_twice_is_on_record_once(store: Store):
    """Within a call, and from one call to the next; a person who thinks better of it has said something else."""
    first, better = verdict("risky"), verdict("safe", hours=1)
    assert store.append([first, first]) == 1
    assert store.append([first, better, LANDING]) == 2
    assert store.append([first, better, LANDING]) == 0
    assert [one.decision for one in store.record().verdicts] == [Decision.RISKY, Decision.SAFE]


def test_what_is_on_record_stays_as_it_was_first_said(store: Store):
    """The same person at the same place and moment cannot have said two things: the first one counts."""
    store.append([verdict(note="the first")])
    assert store.append([verdict(note="another")]) == 0
    assert [one.note for one in store.record().verdicts] == ["the first"]


def test_any_text_and_any_clock_can_be_kept(store: Store):
    """NUL, which PostgreSQL refuses, and lone surrogates are shown as replaced; moments are kept in UTC."""
    elsewhere = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=1.5)))
    store.append([verdict(note="a\0b\ud800 \u202e'; DROP TABLE verdicts; --", decided_at=elsewhere)])
    (kept,) = store.record().verdicts
    assert kept.note == "a\ufffdb\ufffd \u202e'; DROP TABLE verdicts; --"
    assert kept.decided_at == at(0)
    assert store.verify() is None


def test_what_the_file_format_cannot_hold_is_not_kept_either(store: Store):
    """None of the entries that came with it is on record."""
    with pytest.raises(LabelError, match="propensity"):
        store.append([verdict(), verdict(hours=1, shown=Shown(Selection.FLAGGED, None))])
    assert store.record() == Record()


def test_one_repository_and_one_pull_request_can_be_asked_for(store: Store):
    """GitHub minds no case in names of repositories; numbers are the repository's own."""
    said = [
        verdict(hours=number, source=Source("comment", name, number, 1))
        for name, number in (("octo/repo", 7), ("Octo/Repo", 8), ("octo/other", 7))
    ]
    store.append([*said, LANDING])
    assert store.record("OCTO/repo") == Record((said[0], said[1]), (LANDING,))
    assert store.record("octo/repo", 7) == Record((said[0],), (LANDING,))
    assert store.record("octo/repo", 9) == Record()


def test_what_was_reported_can_be_forgotten_and_what_was_said_cannot(store: Store):
    """Reports of one repository go, with their changes, in whichever case it is named; the ledger is a chain."""
    report = as_json.as_dict(flagged_by_principle())
    for name in ("octo/repo", "octo/other"):
        store.add_report(report, source="webhook", repository=name, number=7, at=at(0))
    store.append([verdict()])
    assert store.forget("Octo/Repo") == 1
    assert store.forget("octo/repo") == 0
    with reading(store.engine) as connection:
        assert connection.execute(select(func.count()).select_from(reports)).scalar() == 1
        assert connection.execute(select(func.count()).select_from(changes)).scalar() == 1
        assert connection.execute(select(func.count(opinions.c.report_id.distinct()))).scalar() == 1
    assert store.record().verdicts == (verdict(),)
    assert store.verify() is None


def test_a_moment_needs_a_time_zone(store: Store):
    """One without may be any, and is not guessed."""
    with pytest.raises(StoreError):
        store.add_report(as_json.as_dict(flagged_by_principle()), source="webhook", at=datetime(2026, 1, 1))
