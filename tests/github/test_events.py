"""Payloads as values: what they hold, what may be missing, and what hostile people put there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from oversight_github.events import (
    MAX_NUMBER,
    CheckRun,
    CheckSuite,
    Comment,
    EventError,
    Installation,
    InstallationRepositories,
    Manual,
    MergeGroup,
    Origin,
    PullRequestEvent,
    Push,
    RepositoryEvent,
    Scheduled,
    parse,
    received,
)

BASE, HEAD = "b" * 40, "a" * 40
KINDS = {
    "check_run": CheckRun,
    "check_suite": CheckSuite,
    "installation": Installation,
    "installation_repositories": InstallationRepositories,
    "issue_comment": Comment,
    "merge_group": MergeGroup,
    "pull_request": PullRequestEvent,
    "pull_request_review_comment": Comment,
    "pull_request_target": PullRequestEvent,
    "push": Push,
    "repository": RepositoryEvent,
    "schedule": Scheduled,
    "workflow_dispatch": Manual,
}


def pull_request(**changes: Any) -> dict[str, Any]:
    """A payload as small as it may be, with some keys of the pull request changed."""
    pull = {
        "number": 7,
        "state": "open",
        "title": "A change",
        "user": {"login": "ann"},
        "draft": False,
        "labels": [{"name": "one"}, {"name": "two"}],
        "base": {"ref": "main", "sha": BASE, "repo": {"full_name": "octo/repo"}},
        "head": {"ref": "topic", "sha": HEAD, "repo": {"full_name": "octo/repo"}},
    }
    return {"action": "opened", "pull_request": pull | changes, "sender": {"login": "bob"}}


def comment(**changes: Any) -> dict[str, Any]:
    """A comment below a pull request, with some keys of the comment changed."""
    said = {"id": 9, "body": "/oversight safe", "user": {"login": "ann", "type": "User"}, "author_association": "OWNER"}
    return {"action": "created", "issue": {"number": 7, "pull_request": {}}, "comment": said | changes}


PUSH = {"ref": "refs/heads/main", "before": BASE, "after": HEAD, "forced": True}
GROUP = {
    "action": "checks_requested",
    "merge_group": {"base_ref": "refs/heads/main", "base_sha": BASE, "head_ref": "refs/heads/queue", "head_sha": HEAD},
}
RUN = {"id": 4, "head_sha": HEAD, "external_id": "ours", "pull_requests": [{"number": 7}], "app": {"id": 3}}
PAYLOADS: dict[str, dict[str, Any]] = {
    "check_run": {"action": "requested_action", "check_run": RUN, "requested_action": {"identifier": "safe"}},
    "check_suite": {"action": "rerequested", "check_suite": RUN},
    "installation": {"action": "deleted", "installation": {"id": 5}, "repositories": [{"full_name": "octo/repo"}]},
    "installation_repositories": {
        "action": "removed",
        "installation": {"id": 5},
        "repositories_added": [],
        "repositories_removed": [{"full_name": "octo/repo"}],
    },
    "issue_comment": comment(),
    "merge_group": GROUP,
    "pull_request": pull_request(),
    "pull_request_review_comment": {**comment(in_reply_to_id=3), "pull_request": {"number": 7}},
    "push": PUSH,
    "repository": {
        "action": "renamed",
        "repository": {"full_name": "octo/repo"},
        "changes": {"repository": {"name": {"from": "old"}}, "owner": {"from": {"user": {"login": "ann"}}}},
    },
    "schedule": {"schedule": "0 4 * * 1"},
    "workflow_dispatch": {"ref": "refs/heads/main", "inputs": None},
}


def test_a_pull_request_is_read_whole():
    """All that a review needs of it, and who did what."""
    event = parse("pull_request", pull_request(draft=True))
    assert isinstance(event, PullRequestEvent)
    assert (event.action, event.label, event.sender) == ("opened", None, "bob")
    pull = event.pull
    assert (pull.number, pull.state, pull.draft, pull.title, pull.author) == (7, "open", True, "A change", "ann")
    assert (pull.base_ref, pull.base_sha, pull.head_ref, pull.head_sha) == ("main", BASE, "topic", HEAD)
    assert (pull.head_repository, pull.fork, pull.labels) == ("octo/repo", False, ("one", "two"))


@pytest.mark.parametrize("ref", ["-x", "@", "--upload-pack=id", "a..b", "", "refs/heads/\n"])
def test_no_name_of_a_branch_keeps_it_from_its_review(ref: str):
    """Whoever opens a pull request names it, and git takes odd names; nothing is fetched by it."""
    payload = pull_request()
    payload["pull_request"]["head"] = {**payload["pull_request"]["head"], "ref": ref}
    event = parse("pull_request", payload)
    assert isinstance(event, PullRequestEvent)
    assert (event.pull.head_ref, event.pull.head_sha) == (ref, HEAD)


def test_bytes_and_objects_are_the_same_payload():
    """As read from a file or from a request."""
    assert parse("push", json.dumps(PUSH).encode()) == parse("push", PUSH) == Push(PUSH["ref"], BASE, HEAD, True)


def test_the_other_events_are_read_too():
    """Each as the value of its kind."""
    assert parse("merge_group", GROUP) == MergeGroup(BASE, HEAD, "refs/heads/main", "checks_requested")
    assert parse("schedule", {"schedule": "0 4 * * 1"}) == Scheduled()
    assert parse("workflow_dispatch", {"inputs": None}) == Manual()
    said = parse("issue_comment", comment())
    assert said == Comment("created", 9, 7, True, "/oversight safe", "ann", "OWNER", "User")
    inline = parse("pull_request_review_comment", PAYLOADS["pull_request_review_comment"])
    assert isinstance(inline, Comment)
    assert (inline.inline, inline.on_pull, inline.number, inline.reply_to) == (True, True, 7, 3)


def test_what_an_app_is_told_is_read():
    """Checks that are to be run again, buttons, and which repositories it is there for."""
    assert parse("check_run", PAYLOADS["check_run"]) == CheckRun("requested_action", 4, HEAD, "ours", (7,), 3, "safe")
    again = {"action": "rerequested", "check_run": {"id": 4, "head_sha": HEAD, "external_id": None}}
    assert parse("check_run", again) == CheckRun("rerequested", 4, HEAD, "")
    assert parse("check_suite", PAYLOADS["check_suite"]) == CheckSuite("rerequested", HEAD, (7,), 3)
    assert parse("installation", PAYLOADS["installation"]) == Installation("deleted", 5, ("octo/repo",))
    removed = parse("installation_repositories", PAYLOADS["installation_repositories"])
    assert removed == InstallationRepositories("removed", 5, (), ("octo/repo",))


def test_what_changed_about_a_pull_request_is_read():
    """Whether it was merged, when it last changed, and whether into another branch."""
    edited = {
        **pull_request(merged=True, updated_at="2026-01-31T12:00:00Z"),
        "changes": {"base": {"ref": {"from": "x"}}},
    }
    event = parse("pull_request", edited)
    assert isinstance(event, PullRequestEvent)
    assert event.base_changed
    assert event.pull.merged
    assert event.pull.updated_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    other = parse("pull_request", {**pull_request(updated_at="yesterday"), "changes": {"title": {"from": "x"}}})
    assert isinstance(other, PullRequestEvent)
    assert (other.base_changed, other.pull.merged, other.pull.updated_at) == (False, False, None)


@pytest.mark.parametrize(
    ("changes", "before"),
    [
        ({"repository": {"name": {"from": "old"}}}, "octo/old"),
        ({"owner": {"from": {"user": {"login": "ann"}}}}, "ann/repo"),
        ({"owner": {"from": {"organization": {"login": "acme"}}}}, "acme/repo"),
        ({"default_branch": {"from": "master"}}, None),
        (None, None),
    ],
)
def test_what_a_repository_was_called_is_read(changes: dict[str, Any] | None, before: str | None):
    """Renamed, or given to somebody else."""
    payload = {"action": "edited", "repository": {"full_name": "octo/repo"}, "changes": changes}
    assert parse("repository", payload) == RepositoryEvent("edited", before)


def test_a_name_that_leads_elsewhere_is_none():
    """What is kept under it would be somebody else's."""
    for name in ("../x", "a/b", "", "a b"):
        changes = {"repository": {"name": {"from": name}}}
        with pytest.raises(EventError, match="a name"):
            parse("repository", {"action": "renamed", "repository": {"full_name": "o/r"}, "changes": changes})


def test_where_a_delivery_comes_from_is_read_beside_it():
    """The repository, the installation and the sender, as far as they are there."""
    sender = {"login": "bob", "type": "User"}
    about = {"repository": {"full_name": "octo/repo"}, "installation": {"id": 5}, "sender": sender}
    event, origin = received("push", json.dumps({**PUSH, **about}).encode())
    assert event == parse("push", PUSH)
    assert origin == Origin("octo/repo", 5, "bob", "User")
    assert received("push", json.dumps(PUSH).encode())[1] == Origin()


def test_a_comment_below_an_issue_is_on_no_pull_request():
    """The two share an event."""
    event = parse("issue_comment", {**comment(), "issue": {"number": 7}})
    assert isinstance(event, Comment)
    assert not event.on_pull


def test_a_label_that_is_added_is_named():
    """With who added it: labels carry verdicts."""
    event = parse("pull_request", {**pull_request(), "action": "labeled", "label": {"name": "risky"}})
    assert isinstance(event, PullRequestEvent)
    assert (event.action, event.label, event.sender) == ("labeled", "risky", "bob")


def test_pull_request_target_reads_the_same():
    """It differs in what the token may do."""
    assert parse("pull_request_target", pull_request()) == parse("pull_request", pull_request())


@pytest.mark.parametrize(
    ("head", "name", "fork"),
    [
        ({"full_name": "octo/repo"}, "octo/repo", False),
        ({"full_name": "eve/repo"}, "eve/repo", True),
        (None, None, True),
    ],
)
def test_a_fork_is_one_and_a_deleted_one_as_well(head: dict[str, str] | None, name: str | None, fork: bool):
    """GitHub keeps the commits of a deleted fork, and forgets the fork."""
    event = parse("pull_request", pull_request(head={"ref": "topic", "sha": HEAD, "repo": head}))
    assert isinstance(event, PullRequestEvent)
    assert (event.pull.head_repository, event.pull.fork) == (name, fork)


def test_where_it_is_unknown_it_counts_as_a_fork():
    """The less trusted of the two."""
    base = {"ref": "main", "sha": BASE}
    event = parse("pull_request", pull_request(base=base))
    assert isinstance(event, PullRequestEvent)
    assert event.pull.fork
    ours = parse("pull_request", {**pull_request(base=base), "repository": {"full_name": "octo/repo"}})
    assert isinstance(ours, PullRequestEvent)
    assert not ours.pull.fork


def test_what_a_review_can_do_without_may_be_missing():
    """The account that is gone, the title, the labels, who sent it."""
    payload = pull_request(user=None, title=None, labels=None)
    del payload["pull_request"]["draft"], payload["sender"]
    event = parse("pull_request", payload)
    assert isinstance(event, PullRequestEvent)
    assert (event.pull.author, event.pull.title, event.pull.labels, event.pull.draft) == (None, "", (), False)
    said = parse("issue_comment", comment(user=None, body=None, author_association=None))
    assert isinstance(said, Comment)
    assert (said.author, said.author_type, said.body, said.association) == (None, None, "", "NONE")


@pytest.mark.parametrize(
    ("name", "payload", "says"),
    [
        ("pull_request", pull_request(number=None), "pull_request.pull_request.number is missing or not a number"),
        ("pull_request", pull_request(number=True), "number is not a number"),
        ("pull_request", pull_request(number=0), "number is not a number"),
        ("pull_request", pull_request(number=MAX_NUMBER + 1), "number is not a number"),
        ("pull_request", pull_request(number="7"), "number is not a number"),
        ("pull_request", pull_request(base=None), "pull_request.base is no object"),
        ("pull_request", pull_request(title=["x"]), "title is not text"),
        ("pull_request", pull_request(draft="yes"), "draft is not true or false"),
        ("pull_request", pull_request(labels="x"), "labels is not a list"),
        ("pull_request", pull_request(labels=["x"]), r"labels\[0\] is no object"),
        ("pull_request", pull_request(state="\n::error::"), "state is not a state"),
        ("pull_request", {**pull_request(), "action": None}, "action is missing or not an action"),
        ("pull_request", {}, "pull_request.pull_request is no object"),
        ("push", {**PUSH, "after": "HEAD"}, "after is not a commit's sha"),
        ("push", {**PUSH, "after": HEAD.upper()}, "after is not a commit's sha"),
        ("push", {**PUSH, "after": HEAD + "\n"}, "after is not a commit's sha"),
        ("push", {**PUSH, "after": None}, "after is missing or not a commit's sha"),
        ("issue_comment", comment(id=None), "comment.id is missing"),
        ("pull_request_review_comment", comment(), "pull_request is no object"),
        ("merge_group", {"action": "destroyed"}, "merge_group is no object"),
    ],
)
def test_what_it_cannot_do_without_is_refused_by_its_name(name: str, payload: dict[str, Any], says: str):
    """One line that says where in the payload."""
    with pytest.raises(EventError, match=says) as caught:
        parse(name, payload)
    assert "\n" not in str(caught.value)
    assert caught.value.mend


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "-x",
        "--upload-pack=evil",
        "a..b",
        "a b",
        "a\nb",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "@",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a.",
        "a@{1}",
        "\x7f",
        "\x00",
        "\ud800",
    ],
)
def test_a_ref_that_git_would_not_take_is_refused(ref: str):
    """It would pass for an option, for several refs, or for a revision of another kind."""
    with pytest.raises(EventError, match="a name that git takes for a ref"):
        parse("push", {**PUSH, "ref": ref})


@pytest.mark.parametrize(
    "ref", ["refs/heads/main", "feature/x-1", "$(id)", "`id`", "';x", "ünï", "👩\u200d💻", "@a", "a@b", "x.y"]
)
def test_a_ref_may_be_odd(ref: str):
    """What git takes is passed on as it is, and escaped by whoever shows it."""
    event = parse("push", {**PUSH, "ref": ref})
    assert isinstance(event, Push)
    assert event.ref == ref


def test_text_is_kept_as_it_is_but_can_be_written_down():
    """Markup, control characters and commands are somebody's text; a lone surrogate is no character."""
    title = "<script> ::error:: \x1b[31m @team \u202e $(id) {{7*7}}"
    event = parse("pull_request", pull_request(title=title + "\ud800"))
    assert isinstance(event, PullRequestEvent)
    assert event.pull.title == title + r"\ud800"
    assert event.pull.title.encode()


@pytest.mark.parametrize("name", ["", "star", "pull_request\n", "../../etc", "\x1b[31m", "PUSH", "x" * 10_000])
def test_another_event_is_refused_in_one_escaped_line(name: str):
    """With the names of those that are understood."""
    with pytest.raises(EventError, match="is not understood; known are check_run, check_suite") as caught:
        parse(name, {})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 200_000, b"1" * 10_000, b"\x00"]
)
def test_bytes_that_are_no_object_are_refused(payload: bytes):
    """Cut off, of another kind, too deep or too long a number."""
    with pytest.raises(EventError):
        parse("push", payload)


def test_more_than_github_sends_is_not_read(monkeypatch: pytest.MonkeyPatch):
    """25 MB are its limit."""
    monkeypatch.setattr("oversight_github.events.MAX_BYTES", 100)
    with pytest.raises(EventError, match="more than 100 bytes"):
        parse("push", json.dumps(PUSH).encode() + b" " * 100)
