"""Parsing within bounds: a text made to be slow is not worth a tree, and gets none.

tree-sitter is linear on what people write and quadratic on some of what they do not, and its own count of
steps does not show the difference. So the bound is time, but the thread's own processor time, and tens of
times what an ordinary text of that length takes: a slow or busy machine does not move it, and the same
change gets the same features everywhere unless it was made to be slow. Two texts must not even be tried,
since the parser neither reports nor ends in reasonable time and memory: thousands of `<` that nest (C#,
Java), and NUL bytes (Bash).
"""

from __future__ import annotations

import re
from itertools import accumulate
from time import thread_time

from tree_sitter import Node, Tree

from oversight.changes.syntax.grammar import Loaded

_UNCOUNTED_BYTES = 2048
_SECONDS = 0.25
_SECONDS_PER_BYTE = 8e-6
_BIG = 2000
_LONGEST_RUN = 1000
_DEEPEST_ANGLES = 1000
_NOT_ANGLES = bytes(byte for byte in range(256) if byte not in b"<>;{}")
_STEP = {ord("<"): 1, ord(">"): -1}


def parse(loaded: Loaded, text: bytes) -> Tree | None:
    """Parse `text`; None where that, or any query on the tree, would take more than a text of its length deserves."""
    if b"\0" in text:
        return None
    if len(text) <= _UNCOUNTED_BYTES:
        return loaded.parser.parse(text)
    tree = None if _has_deep_angles(text) else _parse_timed(loaded, text)
    return None if tree is None or _is_slow_to_query(tree.root_node) else tree


def _has_deep_angles(text: bytes) -> bool:
    for run in re.split(rb"[;{}]+", text.translate(None, _NOT_ANGLES)):
        if len(run) > _DEEPEST_ANGLES and max(accumulate(map(_STEP.__getitem__, run))) > _DEEPEST_ANGLES:
            return True
    return False


def _parse_timed(loaded: Loaded, text: bytes) -> Tree | None:
    end = thread_time() + _SECONDS + _SECONDS_PER_BYTE * len(text)

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
