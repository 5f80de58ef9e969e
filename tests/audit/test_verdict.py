"""Whose word counts, and what labels verdicts amount to."""

from __future__ import annotations

from oversight.audit.verdict import Decision, Verdict, judgements, to_gold
from tests.audit.builders import HEAD, OTHER, at, verdict

FINDING = "f" * 32 + ":1"


def label(*verdicts: Verdict) -> bool | None:
    """Whether the change is labelled risky; None where it has no label."""
    labels = to_gold(verdicts)
    return labels[0].risky if labels else None


def test_the_last_word_of_a_person_counts():
    """Minds change in both directions, in whatever order the words were written down."""
    first, second = verdict("risky", hours=1), verdict("safe", hours=2)
    assert label(first, second) is False
    assert label(second, first) is False
    assert label(verdict("safe", hours=1), verdict("risky", hours=2)) is True


def test_of_words_of_the_same_moment_the_one_written_down_last_counts():
    """GitHub's clock has seconds."""
    risky, safe = verdict("risky"), verdict("safe")
    assert label(risky, safe) is False
    assert label(safe, risky) is True


def test_a_label_is_what_most_people_say():
    """As many on both sides, or nobody who is sure, are no label rather than a guess."""
    assert label(verdict("risky"), verdict("risky", who="bob"), verdict("safe", who="cid")) is True
    assert label(verdict("risky"), verdict("safe", who="bob")) is None
    assert label(verdict("unsure")) is None
    assert label() is None


def test_who_becomes_unsure_takes_back_what_was_said():
    """The label falls to what the others say."""
    assert label(verdict("risky"), verdict("unsure", hours=1), verdict("safe", who="bob")) is False


def test_nobody_clears_a_change_of_their_own():
    """The author's safe has no effect, not even on the author's own warning; the warning has."""
    assert label(verdict("safe", own=True)) is None
    assert label(verdict("risky", own=True), verdict("safe", own=True, hours=1)) is True
    assert not verdict("dismissed", own=True).counts
    assert verdict("unsure", own=True).counts


def test_a_dismissal_labels_nothing():
    """People dismiss what is risky too, knowing it; what they said of the risk stands."""
    assert label(verdict("dismissed")) is None
    assert label(verdict("risky"), verdict("dismissed", hours=1)) is True


def test_a_risky_part_makes_a_risky_whole_and_a_safe_part_makes_nothing():
    """Who calls a finding right says that the change is risky; who calls it wrong speaks of that finding alone."""
    assert label(verdict("risky", finding=FINDING)) is True
    assert label(verdict("safe", finding=FINDING)) is None
    assert label(verdict("dismissed", finding=FINDING)) is None
    assert label(verdict("safe"), verdict("risky", finding=FINDING, hours=1)) is True
    assert label(verdict("risky", finding=FINDING), verdict("safe", hours=1)) is False


def test_a_part_that_is_taken_back_makes_nothing():
    """The last word on the finding was another."""
    assert label(verdict("risky", finding=FINDING), verdict("dismissed", finding=FINDING, hours=1)) is None


def test_a_head_and_the_commit_it_landed_as_are_one_change():
    """Who judged both has one voice, and the label is of the commit."""
    said = [verdict("risky", change_id=HEAD), verdict("safe", change_id=OTHER, hours=1)]
    (one,) = to_gold(said, {HEAD: OTHER})
    assert (one.change_id, one.risky, one.source, one.decided_at) == (OTHER, False, "verdict", at(1))
    assert len(to_gold(said)) == 2


def test_a_label_is_as_old_as_the_last_verdict_that_agrees_with_it():
    """The one who was outvoted later did not decide."""
    said = [verdict(), verdict(who="bob", hours=5), verdict("safe", who="cid", hours=9)]
    assert to_gold(said)[0].decided_at == at(5)


def test_every_person_has_one_judgement_a_change():
    """However often they spoke."""
    said = [verdict(hours=hour) for hour in range(3)] + [verdict("safe", who="bob")]
    assert [(one.who, one.decision) for one in judgements(said)[HEAD]] == [
        ("ann", Decision.RISKY),
        ("bob", Decision.SAFE),
    ]
