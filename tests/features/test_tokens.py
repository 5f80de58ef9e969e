"""Tokens: marked, hashed, taken from each hunk alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.features.tokens import HASH_BUCKETS, Mark, hash_hunks

MARKS = st.sampled_from([Mark.ADDED, Mark.DELETED, Mark.CONTEXT, Mark.TAG])
TEXT = st.text(st.characters(codec=None), max_size=60)
HUNK = st.lists(st.tuples(MARKS, TEXT), max_size=4)


def buckets(*texts: tuple[Mark, str]) -> set[int]:
    return set(hash_hunks([texts])[0].tolist())


@given(st.lists(HUNK, max_size=6))
def test_any_text_gives_sorted_sets_of_buckets(hunks: list[list[tuple[Mark, str]]]) -> None:
    """Whatever the text, lone surrogates and NUL included, each hunk owns a sorted set of valid buckets."""
    tokens, offsets = hash_hunks(hunks)
    assert offsets[0] == 0
    assert offsets[-1] == tokens.size
    assert len(offsets) == len(hunks) + 1
    assert (tokens < HASH_BUCKETS).all()
    for start, end in pairwise(offsets.tolist()):
        assert (np.diff(tokens[start:end].astype(np.int64)) > 0).all()


@given(st.lists(HUNK, min_size=1, max_size=5), st.lists(HUNK, max_size=5), st.lists(HUNK, max_size=5))
def test_a_hunk_is_read_by_itself(
    hunks: list[list[tuple[Mark, str]]], before: list[list[tuple[Mark, str]]], after: list[list[tuple[Mark, str]]]
) -> None:
    """The hunks around a hunk do not change its buckets."""
    tokens, offsets = hash_hunks([*before, *hunks, *after])
    for number, hunk in enumerate(hunks, len(before)):
        assert set(tokens[offsets[number] : offsets[number + 1]].tolist()) == buckets(*hunk)


def test_the_side_is_part_of_the_token() -> None:
    """A token that is added, deleted or context falls into different buckets."""
    sides = [buckets((mark, "free")) for mark in (Mark.ADDED, Mark.DELETED, Mark.CONTEXT)]
    assert all(len(side) == 1 for side in sides)
    assert len(set.union(*sides)) == 3


def test_repeating_adds_nothing() -> None:
    """Features are a set: a line written twice counts once."""
    assert buckets((Mark.ADDED, "call(x)")) == buckets((Mark.ADDED, "call(x)\ncall(x)"))


def test_pairs_do_not_cross_lines() -> None:
    """Neighbours are neighbours on one line, not across a line break."""
    assert buckets((Mark.ADDED, "lock\nfree")) < buckets((Mark.ADDED, "lock free"))


def test_identifiers_share_their_parts() -> None:
    """Two names of one family have a part in common, in either style of writing."""
    snake, camel = buckets((Mark.ADDED, "buffer_free")), buckets((Mark.ADDED, "bufferFree"))
    assert len(snake & camel) == 2
    assert not buckets((Mark.ADDED, "plain")) & buckets((Mark.ADDED, "other"))


def test_unchanged_lines_give_whole_tokens_alone() -> None:
    """Context is not what the change did: neither pairs nor parts are taken from it."""
    assert len(buckets((Mark.CONTEXT, "rte_free(x)"))) == len({"rte_free", "(", "x", ")"})


@pytest.mark.parametrize("text", ["x" * 2_000_000, "a b " * 200_000, "\n" * 100_000, "\x00" * 1000, "\ud800"])
def test_nothing_is_cut_off(text: str) -> None:
    """Giant tokens, endless lines and odd characters are hashed like anything else."""
    last = buckets((Mark.ADDED, text + "\nlast_word"))
    assert buckets((Mark.ADDED, "last_word")) <= last


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_other_alphabets_on_a_row_change_nothing_of_the_rest(row: str) -> None:
    """ASCII rows are read by a faster pattern, which finds what the general one finds."""
    assert buckets((Mark.CONTEXT, row + " \u00e9")) == buckets((Mark.CONTEXT, row)) | buckets((Mark.CONTEXT, "\u00e9"))


def test_buckets_do_not_depend_on_the_process() -> None:
    """The hash is the same on every machine and in every run: a shipped model relies on it."""
    expected = [13979, 17811, 33825, 39914, 43327, 44445, 49710]
    assert sorted(buckets((Mark.ADDED, "free(ptr)"))) == expected
