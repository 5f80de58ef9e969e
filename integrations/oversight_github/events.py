"""Webhook and workflow payloads as values. No I/O.

A payload comes from outside: titles, names and bodies hold anything, and parts go missing (the repository of a deleted
fork, the user of a deleted account). What a review cannot do without is checked and refused in one line; what it can
do without is None or empty. Text is kept whole, lone surrogates aside, and is escaped by whoever shows it; refs and
shas are such as git takes, so that none can pass for an option or a path.
Payloads: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from oversight.errors import OversightError
from oversight.reports.escape import data, terminal

MAX_BYTES = 25 * 1024 * 1024
MAX_NUMBER = 2**63 - 1

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ACTION = re.compile(r"[a-z_]{1,60}")
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
# What git check-ref-format refuses, and a dash in front, which would make an option of it.
_NO_REF = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[/.]$|^@?$")


class EventError(OversightError):
    """A payload that is none of an event that is understood here."""

    def __init__(self, message: str) -> None:
        super().__init__(message, mend="pass the name and the payload of one event as GitHub sent them")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. `head_repository` is "owner/name", None where the fork is gone; `fork`: not the base's own."""

    number: int
    state: str
    base_ref: str
    base_sha: str
    head_ref: str
    head_sha: str
    head_repository: str | None
    fork: bool
    draft: bool
    title: str
    author: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PullRequestEvent:
    """`pull_request` or `pull_request_target`. `label`: the one that was added or removed; `sender`: who did it."""

    action: str
    pull: Pull
    label: str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """A branch or tag moved; `before` or `after` is all zeros where it was made or deleted."""

    ref: str
    before: str
    after: str
    forced: bool


@dataclass(frozen=True, slots=True)
class MergeGroup:
    """Changes in a merge queue, to be checked together; `action` is checks_requested or destroyed."""

    base_sha: str
    head_sha: str
    base_ref: str
    action: str = "checks_requested"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment below an issue or pull request, or (`inline`) in the diff, where `reply_to` is what it answers."""

    action: str
    id: int
    number: int
    on_pull: bool
    body: str
    author: str | None
    association: str
    author_type: str | None
    inline: bool = False
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Manual:
    """`workflow_dispatch`: somebody pressed the button."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """`schedule`: the time has come."""


Event: TypeAlias = PullRequestEvent | Push | MergeGroup | Comment | Manual | Scheduled


def parse(name: str, payload: bytes | Mapping[str, Any]) -> Event:
    """Return the event called `name` (X-GitHub-Event, GITHUB_EVENT_NAME). Raises EventError on anything else.

    >>> parse("push", {"ref": "refs/heads/main", "before": "0" * 40, "after": "a" * 40}).forced
    False
    """
    if name not in _PARSERS:
        known = ", ".join(sorted(_PARSERS))
        raise EventError(f"the event {terminal(name, 60) or '(none)'} is not understood; known are {known}")
    return _PARSERS[name](_Node(_decoded(payload) if isinstance(payload, bytes) else payload, name))


def _decoded(payload: bytes) -> Any:
    if len(payload) > MAX_BYTES:
        raise EventError(f"the payload has more than {MAX_BYTES:,} bytes")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise EventError("the payload is no JSON") from None


class _Node:
    """An object of the payload, with the way to it, so that a refusal can say where."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise EventError(f"{where} is no object")
        self._value = value
        self._where = where

    def has(self, key: str) -> bool:
        return self._value.get(key) is not None

    def node(self, key: str) -> _Node:
        return _Node(self._value.get(key), f"{self._where}.{key}")

    def maybe(self, key: str) -> _Node | None:
        return self.node(key) if self.has(key) else None

    def nodes(self, key: str) -> list[_Node]:
        values = self._value.get(key) or []
        if not isinstance(values, list):
            raise self._wrong(key, "a list")
        return [_Node(value, f"{self._where}.{key}[{number}]") for number, value in enumerate(values)]

    def text(self, key: str) -> str:
        """The string at `key`, empty where there is none."""
        value = self._value.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "text")
        return data(value or "")

    def number(self, key: str) -> int:
        value = self._value.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_NUMBER:
            raise self._wrong(key, "a number from 1")
        return value

    def flag(self, key: str) -> bool:
        value = self._value.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return bool(value)

    def fitting(self, key: str, pattern: re.Pattern[str], what: str) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self._wrong(key, what)
        return value

    def sha(self, key: str) -> str:
        return self.fitting(key, _SHA, "a commit's sha")

    def action(self) -> str:
        return self.fitting("action", _ACTION, "an action")

    def ref(self, key: str) -> str:
        value = self.text(key)
        if _NO_REF.search(value):
            raise self._wrong(key, "a name that git takes for a ref")
        return value

    def login(self, key: str) -> str | None:
        """The name of the user at `key`, None where the account is gone."""
        user = self.maybe(key)
        return None if user is None else user.text("login") or None

    def repository(self, key: str) -> str | None:
        """The full name of the repository at `key`, None where it is gone."""
        repository = self.maybe(key)
        return None if repository is None else repository.fitting("full_name", _REPOSITORY, "owner/name")

    def _wrong(self, key: str, wanted: str) -> EventError:
        state = "is not" if self.has(key) else "is missing or not"
        return EventError(f"{self._where}.{key} {state} {wanted}")


def _pull_request(event: _Node) -> PullRequestEvent:
    found = event.node("pull_request")
    base, head = found.node("base"), found.node("head")
    ours = base.repository("repo") or event.repository("repository")
    theirs = head.repository("repo")
    pull = Pull(
        number=found.number("number"),
        state=found.fitting("state", _ACTION, "a state"),
        base_ref=base.ref("ref"),
        base_sha=base.sha("sha"),
        head_ref=head.ref("ref"),
        head_sha=head.sha("sha"),
        head_repository=theirs,
        # Who it is from is unknown where either is: then as little is trusted as of a fork.
        fork=theirs is None or theirs != ours,
        draft=found.flag("draft"),
        title=found.text("title"),
        author=found.login("user"),
        labels=tuple(label.text("name") for label in found.nodes("labels")),
    )
    label = event.maybe("label")
    return PullRequestEvent(event.action(), pull, label.text("name") if label else None, event.login("sender"))


def _push(event: _Node) -> Push:
    return Push(event.ref("ref"), event.sha("before"), event.sha("after"), event.flag("forced"))


def _merge_group(event: _Node) -> MergeGroup:
    group = event.node("merge_group")
    return MergeGroup(group.sha("base_sha"), group.sha("head_sha"), group.ref("base_ref"), event.action())


def _issue_comment(event: _Node) -> Comment:
    issue = event.node("issue")
    return _comment(event, number=issue.number("number"), on_pull=issue.has("pull_request"), inline=False)


def _review_comment(event: _Node) -> Comment:
    return _comment(event, number=event.node("pull_request").number("number"), on_pull=True, inline=True)


def _comment(event: _Node, *, number: int, on_pull: bool, inline: bool) -> Comment:
    comment = event.node("comment")
    user = comment.maybe("user")
    return Comment(
        action=event.action(),
        id=comment.number("id"),
        number=number,
        on_pull=on_pull,
        body=comment.text("body"),
        author=comment.login("user"),
        association=comment.text("author_association") or "NONE",
        author_type=(user.text("type") or None) if user else None,
        inline=inline,
        reply_to=comment.number("in_reply_to_id") if comment.has("in_reply_to_id") else None,
    )


_PARSERS: Mapping[str, Callable[[_Node], Event]] = {
    "issue_comment": _issue_comment,
    "merge_group": _merge_group,
    "pull_request": _pull_request,
    "pull_request_review_comment": _review_comment,
    "pull_request_target": _pull_request,
    "push": _push,
    "schedule": lambda _: Scheduled(),
    "workflow_dispatch": lambda _: Manual(),
}
