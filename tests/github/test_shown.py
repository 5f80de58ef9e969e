"""Marks that say what was shown of which head: read back as written, and from nowhere but the beginning of a body."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight_github.markers import SummaryMark, read_summary
from oversight_github.shown import MOST, Shown, at_the_time, dated, marks, read_shown

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
    body = f"{SummaryMark('dd5c5362', ONE.head)}{marks(ONE, sure=True)}Text"
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


def at_moment(moment: datetime) -> str:
    """A moment as GitHub writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_mark_says_when_it_was_written_in_the_words_of_github():
    """Rate limits hold a write up: until GitHub tells when it was done, nobody has seen anything."""
    body = f"{SummaryMark('dd5c5362', TWO.head)}{marks(TWO, marks(ONE, sure=True))}Text"
    assert read_shown(body) == (ONE,)
    later = TWO.at + timedelta(minutes=10)
    assert read_shown(dated(body, at_moment(later))) == (replace(TWO, at=later), ONE)
    assert read_shown(dated(body.replace("\n", "\r\n"), at_moment(later))) == (replace(TWO, at=later), ONE)
    assert dated(dated(body, at_moment(later)), at_moment(later + timedelta(days=1))) == dated(body, at_moment(later))


@pytest.mark.parametrize("written", [None, "", "yesterday", "2026-01-02T00:00:00", 7])
def test_a_write_of_which_github_tells_no_moment_has_shown_nothing(written: object):
    """As where it was a check run that is not completed."""
    body = marks(ONE)
    assert dated(body, written) == body
    assert read_shown(body) == ()


def test_nobody_has_seen_what_was_not_sent_yet():
    """A check run goes on naming the time of its first write, and our own clock knows better."""
    assert read_shown(dated(marks(TWO), at_moment(NOW))) == (TWO,)


@given(st.text(max_size=300) | st.text(max_size=50).map(lambda text: f"{ONE}\n{text} at=1+ flagged"))
def test_text_that_is_no_mark_is_not_dated(body: str):
    """Whatever it looks like."""
    assert dated(body, at_moment(NOW)) == body


def test_what_was_shown_before_is_kept_behind_what_is_shown_now():
    """The newest first, at most so many."""
    before = f"{SummaryMark('dd5c5362', ONE.head)}{marks(ONE, sure=True)}Text"
    assert read_shown(marks(TWO, before, sure=True)) == (TWO, ONE)
    body = ""
    for number in range(MOST + 5):
        body = marks(replace(ONE, head=f"{number:040x}"), body, sure=True)
    assert len(read_shown(body)) == MOST
    assert read_shown(body)[0].head == f"{MOST + 4:040x}"


def test_the_same_shown_again_has_been_there_since_the_first_time():
    """A second run over the same head with the same result changes nothing."""
    again = replace(ONE, at=NOW + timedelta(days=1), risk=0.4312350001)
    first = marks(ONE, sure=True)
    assert marks(again, first) == first
    assert read_shown(marks(replace(again, flagged=False), first, sure=True))[0].at == again.at


def test_people_saw_the_latest_that_was_there():
    """Not what came after they spoke, nor in the same second: nobody reads and answers in less."""
    assert at_the_time([ONE, TWO], NOW + timedelta(minutes=30)) == ONE
    assert at_the_time([ONE, TWO], NOW + timedelta(hours=1)) == ONE
    assert at_the_time([ONE, TWO], NOW + timedelta(hours=1, seconds=1)) == TWO
    assert at_the_time([ONE, TWO], NOW - timedelta(seconds=1)) is None


def test_what_no_mark_can_hold_makes_none():
    """Rather than one that reads as something else."""
    for amiss in ({"head": "main --> x"}, {"model": "default"}, {"risk": float("nan")}, {"percentile": 1e9}):
        with pytest.raises(ValueError, match="shas and numbers alone"):
            str(replace(ONE, **amiss))
