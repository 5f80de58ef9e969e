"""Lists that come through GraphQL: all of it, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from oversight_github import connections
from oversight_github.client import Client, GitHubError
from oversight_github.connections import of_pull
from tests.github.double import Double
from tests.github.exchange import Reply


def bodies(api: Client, at_once: int = 2) -> list[str]:
    return [node["body"] for node in of_pull(api, 7, "comments", "body", at_once=at_once)]


@pytest.fixture(autouse=True)
def some_comments(github: Double) -> None:
    """There are five below pull request 7."""
    github.world.pull(7)
    for number in range(5):
        github.world.comment(7, str(number))


@pytest.mark.parametrize("at_once", [1, 2, 5, 100])
def test_all_pages_are_read(api: Client, at_once: int) -> None:
    """However many fit on one."""
    assert bodies(api, at_once) == ["0", "1", "2", "3", "4"]


def test_a_list_without_an_end_is_none(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of it is never taken for the whole."""
    monkeypatch.setattr(connections, "_MAX_PAGES", 2)
    with pytest.raises(GitHubError, match="without an end"):
        bodies(api)


@pytest.mark.parametrize(
    "data",
    [None, {}, {"repository": None}, {"repository": {"pullRequest": {"comments": {"nodes": None, "pageInfo": {}}}}}],
)
def test_what_is_no_list_is_an_error(github: Double, api: Client, data: Any) -> None:
    """As a proxy may answer, or GitHub where a pull request went away."""
    github.fail("POST", "/graphql", 200)
    github.faults[-1].reply = Reply({"data": data})
    with pytest.raises(GitHubError, match="no list of comments"):
        bodies(api)
