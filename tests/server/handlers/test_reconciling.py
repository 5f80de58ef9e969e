"""Deliveries get lost: what they would have told is found by asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oversight_server.queue.model import Chore, Kind
from tests.github.routes import REPO
from tests.server.handlers.test_verdicts import press
from tests.server.works import FAST, HEAD, INSTALLATION, Works

PULLS = REPO + "/pulls"


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    """A pull request that was reviewed; bob may write."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}") as made:
        made.github.world.permissions = {"bob": "write"}
        made.open()
        made.deliver("opened")
        made.rest()
        yield made


def reconcile(works: Works, name: str) -> None:
    """Ask GitHub what there is."""
    works.jobs._take(Chore(Kind.RECONCILE, name, INSTALLATION, "octo/repo"))
    works.rest()


def rebase(works: Works, branch: str) -> None:
    """Somebody changes what the pull request is to be merged into, and nobody hears of it."""
    works.github.world.pulls[7]["base"]["ref"] = branch
    works.touch()


def test_a_base_that_was_changed_in_silence_is_found(works: Works):
    """By asking now and then, with one request; what is as it was stays as it is."""
    reconcile(works, "first")
    assert works.reviews.calls == [HEAD]
    assert works.github.count("GET", PULLS) == 1
    rebase(works, "release")
    reconcile(works, "second")
    reconcile(works, "third")
    assert works.reviews.calls == [HEAD, HEAD]
    assert works.posted == (1, 1)


def test_a_base_that_was_changed_in_silence_is_found_where_people_speak(works: Works):
    """A verdict that changes nothing leads to a review all the same where what stands there is of another base."""
    press(works, "unsure")
    works.rest()
    assert works.reviews.calls == [HEAD]
    rebase(works, "release")
    press(works, "unsure")
    works.rest()
    assert works.reviews.calls == [HEAD, HEAD]
    press(works, "unsure")
    works.rest()
    assert works.reviews.calls == [HEAD, HEAD]


def test_a_later_delivery_tells_of_a_base_that_was_changed_in_silence(works: Works):
    """Whatever it is about."""
    rebase(works, "release")
    works.deliver("reopened")
    works.rest()
    assert works.reviews.calls == [HEAD, HEAD]


def test_pull_requests_of_which_nobody_told_are_reviewed(works: Works):
    """Heads too; not drafts, closed ones, and those of which nothing was heard for days."""
    works.push("b" * 40)
    works.open(8, head_sha="c" * 40)
    works.open(9, head_sha="d" * 40, draft=True)
    works.open(10, head_sha="e" * 40, state="closed")
    works.open(11, head_sha="f" * 40)["updated_at"] = "2025-12-01T00:00:00Z"
    works.open(12, head_sha="1" * 40)["base"]["ref"] = "a..b"
    reconcile(works, "first")
    assert sorted(works.reviews.calls) == sorted([HEAD, "b" * 40, "c" * 40])


def test_an_app_that_was_taken_off_is_asked_no_more(works: Works):
    """As GitHub says three times."""
    works.github.fail("GET", PULLS, 404, times=9)
    reconcile(works, "first")
    assert works.github.count("GET", PULLS) == 3
    assert works.dead() == []


def test_all_processes_ask_once_in_a_while(works: Works):
    """After the start as well, and never where the operator wants none of it."""
    works.restart()
    rebase(works, "release")
    works.until(lambda: works.jobs.alive)
    assert works.github.count("GET", PULLS) == 0
    for _ in range(2):
        works.restart(replace(FAST, reconcile=1e9))
        works.until(lambda: works.github.count("GET", PULLS) == 1)
        works.rest()
    assert works.reviews.calls == [HEAD, HEAD]
