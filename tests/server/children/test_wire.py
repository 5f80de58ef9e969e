"""Values between processes: the same on both sides, and nothing taken for a report that is none."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.changes.diff import change_from_diff
from oversight.changes.model import Change
from oversight.errors import UnscoredError
from oversight.reports import RiskReport
from oversight.reports.model import Skipped
from oversight_github.code.unscored import unscored
from oversight_server.children import wire

DIFF = (
    b"diff --git a/\xff.py b/\xff.py\n--- a/\xff.py\n+++ b/\xff.py\n"
    b"@@ -1 +1 @@ def f\n-a\n\\ No newline at end of file\n+b\xfe\r\n"
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


def through(kind: Any, value: Any) -> Any:
    """The value as it arrives on the other side."""
    return wire.decode(kind, json.loads(json.dumps(wire.encode(value))))


def report() -> RiskReport:
    return unscored(UnscoredError("so it is", mend="so be it"), "a" * 40, "octo/repo", None)


def test_a_change_arrives_as_it_was_sent() -> None:
    """Bytes that are no text, line ends, times, and every type that a change is made of."""
    change = change_from_diff(DIFF)
    assert through(Change, change) == change
    assert change.files[0].path.encode("utf-8", "surrogateescape") == b"\xff.py"


def test_a_report_arrives_as_it_was_sent() -> None:
    """What is unknown stays unknown."""
    sent = report()
    assert through(RiskReport, sent) == sent
    assert through(RiskReport, sent).risk is None


@given(anything)
def test_what_is_no_report_is_refused(value: Any) -> None:
    """Whatever a child answers is checked before it is believed."""
    with pytest.raises(ValueError, match="no RiskReport"):
        wire.decode(RiskReport, value)


@given(st.data())
def test_a_report_with_one_part_of_another_type_is_refused(data: st.DataObject) -> None:
    """Also where it is nearly one."""
    encoded = wire.encode(report())
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] = data.draw(st.dictionaries(st.text(), anything))
    with pytest.raises(ValueError, match="no RiskReport"):
        wire.decode(RiskReport, encoded)


def test_a_number_is_no_flag_and_a_flag_no_number() -> None:
    """JSON's true is 1 to Python."""
    encoded = wire.encode(report())
    names = list(RiskReport.__slots__)
    for name, wrong in (("flagged", 1), ("budget", True), ("risk", "0.5"), ("status", "fine")):
        other = list(encoded)
        other[names.index(name)] = wrong
        with pytest.raises(ValueError, match="no RiskReport"):
            wire.decode(RiskReport, other)


def test_messages_are_read_as_they_were_written() -> None:
    """One after the other, and None at the end."""
    file = io.BytesIO()
    wire.send(file, {"a": "\udcff\0"})
    wire.send(file, {})
    file.seek(0)
    assert [wire.receive(file) for _ in range(3)] == [{"a": "\udcff\0"}, {}, None]


@pytest.mark.parametrize(
    "content",
    [b"1", b"\0" * 7 + b"\x05{}", b"\xff" * 8 + b"{}", b"\0" * 7 + b"\x02[]", b"\0" * 7 + b"\x02{{",
     (200_000).to_bytes(8, "big") + b"[" * 200_000],
)  # fmt: skip
def test_what_is_no_message_is_refused(content: bytes) -> None:
    """Cut off, too large, no object, no JSON, nested without end."""
    with pytest.raises(ValueError):  # noqa: PT011  # JSON's own among them
        wire.receive(io.BytesIO(content))


def test_other_types_do_not_travel() -> None:
    """What was forgotten shows in the first test, not in a report."""
    with pytest.raises(TypeError):
        wire.encode({"a": 1})
    with pytest.raises(ValueError, match="no object"):
        wire.decode(object, 1)
    assert through(Skipped, Skipped("a", "b")) == Skipped("a", "b")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert wire.decode(datetime, wire.encode(moment)) == moment
