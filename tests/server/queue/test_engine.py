"""The real queue by itself: turns, in their order, by whoever is there, and what it keeps to itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import URL, make_url

from oversight.audit.store.engine import locate
from oversight.errors import ConfigError
from oversight_server.queue.engine import Engine, queue_url
from oversight_server.queue.model import Due


class Done:
    """Remembers the turns that were done, and by how many at once of each place."""

    def __init__(self) -> None:
        self.turns: list[Due] = []
        self.most: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._lock = threading.Lock()
        self.hold: Callable[[Due], object] = lambda _: None

    def __call__(self, due: Due) -> str:
        with self._lock:
            self.turns.append(due)
            self._now[due.place] = self._now.get(due.place, 0) + 1
            self.most[due.place] = max(self.most.get(due.place, 0), self._now[due.place])
        self.hold(due)
        with self._lock:
            self._now[due.place] -= 1
        return "done"


@contextmanager
def engine(url: URL, done: Done, worker: str = "one") -> Iterator[Engine]:
    """A queue at work in this process."""
    made = Engine(url, worker, done, workers=4, poll=0.02)
    made.start()
    try:
        yield made
    finally:
        made.stop(0)
        made.close()


@pytest.fixture
def url(database_url: str) -> URL:
    """Of an empty database of either kind."""
    return locate(database_url)


def wait(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_turn_is_done_once_and_one_at_a_time_of_a_place(url: URL):
    """However often it is put in; places do not wait for each other, and each has its order."""
    done = Done()
    together = threading.Barrier(2, timeout=60)
    done.hold = lambda due: together.wait() if due.id in ("a1", "b1") else time.sleep(0.01)
    turns = [Due(f"{place}{number}", 1, place) for number in (1, 2, 3) for place in ("a", "b")]
    with engine(url, done) as made:
        for due in turns:
            made.put(due)
            made.put(due)
        wait(lambda: len(done.turns) == 6)
        wait(lambda: not any(made.standing(turns).values()))
        assert made.standing([*turns, Due("a1", 2, "a")]) == dict.fromkeys(turns, False)
    assert sorted(due.id for due in done.turns) == ["a1", "a2", "a3", "b1", "b2", "b3"]
    assert [due.id for due in done.turns if due.place == "a"] == ["a1", "a2", "a3"]
    assert done.most == {"a": 1, "b": 1}


def test_what_waits_holds_no_place(url: URL):
    """A turn for later is overtaken by one for now, and outlives its process."""
    done = Done()
    later, now = Due("later", 1, "a"), Due("now", 1, "a")
    with engine(url, done) as made:
        made.put(later, 2.0)
        made.put(now)
        wait(lambda: done.turns == [now])
        assert made.standing([later]) == {later: True}
    with engine(url, done, "two"):
        wait(lambda: done.turns == [now, later])


def test_what_another_has_begun_is_handed_on(url: URL):
    """By its name, once it is known to be no more; and is begun again."""
    done, gate = Done(), threading.Event()
    due = Due("a1", 1, "a")
    done.hold = lambda _: gate.wait(60)
    made = Engine(url, "one", done, workers=4, poll=0.02)
    made.start()
    made.put(due)
    wait(lambda: done.turns == [due])
    assert made.holders() == {"one"}
    made.stop(0)
    assert made.hand_on("other") == []
    assert made.hand_on("one") == ["a1"]
    made.close()
    gate.set()
    with engine(url, done, "two") as following:
        wait(lambda: done.turns == [due, due])
        wait(lambda: not following.standing([due])[due])


def test_what_was_done_is_forgotten_in_time(url: URL):
    """And what is still to be done is not."""
    done = Done()
    old, waiting = Due("old", 1, "a"), Due("waiting", 1, "b")
    with engine(url, done) as made:
        made.put(old)
        made.put(waiting, 3600.0)
        wait(lambda: made.standing([old]) == {old: False})
        made.tidy(datetime.now(UTC) - timedelta(hours=1))
        assert made.standing([old, waiting]) == {old: False, waiting: True}
        made.tidy(datetime.now(UTC) + timedelta(hours=1))
        assert made.standing([old, waiting]) == {waiting: True}


def test_it_would_report_to_nobody(monkeypatch: pytest.MonkeyPatch, url: URL):
    """Where it would believe to be in its maker's cloud it does not start."""
    monkeypatch.setenv("DBOS__CLOUD", "true")
    with pytest.raises(ConfigError, match="DBOS__CLOUD"):
        Engine(url, "one", Done(), workers=1, poll=1.0)


def test_it_is_beside_the_database():
    """In a file of its own, or in a schema of its own."""
    assert queue_url(make_url("sqlite:////x/oversight.db")).database == "/x/oversight-queue.db"
    assert queue_url(make_url("sqlite:////x/oversight")).database == "/x/oversight-queue"
    url = make_url("postgresql+psycopg://user@host/name")
    assert queue_url(url) == url
