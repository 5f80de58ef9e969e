"""Comments and events as something that a person said, whatever GitHub answers with."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oversight_github.client import GitHubError
from oversight_github.verdicts.said import COMMENT, INLINE, LABELS, Refusal, Said, asks_for_review, of_comment, of_label

COMMENTED: dict[str, Any] = {
    "id": 5,
    "node_id": "IC_5",
    "user": {"login": "bob", "type": "User"},
    "body": "/oversight safe",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "issue_url": "https://api.github.test/repos/octo/repo/issues/7",
    "pull_request_url": "https://api.github.test/repos/octo/repo/pulls/7",
    "in_reply_to_id": 4,
}
LABELLED: dict[str, Any] = {
    "id": 6,
    "event": "labeled",
    "actor": {"login": "bob", "type": "User"},
    "label": {"name": "oversight: risky"},
    "created_at": "2026-01-01T00:00:00Z",
}

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("9" * 5_000),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["login", "type", "name"]), inner),
    max_leaves=4,
)


def test_what_is_whole_is_heard():
    """Both places and both ways."""
    said = of_comment(COMMENTED, COMMENT)
    assert isinstance(said, Said)
    assert (said.number, said.who, said.edited, said.answers) == (7, "bob", False, 4)
    assert isinstance(of_comment({**COMMENTED, "body": "/oversight no"}, INLINE), Refusal)
    assert of_label(LABELLED, 7) is not None
    assert of_label({**LABELLED, "event": "unlabeled"}, 7) is None
    assert asks_for_review({**COMMENTED, "body": "/oversight review"})
    assert set(LABELS) == {name.lower() for name in LABELS}


@given(st.sampled_from([*COMMENTED]), junk)
def test_parts_that_are_amiss_end_in_nothing_heard_or_an_error_of_the_tree(name: str, value: Any):
    """As from a proxy, or from an interface that has changed."""
    for kind in (COMMENT, INLINE):
        try:
            of_comment({**COMMENTED, name: value}, kind)
        except GitHubError as error:
            assert "no number as id" in str(error)  # noqa: PT017


@given(st.sampled_from([*LABELLED]), junk)
def test_events_likewise(name: str, value: Any):
    """An event that cannot be told from another is no verdict."""
    try:
        of_label({**LABELLED, name: value}, 7)
    except GitHubError as error:
        assert "no number as id" in str(error)  # noqa: PT017


@given(st.text(max_size=200))
def test_any_body_is_a_command_or_none(body: str):
    """People write anything; what has no line that begins with our name says nothing to us."""
    said = of_comment({**COMMENTED, "body": body}, COMMENT)
    assert said is None or "/oversight" in body.lower()
    of_comment({**COMMENTED, "body": f"/oversight {body}"}, COMMENT)
