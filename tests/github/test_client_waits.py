"""When the client asks again, and how long it waits before: `github.slept` lists the waits, which take no time."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from oversight_github.client import Client, RateLimited, Unavailable
from tests.github.double import Double

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def one_pull(github: Double) -> None:
    """There is pull request 7."""
    github.world.pull(7)


def test_it_waits_as_long_as_github_says(github: Double, api: Client):
    """A secondary limit with retry-after, also for what writes, since nothing was done."""
    github.limit(retry_after=7, times=2)
    api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert github.slept == [7.0, 7.0]
    assert len(github.world.comments[7]) == 1


def test_where_github_does_not_say_it_waits_a_minute_and_longer_each_time(github: Double):
    """As its documentation asks."""
    github.limit(times=3)
    github.client(patience=1_000).get("/repos/octo/repo/pulls/7")
    assert github.slept == [60.0, 120.0, 240.0]


def test_a_primary_limit_ends_at_its_reset(github: Double):
    """A second later, since clocks differ."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 30)}
    github.fail("GET", PULL, 403, message="API rate limit exceeded", headers=headers)
    github.client(clock=lambda: NOW).get("/repos/octo/repo/pulls/7")
    assert github.slept == [31.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Fri, 15 Jan 2027 08:00:20 GMT", 20.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", 60.0),
        ("-5", 60.0),
        ("nan", 60.0),
        ("inf", 60.0),
        ("9" * 400, 60.0),
        ("Mon, 99 Foo 99999999999 00:00:00", 60.0),
        ("2.5", 2.5),
    ],
)
def test_retry_after_may_be_a_date_or_nonsense(github: Double, header: str, seconds: float):
    """What cannot be read counts as not said."""
    github.fail("GET", PULL, 429, headers={"retry-after": header})
    github.client(clock=lambda: NOW).get("/repos/octo/repo/pulls/7")
    assert github.slept == [seconds]


def test_longer_than_its_patience_it_does_not_wait(github: Double):
    """Half an hour of a runner is dear: the error comes at once, and says that it is a limit."""
    github.limit(retry_after=1800)
    with pytest.raises(RateLimited, match="rate limit") as caught:
        github.client(patience=300).get("/repos/octo/repo/pulls/7")
    assert caught.value.pause == 1800
    assert not github.slept


def test_patience_counts_all_the_waits_of_a_request(github: Double):
    """Many short waits are a long one."""
    github.limit(retry_after=100, times=9)
    with pytest.raises(RateLimited):
        github.client(patience=250).get("/repos/octo/repo/pulls/7")
    assert github.slept == [100.0, 100.0]


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 500}, {"status": 504}, {"drop": True}])
def test_reading_goes_on_after_a_failure_of_the_server(github: Double, api: Client, fault: dict[str, Any]):
    """Soon, and then later."""
    github.fail("GET", PULL, times=2, **fault)
    assert api.get(api.here("pulls", 7))["number"] == 7
    assert 1 <= github.slept[0] <= 2 <= github.slept[1] <= 3


def test_reading_gives_up_in_the_end(github: Double, api: Client):
    """Five times."""
    github.fail("GET", PULL, 502, times=99)
    with pytest.raises(Unavailable) as caught:
        api.get(api.here("pulls", 7))
    assert caught.value.status == 502
    assert github.count("GET", PULL) == 5


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 500}, {"drop": True}])
def test_what_may_have_been_written_is_not_written_again(github: Double, api: Client, fault: dict[str, Any]):
    """A comment whose answer was lost would stand there twice."""
    github.fail("POST", COMMENTS, times=2, obeyed=True, **fault)
    with pytest.raises(Unavailable):
        api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert len(github.world.comments[7]) == 1
    assert not github.slept


def test_a_patch_is_no_safer_than_a_post(github: Double, api: Client):
    """Annotations are appended to a check run, each time anew."""
    comment = github.world.comment(7, "x")
    github.fail("PATCH", COMMENT, 502)
    with pytest.raises(Unavailable):
        api.patch(api.here("issues", "comments", comment["id"]), {"body": "y"})
    assert github.count("PATCH", COMMENT) == 1


def test_what_a_busy_server_refused_is_written_again(github: Double, api: Client):
    """503 says that nothing was done."""
    github.fail("POST", COMMENTS, 503, headers={"retry-after": "3"})
    api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert github.slept == [3.0]
    assert len(github.world.comments[7]) == 1


def test_deleting_twice_is_deleting(github: Double, api: Client):
    """PUT and DELETE may be sent again."""
    comment = github.world.comment(7, "x")
    github.fail("DELETE", COMMENT, 502)
    api.delete(api.here("issues", "comments", comment["id"]))
    assert github.world.comments[7] == []


def test_where_nobody_listens_it_says_so(github: Double):
    """A refused connection is tried again, also for what writes, and is no traceback."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        api = github.client(api_url=f"http://127.0.0.1:{closed.getsockname()[1]}")
    with pytest.raises(Unavailable, match=r"no answer \(ConnectError\)") as caught:
        api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert caught.value.status is None
    assert len(github.slept) == 4
