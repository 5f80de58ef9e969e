"""Whose words count in a repository: those that were said there, whatever it was called then, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from oversight.audit.budget.spending import parse
from oversight.audit.dashboard import gather
from oversight.audit.dashboard.model import Group
from oversight.audit.dashboard.period import read
from oversight.audit.store import Store
from oversight.audit.store.names import former_names
from oversight.audit.store.queue import Scope, fill
from oversight.audit.verdict import Landing, Source
from tests.audit.builders import verdict
from tests.audit.dashboard.stores import NAME, NOW, START, change

SECRET = Source("pages", "octo/secret")
OLD = Source("comment", "Octo/Before", 7, 1)
COMMITS = [f"{number:040x}" for number in range(4)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Four changes of two repositories, all of them asked about."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as opened:
        for name in (NAME, SECRET.repository):
            for number in range(4):
                opened.add_report(change(number), source="import", repository=name, at=START)
        fill(opened.engine, parse("100%"), Scope(), now=START)
        yield opened


def test_what_is_said_of_the_same_commit_elsewhere_does_not_count(store: Store):
    """Nor is it told; nor does a head count as what it became there."""
    store.append(
        [
            verdict("risky", change_id=COMMITS[0], source=SECRET),
            verdict("safe", change_id=COMMITS[1], source=Source("terminal")),
            verdict("safe", change_id=COMMITS[2], source=Source("pages", NAME.upper())),
            Landing(COMMITS[3], COMMITS[2], "octo/secret", 7, START),
        ]
    )
    period = read(store, Scope(NAME))
    assert {one.commit: one.risky for one in period.population} == dict(
        zip(COMMITS, (None, False, False, None), strict=True)
    )
    assert period.summary.figures.verdicts == 2
    assert not period.landed
    found = gather(store, NAME, at=NOW)
    assert "secret" not in repr(found)
    assert {one.commit for one in found.group(Group.WAITING)} == {COMMITS[0], COMMITS[3]}
    assert read(store, Scope("OCTO/secret")).gold == {COMMITS[0]: True, COMMITS[1]: False}


def test_what_was_said_under_a_former_name_counts(store: Store):
    """Also of what was never in the queue, and of heads that landed then; rows lead to the name that it has now."""
    store.append(
        [
            verdict("risky", change_id=COMMITS[0], source=OLD),
            verdict("risky", change_id="d" * 40, source=OLD, hours=1),
            verdict("safe", change_id="e" * 40, source=OLD, hours=2),
            Landing("e" * 40, COMMITS[1], "octo/before", 8, START),
        ]
    )
    assert read(store, Scope(NAME)).verdicts == ()
    former_names.create(store.engine)
    with store.engine.begin() as connection:
        connection.execute(insert(former_names).values(key="octo/before", name=NAME))
    found = gather(store, NAME, at=NOW)
    assert [(one.commit, one.repository) for one in found.group(Group.ELSEWHERE)] == [("d" * 40, NAME)]
    assert {one.commit: one.risky for one in found.changes} == {
        COMMITS[0]: True, COMMITS[1]: False, COMMITS[2]: None, COMMITS[3]: None, "d" * 40: True,
    }  # fmt: skip
    assert {one.repository for one in found.said} == {NAME}
    assert {one.repository for one in gather(store, at=NOW).said} == {NAME}
