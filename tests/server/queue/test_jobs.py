"""Jobs, done by the real queue on real databases, against a GitHub that counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oversight.errors import RepositoryError
from oversight_server.queue.book import Book
from oversight_server.queue.model import Kind, State
from tests.github.routes import PULL
from tests.postgres import Postgres
from tests.server.works import CHECK_RUNS, FAST, HEAD, Gate, Works

B, C = "b" * 40, "c" * 40
THROW_OUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database()
"""


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    """A queue at work on SQLite, and pull request 7."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}") as made:
        made.open()
        yield made


def test_a_delivery_becomes_a_review(database_url: str):
    """One check run with its buttons, one summary, one report in the store, on either database."""
    with Works(database_url) as works:
        works.open()
        works.deliver("opened")
        works.rest()
        assert works.posted == (1, 1)
        created = next(call for call in works.github.calls if call.method == "POST" and call.template == CHECK_RUNS)
        assert [one["label"] for one in created.body["actions"]] == ["Safe", "Risky", "Unsure"]
        assert works.metrics.outcomes == ["scored"]
        assert works.reports() == [(HEAD, 7)]
        works.deliver("opened")
        works.deliver("reopened")
        works.rest()
        assert works.posted == (1, 1)
        assert works.reviews.calls == [HEAD]


def test_one_repository_has_one_job_at_a_time(works: Works):
    """And another repository does not wait for it."""
    gate = Gate()
    works.reviews.before = lambda pull: gate.wait() if pull.number == 7 else None
    works.open(8, head_sha=B)
    works.deliver("opened", 7)
    assert gate.reached.wait(60)
    works.deliver("opened", 8)
    works.until(lambda: dict(works.jobs.stats()) == {"queued": 1, "running": 1, "dead": 0})
    assert works.reviews.calls == [HEAD]
    gate.opened.set()
    works.rest()
    assert sorted(works.reviews.calls) == [HEAD, B]


def test_a_push_while_it_is_reviewed_posts_nothing_of_it(works: Works):
    """The head that was pushed over is told nothing of, and the newer one gets its review, delivered or not."""
    gate = Gate()
    works.reviews.before = lambda pull: gate.wait() if pull.head_sha == HEAD else None
    works.deliver("opened")
    assert gate.reached.wait(60)
    works.push(B)
    gate.opened.set()
    works.rest()
    assert works.reviews.calls == [HEAD, B]
    assert {run["head_sha"] for run in works.github.world.check_runs} == {B}
    assert works.posted == (1, 1)
    assert works.reports() == [(B, 7)]
    assert works.metrics.outcomes == ["superseded", "scored"]


def test_what_is_pushed_before_it_begins_is_never_reviewed(works: Works):
    """Of many heads that wait, the last."""
    gate = Gate()
    works.open(8, head_sha=C)
    works.reviews.before = lambda pull: gate.wait() if pull.number == 8 else None
    works.deliver("opened", 8)
    assert gate.reached.wait(60)
    for head in ("1" * 40, "2" * 40, B):
        works.push(head)
        works.deliver("synchronize")
    gate.opened.set()
    works.rest()
    assert works.reviews.calls == [C, B]


def test_a_late_delivery_of_an_older_head_posts_nothing(works: Works):
    """It tells of what was, and GitHub is asked for what is."""
    late = works.payload("synchronize")
    works.push(B)
    works.deliver("synchronize")
    works.rest()
    works.send("pull_request", late)
    works.rest()
    assert works.reviews.calls == [B]
    assert works.posted == (1, 1)


def test_closed_before_opened_posts_nothing(works: Works):
    """As deliveries may come."""
    opened = works.payload("opened")
    works.close()
    works.deliver("closed")
    works.send("pull_request", opened)
    works.rest()
    assert (works.reviews.calls, works.posted) == ([], (0, 0))


def test_closing_ends_a_review(works: Works):
    """Nothing is posted to a pull request that is closed; opened again, it is reviewed."""
    gate = Gate()
    works.reviews.before = gate.wait
    works.deliver("opened")
    assert gate.reached.wait(60)
    works.close()
    works.deliver("closed")
    gate.opened.set()
    works.rest()
    assert works.posted == (0, 0)
    works.github.world.pulls[7]["state"] = "open"
    works.touch()
    works.deliver("reopened")
    works.rest()
    assert works.posted == (1, 1)


def test_drafts_wait_until_they_are_ready(works: Works):
    """Then they are reviewed."""
    pull = works.github.world.pulls[7]
    pull["draft"] = True
    works.deliver("opened")
    works.push(B)
    works.deliver("synchronize")
    works.rest()
    assert works.reviews.calls == []
    pull["draft"] = False
    works.touch()
    works.deliver("ready_for_review")
    works.rest()
    assert works.reviews.calls == [B]


def test_drafts_are_reviewed_where_the_operator_wants_it(tmp_path: Path):
    """By a setting."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}", replace(FAST, drafts=True)) as works:
        works.open(draft=True)
        works.deliver("opened")
        works.rest()
        assert works.posted == (1, 1)


def test_github_that_lags_behind_its_own_delivery_is_asked_again(works: Works):
    """Its API may tell of the head before, for a moment."""
    newer = works.payload("synchronize")
    newer["pull_request"]["head"]["sha"] = B
    newer["pull_request"]["updated_at"] = works.github.world.now()
    works.send("pull_request", newer)
    works.until(lambda: works.github.count("GET", PULL) >= 1)
    works.github.world.pulls[7].update(newer["pull_request"])
    works.rest()
    assert works.reviews.calls == [B]
    assert works.posted == (1, 1)


def test_what_fails_is_tried_again(works: Works):
    """And posted once."""
    works.reviews.fails = [RepositoryError("no", mend="try"), ValueError("a bug")]
    works.deliver("opened")
    works.rest()
    assert works.reviews.calls == [HEAD] * 3
    assert works.posted == (1, 1)
    assert works.metrics.outcomes == ["scored"]


def test_what_fails_for_good_is_told_and_listed(works: Works):
    """On GitHub as unscored, since a missing check looks like none; with the operator as a job that was given up."""
    works.reviews.fails = [RepositoryError("the clone is broken", mend="try")] * 3
    works.deliver("opened")
    works.rest()
    assert works.github.world.check_runs[0]["conclusion"] == "failure"
    assert works.metrics.outcomes == ["unscored"]


def test_a_job_that_was_given_up_is_done_when_somebody_asks(works: Works):
    """With all its attempts, and to the same effect."""
    works.github.fail("GET", PULL, 400, times=3)
    works.deliver("opened")
    works.rest()
    dead = works.dead()
    assert [(job.kind, job.state, job.number, job.tries) for job in dead] == [(Kind.REVIEW, State.DEAD, 7, 2)]
    assert "400" in (dead[0].error or "")
    assert works.metrics.outcomes == ["dead"]
    assert dict(works.jobs.stats()) == {"queued": 0, "running": 0, "dead": 1}
    assert works.jobs.retry(dead[0].id)
    assert not works.jobs.retry("review:none")
    works.rest()
    assert works.posted == (1, 1)
    assert works.dead() == []


def test_an_app_without_rights_is_given_up_and_says_what_is_missing(works: Works):
    """Rather than looked over: nobody would know that nothing was posted."""
    works.github.read_only = True
    works.deliver("opened")
    works.rest()
    assert "Resource not accessible" in (works.dead()[0].error or "")


def test_an_installation_that_is_gone_ends_it(works: Works):
    """When GitHub has said so three times, nothing is tried again there."""
    works.github.fail("GET", PULL, 404, times=9)
    works.deliver("opened")
    works.rest()
    assert works.github.count("GET", PULL) == 3
    assert works.dead() == []
    assert works.posted == (0, 0)


def test_what_cannot_be_understood_is_left(works: Works):
    """It would not be any better the next time: an event without its parts, and one that is no JSON."""
    works.send("pull_request", {"action": "opened"})
    works.send("star", {"action": "created"})
    broken = works.payload("opened")
    broken["installation"] = {"id": "five"}
    works.send("pull_request", broken)
    assert dict(works.jobs.stats()) == {"queued": 0, "running": 0, "dead": 0}


def test_a_stop_waits_for_what_is_being_done(works: Works):
    """And begins nothing more."""
    gate = Gate()
    works.reviews.before = gate.wait
    works.open(8, head_sha=B)
    works.deliver("opened")
    works.deliver("opened", 8)
    assert gate.reached.wait(60)
    threading.Timer(0.2, gate.opened.set).start()
    assert works.jobs.stop(30) == 0
    assert works.reviews.calls == [HEAD]
    assert works.posted == (1, 1)
    works.restart()
    works.rest()
    assert works.reviews.calls == [HEAD, B]


def test_what_a_stop_cannot_wait_for_is_handed_on(works: Works):
    """It begins again with the next process, and is posted once; being told to stop is no crash."""
    for head in ("1" * 40, "2" * 40, "3" * 40, "4" * 40):
        gate = Gate()
        works.reviews.before = gate.wait
        works.push(head)
        works.deliver("synchronize")
        assert gate.reached.wait(60)
        assert works.jobs.stop(0) == 1
        works.reviews.before = lambda _: None
        gate.opened.set()
        works.restart()
        works.rest()
    assert len(works.github.world.check_runs) == 4
    assert len(works.github.world.comments[7]) == 1
    assert works.dead() == []


def test_what_the_queue_has_lost_is_found(tmp_path: Path):
    """The books tell what there is to do: as when the queue's own file was restored from before."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}", sweep=0.2) as works:
        works.open()
        works.jobs.stop(0)
        due = works.book_only()
        assert dict(works.jobs.stats())["queued"] == 1
        works.restart()
        works.rest()
        assert due.id.endswith(":1")
        assert works.posted == (1, 1)


def test_a_job_that_ends_its_worker_is_given_up(tmp_path: Path):
    """After a few times, so that the next worker may live."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}", sweep=0.2) as works:
        works.open()
        works.jobs.stop(0)
        due = works.book_only()
        for _ in range(FAST.limits.crashes):
            assert Book(works.store.engine, works.now).claim(due) is not None
        works.restart()
        works.rest()
        assert [job.error for job in works.dead()] == ["it ended the worker that did it, several times"]
        assert works.reviews.calls == []


def test_the_queue_keeps_ids_alone(works: Works, tmp_path: Path):
    """Nothing of a title, a body, a path or a diff is in its tables, nor anything that would be unpickled."""
    works.github.world.pulls[7]["title"] = "a secret title"
    works.deliver("opened")
    works.rest()
    works.jobs.stop(0)
    content = b"".join(path.read_bytes() for path in tmp_path.glob("oversight-queue*"))
    assert b"review:octo/repo#7" in content
    assert b"py_pickle" not in content
    for words in (b"a secret title", b"charge.py", b"retry()"):
        assert words not in content


def test_a_database_that_throws_everybody_out_loses_nothing(postgres: Postgres):
    """In the midst of a review, and again and again while others are taken: all are done, each once."""
    with Works(postgres.url, sweep=0.5) as works:
        gate = Gate()
        works.reviews.before = gate.wait
        works.open()
        works.deliver("opened")
        assert gate.reached.wait(60)
        postgres.sql(THROW_OUT)
        gate.opened.set()
        for number in (8, 9):
            works.open(number, head_sha=f"{number:040x}")
            works.patiently(lambda number=number: works.deliver("opened", number))
            postgres.sql(THROW_OUT)
        works.patiently(works.rest)
        heads = sorted(run["head_sha"] for run in works.github.world.check_runs)
        assert heads == [f"{8:040x}", f"{9:040x}", HEAD]
        assert [len(works.github.world.comments[number]) for number in (7, 8, 9)] == [1, 1, 1]
