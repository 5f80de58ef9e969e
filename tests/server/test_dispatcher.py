"""Deliveries are moved on to the queue in their order, once each, whatever fails in between."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from oversight_server import dispatcher as dispatcher_module
from oversight_server.dispatcher import Dispatcher
from oversight_server.inbox import Delivery, Inbox
from tests.server.recorder import Recorder
from tests.server.test_inbox import delivery, put


def dispatching(inbox: Inbox, recorder: Recorder, keep: timedelta = timedelta(days=1)) -> Dispatcher:
    """A dispatcher that has started."""
    made = Dispatcher(inbox, recorder, keep=keep)
    made.start()
    return made


def until(inbox: Inbox, waiting: int) -> None:
    """Wait until that many deliveries wait."""
    while inbox.waiting()[0] != waiting:
        time.sleep(0.01)


def test_all_are_moved_on_in_their_order(inbox: Inbox, recorder: Recorder):
    """What was stored first reaches the queue first, what was there before the start included."""
    names = [f"d-{number}" for number in range(120)]
    for name in names[:60]:
        put(inbox, delivery(name))
    dispatcher = dispatching(inbox, recorder)
    for name in names[60:]:
        put(inbox, delivery(name))
    assert recorder.wait(120) == names
    until(inbox, 0)
    dispatcher.close(30)
    assert not dispatcher.alive
    assert recorder.asked == names


def test_each_delivery_lets_others_be_stored_first(inbox: Inbox, recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    """And not for ever: where deliveries never cease they are moved on all the same, one after a moment."""
    asked: list[tuple[float, int]] = []

    def always_busy(seconds: float) -> bool:
        asked.append((seconds, len(recorder.asked)))
        return False

    monkeypatch.setattr(inbox, "give_way", always_busy)
    for number in range(3):
        put(inbox, delivery(f"d-{number}"))
    dispatcher = dispatching(inbox, recorder)
    assert recorder.wait(3) == ["d-0", "d-1", "d-2"]
    dispatcher.close(30)
    assert [before for _, before in asked] == [0, 1, 2]
    assert max(seconds for seconds, _ in asked) < 1


def test_a_database_that_fails_is_asked_again(inbox: Inbox, engine: Engine, recorder: Recorder):
    """The thread outlives whatever the database does, and goes on when it is back."""
    gone = threading.Event()

    def fail(_: object) -> None:
        gone.set()
        raise OSError("the disk is gone")

    put(inbox, delivery("d-1"))
    event.listen(engine, "commit", fail)
    dispatcher = dispatching(inbox, recorder)
    assert gone.wait(30)
    event.remove(engine, "commit", fail)
    assert recorder.wait(1) == ["d-1"]
    until(inbox, 0)
    dispatcher.close(30)


def test_one_that_was_taken_and_not_marked_is_offered_again(
    inbox: Inbox, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """Between the queue's yes and the mark everything may end: the queue is asked again, and knows the id."""
    monkeypatch.setattr("oversight_server.inbox.LEASE", timedelta(seconds=0.1))
    first = True

    def lost(self: Inbox, ids: list[str]) -> None:
        nonlocal first
        if first:
            first = False
            raise OSError("lost")
        original(self, ids)

    original = Inbox.done
    monkeypatch.setattr(Inbox, "done", lost)
    put(inbox, delivery("d-1"))
    dispatcher = dispatching(inbox, recorder)
    until(inbox, 0)
    dispatcher.close(30)
    assert recorder.asked == ["d-1", "d-1"]
    assert list(recorder.deliveries) == ["d-1"]


def test_stopping_leaves_the_rest_for_whoever_comes_next(inbox: Inbox, recorder: Recorder):
    """The delivery at hand is finished; the others are free at once."""
    entered, gate = threading.Event(), threading.Event()

    def slow(_: Delivery) -> None:
        entered.set()
        assert gate.wait(30)

    recorder.before = slow
    put(inbox, *(delivery(f"d-{number}") for number in range(5)))
    dispatcher = dispatching(inbox, recorder)
    assert entered.wait(30)
    closing = threading.Thread(target=dispatcher.close, args=(30,))
    closing.start()
    time.sleep(0.1)
    gate.set()
    closing.join(30)
    assert len(recorder.asked) == 1
    assert len(inbox.claim(10)) == 4


def test_two_dispatchers_move_each_delivery_on_once(inbox: Inbox, engine: Engine):
    """Several servers on one database share what there is."""
    put(inbox, *(delivery(f"d-{number}") for number in range(300)))
    recorders = [Recorder(), Recorder()]
    dispatchers = [dispatching(Inbox(engine), recorder) for recorder in recorders]
    until(inbox, 0)
    for dispatcher in dispatchers:
        dispatcher.close(30)
    asked = [name for recorder in recorders for name in recorder.asked]
    assert sorted(asked) == sorted(f"d-{number}" for number in range(300))


def test_old_ids_go_in_time(inbox: Inbox, recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    """What was moved on is forgotten after as long as the operator says."""
    monkeypatch.setattr(dispatcher_module, "_SWEEP", 0.0)
    put(inbox, delivery("d-1"))
    dispatcher = dispatching(inbox, recorder, keep=timedelta(seconds=0))
    recorder.wait(1)
    until(inbox, 0)
    while not put(inbox, delivery("d-1"))[0]:
        time.sleep(0.01)
    dispatcher.close(30)
    assert inbox.forget(datetime.now(UTC) - timedelta(days=1)) == 0
