"""Marks that say what was shown of which head: read back as written, and from nowhere but the beginning of a body."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight_github.markers import SummaryMark, read_summary
from oversight_github.shown import MOST, Shown, at_the_time, marks, read_shown

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Shown("1" * 40, NOW, True, 0.431235, 97.25, "a" * 64)
TWO = Shown("2" * 40, NOW + timedelta(hours=1), False, None, None, None)

shown = st.builds(
    Shown,
    st.text("0123456789abcdef", min_size=40, max_size=40),
    st.integers(0, 99_999_999_999).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.booleans(),
    st.none() | st.integers(0, 1_000_000).map(lambda number: number / 1_000_000),
    st.none() | st.integers(0, 1_000_000).map(lambda number: number / 10_000),
    st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
)


@given(st.lists(shown, max_size=4))
def test_marks_are_read_as_they_were_written(several: list[Shown]):
    """Whatever follows them, and however line ends are stored."""
    body = "".join(f"{one}\n" for one in several) + "**Flagged**: text\n"
    assert read_shown(body) == read_shown(body.replace("\n", "\r\n")) == tuple(several)


def test_marks_of_a_summary_follow_its_own():
    """Both can be read from one body."""
    body = f"{SummaryMark('dd5c5362', ONE.head)}{marks(ONE)}Text"
    assert read_summary(body) is not None
    assert read_shown(body) == (ONE,)


def test_a_mark_further_down_is_somebody_elses_text():
    """A title or a path that looks like one, in text that follows, is none."""
    assert read_shown(f"Text\n{ONE}\n") == ()
    assert read_shown(f"{ONE}\n\n{TWO}\n") == (ONE,)
    assert read_shown(f" {ONE}\n") == read_shown(f"> {ONE}\n") == read_shown("") == ()


@given(st.text(max_size=300) | st.text(max_size=50).map(lambda text: f"<!-- oversight:shown v1 {text} -->\n"))
def test_no_text_ends_in_anything_but_marks(body: str):
    """What cannot be read is left out."""
    for one in read_shown(body):
        assert str(one) in body


def test_what_was_shown_before_is_kept_behind_what_is_shown_now():
    """The newest first, at most so many."""
    before = f"{SummaryMark('dd5c5362', ONE.head)}{marks(ONE)}Text"
    assert read_shown(marks(TWO, before)) == (TWO, ONE)
    body = ""
    for number in range(MOST + 5):
        body = marks(replace(ONE, head=f"{number:040x}"), body)
    assert len(read_shown(body)) == MOST
    assert read_shown(body)[0].head == f"{MOST + 4:040x}"


def test_the_same_shown_again_has_been_there_since_the_first_time():
    """A second run over the same head with the same result changes nothing."""
    again = replace(ONE, at=NOW + timedelta(days=1), risk=0.4312350001)
    assert marks(again, marks(ONE)) == marks(ONE)
    assert read_shown(marks(replace(again, flagged=False), marks(ONE)))[0].at == again.at


def test_people_saw_the_latest_that_was_there():
    """Not what came after they spoke."""
    assert at_the_time([ONE, TWO], NOW + timedelta(minutes=30)) == ONE
    assert at_the_time([ONE, TWO], NOW + timedelta(hours=1)) == TWO
    assert at_the_time([ONE, TWO], NOW - timedelta(seconds=1)) is None


def test_what_no_mark_can_hold_makes_none():
    """Rather than one that reads as something else."""
    for amiss in ({"head": "main --> x"}, {"model": "default"}, {"risk": float("nan")}, {"percentile": 1e9}):
        with pytest.raises(ValueError, match="shas and numbers alone"):
            str(replace(ONE, **amiss))
