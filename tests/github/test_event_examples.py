"""GitHub's own examples of payloads, what goes missing in them, and anything at all in the place of one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight_github.events import EventError, parse, received
from tests.github.description import MODULES
from tests.github.test_events import HEAD, KINDS, PAYLOADS
from tests.needed import needed


@cache
def examples() -> list[tuple[str, dict[str, Any]]]:
    """Every example of every event of every GitHub."""
    paths = sorted((MODULES / "@octokit" / "webhooks-examples").glob("*/index.json"))
    needed(bool(paths), "@octokit/webhooks-examples", mend="npm ci --prefix tests/github")
    return [
        (event["name"], payload)
        for path in paths
        for event in json.loads(path.read_bytes())
        for payload in event["examples"]
    ]


def test_github_s_own_examples_are_understood():
    """All of the events that are known here, and one line for each of the others."""
    understood = dict.fromkeys(KINDS, 0)
    for name, payload in examples():
        if name in KINDS:
            event, _ = received(name, json.dumps(payload).encode())
            assert isinstance(event, KINDS[name]), name
            assert parse(name, payload) == event
            understood[name] += 1
        else:
            with pytest.raises(EventError, match=f"the event {name} is not understood"):
                parse(name, payload)
    # Of these two there are no examples: the one is like pull_request, the other has nothing in it.
    assert [name for name, count in understood.items() if not count] == ["pull_request_target", "schedule"]


def test_github_s_own_examples_with_a_key_missing_are_read_or_refused():
    """Whichever key it is, and whether it is missing, null or of another kind."""
    for name, payload in examples():
        for damaged in _damaged(payload) if name in KINDS else ():
            _read_or_refused(name, damaged)


def _damaged(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The payload with one key gone or changed, for every key of the first three levels that could matter."""
    ways = [(a,) for a in payload]
    ways += [(a, b) for a, v in payload.items() if isinstance(v, dict) for b in v]
    pull = payload.get("pull_request", {})
    ways += [("pull_request", a, b) for a in ("base", "head", "user") if isinstance(pull.get(a), dict) for b in pull[a]]
    read = {
        "number",
        "state",
        "title",
        "user",
        "draft",
        "labels",
        "base",
        "head",
        "ref",
        "sha",
        "repo",
        "action",
        "body",
    }
    read |= {"before", "after", "forced", "issue", "comment", "pull_request", "merge_group", "label", "sender", "id"}
    read |= {"check_run", "check_suite", "head_sha", "external_id", "pull_requests", "app", "requested_action"}
    read |= {"installation", "repositories", "repositories_added", "repositories_removed", "merged", "updated_at"}
    read |= {"changes", "size", "identifier"}
    read |= {"login", "type", "full_name", "base_sha", "head_sha", "base_ref", "author_association", "repository"}
    for way in ways:
        if way[-1] in read:
            for value in (None, 7, "x", [], {}, [None], {"login": 3}, -1.5, True):
                yield _with(payload, way, value)
            yield _with(payload, way)


def _with(payload: dict[str, Any], way: tuple[str, ...], *value: Any) -> dict[str, Any]:
    """A copy with another value at the end of the way, or with none."""
    key, *rest = way
    if rest:
        return {**payload, key: _with(payload[key], tuple(rest), *value)}
    return {k: v for k, v in payload.items() if k != key} | ({key: value[0]} if value else {})


def _read_or_refused(name: str, payload: Any) -> None:
    try:
        event = parse(name, payload)
    except EventError as error:
        refusal = str(error)
    else:
        assert isinstance(event, KINDS[name])
        hash(event)
        return
    assert refusal.isprintable()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([HEAD, "refs/heads/x", "o/r"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, Any]:
    """A payload of a known event, with anything at a few of its places."""
    name = draw(st.sampled_from(sorted(PAYLOADS)))
    payload = copy.deepcopy(PAYLOADS[name])
    for _ in range(draw(st.integers(1, 3))):
        inner: Any = payload
        while True:
            key = draw(st.sampled_from(sorted(inner)))
            if not isinstance(inner[key], dict) or not inner[key] or draw(st.booleans()):
                break
            inner = inner[key]
        inner[key] = draw(ANYTHING)
    return name, payload


@given(changed())
def test_nothing_but_its_own_error_ever_comes_of_a_payload(event: tuple[str, Any]):
    """Whatever stands in it: a value, or one printable line."""
    _read_or_refused(*event)


@given(st.sampled_from(sorted(KINDS)), ANYTHING | st.binary())
def test_nor_of_what_is_no_payload_at_all(name: str, payload: Any):
    """Bytes and values of every kind."""
    _read_or_refused(name, payload)
