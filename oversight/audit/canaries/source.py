"""A file that a change leaves behind, with its tree, and the little that all classes of mutations ask of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tree_sitter import Node

from oversight.audit.canaries.dialects import Dialect
from oversight.changes.syntax.grammar import MAX_DEPTH, Loaded


class Edit(NamedTuple):
    """Bytes from `start` to before `end` give way to `text`."""

    start: int
    end: int
    text: bytes


Site = tuple[Edit, ...]
"""One way to plant a defect: edits that do not overlap, of which the first is where the defect shows."""


@dataclass(frozen=True, eq=False)
class Source:
    """A file as it is after a change. `rows` are those that the change's hunks show, from 0, and `test` whether the
    path is that of a test.
    """

    text: bytes
    root: Node
    loaded: Loaded
    dialect: Dialect
    rows: frozenset[int]
    test: bool

    @cached_property
    def nodes(self) -> Sequence[Node]:
        """Every named node that begins on a row that is shown, in order."""
        return tuple(self._walk())

    def _walk(self) -> Iterator[Node]:
        if not self.rows:
            return
        last = max(self.rows)
        ordered = sorted(self.rows)
        stack = [(self.root, 0)]
        while stack:
            node, depth = stack.pop()
            begins, ends = node.start_point[0], node.end_point[0]
            if begins > last or depth > MAX_DEPTH or not _any_between(ordered, begins, ends):
                continue
            if begins in self.rows:
                yield node
            stack.extend((child, depth + 1) for child in reversed(node.named_children))

    def said(self, node: Node) -> str:
        """The text of a node."""
        return self.text[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def bare(self, node: Node) -> Node:
        """What is in the parentheses and other wrappers around a condition or statement."""
        while node.type in self.dialect.wrappers and node.named_child_count == 1:
            node = node.named_children[0]
        return node

    def statement(self, node: Node) -> Node:
        """The whole statement that a node is all of."""
        while (
            node.parent is not None
            and node.parent.type in self.dialect.wrappers
            and node.parent.start_byte == node.start_byte
        ):
            node = node.parent
        return node

    def conditionals(self) -> Iterator[tuple[Node, Node]]:
        """Every if that begins on a row that is shown, with its condition."""
        for node in self.nodes:
            if node.type == self.dialect.conditional:
                condition = node.child_by_field_name("condition")
                if condition is not None and not condition.has_error:
                    yield node, condition

    def removal(self, node: Node) -> Edit | None:
        """Take the rows of a statement away; None where it shares them, or is all that its block holds."""
        block = node.parent
        if block is None or block.type not in self.dialect.blocks or block.named_child_count < 2:
            return None
        start = self.text.rfind(b"\n", 0, node.start_byte) + 1
        end = self.text.find(b"\n", node.end_byte)
        if end < 0 or self.text[start : node.start_byte].strip() or self.text[node.end_byte : end].strip(b" \t\r;"):
            return None
        return Edit(start, end + 1, b"")

    def indent(self, node: Node) -> bytes | None:
        """The white space in front of a node that begins its row, None where something else does."""
        start = self.text.rfind(b"\n", 0, node.start_byte) + 1
        before = self.text[start : node.start_byte]
        return None if before.strip() else before

    def within(self, node: Node, kinds: frozenset[str]) -> Node | None:
        """The nearest node around this one that is of one of these kinds."""
        above = node.parent
        while above is not None and above.type not in kinds:
            above = above.parent
        return above


def _any_between(ordered: Sequence[int], first: int, last: int) -> bool:
    place = bisect_left(ordered, first)
    return place < len(ordered) and ordered[place] <= last


def swapped(node: Node, text: str) -> Edit:
    """Write something else in the place of a node."""
    return Edit(node.start_byte, node.end_byte, text.encode())
