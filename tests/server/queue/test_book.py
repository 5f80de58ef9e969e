"""The books: what deliveries amount to, whatever their order, and how jobs go from one hand to the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import inspect

from oversight.audit.store.engine import connect, locate
from oversight.audit.store.migrate import migrate
from oversight_server import queue
from oversight_server.queue.book import Book
from oversight_server.queue.model import Cancel, Chore, Due, Job, Kind, Review, State
from oversight_server.queue.tables import VERSION_TABLE, jobs, metadata

A, B, C = "a" * 40, "b" * 40, "c" * 40
MODEL = "model-1"
START = datetime(2026, 1, 1, tzinfo=UTC)
MIGRATIONS = Path(queue.__file__).with_name("migrations")


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


class Shelf:
    """A book, and a clock that a test moves."""

    def __init__(self, url: str) -> None:
        self.engine = connect(locate(url))
        migrate(self.engine, MIGRATIONS, version_table=VERSION_TABLE)
        self.time = START
        self.book = Book(self.engine, self.now)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def take(self, head: str, minute: int | None = None, *, cause: str | None = None, changed: bool = False,
             number: int = 7, model: str = MODEL) -> Due | None:  # fmt: skip
        seen = None if minute is None else at(minute)
        return self.book.take(Review("Octo/Repo", 5, number, head, seen, cause, changed), model)

    def cancel(self, minute: int | None = None) -> None:
        assert self.book.take(Cancel("octo/repo", 7, None if minute is None else at(minute)), MODEL) is None

    def begin(self, due: Due | None) -> Job:
        assert due is not None
        job = self.book.claim(due)
        assert job is not None
        return job

    def do(self, due: Due | None, state: State = State.DONE) -> None:
        assert self.book.finish(self.begin(due), state)

    def active(self) -> list[tuple[str | None, int]]:
        """The heads that are still to be reviewed, with their attempts."""
        return sorted((job.head, job.attempt) for job in self.book.active(at(10_000)))


@pytest.fixture
def shelf(database_url: str) -> Iterator[Shelf]:
    """An empty book."""
    made = Shelf(database_url)
    yield made
    made.engine.dispose()


def test_the_migrations_make_the_tables(shelf: Shelf):
    """Column by column and index by index what the code goes by."""
    found = inspect(shelf.engine)
    for table in metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}
        assert {one["name"] for one in found.get_indexes(table.name)} == {one.name for one in table.indexes}


def test_one_head_is_reviewed_once(shelf: Shelf):
    """However many deliveries tell of it, before, while and after its review, in whichever case they write names."""
    due = shelf.take(A, 1)
    assert due == Due(f"review:octo/repo#7:{A}:{MODEL}:1", 1, "octo/repo")
    assert shelf.take(A, 1) == due
    job = shelf.begin(due)
    assert (job.repository, job.installation, job.number, job.head, job.attempt) == ("Octo/Repo", 5, 7, A, 1)
    assert shelf.take(A, 2) == due
    assert shelf.book.finish(job, State.DONE)
    assert shelf.take(A, 3) is None
    assert shelf.active() == []


def test_another_model_reviews_it_again(shelf: Shelf):
    """As does another pull request with the same head."""
    shelf.do(shelf.take(A, 1))
    assert shelf.take(A, 2, model="model-2") is not None
    assert shelf.take(A, 2, number=8) is not None


def test_a_newer_head_supersedes_what_waits_and_what_runs(shelf: Shelf):
    """Neither is done any more, and what was begun finds out."""
    running = shelf.begin(shelf.take(A, 1))
    waiting = shelf.take(B, 2)
    newest = shelf.take(C, 3)
    assert not shelf.book.running(running)
    assert not shelf.book.finish(running, State.DONE)
    assert waiting is not None
    assert shelf.book.claim(waiting) is None
    assert newest is not None
    assert shelf.active() == [(C, 1)]


@pytest.mark.parametrize("order", list(permutations([(A, 1), (B, 2), (C, 3)])))
def test_the_last_head_wins_in_whichever_order_deliveries_come(shelf: Shelf, order: list[tuple[str, int]]):
    """By what GitHub says of when the pull request changed."""
    for head, minute in order:
        shelf.take(head, minute)
    assert shelf.active() == [(C, 1)]


def test_a_late_delivery_takes_nothing_back(shelf: Shelf):
    """Of a head that was pushed over, when the newer one is reviewed already."""
    shelf.do(shelf.take(B, 2))
    assert shelf.take(A, 1) is None
    assert shelf.active() == []


def test_a_head_that_comes_back_is_told_of_again(shelf: Shelf):
    """Its review was done, and is not what stands on the pull request any more."""
    shelf.do(shelf.take(A, 1))
    shelf.do(shelf.take(B, 2))
    assert shelf.take(A, 3) == Due(f"review:octo/repo#7:{A}:{MODEL}:2", 1, "octo/repo")


def test_another_base_is_another_change(shelf: Shelf):
    """A review that waits will see it; one that was begun or done has not."""
    due = shelf.take(A, 1)
    assert shelf.take(A, 2, changed=True) == due
    shelf.begin(due)
    assert shelf.take(A, 3, changed=True) == Due(f"review:octo/repo#7:{A}:{MODEL}:2", 1, "octo/repo")
    assert shelf.take(A, 4, changed=True) == Due(f"review:octo/repo#7:{A}:{MODEL}:2", 1, "octo/repo")


def test_people_get_another_attempt(shelf: Shelf):
    """One for each time that they ask, and one alone for the same delivery."""
    shelf.do(shelf.take(A, 1))
    second = shelf.take(A, cause="d2")
    assert second is not None
    assert second.id.endswith(":2")
    assert shelf.take(A, cause="d2") == second
    job = shelf.begin(second)
    third = shelf.take(A, cause="d3")
    assert third is not None
    assert third.id.endswith(":3")
    assert shelf.book.finish(job, State.DONE)
    assert shelf.take(A, cause="d2") is None


def test_asking_for_an_old_head_stops_no_newer_one(shelf: Shelf):
    """Its check run can still be seen, and its button be pressed."""
    shelf.do(shelf.take(A, 1))
    shelf.take(B, 2)
    shelf.take(A, cause="d3")
    assert shelf.active() == [(A, 2), (B, 1)]


def test_closing_cancels(shelf: Shelf):
    """What waits and what runs, but nothing of after it was opened again; then the same head is reviewed after all."""
    running, waiting = shelf.begin(shelf.take(A, 1)), shelf.take(A, 1, number=8)
    shelf.cancel(2)
    assert not shelf.book.running(running)
    assert waiting is not None
    reopened = shelf.take(A, 3)
    assert reopened is not None
    assert reopened.id.endswith(":2")
    shelf.cancel(2)
    assert shelf.active() == [(A, 1), (A, 2)]
    shelf.cancel()
    assert shelf.active() == [(A, 1)]


def test_a_chore_is_done_once_a_delivery(shelf: Shelf):
    """And its arguments are what they were."""
    chore = Chore(Kind.COMMENT, "d1", 5, "octo/repo", 7, {"id": 9, "inline": False})
    due = shelf.book.take(chore, MODEL)
    assert due == Due("comment:d1", 1, "octo/repo") == shelf.book.take(chore, MODEL)
    job = shelf.begin(due)
    assert (job.kind, dict(job.arguments), job.cause) == (Kind.COMMENT, {"id": 9, "inline": False}, "d1")
    assert shelf.book.finish(job, State.DONE)
    assert shelf.book.take(chore, MODEL) is None
    about_an_installation = Chore(Kind.FORGET, "d1", 5, arguments={"repositories": [], "all": True})
    assert shelf.book.take(about_an_installation, MODEL) == Due("forget:d1", 1, "installation 5")


def test_a_turn_is_begun_in_its_turn(shelf: Shelf):
    """And again by whoever comes after a crash, but not once it was put off or closed."""
    due = shelf.take(A, 1)
    assert due is not None
    job = shelf.begin(due)
    assert shelf.begin(due).runs == 2
    later = shelf.book.again(job, "GitHub is down", counted=True)
    assert later == Due(due.id, 2, due.place)
    assert shelf.book.claim(due) is None
    again = shelf.begin(later)
    assert (again.runs, again.tries, again.error) == (1, 1, "GitHub is down")
    waited = shelf.book.again(again, "rate limit", counted=False)
    assert shelf.begin(waited).tries == 1


def test_what_was_given_up_is_listed_and_begins_anew(shelf: Shelf):
    """With all of its attempts, when somebody asks for it, once."""
    due = shelf.take(A, 1)
    job = shelf.begin(due)
    later = shelf.book.again(job, "no", counted=True)
    assert shelf.book.finish(shelf.begin(later), State.DEAD, "no more")
    assert [(one.id, one.error, one.tries) for one in shelf.book.dead()] == [(job.id, "no more", 1)]
    assert dict(shelf.book.stats()) == {"queued": 0, "running": 0, "dead": 1}
    revived = shelf.book.revive(job.id)
    assert revived == Due(job.id, 3, job.place)
    assert shelf.book.revive(job.id) is None
    assert shelf.book.revive("review:nothing") is None
    fresh = shelf.begin(revived)
    assert (fresh.tries, fresh.runs) == (0, 1)
    assert fresh.created_at > job.created_at
    assert dict(shelf.book.stats()) == {"queued": 0, "running": 1, "dead": 0}


def test_pull_requests_are_known_by_their_heads(shelf: Shelf):
    """Those of forks too, which GitHub does not name."""
    shelf.take(A, 1, number=7)
    shelf.take(A, 1, number=8)
    shelf.take(B, 1, number=9)
    assert shelf.book.pulls("OCTO/repo", A) == [7, 8]
    assert shelf.book.pulls("octo/other", A) == []


def test_a_repository_is_forgotten_whole(shelf: Shelf):
    """What is running there is wanted no more, and other repositories stay."""
    running = shelf.begin(shelf.take(A, 1))
    other = shelf.book.take(Review("octo/other", 5, 1, B, at(1)), MODEL)
    assert shelf.book.repositories(5) == ["Octo/Repo", "octo/other"]
    shelf.book.forget("octo/REPO", shelf.now())
    assert not shelf.book.running(running)
    assert not shelf.book.finish(running, State.DONE)
    assert shelf.book.repositories(5) == ["octo/other"]
    assert other is not None


def test_old_jobs_go_and_those_that_are_to_be_done_stay(shelf: Shelf):
    """However long they wait."""
    shelf.do(shelf.take(A, 1))
    shelf.take(B, 2)
    assert shelf.book.tidy(shelf.time - timedelta(days=1)) == 0
    assert shelf.book.tidy(shelf.time + timedelta(days=1)) == 1
    assert shelf.active() == [(B, 1)]


def test_nothing_of_anybody_s_words_is_kept(shelf: Shelf):
    """The columns are ids, numbers, states and moments; `error` is of our own words."""
    words = {"title", "body", "note", "payload", "diff", "comment"}
    assert not words & {column.name for column in jobs.columns}
