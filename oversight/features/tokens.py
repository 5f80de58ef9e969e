"""Marked token n-grams of a hunk, hashed into buckets.

Every token of code carries the mark of the side it stands on: added, deleted or context. A model of marked tokens
sees more of a diff than a general sentence encoder does, since moving a call from the old side to the new
one changes every feature that it touches. For each side that changed we take whole tokens, the parts of
identifiers (`rte_pktmbuf_free` -> rte, pktmbuf, free) and pairs of neighbours on one line; for
context lines whole tokens alone. A hunk's features are a set: repeating a token adds nothing.

Nothing is cut off: neither the length of a line nor the number of hunks. There is no vocabulary, so that an artefact
trained on somebody's code carries none of its names (feature hashing, Weinberger et al. 2009, arXiv:0902.2206).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import chain

import numpy as np
from numpy.typing import NDArray

HASH_BUCKETS = 2**16
"""Number of buckets that token n-grams are hashed into."""

TOKENIZER_VERSION = 1
"""Part of the feature schema: raise it whenever the same text would give other buckets."""

_TOKEN = re.compile(
    r"\n|[^\W\d][\w$]*|\d[\w.]*|[=!]==?|[<>]=|&&|\|\||->|=>|::|\+\+|--|[-+*/%|&^]=|<<|>>|\.\.\.|[^\w\s]"
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_KEPT = 1 << 20  # tokens remembered before the memory is emptied: about 150 MB at worst
_LONGEST_KEPT = 64  # hostile text may hold one token of 50 MB: hashed, but not remembered

_MULTIPLIER = np.uint32(0x9E3779B1)  # Knuth's multiplicative hash: 2**32 over the golden ratio
_PAIR = np.uint32(0x85EBCA6B)
_SHIFT = np.uint32(32 - (HASH_BUCKETS - 1).bit_length())


class Mark(IntEnum):
    """Which side of a hunk a token stands on; `TAG` is for facts about the hunk said as a token."""

    ADDED = 1
    DELETED = 2
    CONTEXT = 3
    TAG = 4


class _Hashes(dict[str, int]):
    """Token -> CRC-32 of its UTF-8, remembered; a line break is 0, which no token is."""

    def __missing__(self, text: str) -> int:
        value = 0 if text == "\n" else zlib.crc32(text.encode("utf-8", "surrogatepass")) or 1
        if len(text) <= _LONGEST_KEPT:
            if len(self) >= _KEPT:
                self.clear()
            self[text] = value
        return value


class _Parts(dict[str, tuple[int, ...]]):
    """Identifier -> hashes of its lower-case parts where it has more than one, remembered."""

    def __missing__(self, text: str) -> tuple[int, ...]:
        parts = _PART.findall(text)
        value = tuple(_hashes["~" + part.lower()] for part in parts) if len(parts) > 1 else ()
        if len(text) <= _LONGEST_KEPT:
            if len(self) >= _KEPT:
                self.clear()
            self[text] = value
        return value


_hashes = _Hashes()
_parts = _Parts()


def hash_hunks(hunks: Sequence[Iterable[tuple[Mark, str]]]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Hash every hunk's marked text into sets of buckets.

    `hunks` gives for each hunk its texts with their marks. Returns `tokens` (T,) and `offsets` (H + 1,) as in
    `Example`: hunk h owns tokens[offsets[h]:offsets[h + 1]], sorted and without duplicates. A hunk's buckets
    depend on that hunk alone.
    """
    texts: list[list[str]] = []
    owners: list[int] = []
    marks: list[int] = []
    for number, hunk in enumerate(hunks):
        for side, text in hunk:
            texts.append([text] if side is Mark.TAG else _TOKEN.findall(text))
            owners.append(number)
            marks.append(side)
    counts = [len(found) for found in texts]
    flat = list(chain.from_iterable(texts))
    ids = np.fromiter(map(_hashes.__getitem__, flat), np.uint32, len(flat))
    owner = np.repeat(np.array(owners, dtype=np.uint64), counts)
    mark = np.repeat(np.array(marks, dtype=np.uint32), counts)
    keys = _keys(flat, ids, owner, mark)
    tokens = (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    offsets = np.searchsorted(keys >> np.uint64(32), np.arange(len(hunks) + 1, dtype=np.uint64))
    return tokens, offsets.astype(np.int64)


def _keys(
    flat: list[str], ids: NDArray[np.uint32], owner: NDArray[np.uint64], mark: NDArray[np.uint32]
) -> NDArray[np.uint64]:
    """Return (hunk << 32 | bucket) of all n-grams, sorted, each once."""
    real = ids != 0
    changed = real & (mark <= Mark.DELETED)
    paired = changed[:-1] & changed[1:] & (owner[:-1] == owner[1:]) & (mark[:-1] == mark[1:])
    pairs = (ids[:-1] * _PAIR + ids[1:])[paired]
    at = np.flatnonzero(changed)
    found = [_parts[flat[position]] for position in at.tolist()]
    parts = np.fromiter(chain.from_iterable(found), np.uint32)
    from_token = np.repeat(at, [len(part) for part in found])
    hashes = np.concatenate((ids[real], pairs, parts))
    owners = np.concatenate((owner[real], owner[:-1][paired], owner[from_token]))
    marks = np.concatenate((mark[real], mark[:-1][paired], mark[from_token]))
    mixed = (hashes ^ (marks * _PAIR)) * _MULTIPLIER
    mixed ^= mixed >> np.uint32(15)
    mixed *= _MULTIPLIER
    keys = (owners << np.uint64(32)) | (mixed >> _SHIFT)
    keys.sort()
    first = np.ones(keys.shape, dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]
