"""Signs of life, told by numbers that go up and by no clock but one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from oversight.audit.store.engine import connect, locate
from oversight.audit.store.migrate import migrate
from oversight_server.queue.tables import VERSION_TABLE
from oversight_server.queue.watchdog import Watchdog
from tests.server.queue.test_book import MIGRATIONS


class Turns:
    """What has been begun, by whom."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        self.handed_on: list[str] = []

    def holders(self) -> set[str]:
        return set(self.begun)

    def hand_on(self, worker: str) -> list[str]:
        self.handed_on.append(worker)
        self.begun.discard(worker)
        return []


@pytest.fixture
def turns() -> Turns:
    """Nothing has been begun."""
    return Turns()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with the table of workers."""
    made = connect(locate(database_url))
    migrate(made, MIGRATIONS, version_table=VERSION_TABLE)
    yield made
    made.dispose()


@pytest.fixture
def dog(engine: Engine, turns: Turns) -> Callable[[str], Watchdog]:
    """Make the watchdog of a worker, whose clock stands still unless its test moves it."""
    return lambda name: Watchdog(engine, name, turns, dead_after=10.0, clock=lambda: clock[0])


clock = [0.0]


def test_who_gives_no_sign_is_taken_for_dead(dog: Callable[[str], Watchdog], turns: Turns):
    """After long enough, once, and its jobs go to others."""
    one, other = dog("one"), dog("other")
    one.beat()
    other.beat()
    assert one.look() == []
    clock[0] += 9.9
    assert one.look() == []
    clock[0] += 0.1
    assert one.look() == ["other"]
    assert turns.handed_on == ["other"]
    assert one.look() == []


def test_who_gives_one_lives(dog: Callable[[str], Watchdog], turns: Turns):
    """However slow its clock is."""
    one, other = dog("one"), dog("other")
    for _ in range(4):
        one.beat()
        other.beat()
        assert one.look() == []
        clock[0] += 9.0
    assert turns.handed_on == []


def test_a_database_that_was_away_kills_nobody(dog: Callable[[str], Watchdog], turns: Turns):
    """Nobody could give a sign meanwhile."""
    one, other = dog("one"), dog("other")
    one.beat()
    other.beat()
    one.look()
    clock[0] += 60.0
    one.lost_sight()
    assert one.look() == []
    other.beat()
    clock[0] += 9.0
    assert one.look() == []
    assert turns.handed_on == []


def test_of_several_that_see_it_one_buries(dog: Callable[[str], Watchdog], turns: Turns):
    """And who was merely slow comes back under its own name."""
    one, two, slow = dog("one"), dog("two"), dog("slow")
    for worker in (one, two, slow):
        worker.beat()
    one.look()
    two.look()
    clock[0] += 10.0
    one.beat()
    two.beat()
    assert one.look() + two.look() == ["slow"]
    slow.beat()
    clock[0] += 9.0
    one.beat()
    two.beat()
    assert one.look() == []
    assert turns.handed_on == ["slow"]


def test_what_nobody_known_has_begun_goes_to_others(dog: Callable[[str], Watchdog], turns: Turns):
    """As after a crash between the two: who begins something has given a sign before."""
    one = dog("one")
    one.beat()
    turns.begun = {"gone", "one"}
    assert one.look() == ["gone"]
    assert one.look() == []


def test_who_leaves_is_not_missed(dog: Callable[[str], Watchdog], turns: Turns):
    """It has handed on what it had."""
    one, other = dog("one"), dog("other")
    one.beat()
    other.beat()
    one.look()
    other.leave()
    clock[0] += 20.0
    assert one.look() == []
    assert turns.handed_on == []
