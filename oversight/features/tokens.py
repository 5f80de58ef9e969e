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
from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from oversight.features.memory import Memory

HASH_BUCKETS = 2**16
"""Number of buckets that token n-grams are hashed into."""

TOKENIZER_VERSION = 1
"""Part of the feature schema: raise it whenever the same text would give other buckets."""

_OPERATOR = r"[=!]==?|[<>]=|&&|\|\||->|=>|::|\+\+|--|[-+*/%|&^]=|<<|>>|\.\.\."
_TOKEN = re.compile(rf"[^\W\d][\w$]*|\d[\w.]*|{_OPERATOR}|[^\w\s]")
# The same on ASCII text, which nearly all code is: a range of characters is tried faster than a class of Unicode.
_ASCII_TOKEN = re.compile(
    rf"[A-Za-z_][A-Za-z0-9_$]*|[0-9][A-Za-z0-9_.]*|{_OPERATOR}|[!-/:-@\[-^`{{-~\x00-\x08\x0e-\x1b\x7f]"
)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")

_WORD = 0xFFFFFFFF
_PAIR = 0x85EBCA6B
_MULTIPLIER = np.uint32(0x9E3779B1)  # Knuth's multiplicative hash: 2**32 over the golden ratio
_SHIFT = np.uint32(32 - (HASH_BUCKETS - 1).bit_length())


class Mark(IntEnum):
    """Which side of a hunk a token stands on; `TAG` is for facts about the hunk said as a token."""

    ADDED = 1
    DELETED = 2
    CONTEXT = 3
    TAG = 4


def _hash(token: str) -> int:
    """CRC-32 of the UTF-8 of a token, never 0."""
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) or 1


def _hash_parts(token: str) -> tuple[int, ...]:
    """Hashes of the lower-case parts of an identifier that has more than one."""
    parts = _PART.findall(token)
    return tuple([_hashes["~" + part.lower()] for part in parts]) if len(parts) > 1 else ()


def _tokens(row: str) -> list[str]:
    return (_ASCII_TOKEN if row.isascii() else _TOKEN).findall(row)


def _hash_tokens(row: str) -> bytes:
    """Hashes of the tokens of a row, as packed uint32."""
    return array("I", [_hashes[token] for token in _tokens(row)]).tobytes()


def _hash_grams(row: str) -> bytes:
    """Hashes of the tokens of a row, of pairs of neighbours and of the parts of identifiers, as packed uint32."""
    tokens = _tokens(row)
    hashes = [_hashes[token] for token in tokens]
    pairs = [(left * _PAIR + right) & _WORD for left, right in pairwise(hashes)]
    for token in tokens:
        hashes += _parts[token]
    return array("I", hashes + pairs).tobytes()


# Most rows of a history were seen before: 30 MB at most for rows, as much for tokens.
_hashes = Memory(_hash, kept=1 << 17, longest=64)
_parts = Memory(_hash_parts, kept=1 << 17, longest=64)
_changed_rows = Memory(_hash_grams, kept=1 << 15, longest=200)
_context_rows = Memory(_hash_tokens, kept=1 << 15, longest=200)


def hash_hunks(hunks: Sequence[Iterable[tuple[Mark, str]]]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Hash every hunk's marked text into sets of buckets.

    `hunks` gives for each hunk its texts with their marks. Returns `tokens` (T,) and `offsets` (H + 1,) as in
    `Example`: hunk h owns tokens[offsets[h]:offsets[h + 1]], sorted and without duplicates. A hunk's buckets
    depend on that hunk alone.
    """
    packed: list[bytes] = []
    owners: list[int] = []
    marks: list[int] = []
    for number, hunk in enumerate(hunks):
        for mark, text in hunk:
            packed.append(_packed(mark, text))
            owners.append(number)
            marks.append(mark)
    counts = [len(hashes) // 4 for hashes in packed]
    owner = np.repeat(np.array(owners, dtype=np.uint64), counts)
    salt = np.repeat(np.array(marks, dtype=np.uint32) * np.uint32(_PAIR), counts)
    mixed = (np.frombuffer(b"".join(packed), dtype=np.uint32) ^ salt) * _MULTIPLIER
    mixed ^= mixed >> np.uint32(15)
    mixed *= _MULTIPLIER
    keys = _distinct((owner << np.uint64(32)) | (mixed >> _SHIFT))
    tokens = (keys & np.uint64(_WORD)).astype(np.uint32)
    offsets = np.searchsorted(keys >> np.uint64(32), np.arange(len(hunks) + 1, dtype=np.uint64))
    return tokens, offsets.astype(np.int64)


def _packed(mark: Mark, text: str) -> bytes:
    """Hashes of all n-grams of a text, not yet marked."""
    if mark is Mark.TAG:
        return array("I", [_hashes[text]]).tobytes()
    rows = _context_rows if mark is Mark.CONTEXT else _changed_rows
    return b"".join([rows[row] for row in text.split("\n")])


def _distinct(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sort `keys`, in place, and return each of them once."""
    keys.sort()
    first = np.ones(keys.shape, dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]
