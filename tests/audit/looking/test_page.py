"""Pages: everything that is known stands there, escaped, and nothing is cut off."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from oversight.audit.budget.entry import Entry, Said
from oversight.audit.looking.dossier import Dossier
from oversight.audit.looking.page import BLIND, Row, fold, page, plain
from oversight.audit.verdict import Selection
from oversight.changes.diff import parse_diff
from oversight.changes.model import Change, FileChange, Provenance, ProvenanceKind
from oversight.history.files import Earlier, FileHistory
from tests.audit.builders import HEAD, verdict
from tests.builders import file_diff, marked_file

FINDING = Said("a/path", 41, 41, None, "no-debug", "high", ("leaves a door open",))
ENTRY = Entry(
    "octo/repo", HEAD, 7, "A title", "Ann <a@x>", "agent", "a", "scored", 0.25, 90.0, True, "a" * 64, 1, 1,
    Selection.RANDOM, 0.05, None,
    (Said("a/path", 41, 41, 0.25, None, None, ("adds a call", "leaves a door open")), FINDING),
)  # fmt: skip
HISTORY = FileHistory("a/path", 9, 3, 2, 4, (("a@x", 5), ("b@x", 2)), (Earlier("b" * 40, "Bob", 0, "Before"),))
FILE = marked_file("python", [" one", "-two", "+three"], section="def f():")


def dossier(*files: FileChange, entry: Entry = ENTRY) -> Dossier:
    """A change of these files."""
    provenance = Provenance(ProvenanceKind.AGENT)
    change = Change(HEAD, "repo", None, HEAD, "Ann <a@x>", provenance, None, "A title", "Why.", files or (FILE,))
    return Dossier(entry, True, change, None, (HISTORY,), (verdict(note="hm"),))


def told(known: Dossier, *, hidden: bool = False) -> str:
    """A page as text."""
    return plain(page(known, hidden=hidden))


def test_all_that_is_known_stands_there():
    """Title, origin, opinion, why it waits, findings at their hunks, what people said, and the file's past."""
    text = told(dossier())
    for part in (
        "A title", "octo/repo #7", "by Ann <a@x> (agent)", "FLAGGED", "risk 25%, riskier than 90% of",
        "drawn at random, with probability 0.05", "ann: risky: hm", "9 changes by 4 people (a@x 5, b@x 2, …)",
        "3 repairs among them, 2 had to be repaired later", "1970-01-01 bbbbbbbbb Bob: Before",
        "== hunk 1 of 1 == a/path:41 == risk 25% == def f():", "  - adds a call",
        "  high: leaves a door open [no-debug] a/path:41", "41      -two", "     41 +three",
    ):  # fmt: skip
        assert part in text
    assert "  - leaves a door open" not in text  # what the finding says is not said twice at one hunk


def test_blind_is_the_rest():
    """The diff and the past, and nothing that anybody thinks of the change."""
    text = told(dossier(), hidden=True)
    assert BLIND in text
    assert "+three" in text
    assert "9 changes by 4 people" in text
    assert not re.search("risk|FLAGGED|random|door|adds|ann:|hm", text.replace(BLIND, ""))


def test_a_change_without_a_risk_is_not_called_safe():
    """It says so, and that the flag is up."""
    text = told(dossier(entry=replace(ENTRY, status="unscored", risk=None, percentile=None, said=())))
    assert "UNSCORED, FLAGGED" in text
    assert "no risk could be given, which does not mean a low one" in text


def test_files_without_hunks_say_what_they_are():
    """Binary, renamed, of another mode, unread: nothing of a change is passed over."""
    moved = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
    mode = "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    files = tuple(parse_diff((moved + mode + file_diff("z.py", ["a"], ["b"])).encode()))
    text = told(dossier(*files, replace(files[0], unread="a missing blob", binary=True)))
    assert "y (from x): renamed" in text
    assert "run: mode-changed, mode 100644 to 100755" in text
    assert "binary, a missing blob" in text
    assert "z.py: modified" in text


def test_findings_of_no_hunk_are_told_at_their_file_or_at_the_end():
    """So that none is lost that names a file as a whole, or one that is not in the diff."""
    entry = replace(
        ENTRY, said=(replace(FINDING, start=None, end=None), replace(FINDING, path="gone", principle="other"))
    )
    text = told(dossier(entry=entry))
    assert text.index("[no-debug] a/path\n") < text.index("== hunk 1 of 1")
    assert text.rstrip().endswith("[other] gone:41")


@given(st.text(max_size=400).filter(str.isprintable), st.integers(4, 100), st.booleans(), st.integers(0, 20))
def test_what_is_folded_is_whole_and_fits(text: str, width: int, prose: bool, hang: int):
    """Character by character, on lines no wider than the screen, also where characters are two columns wide."""
    lines = fold(Row(text, hang=hang, prose=prose), width)
    assert all(cell_len(line) <= width for line in lines)
    indent = min(hang, width // 2)
    assert lines[0] + "".join(line[indent:] for line in lines[1:]) == text
