"""What people do not want to hear of again: for as long as nobody warns, and never by the author's word."""

from __future__ import annotations

from dataclasses import replace

from oversight.audit.verdict import Selection, Shown, Source, Verdict
from oversight_github.verdicts.dismissals import cleared, dismissed
from oversight_github.verdicts.sampling import SHARE, in_slice
from tests.audit.builders import HEAD, OTHER, verdict

FINDING, ANOTHER = "f" * 32 + ":1", "e" * 32 + ":1"


def reasons(*verdicts: object, number: int = 7) -> dict[str, str]:
    return dict(dismissed(verdicts, "Octo/Repo", number))  # type: ignore[arg-type]


def standing(said: list[Verdict], head: str, number: int = 7) -> Verdict | None:
    return cleared(said, "Octo/Repo", number, head)


def test_a_dismissed_finding_stays_so_for_its_pull_request():
    """On every later head; another pull request with the same lines asks again."""
    said = [
        verdict("dismissed", finding=FINDING, note="generated"),
        verdict("safe", finding=ANOTHER, note="fine", hours=1),
    ]
    assert reasons(*said) == {FINDING: "generated", ANOTHER: "fine"}
    assert reasons(*said, number=8) == {}
    assert reasons(verdict("dismissed", finding=FINDING, source=Source("terminal"))) == {}


def test_the_last_reason_is_told():
    """Of who said it last."""
    said = [verdict("dismissed", finding=FINDING, note=note, hours=hours) for note, hours in (("one", 2), ("two", 1))]
    assert reasons(*said) == {FINDING: "one"}


def test_a_warning_keeps_a_finding_up():
    """Whoever dismissed it, before or after; until the one who warned thinks better of it."""
    dismissal, warning = verdict("dismissed", finding=FINDING, hours=1), verdict("risky", finding=FINDING, who="bob")
    assert reasons(dismissal, warning) == {}
    assert reasons(dismissal, warning, verdict("dismissed", finding=FINDING, who="bob", hours=2)) != {}
    assert reasons(dismissal, verdict("risky", finding=FINDING, hours=2)) == {}


def test_the_author_dismisses_nothing():
    """Nor by calling it safe."""
    assert reasons(verdict("dismissed", finding=FINDING, own=True), verdict("safe", finding=FINDING, own=True)) == {}
    assert standing([verdict("dismissed", own=True), verdict("safe", own=True)], HEAD) is None


def test_a_dismissal_of_the_whole_is_of_no_finding():
    """And the other way round."""
    assert reasons(verdict("dismissed")) == {}
    assert standing([verdict("dismissed", finding=FINDING)], HEAD) is None


def test_a_flag_is_cleared_for_the_head_that_was_judged():
    """What is pushed afterwards has a flag of its own, and so has the same head in another pull request."""
    said = [verdict("dismissed")]
    assert standing(said, HEAD) == said[0]
    assert standing(said, OTHER) is None
    assert standing(said, HEAD, number=8) is None
    assert standing([verdict("safe", source=Source("terminal"))], HEAD) is None
    assert standing([verdict("safe")], HEAD) is not None
    assert standing([verdict("unsure")], HEAD) is None


def test_a_flag_stands_where_somebody_warns():
    """Of the change, or of a part of it."""
    assert standing([verdict("safe"), verdict("risky", who="bob")], HEAD) is None
    assert standing([verdict("safe"), verdict("risky", who="bob", finding=FINDING)], HEAD) is None
    assert standing([verdict("risky"), verdict("safe", hours=1)], HEAD) is not None


def test_who_saw_no_flag_clears_none():
    """A word on what was not flagged then is no answer to a flag that came later."""
    unseen = verdict("safe", shown=Shown(Selection.REQUEST))
    assert standing([unseen], HEAD) is None
    assert standing([replace(unseen, shown=Shown(Selection.REQUEST, flagged=False))], HEAD) is None


def test_the_slice_is_as_large_as_it_says_and_the_same_for_all():
    """Drawn by nothing but the number, whatever the case of the name."""
    drawn = [in_slice("octo/repo", number) for number in range(20_000)]
    assert abs(sum(drawn) / 20_000 - SHARE) < 0.005
    assert [in_slice("Octo/Repo", number) for number in range(100)] == drawn[:100]
    assert [in_slice("octo/other", number) for number in range(100)] != drawn[:100]
    assert all(in_slice("octo/repo", number, 1.0) for number in range(100))
