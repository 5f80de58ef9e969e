"""The client of GitHub, against a GitHub on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from oversight.errors import OversightError
from oversight_github.client import (
    Client,
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
    Unprocessable,
)
from tests.github.double import TOKEN, Double
from tests.github.exchange import Reply

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def one_pull(github: Double) -> None:
    """There is pull request 7."""
    github.world.pull(7)


def test_what_is_there_comes_as_parsed_json(api: Client):
    """A path below the root of the API, as laid out on GHES."""
    assert api.get(api.here("pulls", 7))["number"] == 7


def test_every_verb_arrives_with_its_body(github: Double, api: Client):
    """POST, PATCH, PUT and DELETE do what they say; an empty answer is None."""
    made = api.post(api.here("issues", 7, "comments"), {"body": "one"})
    assert api.patch(api.here("issues", "comments", made["id"]), {"body": "two"})["body"] == "two"
    assert [label["name"] for label in api.put(api.here("issues", 7, "labels"), {"labels": ["x"]})] == ["x"]
    api.delete(api.here("issues", "comments", made["id"]))
    assert github.world.comments[7] == []
    assert [call.method for call in github.calls] == ["POST", "PATCH", "PUT", "DELETE"]


def test_a_request_says_who_asks_in_which_version(github: Double, api: Client):
    """The headers that GitHub asks for, and the token where it belongs."""
    api.get(api.here("pulls", 7))
    headers = github.calls[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["user-agent"].startswith("oversight-review/")


def test_without_a_token_it_asks_as_anybody(github: Double):
    """No header, rather than an empty one."""
    github.client(token=None).get("/repos/octo/repo/pulls/7")
    assert "authorization" not in github.calls[0].headers


def test_all_pages_are_read_in_order(github: Double, api: Client):
    """As few as GitHub allows unless told otherwise."""
    for number in range(230):
        github.world.comment(7, f"comment {number}")
    path = api.here("issues", 7, "comments")
    assert [item["body"] for item in api.pages(path)] == [f"comment {number}" for number in range(230)]
    assert github.count("GET", COMMENTS) == 3
    assert len(list(api.pages(path, per_page=50))) == 230
    assert github.count("GET", COMMENTS) == 3 + 5


def test_pages_that_are_objects_name_their_list(github: Double, api: Client):
    """Check runs and artifacts come wrapped."""
    for name in ("a", "b", "c"):
        api.post(api.here("check-runs"), {"name": name, "head_sha": "a" * 40})
    runs = api.pages(api.here("commits", "a" * 40, "check-runs"), key="check_runs", per_page=2)
    assert [run["name"] for run in runs] == ["a", "b", "c"]


def test_only_the_pages_that_are_looked_at_are_asked_for(github: Double, api: Client):
    """Who stops early pays for no more."""
    for _ in range(5):
        github.world.comment(7, "x")
    next(api.pages(api.here("issues", 7, "comments"), per_page=1))
    assert github.count("GET", COMMENTS) == 1


@pytest.mark.parametrize(
    "link",
    ["<https://evil.example/repos?page=2>", "<http://127.0.0.1:1/repos?page=2>", "<//evil.example/x>", "<http://[>"],
)
def test_a_next_page_on_another_host_is_never_asked_for(github: Double, api: Client, link: str):
    """The token would go along."""
    github.fail("GET", COMMENTS, 200, headers={"link": f'{link}; rel="next"'})
    github.faults[-1].reply = Reply([1], 200, github.faults[-1].reply.headers)
    with pytest.raises(GitHubError, match="next page"):
        list(api.pages(api.here("issues", 7, "comments")))


def test_pages_without_end_are_refused(github: Double, api: Client, monkeypatch: pytest.MonkeyPatch):
    """A list that always has a next page ends the run, not the machine."""
    monkeypatch.setattr("oversight_github.client.MAX_PAGES", 3)
    for _ in range(4):
        github.world.comment(7, "x")
    with pytest.raises(GitHubError, match="more than 3 pages"):
        list(api.pages(api.here("issues", 7, "comments"), per_page=1))


def test_a_page_that_is_no_list_is_refused(api: Client):
    """An object where a list was expected is no empty list."""
    with pytest.raises(GitHubError, match="without a list of items"):
        list(api.pages(api.here("commits", "a" * 40, "check-runs")))


def test_raw_is_what_was_sent_byte_by_byte(github: Double, api: Client):
    """Also where the bytes are no text."""
    github.world.diffs[7] = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+\xff\n"
    assert api.raw(api.here("pulls", 7), "application/vnd.github.diff") == github.world.diffs[7]


@pytest.mark.parametrize(
    ("status", "errors", "kind"),
    [
        (401, None, Forbidden),
        (403, None, Forbidden),
        (404, None, NotFound),
        (410, None, NotFound),
        (406, None, TooLarge),
        (403, [{"resource": "Blob", "field": "data", "code": "too_large"}], TooLarge),
        (422, None, Unprocessable),
        (409, None, GitHubError),
        (451, None, GitHubError),
        (500, None, Unavailable),
        (503, None, Unavailable),
        (429, None, RateLimited),
    ],
)
def test_each_refusal_is_an_error_of_its_own(
    github: Double, api: Client, status: int, errors: list[Any] | None, kind: type[GitHubError]
):
    """With the status, what was asked, what GitHub said, and a mend; one line of text."""
    github.fail("GET", PULL, status, message="No\x1b[31m\nway", errors=errors, times=9)
    with pytest.raises(kind) as caught:
        api.get(api.here("pulls", 7))
    assert type(caught.value) is kind
    assert isinstance(caught.value, OversightError)
    assert caught.value.status == status
    assert f"/repos/octo/repo/pulls/7: {status} No\\x1b[31m\\nway" in caught.value.message
    assert caught.value.mend


def test_a_lack_of_rights_names_the_right(github: Double, api: Client):
    """GitHub says which permission it would have taken."""
    github.fail("POST", COMMENTS, 403, headers={"x-accepted-github-permissions": "issues=write; pull_requests=write"})
    with pytest.raises(Forbidden) as caught:
        api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert caught.value.mend == "give the token issues=write; pull_requests=write"


def test_a_refused_place_says_why(github: Double, api: Client):
    """The reasons of a 422 are lines, whether GitHub sends text or objects."""
    errors = ["Line could not be resolved", {"resource": "R", "field": "line", "code": "custom", "message": "off"}, 3]
    github.fail("POST", COMMENTS, 422, message="Unprocessable Entity", errors=errors)
    with pytest.raises(Unprocessable, match="Line could not be resolved") as caught:
        api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert caught.value.errors == ("Line could not be resolved", "R line custom off")


def test_a_fork_s_token_may_read_and_not_write(github: Double, api: Client):
    """What GitHub says to it is no rate limit, and is not asked twice."""
    github.read_only = True
    api.get(api.here("pulls", 7))
    with pytest.raises(Forbidden, match="Resource not accessible by integration"):
        api.post(api.here("issues", 7, "comments"), {"body": "x"})
    assert github.count("POST", COMMENTS) == 1
    assert not github.slept


@pytest.mark.parametrize(
    "body", [b"<html>Bad gateway</html>", b"[" * 100_000, b"1" * 10_000, b"\xff", b'"text"', b"[]"]
)
def test_an_error_page_is_an_error_too(github: Double, api: Client, body: bytes):
    """A proxy answers what it likes."""
    github.fail("GET", PULL, 404)
    github.faults[-1].reply = Reply(body, 404)
    with pytest.raises(NotFound):
        api.get(api.here("pulls", 7))


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"[" * 100_000, b"1" * 10_000, b"\xff", b"{"])
def test_a_success_that_is_no_json_is_an_error(github: Double, api: Client, body: bytes):
    """A log-in page in front of a GHES is no pull request."""
    github.fail("GET", PULL, 200)
    github.faults[-1].reply = Reply(body, 200)
    with pytest.raises(GitHubError, match="no JSON"):
        api.get(api.here("pulls", 7))


def test_a_parameter_may_be_called_path(github: Double, api: Client):
    """As that of GitHub's list of commits is; the double has none."""
    with pytest.raises(NotFound):
        api.get(api.here("commits"), path="x")
    assert github.calls[0].query == {"path": "x"}
    github.broken.clear()


def test_bytes_that_are_no_text_are_no_failure_of_ours(github: Double, api: Client):
    """A path of the change that is no UTF-8, in an address or in a body; an address without end."""
    with pytest.raises(NotFound):
        api.get(api.here("contents", "a\udcff"), ref="b\udcff")
    assert github.calls[0].query["ref"] == "b\ufffd"
    assert api.post(api.here("issues", 7, "comments"), {"body": "a\udcff"})["body"] == "a\udcff"
    with pytest.raises(GitHubError, match="too long"):
        api.get(api.here("labels", "x" * 70_000))
