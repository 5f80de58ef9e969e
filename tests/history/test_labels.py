"""Labels: who is named, when that became known, and what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from oversight.history.labels import Decision, Mined, Miner, clean, label_of, mine
from oversight.history.model import GoldLabel
from tests.builders import EPOCH, HOUR
from tests.history.commits import Script, created, modified


def labels(mined: Mined) -> dict[str, GoldLabel]:
    return {label.change_id: label for label in mined.labels}


def at(number: int) -> datetime:
    return datetime.fromtimestamp(EPOCH + HOUR * number, UTC)


@pytest.fixture
def script() -> Script:
    return Script()


def test_a_repair_names_its_culprit(script: Script) -> None:
    """The label says who decided and when: the repair's committer date."""
    culprit = script.add("Add a thing")
    script.add()
    repair = script.add(f'Repair it\n\nFixes: {culprit[:12]} ("Add a thing")')
    assert labels(mine(script.commits)) == {culprit: GoldLabel(culprit, True, "fixes", at(2), (repair,))}


def test_the_earliest_decision_counts(script: Script) -> None:
    """Of several repairs the first tells when it was known; all are evidence."""
    culprit = script.add("Add a thing")
    first = script.add(f"Repair\n\nFixes: {culprit[:12]}")
    second = script.add(f"Repair again\n\nFixes: {culprit[:12]}")
    label = labels(mine(script.commits))[culprit]
    assert (label.decided_at, label.evidence) == (at(1), (first, second))


def test_an_ambiguous_sha_is_decided_by_the_subject(script: Script) -> None:
    """Where an abbreviation fits two commits the quoted subject decides, and without one nobody is named."""
    script.add("Something else", sha="abcdef1" + "0" * 33)
    culprit = script.add("Add a thing", sha="abcdef1" + "1" * 33)
    script.add('Repair\n\nFixes: abcdef1 ("Add a thing")')
    script.add("Repair\n\nFixes: abcdef1")
    mined = mine(script.commits)
    assert list(labels(mined)) == [culprit]
    assert mined.summary.references["fixes", "ambiguous"] == 1


def test_what_names_nobody_is_counted(script: Script) -> None:
    """Self-references, targets outside the history and targets newer than the repair make no label."""
    own = "abcdef2" + "0" * 33
    script.add(f"Repair\n\nFixes: {own[:12]}", sha=own)
    script.add("Repair\n\nFixes: 9999999")
    script.add("Repair\n\nFixes: abcdef3")
    script.add("Later", sha="abcdef3" + "0" * 33)
    mined = mine(script.commits)
    assert mined.labels == ()
    assert dict(mined.summary.references) == {
        ("fixes", "self-reference"): 1,
        ("fixes", "outside the history"): 1,
        ("fixes", "newer than its referrer"): 1,
    }


def test_a_lost_sha_is_found_by_its_subject(script: Script) -> None:
    """A sha that a rebase lost is still found by the subject: the latest earlier commit that bears it."""
    script.add("Add a thing")
    later = script.add("Add a thing")
    script.add('Repair\n\nFixes: 9999999 ("Add a thing")')
    assert list(labels(mine(script.commits))) == [later]


@pytest.mark.parametrize(
    "message",
    ["This reverts commit {sha}.", 'Revert "Add a thing (#7)" (#8)', 'Revert "Add a thing"', "Undo\n\nReverts #7"],
)
def test_reverts_by_every_name(script: Script, message: str) -> None:
    """A revert finds its commit by sha, title or pull request."""
    culprit = script.add("Add a thing (#7)")
    revert = script.add(message.format(sha=culprit))
    mined = mine(script.commits)
    assert labels(mined) == {culprit: GoldLabel(culprit, True, "reverts", at(1), (revert,))}
    assert mined.excluded[revert] == "revert"


def test_a_revert_of_a_revert_lands_again(script: Script) -> None:
    """The label follows the last state; the commit that landed it again is evidence, and out of the pool."""
    original = script.add("Add a thing")
    revert = script.add(f'Revert "Add a thing"\n\nThis reverts commit {original}.')
    again = script.add(f'Reapply "Add a thing"\n\nThis reverts commit {revert}.')
    mined = mine(script.commits)
    assert labels(mined)[original] == GoldLabel(original, False, "reverts", at(2), (revert, again))
    assert mined.excluded[again] == "reland"
    assert mined.summary.relanded == 1


def test_withdrawn_for_good(script: Script) -> None:
    """Withdrawn, landed again and withdrawn again is withdrawn, since the last time."""
    original = script.add("Add a thing")
    first = script.add(f"Undo\n\nThis reverts commit {original}.")
    second = script.add(f"Redo\n\nThis reverts commit {first}.")
    third = script.add(f"Undo\n\nThis reverts commit {second}.")
    label = labels(mine(script.commits))[original]
    assert (label.risky, label.decided_at, label.evidence) == (True, at(3), (first, second, third))


def test_a_repair_outweighs_a_reland(script: Script) -> None:
    """A commit that landed again and was then repaired is risky by the repair."""
    original = script.add("Add a thing")
    revert = script.add(f"Undo\n\nThis reverts commit {original}.")
    script.add(f"Redo\n\nThis reverts commit {revert}.")
    script.add(f"Repair\n\nFixes: {original}")
    label = labels(mine(script.commits))[original]
    assert (label.risky, label.source, label.decided_at) == (True, "fixes", at(3))


def test_sources_are_chosen(script: Script) -> None:
    """Only the sources asked for name anybody; a revert is out of the pool all the same."""
    culprit = script.add("Add a thing")
    revert = script.add(f"Undo\n\nThis reverts commit {culprit}.")
    mined = mine(script.commits, sources=("fixes",))
    assert mined.labels == ()
    assert mined.excluded[revert] == "revert"


def test_a_reverted_merge_withdraws_what_it_brought(script: Script) -> None:
    """A revert that names a merge is about the commits which that merge brought in."""

    class Merges:
        def by_prefix(self, prefix: str) -> Sequence[str]:
            return (brought,) if prefix == "e" * 40 else ()

        def by_number(self, number: int) -> Sequence[str]:
            return (brought,) if number == 12 else ()

    brought = script.add("Add a thing")
    script.add(f"Undo\n\nThis reverts commit {'e' * 40}, reversing\nchanges made to {'d' * 40}.")
    mined = mine(script.commits, merges=Merges())
    assert list(labels(mined)) == [brought]
    assert mined.summary.reverted_merges == 1
    script.commits[1:] = []
    script.add("Roll back #12")
    assert list(labels(mine(script.commits, merges=Merges()))) == [brought]


def test_duplicates(script: Script) -> None:
    """Commits with the same counts are candidates, those found equal are kept out, and so are cherry-picks."""
    first = script.add("Add", [modified("a.c", 3, 1), modified("b.c", 1, 1)])
    same = script.add("Add", [modified("b.c", 1, 1), modified("a.c", 3, 1)])
    picked = script.add(f"Other\n\n(cherry picked from commit {first})", [modified("z.c", 9, 9)])
    groups: list[list[str]] = []

    def later(found: Sequence[Sequence[str]]) -> set[str]:
        groups.extend(map(list, found))
        return {same}

    mined = mine(script.commits, duplicates_of=later)
    assert groups == [[first, same]]
    assert mined.excluded == {same: "duplicate", picked: "duplicate"}
    assert mined.summary.excluded["duplicate"] == 2


def test_clean_means_old_and_unnamed(script: Script) -> None:
    """Clean are the commits that waited long enough outside the newest tenth and that nobody names."""
    year = 365 * 86_400
    old = [script.add("Old", [created(f"{n}.c")], at=EPOCH + n) for n in range(3)]
    script.add(f"Repair\n\nFixes: {old[0]}", at=EPOCH + year)
    script.add("New", at=EPOCH + 2 * year)
    script.add("Newer", at=EPOCH + 2 * year + 1)
    found = {label.change_id: label for label in clean(mine(script.commits))}
    assert set(found) == {old[1], old[2], script.commits[3].sha}
    assert not found[old[1]].risky
    assert found[old[1]].source == "clean"
    assert found[old[1]].decided_at > datetime.fromtimestamp(EPOCH, UTC)


def test_szz_decides_beside_the_others(script: Script) -> None:
    """Other sources add decisions; the earliest risky one names the source."""
    culprit = script.add("Add a thing")
    repair = script.add(f"Fix it\n\nFixes: {culprit}")
    miner = Miner()
    for commit in script.commits:
        miner.add(commit)
    assert miner.decide(culprit, Decision("szz", True, EPOCH + 5, repair))
    assert not miner.decide("9" * 40, Decision("szz", True, EPOCH, repair))
    label = labels(miner.finish())[culprit]
    assert (label.source, label.evidence) == ("szz", (repair,))


def test_absurd_dates_are_bounded() -> None:
    """A committer date beyond the calendar still gives a label."""
    script = Script()
    culprit = script.add("Add", at=10**18)
    script.add(f"Repair\n\nFixes: {culprit}", at=10**18)
    assert labels(mine(script.commits))[culprit].decided_at.year == 9999


def test_label_of_one_decision() -> None:
    """A single decision is the label."""
    label = label_of("a" * 40, [Decision("fixes", True, EPOCH, "b" * 40)])
    assert label == GoldLabel("a" * 40, True, "fixes", at(0), ("b" * 40,))
