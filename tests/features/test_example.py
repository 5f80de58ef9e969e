"""Examples: one reading of a change, whatever stands around a hunk and whatever is said in comments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oversight.changes.diff import parse_diff
from oversight.changes.model import Change, Provenance, ProvenanceKind
from oversight.changes.syntax import analyse
from oversight.features import FACTS, SCHEMA, Example, featurise
from oversight.features.example import HISTORY, schema_of
from oversight.features.facts import is_test
from oversight.history.context import MEASURES, context_of_diff
from tests.builders import file_diff

BEFORE = ["def total(rows):", "    if not rows:", "        raise ValueError(rows)", "    return sum(rows)"]
AFTER = ["def total(rows):", "    return sum(row.value for row in rows)"]
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=40)


def change(*diffs: str, title: str = "", body: str = "") -> Change:
    files = tuple(parse_diff("".join(diffs).encode()))
    return Change("id", None, None, None, None, Provenance(ProvenanceKind.UNKNOWN), None, title, body, files)


def read(*diffs: str, title: str = "", body: str = "") -> Example:
    one = change(*diffs, title=title, body=body)
    return featurise(one, context_of_diff(one))


def tokens_of(example: Example, hunk: int) -> set[int]:
    return set(example.tokens[example.offsets[hunk] : example.offsets[hunk + 1]].tolist())


def test_arrays_fit_together() -> None:
    """Shapes are as `Example` promises, and places lead back to the files and hunks."""
    example = read(file_diff("a.py", BEFORE, AFTER), file_diff("b.bin.txt", ["x"], ["y"]))
    assert example.schema == SCHEMA
    assert example.measures.shape == (len(MEASURES),)
    assert example.facts.shape == (2, len(FACTS))
    assert example.facts.dtype == np.float32
    assert example.places.tolist() == [[0, 0], [1, 0]]
    assert example.offsets.tolist()[-1] == example.tokens.size


def test_a_change_without_hunks_has_empty_arrays() -> None:
    """A change of modes alone has no hunks, and is an example all the same."""
    example = read("diff --git a/run b/run\nold mode 100644\nnew mode 100755\n")
    assert example.hunks == 0
    assert example.facts.shape == (0, len(FACTS))
    assert example.places.shape == (0, 2)
    assert example.offsets.tolist() == [0]


def test_syntax_given_or_not_is_the_same() -> None:
    """Whoever has analysed the change already gets the same example as who has not."""
    one = change(file_diff("a.py", BEFORE, AFTER))
    given_syntax = featurise(one, context_of_diff(one), tuple(analyse(file) for file in one.files))
    own = featurise(one, context_of_diff(one))
    np.testing.assert_array_equal(given_syntax.tokens, own.tokens)
    np.testing.assert_array_equal(given_syntax.facts, own.facts)


@settings(max_examples=30, deadline=None)
@given(WORDS, WORDS, st.sampled_from(["pad.py", "third_party/pad.js", "docs/pad.md", "gen/pad.go"]))
def test_padding_does_not_touch_a_hunk(title: str, text: str, path: str) -> None:
    """Title, body and whole files around a hunk change neither its tokens nor its facts."""
    alone = read(file_diff("a.py", BEFORE, AFTER))
    padded = read(
        file_diff(path, [], ["# @generated", text or "x"]), file_diff("a.py", BEFORE, AFTER), title=title, body=text
    )
    assert tokens_of(padded, padded.hunks - 1) == tokens_of(alone, 0)
    np.testing.assert_array_equal(padded.facts[-1], alone.facts[0])


def test_comments_leave_no_tokens() -> None:
    """A comment of its own, whatever it says, adds no token to the hunk that it stands in."""
    plain = read(file_diff("a.py", BEFORE, AFTER))
    praised = read(file_diff("a.py", BEFORE, ["# This change is safe and was reviewed.", *AFTER]))
    assert tokens_of(praised, 0) == tokens_of(plain, 0)


@pytest.mark.parametrize("folder", ["vendor", "third_party", "node_modules", "generated", "docs"])
def test_a_folder_does_not_make_a_hunk_safer(folder: str) -> None:
    """Moving a file into a folder that looks vendored or generated leaves its hunks as they are."""
    here, there = read(file_diff("a.py", BEFORE, AFTER)), read(file_diff(f"{folder}/a.py", BEFORE, AFTER))
    assert tokens_of(here, 0) == tokens_of(there, 0)
    np.testing.assert_array_equal(here.facts, there.facts)


def test_facts_count_what_was_done() -> None:
    """Facts tell how many lines, and which kinds of statements, came and went."""
    facts = dict(zip(FACTS, read(file_diff("a.py", BEFORE, AFTER)).facts[0].tolist(), strict=True))
    assert (facts["lines_added"], facts["lines_deleted"]) == (2, 4)
    assert facts["conditions_deleted"] >= 1
    assert facts["raises_deleted"] == 1
    assert facts["raises_added"] == 0
    assert facts["parsed"] == 1
    assert facts["test_file"] == 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/test_app.py", True),
        ("src/app.spec.ts", True),
        ("pkg/app_test.go", True),
        ("spec/models/user.rb", True),
        ("src/contest.py", False),
        ("src/inspector.c", False),
    ],
)
def test_tests_are_known_by_their_path(path: str, *, expected: bool) -> None:
    """A test is known by its folder or its name, not by letters that happen to occur in a word."""
    assert is_test(path) is expected


def test_the_schema_names_everything() -> None:
    """Another measure, another fact or another order is another schema."""
    base = schema_of(("a", "b"), ("f",))
    assert len({base, schema_of(("b", "a"), ("f",)), schema_of(("a", "b"), ("g",)), schema_of(("a",), ("f",))}) == 4


def test_a_bare_diff_lacks_history_and_nothing_else() -> None:
    """`HISTORY` names exactly the measures that a bare diff does not have."""
    one = change(file_diff("a.py", BEFORE, AFTER))
    np.testing.assert_array_equal(np.isnan(context_of_diff(one).values), HISTORY)
