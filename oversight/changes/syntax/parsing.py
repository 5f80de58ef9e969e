"""Parsing within bounds: a text made to be slow is not worth a tree, and gets none.

All bounds are counts, never times, so that the same text has the same outcome on every machine.
"""

from __future__ import annotations

from tree_sitter import Node, Tree

from oversight.changes.syntax.grammar import Loaded

_PLAIN_BYTES = 32 * 1024
_STEPS_PER_BYTE = 1
_BIG = 2000
_LONGEST_RUN = 1000


def parse(loaded: Loaded, text: bytes) -> Tree | None:
    """Parse `text`; None where that, or any query on the tree, would take more than a text of its length deserves."""
    tree = loaded.parser.parse(text) if len(text) <= _PLAIN_BYTES else _parse_counted(loaded, text)
    return None if tree is None or _is_slow_to_query(tree.root_node) else tree


def _parse_counted(loaded: Loaded, text: bytes) -> Tree | None:
    """Parse, giving up when the parser reports progress more often than its input can account for."""
    left = _STEPS_PER_BYTE * len(text)

    def stop(_offset: int, _has_error: bool) -> bool:
        nonlocal left
        left -= 1
        return left < 0

    try:
        return loaded.parser.parse(lambda offset, _point: text[offset : offset + 65536], progress_callback=stop)
    except ValueError:
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
