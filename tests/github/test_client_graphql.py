"""The client's GraphQL: answers, errors that come with status 200, and what is asked again."""

from __future__ import annotations

import pytest

from oversight_github.client import Client, Forbidden, GitHubError, NotFound, Unavailable
from tests.github.double import Double
from tests.github.exchange import Reply

THREADS = """query ($number: Int!) {
  repository(owner: "octo", name: "repo") { pullRequest(number: $number) { reviewThreads(first: 9) { totalCount } } }
}"""
RESOLVE = "mutation ($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"


@pytest.fixture(autouse=True)
def one_pull(github: Double) -> None:
    """There is pull request 7."""
    github.world.pull(7)


def test_a_query_gives_its_data(github: Double, api: Client):
    """At the address that GHES has for it, beside REST."""
    assert api.graphql(THREADS, {"number": 7}) == {"repository": {"pullRequest": {"reviewThreads": {"totalCount": 0}}}}


@pytest.mark.parametrize(
    ("api_url", "address"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://ghe.example/api/v3", "https://ghe.example/api/graphql"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
    ],
)
def test_graphql_is_where_each_github_has_it(api_url: str, address: str):
    """github.com and data residency at the root, GHES beside REST."""
    with Client("octo/repo", None, api_url=api_url) as api:
        assert str(api.graphql_url) == address


def test_an_error_of_graphql_is_an_error_though_the_status_is_200(github: Double, api: Client):
    """By its type; data that came along is not taken for the whole."""
    with pytest.raises(NotFound, match="Could not resolve to a PullRequest"):
        api.graphql(THREADS, {"number": 8})
    with pytest.raises(GitHubError, match="Cannot query field"):
        api.graphql("{ viewer { secret } }", {})


@pytest.mark.parametrize(
    ("kind", "error"), [("FORBIDDEN", Forbidden), ("SOMETHING", GitHubError), (None, GitHubError), (3, GitHubError)]
)
def test_types_of_graphql_s_errors(github: Double, api: Client, kind: object, error: type[GitHubError]):
    """Those of the same tree as REST's."""
    github.fail("POST", "/graphql", 200)
    github.faults[-1].reply = Reply({"data": None, "errors": [{"type": kind, "message": "No"}]})
    with pytest.raises(error) as caught:
        api.graphql(THREADS, {"number": 7})
    assert type(caught.value) is error


@pytest.mark.parametrize("errors", [["x"], "x", {"a": 1}, [[]], 3])
def test_errors_of_no_known_shape_are_errors(github: Double, api: Client, errors: object):
    """Whatever there is where errors belong."""
    github.fail("POST", "/graphql", 200)
    github.faults[-1].reply = Reply({"data": {"repository": None}, "errors": errors})
    with pytest.raises(GitHubError):
        api.graphql(THREADS, {"number": 7})


def test_graphql_has_rate_limits_of_its_own(github: Double, api: Client):
    """They come with status 200, and are waited for."""
    github.fail("POST", "/graphql", 200)
    github.faults[-1].reply = Reply({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]})
    api.graphql(THREADS, {"number": 7})
    assert github.slept == [60.0]


def test_a_query_is_asked_again_and_a_mutation_is_not(github: Double, api: Client):
    """The one reads, the other writes, though both are POST."""
    github.fail("POST", "/graphql", 502)
    api.graphql(THREADS, {"number": 7})
    github.fail("POST", "/graphql", 502)
    with pytest.raises(Unavailable):
        api.graphql(RESOLVE, {"id": "PRRT_1"})
    assert len(github.slept) == 1


def test_a_primary_limit_of_graphql_ends_at_its_reset(github: Double):
    """The headers tell, as for REST."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000030"}
    github.fail("POST", "/graphql", 200)
    github.faults[-1].reply = Reply({"errors": [{"type": "RATE_LIMITED"}]}, headers=headers)
    github.client(clock=lambda: 1_800_000_000.0).graphql(THREADS, {"number": 7})
    assert github.slept == [31.0]
