"""Parsing within bounds: a text made to be slow is not worth a tree, and gets none.

tree-sitter is linear on what people write and quadratic on some of what they do not, in time and in memory,
and its own count of steps does not show the difference. So the bound is time, but the thread's own processor
time, and tens of times what an ordinary text of that length takes: a slow or busy machine does not move it,
and the same change gets the same features everywhere unless it was made to be slow. Many such texts in one
change share one `Allowance` besides.

The parser can be stopped between its steps, but one step may take minutes and gigabytes. What is quadratic
shows in a part of the text already, so a long text is tried in short pieces first, then in longer ones.
NUL bytes are read as blanks: on some of them the Bash grammar does not end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from time import thread_time

from tree_sitter import Node, Tree

from oversight.changes.syntax.grammar import Loaded

EXCESS_SECONDS = 4.0
"""What the fragments of one change may take together beyond what ordinary text takes, in processor seconds."""

_UNCOUNTED_BYTES = 2048
_SECONDS = 0.25
_SECONDS_PER_BYTE = 8e-6
# Ordinary text takes 1e-7 to 7e-7 seconds a byte each time, and is parsed up to three times.
_ORDINARY_SECONDS = 0.015
_ORDINARY_SECONDS_PER_BYTE = 3e-6
_PIECES = (8192, 32768)
_BIG = 2000
_LONGEST_RUN = 1000
_DEEPEST_ANGLES = 1000
_NOT_ANGLES = bytes(byte for byte in range(256) if byte not in b"<>;{}")
_STEP = {ord("<"): 1, ord(">"): -1}


class Allowance:
    """The processor time that parsing may take beyond the ordinary, shared by the fragments of one change.

    Only the excess is counted, so a change is never too large for it, and where it is used up a fragment
    still gets what ordinary text of its length takes several times over: nothing that stands in one file
    keeps an ordinary one from being parsed.
    """

    def __init__(self, seconds: float = EXCESS_SECONDS) -> None:
        self.left = seconds

    def seconds_for(self, size: int) -> float:
        """How long a fragment of `size` bytes may take."""
        return min(_SECONDS + _SECONDS_PER_BYTE * size, _ordinary(size) + max(self.left, 0.0))

    def charge(self, size: int, seconds: float) -> None:
        """Take the excess of a fragment of `size` bytes that took `seconds`."""
        self.left -= max(0.0, seconds - _ordinary(size))


def _ordinary(size: int) -> float:
    return _ORDINARY_SECONDS + _ORDINARY_SECONDS_PER_BYTE * size


def parse(loaded: Loaded, text: bytes, allowance: Allowance) -> Tree | None:
    """Parse `text`; None where that, or any query on the tree, would take more than a text of its length deserves.

    Also None where it takes longer than ordinary text does and `allowance` is used up.
    """
    text = text.replace(b"\0", b" ")
    if len(text) <= _UNCOUNTED_BYTES:
        return loaded.parser.parse(text)
    if _has_deep_angles(text):
        return None
    start = thread_time()
    tree = None
    if not any(_is_slow(loaded, piece) for size in _PIECES for piece in _pieces(text, size)):
        tree = _parse_timed(loaded, text, allowance.seconds_for(len(text)))
    slow = tree is None or _is_slow_to_query(tree.root_node)
    allowance.charge(len(text), thread_time() - start)
    return None if slow else tree


def _pieces(text: bytes, size: int) -> Iterator[bytes]:
    """The pieces of a text of at least two of them."""
    if len(text) >= 2 * size:
        for start in range(0, len(text), size):
            yield text[start : start + size]


def _is_slow(loaded: Loaded, piece: bytes) -> bool:
    start, most = thread_time(), _ordinary(len(piece))
    return _parse_timed(loaded, piece, most) is None or thread_time() - start > most


def _has_deep_angles(text: bytes) -> bool:
    for run in re.split(rb"[;{}]+", text.translate(None, _NOT_ANGLES)):
        if len(run) > _DEEPEST_ANGLES and max(accumulate(map(_STEP.__getitem__, run))) > _DEEPEST_ANGLES:
            return True
    return False


def _parse_timed(loaded: Loaded, text: bytes, seconds: float) -> Tree | None:
    end = thread_time() + seconds

    def stop(_offset: int, _has_error: bool) -> bool:
        return thread_time() > end

    try:
        return loaded.parser.parse(lambda offset, _point: text[offset : offset + 65536], progress_callback=stop)
    except ValueError:
        # The parser would go on with the text it gave up.
        loaded.parser.reset()
        return None


def _is_slow_to_query(root: Node) -> bool:
    """Whether some node has a long run of children without a named one, as `((((...` gives.

    For each node it visits, a query looks along the siblings for the next named one, which is quadratic in
    such a run. Only nodes with many descendants are looked into.
    """
    stack = [root] if root.descendant_count > _BIG else []
    while stack:
        node = stack.pop()
        many = node.child_count > _LONGEST_RUN
        run = 0
        for child in node.children:
            run = 0 if child.is_named else run + 1
            if many and run > _LONGEST_RUN:
                return True
            if child.descendant_count > _BIG:
                stack.append(child)
    return False
