"""An entry says why it is there and what to look at, and hides what a blind auditor must not see."""

from __future__ import annotations

from dataclasses import replace

from oversight.audit.budget.entry import Entry, Said, look_first, where, why
from oversight.audit.verdict import Selection, Shown

HUNK = Said("src/a.py", 3, 9, 0.4, None, None, ("a guard goes",))
GRAVE = Said("src/b.py", 7, 7, None, "secrets", "critical", ("a key is in the code",))
HIGH = Said("src/c.py", None, None, None, "tests-weakened", "high", ("two assertions are removed",))
MILD = Said("src/d.py", 1, 1, None, "todo", "low", ("a note",))
ENTRY = Entry(
    repository="o/r", commit="1" * 40, number=7, title="Tidy", author="Ada <ada@shop.example>", provenance="human",
    directory="src", status="scored", risk=0.31, percentile=96.7, flagged=True, model="a" * 64, added=3, deleted=1,
    selection=Selection.FLAGGED, propensity=1.0, queued_at=None, said=(HUNK, MILD, HIGH, GRAVE),
)  # fmt: skip


def test_it_says_why_it_is_there():
    """By its risk and by what grave principles say, the gravest first; by the draw, with its probability."""
    assert list(why(ENTRY)) == [
        "risk 31%, riskier than 96% of the changes it is compared with",
        "principle secrets (critical): a key is in the code",
        "principle tests-weakened (high): two assertions are removed",
    ]
    drawn = replace(ENTRY, selection=Selection.RANDOM, propensity=0.0132, percentile=None, said=())
    assert list(why(drawn)) == [
        "drawn at random, with probability 0.013, from the changes that were not picked",
        "risk 31%",
    ]


def test_what_could_not_be_scored_is_not_shown_as_safe():
    """No risk is no low risk."""
    assert next(why(replace(ENTRY, risk=None))) == "no risk could be given, which does not mean a low one"


def test_what_is_gravest_is_to_be_looked_at_first():
    """A grave finding, else the hunk that is to be read first, else any finding; nothing where nothing is known."""
    assert look_first(ENTRY) is GRAVE
    assert look_first(replace(ENTRY, said=(HUNK, MILD))) is HUNK
    riskier, heavier = replace(HUNK, risk=0.5), replace(HUNK, risk=0.1, weight=3.0)
    assert look_first(replace(ENTRY, said=(HUNK, riskier))) is riskier
    assert look_first(replace(ENTRY, said=(HUNK, riskier, heavier))) is heavier
    assert look_first(replace(ENTRY, said=(MILD,))) is MILD
    assert look_first(replace(ENTRY, said=())) is None
    assert (where(HUNK), where(HIGH)) == ("src/a.py:3-9", "src/c.py")


def test_what_was_shown_goes_with_the_verdict():
    """Selection and propensity of the queue; who comes of their own accord has none; the blind have seen no risk."""
    assert ENTRY.shown() == Shown(Selection.FLAGGED, 1.0, flagged=True, risk=0.31, percentile=96.7, model="a" * 64)
    blind = replace(ENTRY, selection=Selection.RANDOM, propensity=0.2).shown(blind=True)
    assert (blind.selection, blind.propensity) == (Selection.RANDOM, 0.2)
    assert (blind.flagged, blind.risk, blind.percentile, blind.blind) == (None, None, None, True)
    assert blind.model == ENTRY.model is not None  # whose report it was that they had not seen
    for selection in (None, Selection.REQUEST):
        shown = replace(ENTRY, selection=selection, propensity=0.2).shown()
        assert (shown.selection, shown.propensity) == (Selection.REQUEST, None)
