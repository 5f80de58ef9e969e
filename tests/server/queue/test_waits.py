"""A GitHub on a bad day: what it limits, fails at, or does not know yet is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oversight_github.client import RateLimited, Unavailable
from oversight_github.code.clone import GoneError
from oversight_server.github_app import UnknownAppError
from oversight_server.queue.model import Kind
from oversight_server.queue.retries import Limits
from tests.github.routes import PULL
from tests.reports.examples import not_flagged
from tests.server.works import CHECK_RUNS, COMMENTS, FAST, HEAD, Works


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    """A pull request, and a queue that waits for its deliveries."""
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}") as made:
        made.open()
        yield made


def test_rate_limits_use_up_no_attempt(works: Works):
    """However many there are."""
    works.reviews.fails = [RateLimited("slow down", mend="wait", again=True, pause=0.0) for _ in range(5)]
    works.deliver("opened")
    works.rest()
    assert works.reviews.calls == [HEAD] * 6
    assert works.posted == (1, 1)


def test_a_rate_limit_that_posting_meets_is_waited_for(works: Works):
    """The review is done anew, and what is there already stays as it is."""
    works.github.fail("POST", COMMENTS, 403, message="You have exceeded a secondary rate limit.",
                      headers={"retry-after": "0"})  # fmt: skip
    works.deliver("opened")
    works.rest()
    assert works.github.count("POST", CHECK_RUNS) == 1
    assert len(works.github.world.comments[7]) == 1
    assert works.dead() == []


def test_waits_have_an_end(tmp_path: Path):
    """A job that waits for longer than the operator's patience is given up, and its pull request says so."""
    impatient = replace(FAST, limits=Limits(attempts=3, first=0.01, longest=0.05, patience=60.0))
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}", impatient) as works:
        works.open()
        works.reviews.fails = [RateLimited("slow down", mend="wait", again=True, pause=3600.0)]
        works.deliver("opened")
        works.rest()
        assert [job.kind for job in works.dead()] == [Kind.REVIEW]
        assert (works.run["head_sha"], works.run["conclusion"]) == (HEAD, "failure")
        assert "the review was given up: slow down" in works.run["output"]["summary"]
        assert works.jobs.retry_all() == 1
        works.rest()
        assert (works.run["conclusion"], works.posted, works.dead()) == ("neutral", (1, 1), [])


def test_what_stood_there_gives_way_where_its_review_is_given_up(works: Works):
    """It was of another base, or of before somebody warned: green, it would pass."""
    works.reviews.report = not_flagged()
    works.open()
    works.deliver("opened")
    works.rest()
    assert works.run["conclusion"] == "success"
    works.github.world.pulls[7]["base"]["ref"] = "other"
    works.touch()
    works.github.fail("GET", PULL, 400, times=3)
    works.deliver("edited", changes={"base": {"ref": {"from": "main"}}})
    works.rest()
    assert works.run["conclusion"] == "failure"


def test_what_was_reviewed_since_is_not_given_up_after_all(works: Works):
    """Somebody tried again while the news of it was waiting."""
    works.github.fail("GET", PULL, 400, times=6)
    works.deliver("opened")
    works.rest()
    dead = {job.kind: job for job in works.dead()}
    assert dead.keys() == {Kind.REVIEW, Kind.GIVE_UP}
    assert works.jobs.retry(dead[Kind.REVIEW].id)
    works.rest()
    assert works.jobs.retry(dead[Kind.GIVE_UP].id)
    works.rest()
    assert (works.run["conclusion"], works.posted, works.dead()) == ("neutral", (1, 1), [])


def test_an_app_that_github_does_not_know_costs_no_job(works: Works):
    """However often that is found: a wrong key is mended, and then all goes on."""
    works.app.fails = [UnknownAppError("401") for _ in range(8)]
    works.deliver("opened")
    works.rest()
    assert (works.posted, works.dead()) == ((1, 1), [])


def test_a_job_may_wait_again_after_it_has_worked(tmp_path: Path):
    """Patience is for one wait: what was on the books for a day has not waited for GitHub for a day."""
    impatient = replace(FAST, limits=Limits(attempts=9, first=0.01, longest=0.05, patience=100.0))
    with Works(f"sqlite:///{tmp_path / 'oversight.db'}", impatient) as works:
        works.open()
        limit = RateLimited("slow down", mend="wait", again=True, pause=0.0)
        works.reviews.before = lambda _: [works.now() for _ in range(60)] and None
        works.reviews.fails = [limit, ValueError("a bug"), limit, ValueError("a bug"), limit]
        works.deliver("opened")
        works.rest()
        assert (works.posted, works.dead()) == ((1, 1), [])


def test_an_outage_gives_nothing_up(works: Works):
    """However often GitHub has failed by then."""
    works.github.fail("GET", PULL, 500, times=5)
    works.deliver("opened")
    works.rest()
    assert works.posted == (1, 1)
    assert works.dead() == []


def test_what_github_does_not_know_yet_is_asked_for_again(works: Works):
    """Of what is new it says for a moment that it is not there."""
    works.github.fail("GET", PULL, 404, times=2)
    works.deliver("opened")
    works.rest()
    assert works.posted == (1, 1)


def test_a_head_that_git_does_not_know_yet_is_looked_for_again(works: Works):
    """GitHub tells of it before all of its servers have it; and one that never comes is unscored in the end."""
    works.reviews.fails = [GoneError(HEAD)]
    works.deliver("opened")
    works.rest()
    assert works.metrics.outcomes == ["scored"]
    works.reviews.fails = [GoneError(HEAD)] * 3
    works.open(8, head_sha="b" * 40)
    works.deliver("opened", 8)
    works.rest()
    assert works.metrics.outcomes == ["scored", "unscored"]


def test_github_that_is_down_is_waited_for(works: Works):
    """A review that could not be posted is posted when it can."""
    works.reviews.fails = [Unavailable("503", mend="wait", pause=0.0)]
    works.github.fail("POST", CHECK_RUNS, 502, obeyed=True)
    works.deliver("opened")
    works.rest()
    assert len(works.github.world.check_runs) == 1
    assert len(works.github.world.comments[7]) == 1
