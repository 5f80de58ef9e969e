"""What deliveries ask for. Nothing here asks GitHub for anything."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from oversight_github.events import received
from oversight_server.handlers import EVENTS, Asked, tasks
from oversight_server.queue.model import Cancel, Chore, Kind, Review, Task
from tests.github.test_event_examples import examples

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HEAD = "a" * 40
ORIGIN = {
    "repository": {"full_name": "octo/repo"},
    "installation": {"id": 5},
    "sender": {"login": "ann", "type": "User"},
}
BOT = {"sender": {"login": "renovate[bot]", "type": "Bot"}}


def asked(event: str, payload: dict[str, Any], *, drafts: bool = False, known: tuple[int, ...] = ()) -> list[Task]:
    """What a delivery d1 with this payload asks for."""
    parsed, origin = received(event, json.dumps({**ORIGIN, **payload}).encode())
    about = Asked.of(origin, "d1", NOW, drafts=drafts)
    return list(tasks(parsed, about, lambda *_: known))


def pull(action: str, more: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    found = {
        "number": 7,
        "state": "open",
        "updated_at": "2026-01-31T11:00:00Z",
        "base": {"ref": "main", "sha": "b" * 40},
        "head": {"ref": "topic", "sha": HEAD},
    }
    return {"action": action, "pull_request": found | changes, **(more or {})}


SEEN = datetime(2026, 1, 31, 11, tzinfo=UTC)
REVIEW = Review("octo/repo", 5, 7, HEAD, SEEN, base="main")


@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened", "ready_for_review"])
def test_what_is_new_is_reviewed(action: str):
    """By its head, at the moment that GitHub names."""
    assert asked("pull_request", pull(action)) == [REVIEW]


def test_another_base_is_another_change_and_another_title_is_none():
    """Only the former is reviewed."""
    edited = pull("edited", {"changes": {"base": {"ref": {"from": "old"}}}})
    assert asked("pull_request", edited) == [replace(REVIEW, changed=True)]
    assert asked("pull_request", pull("edited", {"changes": {"title": {"from": "old"}}})) == []


def test_what_is_closed_is_reviewed_no_more():
    """Merged, it is looked at as which commit its head landed."""
    assert asked("pull_request", pull("closed", state="closed")) == [Cancel("octo/repo", 7, SEEN)]
    assert asked("pull_request", pull("closed", state="closed", merged=True)) == [
        Cancel("octo/repo", 7, SEEN),
        Chore(Kind.LANDING, "d1", 5, "octo/repo", 7),
    ]
    assert asked("pull_request", pull("synchronize", state="closed")) == []


def test_drafts_wait_unless_they_are_wanted():
    """What becomes one is reviewed no more."""
    assert asked("pull_request", pull("opened", draft=True)) == []
    assert asked("pull_request", pull("opened", draft=True), drafts=True) == [REVIEW]
    assert asked("pull_request", pull("converted_to_draft", draft=True)) == [Cancel("octo/repo", 7, SEEN)]
    assert asked("pull_request", pull("converted_to_draft", draft=True), drafts=True) == []


def test_labels_of_ours_are_heard():
    """Others are nobody's business."""
    label = {"label": {"name": "Oversight: Safe"}}
    assert asked("pull_request", pull("labeled", label)) == [Chore(Kind.LABELS, "d1", 5, "octo/repo", 7)]
    assert asked("pull_request", pull("labeled", {"label": {"name": "bug"}})) == []


def comment(body: str, **more: Any) -> dict[str, Any]:
    said = {"id": 9, "body": body, "user": {"login": "ann", "type": "User"}}
    return {"action": "created", "issue": {"number": 7, "pull_request": {}}, "comment": said, **more}


@pytest.mark.parametrize("body", ["/oversight safe", "/oversight review", "/oversight dismiss", "/oversight nonsense"])
def test_commands_are_heard(body: str):
    """Those that are wrong too: whoever gave them is to know."""
    told = {"id": 9, "inline": False, "who": "ann"}
    assert asked("issue_comment", comment(body)) == [Chore(Kind.COMMENT, "d1", 5, "octo/repo", 7, told)]


def test_conversation_is_not_heard():
    """Nor what bots say, what was deleted, or what is said below an issue."""
    command = "/oversight safe"
    assert asked("issue_comment", comment("Looks good to me.")) == []
    assert asked("issue_comment", comment(command, **BOT)) == []
    assert asked("issue_comment", comment(command, sender={"login": "x[bot]", "type": "User"})) == []
    assert asked("issue_comment", comment(command, action="deleted")) == []
    assert asked("issue_comment", comment(command, issue={"number": 7})) == []


def test_replies_in_the_diff_are_heard():
    """Which is where findings are dismissed."""
    payload = {**comment("/oversight dismiss generated"), "pull_request": {"number": 7}}
    del payload["issue"]
    told = {"id": 9, "inline": True, "who": "ann"}
    assert asked("pull_request_review_comment", payload) == [Chore(Kind.COMMENT, "d1", 5, "octo/repo", 7, told)]


def check(action: str, more: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    run = {"id": 4, "head_sha": HEAD, "external_id": "oversight/7-dd5c5362/0123", "pull_requests": []}
    return {"action": action, "check_run": run | changes, **(more or {})}


def test_a_check_that_is_run_again_is_another_attempt():
    """Of the pull request that it names, else those that GitHub names, else those that are known by their head."""
    again = [Review("octo/repo", 5, number, HEAD, cause="d1") for number in (7, 8, 9)]
    assert asked("check_run", check("rerequested")) == again[:1]
    assert asked("check_run", check("rerequested", external_id="", pull_requests=[{"number": 8}])) == again[1:2]
    assert asked("check_run", check("rerequested", external_id=""), known=(8, 9)) == again[1:]
    suite = {"action": "rerequested", "check_suite": {"head_sha": HEAD, "pull_requests": []}}
    assert asked("check_suite", suite, known=(7,)) == again[:1]
    assert asked("check_run", {**check("rerequested"), **BOT}) == []
    assert asked("check_suite", {**suite, "action": "requested"}) == []


def pressed(identifier: str) -> dict[str, Any]:
    return {"requested_action": {"identifier": identifier}}


@pytest.mark.parametrize("button", ["safe", "risky", "unsure"])
def test_buttons_are_verdicts(button: str):
    """Of who pressed them, on that check run, when the delivery came."""
    told = {"run": 4, "button": button, "who": "ann", "at": "2026-01-31T12:00:00+00:00"}
    found = asked("check_run", check("requested_action", pressed(button)))
    assert found == [Chore(Kind.BUTTON, "d1", 5, "octo/repo", 7, told)]


def test_other_buttons_and_those_of_bots_are_none():
    """Nor those of a check run that is not ours."""
    assert asked("check_run", check("requested_action", pressed("dismissed"))) == []
    assert asked("check_run", {**check("requested_action", pressed("safe")), **BOT}) == []
    assert asked("check_run", check("requested_action", pressed("safe"), external_id="someone/7-dd5c5362/x")) == []
    assert asked("check_run", check("completed")) == []


def test_what_an_app_loses_is_forgotten():
    """All of an installation, also while it is suspended, or some of its repositories."""
    some = [{"full_name": "octo/repo"}]
    told = {"repositories": ["octo/repo"], "all": True}
    for action in ("deleted", "suspend"):
        payload = {"action": action, "installation": {"id": 6}, "repositories": some}
        assert asked("installation", payload) == [Chore(Kind.FORGET, "d1", 6, arguments=told)]
    for action in ("created", "unsuspend", "new_permissions_accepted"):
        assert asked("installation", {"action": action, "installation": {"id": 6}, "repositories": some}) == []
    removed = {"action": "removed", "installation": {"id": 6}, "repositories_removed": some}
    assert asked("installation_repositories", removed) == [
        Chore(Kind.FORGET, "d1", 6, arguments={**told, "all": False})
    ]
    added = {"action": "added", "installation": {"id": 6}, "repositories_added": some, "repositories_removed": []}
    assert asked("installation_repositories", added) == []


def test_a_repository_that_is_called_otherwise_or_gone_takes_along_what_is_kept():
    """Under another name, of another owner, or no more; everything else that becomes of one is nothing to us."""
    renamed = {"action": "renamed", "changes": {"repository": {"name": {"from": "old"}}}}
    person = {"action": "transferred", "changes": {"owner": {"from": {"user": {"login": "ann"}}}}}
    company = {"action": "transferred", "changes": {"owner": {"from": {"organization": {"login": "acme"}}}}}
    for payload, before in ((renamed, "octo/old"), (person, "ann/repo"), (company, "acme/repo")):
        told = {"before": before}
        assert asked("repository", payload) == [Chore(Kind.RENAME, "d1", 5, "octo/repo", arguments=told)]
    told = {"repositories": ["octo/repo"], "all": False}
    assert asked("repository", {"action": "deleted"}) == [Chore(Kind.FORGET, "d1", 5, arguments=told)]
    for action in ("archived", "privatized", "edited", "renamed"):
        assert asked("repository", {"action": action}) == []


def test_without_an_installation_nothing_can_be_done():
    """As by a webhook that is no App's."""
    assert asked("pull_request", pull("opened", {"installation": None})) == []
    assert asked("pull_request", pull("opened", {"repository": None})) == []


def test_a_push_asks_for_nothing():
    """Its pull request does."""
    assert asked("push", {"ref": "refs/heads/main", "before": HEAD, "after": "b" * 40}) == []
    assert "push" not in EVENTS


def test_github_s_own_examples_ask_for_something_or_nothing():
    """And none for what cannot go on the books: ids and moments, no text."""
    found: Counter[str] = Counter()
    for name, payload in examples():
        if name not in EVENTS:
            continue
        event, origin = received(name, json.dumps({**payload, "installation": {"id": 5}}).encode())
        for task in tasks(event, Asked.of(origin, "d1", NOW, drafts=True), lambda *_: (7,)):
            found[type(task).__name__] += 1
            json.dumps(dict(task.arguments) if isinstance(task, Chore) else {})
    assert found.keys() == {"Review", "Cancel", "Chore"}
