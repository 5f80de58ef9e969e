"""What messages say about other commits, form by form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.history.references import (
    Reference,
    changelist_of,
    is_fix,
    pull_number,
    read_references,
    subject_key,
)

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = "89abcdef0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("line", "sha", "subject"),
    [
        (f'Fixes: {SHA[:12]} ("net: add a thing")', SHA[:12], "net: add a thing"),
        (f'Fixes: {SHA[:7]}("net: add a thing").', SHA[:7], "net: add a thing"),
        (f"fixes: {SHA.upper()}", SHA, None),
        (f'Fixes: commit {SHA[:12]} ("a thing")', SHA[:12], "a thing"),
        (f"Fixes: {SHA[:12]} ('single quotes')", SHA[:12], "single quotes"),
        (f"Fixes: {SHA[:12]} (no quotes at all)", SHA[:12], "no quotes at all"),
        (f'Fixes: {SHA[:12]} ("a subject that runs\n  on")\nSigned-off-by: A', SHA[:12], "a subject that runs on"),
        (f'Fixes: {SHA[:12]} ("dated", 2025-05-21)', SHA[:12], "dated"),
        (f"Fixes a regression introduced in commit {SHA[:10]}.", SHA[:10], None),
        (f"Fixed: {SHA}", SHA, None),
    ],
)
def test_fixes(line: str, sha: str, subject: str | None) -> None:
    """A repair names a commit by its sha, abbreviated or not, and may quote its subject."""
    assert read_references(f"Repair it\n\n{line}\n").fixes == (Reference("fixes", sha=sha, subject=subject),)


@pytest.mark.parametrize("line", ["Fixes: #1234", "Fixes: 12345", "Fix the thing", "Fixes https://example.org/abcdef1"])
def test_not_a_fix(line: str) -> None:
    """Tickets, numbers too short for a sha, and prose name no commit."""
    assert read_references(f"Title\n\n{line}\n").fixes == ()


def test_several_fixes() -> None:
    """A commit may repair several others; one that it names twice counts once."""
    said = read_references(f"Repair\n\nFixes: {SHA[:12]}\nFixes: {OTHER[:12]}\nFixes: {SHA[:12]}\n")
    assert [reference.sha for reference in said.fixes] == [SHA[:12], OTHER[:12]]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"Undo it\n\nThis reverts commit {SHA}.\n", [Reference("reverts", sha=SHA)]),
        (f"Undo it\n\nThis reverts\ncommit {SHA}\n", [Reference("reverts", sha=SHA)]),
        (f"Reverts {SHA}\n", [Reference("reverts", sha=SHA)]),
        (f'Revert "A title"\n\nThis reverts commit {SHA}.\n', [Reference("reverts", sha=SHA, subject="A title")]),
        ('Revert "A title"\n', [Reference("reverts", subject="A title")]),
        ('Revert "A title (#12)" (#13)\n', [Reference("reverts", subject="A title (#12)", number=12)]),
        ('core: Revert "A title"\n', [Reference("reverts", subject="A title")]),
        ('Back out "A title"\n', [Reference("reverts", subject="A title")]),
        ("Roll back #12\n", [Reference("reverts", number=12)]),
        ("Undo\n\nReverts owner/name#12\n", [Reference("reverts", number=12)]),
        ("Undo\n\nReverts https://example.org/a/b/pull/12\n", [Reference("reverts", number=12)]),
        ("Reverts changelist 1234567\n", [Reference("reverts", changelist=1234567)]),
        ('Reapply "A title"\n', [Reference("reverts", subject='Revert "A title"')]),
        (f"Part\n\nThis partially reverts commit {SHA}.\n", [Reference("reverts", sha=SHA, partial=True)]),
        (
            f"Undo both\n\nThis reverts commits {SHA}\nand {OTHER}.\n",
            [Reference("reverts", sha=SHA), Reference("reverts", sha=OTHER)],
        ),
        (
            f"Undo\n\nThis reverts these:\n\n- {SHA[:10]} one\n- {OTHER[:10]} two\n",
            [Reference("reverts", sha=SHA[:10]), Reference("reverts", sha=OTHER[:10])],
        ),
        (
            f"Undo\n\nThis reverts commit {SHA}, reversing\nchanges made to {OTHER}.\n",
            [Reference("reverts", sha=SHA)],
        ),
        ('Revert "A title that was cut …"\n', [Reference("reverts")]),
    ],
)
def test_reverts(message: str, expected: list[Reference]) -> None:
    """A revert names what it withdraws by sha, title, pull request or changelist."""
    assert list(read_references(message).reverts) == expected


@pytest.mark.parametrize(
    "message",
    [
        "Speed up the transaction rollback\n",
        "Revert to the previous behaviour\n",
        f"Repair\n\nThe cause was {SHA[:12]}, which was reverted in {OTHER[:12]}.\n",
        "[reland] A title\n\nThe first attempt was reverted.\n",
    ],
)
def test_not_a_revert(message: str) -> None:
    """Talking about reverts is not one."""
    assert read_references(message).reverts == ()
    assert not read_references(message).is_revert


def test_squashed_reverts_do_not_make_a_revert() -> None:
    """A squashed branch in which something was reverted is not a revert as a whole."""
    said = read_references(
        f'Add a thing (#3)\n\n* try it\n\n* Revert "try it"\n\nThis reverts commit {SHA}.\n\n* done\n'
    )
    assert [reference.sha for reference in said.reverts] == [SHA]
    assert not said.is_revert


@pytest.mark.parametrize(
    ("subject", "reland"),
    [
        ('Revert "Revert "A title""', True),
        ('Revert "Revert "Revert "A title"""', False),
        ('Reapply "A title"', True),
        ("[reland] A title", True),
        ("Re-land #12", True),
        ("Roll forward the change", True),
        ('Revert "A title"', False),
        ("Landing page", False),
    ],
)
def test_relands(subject: str, reland: bool) -> None:
    """Landing again is told from withdrawing, by words or by counting."""
    assert read_references(subject).is_reland is reland


def test_picked() -> None:
    """A cherry-pick names where it comes from."""
    assert read_references(f"Title\n\n(cherry picked from commit {SHA})\n").picked == (Reference("picked", sha=SHA),)


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ("Fix a leak", True),
        ("net: fixed the crash", True),
        ("Add a bug tracker link", True),
        (f"Tidy\n\nFixes: {SHA[:12]}\n", True),
        ("Add a prefix\n\nNothing to fix here.", False),
        ("Refixture", False),
        ("", False),
    ],
)
def test_is_fix(message: str, fix: bool) -> None:
    """Words of the subject, or a trailer, make a repair; words of the body do not."""
    assert is_fix(message) is fix


def test_names_of_a_commit() -> None:
    """White space, case and the pull request's number do not change a subject; numbers are read from its end."""
    assert subject_key("Add  a thing (#12)") == subject_key("add a thing")
    assert subject_key("Add a thing") != subject_key("Add a thin")
    assert pull_number("Add a thing (#12)") == 12
    assert pull_number("Add a thing (#12) again") is None
    assert changelist_of("Title\n\nPiperOrigin-RevId: 1234567\n") == 1234567


@given(st.text(alphabet=st.sampled_from('Revert reverts"commit#1234567890abcdef()\n ,:*-\u201c\u2026'), max_size=400))
def test_never_fails(message: str) -> None:
    """Any text at all is read, and every sha found is hex of seven digits or more."""
    said = read_references(message)
    for reference in (*said.fixes, *said.reverts, *said.picked):
        assert reference.sha is None or len(reference.sha) >= 7
        assert reference.number is None or reference.number < 10**15


@pytest.mark.parametrize(
    "message",
    [
        "Reverts " + "\n" * 60_000,
        "This reverts" + " abcdef1," * 9_000,
        "Fixes: abcdef1 (" + '"' * 60_000,
        'Revert "' * 9_000,
        "Fixes: abcdef1 (" + " \n" * 30_000,
        "[" * 60_000,
        "x" * 5_000_000 + f"\nFixes: {SHA}",
    ],
)
def test_adversarial_messages_end(message: str) -> None:
    """Messages made to keep an expression busy are read all the same."""
    read_references(message)
    is_fix(message)
