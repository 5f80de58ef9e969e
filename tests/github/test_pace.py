"""How fast a token asks: never more, over any minute and any hour, than GitHub's secondary limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oversight_github.client import Client, NotFound, RateLimited
from oversight_github.pace import Pace, pace_of
from tests.github.double import TOKEN, Double
from tests.github.test_client_graphql import RESOLVE, THREADS

MINUTE, HOUR = 60.0, 3600.0


class Clock:
    """Stands still but for those who wait by it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


def sent(clock: Clock, *, for_seconds: float, writes: Callable[[int], bool]) -> list[tuple[float, bool]]:
    """When requests are sent by somebody who sends them as fast as they may be, and which of them write."""
    pace, found, began = Pace(clock), [], clock.now
    while clock.now - began < for_seconds:
        write = writes(len(found))
        clock.sleep(pace.take(writes=write, patience=HOUR))
        found.append((clock.now, write))
    return found


def most(moments: list[tuple[float, int]], window: float) -> int:
    """The largest sum over any time as long as `window`."""
    largest = total = first = 0
    for now, amount in moments:
        total += amount
        while moments[first][0] < now - window:
            total -= moments[first][1]
            first += 1
        largest = max(largest, total)
    return largest


@pytest.mark.parametrize("writes", [lambda _: True, lambda _: False, lambda number: number % 5 == 0])
def test_it_stays_below_githubs_limits(clock: Clock, writes: Callable[[int], bool]) -> None:
    """80 writes a minute, 500 an hour, 900 points a minute; and not much below, or it would be slow for nothing."""
    found = sent(clock, for_seconds=3 * HOUR, writes=writes)
    written = [(now, int(write)) for now, write in found]
    points = [(now, 5 if write else 1) for now, write in found]
    assert most(written, MINUTE - 1e-6) <= 80
    assert most(written, HOUR - 1e-6) <= 500
    assert most(points, MINUTE - 1e-6) <= 900
    assert most(points, MINUTE) >= 850 or most(written, HOUR) >= 490


def test_an_ordinary_review_waits_for_nothing(clock: Clock) -> None:
    """Twenty writes and two hundred reads go at once."""
    pace = Pace(clock)
    waits = [pace.take(writes=number < 20, patience=0.0) for number in range(220)]
    assert not any(waits)


def test_reads_do_not_wait_for_writes(clock: Clock) -> None:
    """Whoever has posted much may still look."""
    pace = Pace(clock)
    for _ in range(25):
        pace.take(writes=True, patience=HOUR)
    assert pace.take(writes=True, patience=HOUR) > 0
    assert pace.take(writes=False, patience=0.0) == 0


def test_what_would_wait_too_long_is_not_begun(clock: Clock, github: Double) -> None:
    """And does not count: it comes as a rate limit that says how long, and nothing is sent."""
    pace = Pace(clock)
    github.world.pull(7)
    client = github.client(pace=pace, patience=2.5)
    for _ in range(23):
        pace.take(writes=True, patience=HOUR)
    for _ in range(2):
        with pytest.raises(RateLimited, match="no room") as caught:
            client.post(client.here("issues", 7, "comments"), {"body": "x"})
        assert caught.value.pause == pytest.approx(4.0)
    assert github.calls == []
    clock.sleep(1.5)
    client.post(client.here("issues", 7, "comments"), {"body": "x"})
    assert github.slept == [pytest.approx(2.5)]


def test_clients_of_one_token_keep_one_pace(github: Double) -> None:
    """As GitHub counts them; another token, and the same on another GitHub, are others'."""
    with Client("a/b", TOKEN) as first, Client("c/d", TOKEN) as second:
        assert first.repository != second.repository
    assert pace_of(TOKEN, github.url) is pace_of(TOKEN, github.url)
    assert pace_of(TOKEN, github.url) is not pace_of("other", github.url)
    assert pace_of(TOKEN, github.url) is not pace_of(TOKEN, "https://api.github.com")
    github.world.pull(7)
    for number in range(25):
        client = github.client(pace=None)
        client.post(client.here("issues", 7, "comments"), {"body": str(number)})
    assert len(github.slept) == 5


def test_a_query_is_a_read_and_a_mutation_writes(github: Double, clock: Clock) -> None:
    """Both are sent as POST."""
    pace = Pace(clock)
    for _ in range(20):
        pace.take(writes=True, patience=0.0)
    client = github.client(pace=pace)
    for query, waits in ((THREADS, 0), (RESOLVE, 1)):
        with pytest.raises(NotFound):
            client.graphql(query, {"number": 8, "id": "none"})
        assert len(github.slept) == waits
