"""What goes to the GitHub of the tests and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as a route sees it; `variables` of the path are unquoted, `target` is path and query as they came."""

    method: str
    template: str
    variables: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    root: str
    target: str = ""

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "")


@dataclass(frozen=True)
class Reply:
    """`body` is sent as JSON, bytes as they are, None as nothing. A `Page` is cut as the request asks."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A whole list, of which a request sees one page; `key`: its name where GitHub wraps it in an object."""

    items: list[Any]
    key: str | None = None


class Refusal(Exception):  # noqa: N818  # an answer, no error of the tests
    """What a route raises for an answer that is no success."""

    def __init__(self, status: int, message: str, *errors: Mapping[str, str] | str) -> None:
        super().__init__(message)
        self.reply = Reply({"message": message, "errors": list(errors)} if errors else {"message": message}, status)
