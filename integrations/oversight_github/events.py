"""Webhook and workflow payloads as values. No I/O.

A payload comes from outside: titles, names and bodies hold anything, and parts go missing (the repository of a deleted
fork, the user of a deleted account). What a review cannot do without is checked and refused in one line; what it can
do without is None or empty. Text is kept whole, lone surrogates aside, and is escaped by whoever shows it; so is the
name of a pull request's own branch. Other refs, and shas, are such as git takes, so that none can pass for an option or
a path.
Payloads: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from oversight.reports.escape import terminal
from oversight_github.payload import MAX_NUMBER, NAME, EventError, Node

__all__ = [
    "MAX_NUMBER",
    "CheckRun",
    "CheckSuite",
    "Comment",
    "Event",
    "EventError",
    "Installation",
    "InstallationRepositories",
    "Manual",
    "MergeGroup",
    "Origin",
    "Pull",
    "PullRequestEvent",
    "Push",
    "RepositoryEvent",
    "Scheduled",
    "parse",
    "received",
]

MAX_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. `head_repository` is "owner/name", None where the fork is gone; `fork`: not the base's own.

    `updated_at` is time-zone aware; of two payloads the later one tells what is. `kilobytes`: the size of the base's
    repository by GitHub's figure. None where they are not told.
    """

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
    merged: bool = False
    updated_at: datetime | None = None
    kilobytes: int | None = None


@dataclass(frozen=True, slots=True)
class PullRequestEvent:
    """`pull_request` or `pull_request_target`. `label`: the one that was added or removed; `sender`: who did it.

    `base_changed`: it was edited to be merged into another branch.
    """

    action: str
    pull: Pull
    label: str | None = None
    sender: str | None = None
    base_changed: bool = False


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
class CheckSuite:
    """All checks of an App on a commit; `pulls` are the numbers of pull requests, none where they come from forks."""

    action: str
    head_sha: str
    pulls: tuple[int, ...] = ()
    app: int | None = None


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One check on a commit. `button`: the identifier of the one that was pressed, None where none was.

    `external_id` is what the App that made the check run calls it by.
    """

    action: str
    id: int
    head_sha: str
    external_id: str
    pulls: tuple[int, ...] = ()
    app: int | None = None
    button: str | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The App was installed, removed, suspended, or given other rights; `repositories` are those it was there for."""

    action: str
    id: int
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstallationRepositories:
    """An installation of the App was given other repositories, or lost some."""

    action: str
    id: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RepositoryEvent:
    """Something became of a repository; `before`: what it was called where it is called, or owned, otherwise now."""

    action: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Manual:
    """`workflow_dispatch`: somebody pressed the button."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """`schedule`: the time has come."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a delivery comes from, as far as it tells: the repository, the App's installation there, and who did it.

    `sender_type` is "User" for a person; None where the account is gone.
    """

    repository: str | None = None
    installation: int | None = None
    sender: str | None = None
    sender_type: str | None = None


Event: TypeAlias = (
    PullRequestEvent
    | Push
    | MergeGroup
    | Comment
    | CheckSuite
    | CheckRun
    | Installation
    | InstallationRepositories
    | RepositoryEvent
    | Manual
    | Scheduled
)


def parse(name: str, payload: bytes | Mapping[str, Any]) -> Event:
    """Return the event called `name` (X-GitHub-Event, GITHUB_EVENT_NAME). Raises EventError on anything else.

    >>> parse("push", {"ref": "refs/heads/main", "before": "0" * 40, "after": "a" * 40}).forced
    False
    """
    return _parser(name)(Node(_decoded(payload) if isinstance(payload, bytes) else payload, name))


def received(name: str, payload: bytes) -> tuple[Event, Origin]:
    """Return the event called `name` with where it comes from, as a server gets both. Errors as of `parse`."""
    parser, event = _parser(name), Node(_decoded(payload), name)
    installation, sender = event.maybe("installation"), event.maybe("sender")
    origin = Origin(
        repository=event.repository("repository"),
        installation=installation.number("id") if installation else None,
        sender=event.login("sender"),
        sender_type=(sender.text("type") or None) if sender else None,
    )
    return parser(event), origin


def _parser(name: str) -> Callable[[Node], Event]:
    if name not in _PARSERS:
        known = ", ".join(sorted(_PARSERS))
        raise EventError(f"the event {terminal(name, 60) or '(none)'} is not understood; known are {known}")
    return _PARSERS[name]


def _decoded(payload: bytes) -> Any:
    if len(payload) > MAX_BYTES:
        raise EventError(f"the payload has more than {MAX_BYTES:,} bytes")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise EventError("the payload is no JSON") from None


def _pull_request(event: Node) -> PullRequestEvent:
    found = event.node("pull_request")
    base, head = found.node("base"), found.node("head")
    ours = base.repository("repo") or event.repository("repository")
    theirs = head.repository("repo")
    pull = Pull(
        number=found.number("number"),
        state=found.word("state", "a state"),
        base_ref=base.ref("ref"),
        base_sha=base.sha("sha"),
        # Named by whoever opens it, used for nothing: a name that we would not take must not keep it from its review.
        head_ref=head.text("ref"),
        head_sha=head.sha("sha"),
        head_repository=theirs,
        # Who it is from is unknown where either is: then as little is trusted as of a fork.
        fork=theirs is None or theirs != ours,
        draft=found.flag("draft"),
        title=found.text("title"),
        author=found.login("user"),
        labels=tuple(label.text("name") for label in found.nodes("labels")),
        merged=found.flag("merged"),
        updated_at=found.moment("updated_at"),
        kilobytes=None if (repository := base.maybe("repo")) is None else repository.count("size"),
    )
    label, changes = event.maybe("label"), event.maybe("changes")
    return PullRequestEvent(
        event.action(),
        pull,
        label.text("name") if label else None,
        event.login("sender"),
        base_changed=changes is not None and changes.has("base"),
    )


def _push(event: Node) -> Push:
    return Push(event.ref("ref"), event.sha("before"), event.sha("after"), event.flag("forced"))


def _merge_group(event: Node) -> MergeGroup:
    group = event.node("merge_group")
    return MergeGroup(group.sha("base_sha"), group.sha("head_sha"), group.ref("base_ref"), event.action())


def _issue_comment(event: Node) -> Comment:
    issue = event.node("issue")
    return _comment(event, number=issue.number("number"), on_pull=issue.has("pull_request"), inline=False)


def _review_comment(event: Node) -> Comment:
    return _comment(event, number=event.node("pull_request").number("number"), on_pull=True, inline=True)


def _comment(event: Node, *, number: int, on_pull: bool, inline: bool) -> Comment:
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


def _check_suite(event: Node) -> CheckSuite:
    suite = event.node("check_suite")
    return CheckSuite(event.action(), suite.sha("head_sha"), _numbers(suite), _app(suite))


def _check_run(event: Node) -> CheckRun:
    run, button = event.node("check_run"), event.maybe("requested_action")
    return CheckRun(
        action=event.action(),
        id=run.number("id"),
        head_sha=run.sha("head_sha"),
        external_id=run.text("external_id"),
        pulls=_numbers(run),
        app=_app(run),
        button=button.text("identifier") if button else None,
    )


def _numbers(check: Node) -> tuple[int, ...]:
    return tuple(pull.number("number") for pull in check.nodes("pull_requests"))


def _app(check: Node) -> int | None:
    app = check.maybe("app")
    return None if app is None else app.number("id")


def _installation(event: Node) -> Installation:
    return Installation(event.action(), event.node("installation").number("id"), event.names("repositories"))


def _installation_repositories(event: Node) -> InstallationRepositories:
    return InstallationRepositories(
        event.action(),
        event.node("installation").number("id"),
        event.names("repositories_added"),
        event.names("repositories_removed"),
    )


def _repository(event: Node) -> RepositoryEvent:
    action, now, changes = event.action(), event.repository("repository"), event.maybe("changes")
    owner, _, name = (now or "").partition("/")
    old_name = _at(changes, "repository", "name")
    old_owner = _at(changes, "owner", "from", "organization") or _at(changes, "owner", "from", "user")
    before = None
    if old_name is not None and old_name.has("from"):
        before = f"{owner}/{old_name.fitting('from', NAME, 'a name')}"
    elif old_owner is not None and old_owner.has("login"):
        before = f"{old_owner.fitting('login', NAME, 'a name')}/{name}"
    return RepositoryEvent(action, before if now is not None else None)


def _at(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        node = None if node is None else node.maybe(key)
    return node


_PARSERS: Mapping[str, Callable[[Node], Event]] = {
    "check_run": _check_run,
    "check_suite": _check_suite,
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "issue_comment": _issue_comment,
    "merge_group": _merge_group,
    "pull_request": _pull_request,
    "pull_request_review_comment": _review_comment,
    "pull_request_target": _pull_request,
    "push": _push,
    "repository": _repository,
    "schedule": lambda _: Scheduled(),
    "workflow_dispatch": lambda _: Manual(),
}
