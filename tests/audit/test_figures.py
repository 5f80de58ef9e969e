"""What verdicts tell of reviews: worked by hand, by simulation, and honest where there is little to tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oversight.audit.figures import FEWEST, Figures, figures
from oversight.audit.verdict import Selection, Shown, Verdict
from oversight.measurement.agreement import krippendorff_alpha
from oversight.measurement.audited import recall, total
from oversight.measurement.beta import binomial_interval
from oversight.measurement.intervals import wilson
from tests.audit.builders import verdict

PROPENSITY = 0.1


def judged(
    number: int, risky: bool, selection: str = "flagged", *, risk: float | None = 0.5, who: str = "ann"
) -> Verdict:
    """A verdict on a change of its own."""
    chosen = Selection(selection)
    propensity = {Selection.FLAGGED: 1.0, Selection.RANDOM: PROPENSITY, Selection.REQUEST: None}[chosen]
    shown = Shown(chosen, propensity, flagged=chosen is Selection.FLAGGED, risk=risk, percentile=50.0)
    said = verdict("risky" if risky else "safe", who=who, hours=number)
    return replace(said, change_id=f"{number:040x}", shown=shown)


def several(counts: dict[tuple[str, bool], int]) -> list[Verdict]:
    kinds = [key for key, count in counts.items() for _ in range(count)]
    return [judged(number, risky, selection) for number, (selection, risky) in enumerate(kinds)]


def test_little_is_told_of_little():
    """No figure without enough judged changes, and each says what is missing."""
    found = figures([judged(number, True) for number in range(FEWEST - 1)])
    reason = found.reliability.error.reason
    assert reason == "9 judged changes with a risk and a chance that is known, and 10 are needed"
    assert found.precision.reason == "9 judged changes of the flagged ones, and 10 are needed"
    assert found.recall.reason == "9 judged changes of the flagged ones, and 10 are needed"
    values = (found.precision.value, found.recall.value, found.expected, found.brier.value, found.agreement.value)
    assert values == (None,) * 5
    assert isinstance(figures([]), Figures)


def test_counts_are_of_what_was_said_and_labels_of_changes():
    """Two people on one change are two verdicts and one label, or none where they differ."""
    said = [
        judged(1, True),
        judged(1, True, who="bob"),
        judged(2, True),
        judged(2, False, who="bob"),
        replace(judged(3, False), own=True),
        verdict("unsure", change_id="4" * 40),
        verdict("dismissed", change_id="5" * 40),
    ]
    found = figures(said)
    assert (found.verdicts, found.own, found.people, found.sources) == (7, 1, 2, {"comment": 7})
    assert found.decisions == {"risky": 3, "safe": 2, "unsure": 1, "dismissed": 1}
    assert (found.risky, found.safe, found.disputed) == (1, 0, 1)


def test_calibration_is_of_the_risks_that_people_were_shown():
    """Of ten flagged ones shown with 60 % six are risky, and one of 10 that were drawn from 100, with 20 %: 6 and 10 of
    110. Those without a risk, and those that people came to of their own accord, are left out.
    """
    said = [judged(number, number < 6, risk=0.6) for number in range(10)]
    said += [judged(number, number == 10, "random", risk=0.2) for number in range(10, 20)]
    left_out = [judged(20, True, risk=None), *(judged(number, True, "request", risk=0.1) for number in range(21, 60))]
    found = figures([*said, *left_out])
    (only,) = found.reliability.bins
    assert (only.count, only.predicted) == (20, pytest.approx((6 + 20) / 110))
    assert only.observed == found.observed.value == pytest.approx(16 / 110)
    assert found.reliability.error.value == pytest.approx(10 / 110)
    assert (found.expected, found.observed.n) == (pytest.approx(26 / 110), 20)
    assert found.brier.value == pytest.approx((6 * 0.16 + 4 * 0.36 + 10 * 0.64 + 90 * 0.04) / 110)
    assert found.brier.interval is not None


def test_what_was_flagged_alone_tells_no_calibration():
    """The review flags by more than the risk, and what it flags is not like the rest."""
    found = figures(several({("flagged", True): 30, ("flagged", False): 30, ("random", False): 9}))
    assert found.observed.value is found.brier.value is found.expected is None
    assert found.reliability.error.reason == "9 judged changes of the random slice, and 10 are needed"


def test_no_risky_change_in_the_slice_is_not_none():
    """Twenty safe ones of 200 leave room for many: resampled, they would show no spread at all."""
    found = figures([judged(number, False, "random", risk=0.01) for number in range(20)]).brier
    assert found.value == pytest.approx(0.0001)
    assert found.interval is not None
    assert found.interval[1] > 0.1


def test_precision_is_of_what_was_flagged():
    """With the interval of all weighted shares."""
    found = figures(several({("flagged", True): 4, ("flagged", False): 12, ("request", True): 5})).precision
    assert (found.value, found.n) == (0.25, 16)
    assert found.interval == pytest.approx(binomial_interval(4.0, 16.0, tail="mid-p"))


def test_a_flag_that_had_no_place_counts_as_often_as_it_stands_for_others():
    """A budget may have fewer places than there are flags: 12 of 20 with one are risky, and 2 of 20 that were drawn
    from 100 without one.
    """
    said = several({("flagged", True): 12, ("flagged", False): 8, ("random", True): 2, ("random", False): 18})
    chances = {Selection.FLAGGED: 1.0, Selection.RANDOM: 0.2}
    told = [
        replace(one, shown=replace(one.shown, flagged=True, propensity=chances[one.shown.selection])) for one in said
    ]
    found = figures(told).precision
    assert (found.value, found.n) == (pytest.approx((12 + 10) / 120), 40)
    assert found.interval is not None
    assert found.interval[1] < 12 / 20


def test_a_place_is_no_flag():
    """A budget may have more places than there are flags, and a blind verdict does not tell which it had."""
    said = several({("flagged", True): 4, ("flagged", False): 12})
    for flagged, count in ((True, 16), (None, 0), (False, 0)):
        told = [replace(one, shown=replace(one.shown, flagged=flagged)) for one in said]
        assert figures(told).precision.n == count


def test_recall_weighs_the_slice_by_the_inverse_of_its_propensity():
    """Six caught, and one miss in a slice of a tenth, which stands for ten: 6 / 16."""
    counts = {("flagged", True): 6, ("flagged", False): 6, ("random", True): 1, ("random", False): 19}
    found = figures(several(counts)).recall
    assert found.value == pytest.approx(6 / 16)
    assert found.reviewed == 32
    assert found.interval is not None
    assert found.interval[0] < 6 / 16 < found.interval[1]


def test_recall_is_that_of_every_audit():
    """The interval of `measurement.audited`, of what was answered and ten times as many changes: not score intervals,
    which leave less room for what one slice happened not to show.
    """
    counts = {("flagged", True): 30, ("flagged", False): 30, ("random", False): 40}
    found = figures(several(counts)).recall
    caught = total([True] * 30 + [False] * 30, [1.0] * 60, 600)
    assert found == recall(caught, total([False] * 40, [PROPENSITY] * 40, 4_000))
    assert found.interval is not None
    effective = 40 / (1 - 40 / 4_000)
    assert found.interval[0] != pytest.approx(300 / (300 + 4_000 * wilson(0, effective)[1]), abs=0.01)


def test_what_people_looked_at_of_their_own_accord_tells_nothing_of_recall():
    """They look where they expect something: without a random slice there is no recall, whatever else there is."""
    counts = {("flagged", True): 20, ("flagged", False): 20, ("request", True): 30, ("request", False): 30}
    found = figures(several(counts)).recall
    assert found.value is None
    assert found.reason == "0 judged changes of the random slice, and 10 are needed"
    with_slice = {**counts, ("random", False): 20, ("random", True): 2}
    without_requests = {key: count for key, count in with_slice.items() if key[0] != "request"}
    assert figures(several(with_slice)).recall == figures(several(without_requests)).recall


def test_the_interval_of_recall_covers_the_truth():
    """Of changes that are answered half of the time, whether flagged or drawn: about 95 in 100 intervals do."""
    generator = np.random.default_rng(7)
    covered, defined, rounds = 0, 0, 300
    for _ in range(rounds):
        risky = generator.random(1_500) < 0.12
        flagged = generator.random(1_500) < np.where(risky, 0.6, 0.08)
        drawn = ~flagged & (generator.random(1_500) < PROPENSITY)
        answered = (flagged | drawn) & (generator.random(1_500) < 0.5)
        said = [
            judged(number, bool(risky[number]), "flagged" if flagged[number] else "random", risk=None)
            for number in np.flatnonzero(answered).tolist()
        ]
        found = figures(said).recall.interval
        if found is not None:
            defined += 1
            covered += found[0] <= flagged[risky].mean() <= found[1]
    assert defined > 0.95 * rounds
    assert 0.9 <= covered / defined <= 1.0


def test_agreement_is_of_changes_that_two_people_judged():
    """All alike, with both kinds among them, is 1."""
    said = [judged(number, number % 2 == 0, who=who) for number in range(12) for who in ("ann", "bob")]
    found = figures(said)
    assert (found.agreement.value, found.several) == (pytest.approx(1.0), 12)


def test_agreement_is_krippendorffs():
    """The same as for plain ratings, with an interval around it; those who are unsure are left out."""
    ratings = np.random.default_rng(5).choice([0.0, 1.0, np.nan], size=(3, 40), p=[0.5, 0.3, 0.2])
    said = [
        judged(number, bool(rating), who=f"person {row}") if rating == rating else unsure(number, f"person {row}")
        for row, column in enumerate(ratings)
        for number, rating in enumerate(column.tolist())
    ]
    found = figures(said).agreement
    assert found.value == pytest.approx(krippendorff_alpha(ratings).value)
    assert found.low is not None
    assert found.low < (found.value or 0) < (found.high or 0)


def unsure(number: int, who: str) -> Verdict:
    return verdict("unsure", who=who, hours=number, change_id=f"{number:040x}")
