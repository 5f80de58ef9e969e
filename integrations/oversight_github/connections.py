"""Lists that GitHub gives through GraphQL alone, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oversight_github.client import Client
from oversight_github.errors import foreign

_MAX_PAGES = 100
_PULL = """
query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      %s(first: %d, after: $after) {
        nodes { %s }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def of_pull(client: Client, number: int, connection: str, fields: str, *, at_once: int = 100) -> Iterator[Any]:
    """Yield the nodes of a pull request's `connection`, such as `comments`, each with these fields.

    Raises GitHubError, also for an answer that is no such list or has no end: a part of it is never taken for all.
    """
    owner, _, name = client.repository.partition("/")
    query = _PULL % (connection, at_once, fields)
    after: str | None = None
    for _ in range(_MAX_PAGES):
        answer = client.graphql(query, {"owner": owner, "name": name, "number": number, "after": after})
        try:
            page = answer["repository"]["pullRequest"][connection]
            nodes = [node for node in page["nodes"] if node is not None]
            after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
        except (KeyError, TypeError):
            raise foreign(f"something that is no list of {connection}") from None
        yield from nodes
        if after is None:
            return
    raise foreign(f"a list of {connection} without an end")
