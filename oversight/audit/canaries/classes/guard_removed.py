"""A check that leaves early is gone: `if (!buffer) return -1;`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Site, Source

_ASSIGNS = re.compile(r"(?<![=!<>])=(?!=)")
_MOST_ROWS = 6


def _sites(source: Source) -> Iterator[Site]:
    for node, condition in source.conditionals():
        if not is_guard(source, node) or _ASSIGNS.search(source.said(condition)):
            continue
        removal = source.removal(source.statement(node))
        if removal is not None:
            yield (removal,)


def is_guard(source: Source, node: Node) -> bool:
    """Whether an if does nothing but leave, after a few rows at most."""
    branch = node.child_by_field_name(source.dialect.branch)
    if branch is None or node.child_by_field_name("alternative") is not None or node.has_error:
        return False
    inside = branch
    while inside.type in source.dialect.blocks and inside.named_child_count:
        inside = inside.named_children[-1]
    rows = node.end_point[0] - node.start_point[0]
    return rows < _MOST_ROWS and source.bare(inside).type in source.dialect.leaving


MUTATION = Mutation("guard-removed", "a check that leaves early is gone", _sites, r"\bif\b")
