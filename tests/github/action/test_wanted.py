"""Which change an event asks to have reviewed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oversight.errors import UnscoredError, UsageError
from oversight_github.action.inputs import Inputs, read
from oversight_github.action.wanted import wanted
from oversight_github.code.wanted import Wanted
from oversight_github.events import Comment, Event, Manual, MergeGroup, Pull, PullRequestEvent, Push, Scheduled

A, B, C = "a" * 40, "b" * 40, "c" * 40
NOTHING = "0" * 40
PULL = Pull(7, "open", "main", B, "topic", A, None, True, False, "T", "ann", ())
PLAIN = read({})


def ask(event: Event, inputs: Inputs = PLAIN, sha: str | None = C, default: str | None = "main") -> Wanted:
    return wanted(event, inputs, sha=sha, default_branch=default)


def test_a_pull_request_is_what_its_head_adds_to_its_base() -> None:
    """The runner's own sha, that of a merge that GitHub makes up, is not asked."""
    assert ask(PullRequestEvent("opened", PULL)) == Wanted(A, (B,), pull=PULL)


def test_a_closed_pull_request_is_reviewed_and_nothing_belongs_to_it_any_more() -> None:
    """A check of it stays true; a comment would reach nobody."""
    assert ask(PullRequestEvent("closed", replace(PULL, state="closed"))) == Wanted(A, (B,))


def test_a_merge_group_is_what_it_adds_to_its_branch() -> None:
    """One that is gone leaves nothing."""
    assert ask(MergeGroup(B, A, "refs/heads/main")) == Wanted(A, (B,))
    with pytest.raises(UnscoredError):
        ask(MergeGroup(B, A, "refs/heads/main", "destroyed"))


def test_a_push_is_what_came() -> None:
    """Of a new branch and after a force push the default branch stands in, and then the newest commit alone."""
    assert ask(Push("refs/heads/x", B, A, False)) == Wanted(A, (B,))
    assert ask(Push("refs/heads/x", NOTHING, A, False)) == Wanted(A, ("refs/heads/main",), else_alone=True)
    assert ask(Push("refs/heads/x", B, A, True)) == Wanted(A, (B, "refs/heads/main"), else_alone=True)
    assert ask(Push("refs/heads/x", NOTHING, A, False), default=None) == Wanted(A, (), else_alone=True)


def test_a_tag_is_its_commit() -> None:
    """What was pushed may be the tag's own object; the runner knows the commit."""
    assert ask(Push("refs/tags/v1", NOTHING, A, False)) == Wanted(C)


def test_a_deleted_branch_is_never_green() -> None:
    """There is nothing to review, which is not the same as a change without risk."""
    with pytest.raises(UnscoredError) as caught:
        ask(Push("refs/heads/x", A, NOTHING, False))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("event", [Manual(), Scheduled()])
def test_by_hand_and_by_the_clock_it_is_the_newest_commit(event: Event) -> None:
    """Without a commit there is nothing to go by."""
    assert ask(event) == Wanted(C)
    with pytest.raises(UsageError):
        ask(event, sha=None)


def test_inputs_replace_one_side_each() -> None:
    """With another head, a pull request's comments are not the place; with another base they still are."""
    with_base, with_head = replace(PLAIN, base="v1"), replace(PLAIN, head="v2")
    assert ask(PullRequestEvent("opened", PULL), with_base) == Wanted(A, ("v1",), pull=PULL)
    assert ask(PullRequestEvent("opened", PULL), with_head) == Wanted("v2", (B,))
    assert ask(PullRequestEvent("opened", PULL), replace(PLAIN, head=A)).pull == PULL
    assert ask(Manual(), replace(PLAIN, base="v1", head="v2")) == Wanted("v2", ("v1",))
    assert ask(Push("refs/heads/x", NOTHING, A, False), with_base) == Wanted(A, ("v1",))
    assert ask(Push("refs/heads/x", B, A, False), with_head) == Wanted("v2")


def test_other_events_are_about_no_change() -> None:
    """A comment is none; what it asks for is found elsewhere."""
    with pytest.raises(UsageError):
        ask(Comment("created", 1, 7, True, "hello", "ann", "MEMBER", "User"))
