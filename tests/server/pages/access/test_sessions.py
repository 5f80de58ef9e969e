"""Sessions: they end by themselves, at once when they are told to, and are in nobody's hands who reads the database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from oversight.audit.store.engine import reading
from oversight_server.database import open_database
from oversight_server.pages.access.sessions import EACH, Sessions, csrf_of
from oversight_server.tables import sessions as table

HOUR = timedelta(hours=1)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = open_database(database_url)
    yield made
    made.dispose()


@pytest.fixture
def sessions(engine: Engine, clock: Clock) -> Sessions:
    """Sessions that end after two hours without a request, and after five in any case."""
    return Sessions(engine, idle=2 * HOUR, longest=5 * HOUR, clock=clock)


def begin(sessions: Sessions, login: str = "ann") -> str:
    return sessions.begin(login, via="github", issuer="i" * 64, account=7)


def rows(engine: Engine) -> list[str]:
    """The logins of all rows."""
    with reading(engine) as connection:
        return list(connection.execute(select(table.c.login)).scalars())


def test_a_session_lasts_as_long_as_it_is_used_and_no_longer(engine: Engine, sessions: Sessions, clock: Clock):
    """Each request puts the idle end off, none the last one. On SQLite and PostgreSQL alike."""
    used, idle = begin(sessions), begin(sessions, "idle")
    for _ in range(3):
        clock.pass_by(1.5 * HOUR)
        found = sessions.find(used)
        assert found is not None
        assert (found.login, found.via, found.issuer, found.account) == ("ann", "github", "i" * 64, 7)
    assert sessions.find(idle) is None
    clock.pass_by(0.5 * HOUR)
    assert sessions.find(used) is None
    begin(sessions, "next")
    assert rows(engine) == ["next"], "what is over goes with the next login"


def test_the_database_holds_digests_alone(engine: Engine, sessions: Sessions):
    """A key is 256 random bits, and what is stored of it does not log in."""
    key = begin(sessions)
    with reading(engine) as connection:
        (row,) = connection.execute(select(table)).all()
    assert row.key == hashlib.sha256(key.encode()).hexdigest()
    assert key not in str(row)
    assert csrf_of(key) not in str(row)
    assert sessions.find(row.key) is None


def test_a_logout_ends_one_session(sessions: Sessions):
    """Others of the same person go on, and what ends twice has ended."""
    one, other = begin(sessions), begin(sessions)
    for _ in range(2):
        sessions.end(one)
    sessions.end(None)
    assert sessions.find(one) is None
    assert sessions.find(other) is not None


def test_nobody_has_more_than_a_few(engine: Engine, sessions: Sessions, clock: Clock):
    """The oldest goes; those of others stay."""
    begin(sessions, "bob")
    keys = []
    for _ in range(EACH + 2):
        keys.append(begin(sessions))
        clock.pass_by(timedelta(seconds=1))
    assert [sessions.find(key) is not None for key in keys] == [False] * 2 + [True] * EACH
    assert sorted(rows(engine)) == ["ann"] * EACH + ["bob"]


KEYS = st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True)


@given(KEYS, KEYS)
def test_the_marks_of_forms_tell_no_key_and_no_other_mark(key: str, other: str):
    """Each key has a mark of its own."""
    assert len(csrf_of(key)) == 64
    assert (csrf_of(key) == csrf_of(other)) == (key == other)
