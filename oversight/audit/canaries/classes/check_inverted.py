"""A condition says the opposite: `if (ready)` becomes `if (!ready)`."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Edit, Site, Source, swapped


def _sites(source: Source) -> Iterator[Site]:
    for _, condition in source.conditionals():
        inside = condition.child_by_field_name("value") or source.bare(condition)
        edit = _opposite(source, inside)
        if edit is not None:
            yield (edit,)


def _opposite(source: Source, condition: Node) -> Edit | None:
    dialect = source.dialect
    if condition.type in dialect.negations:
        if not source.said(condition).startswith(dialect.negation) or not condition.named_child_count:
            return None
        return Edit(condition.start_byte, condition.named_children[0].start_byte, b"")
    if condition.type in dialect.comparisons:
        operators = [child for child in condition.children if not child.is_named or child.type in dialect.opposites]
        if len(operators) != 1 or (opposite := dialect.opposites.get(source.said(operators[0]))) is None:
            return None
        return swapped(operators[0], opposite)
    if condition.type in dialect.atoms:
        return Edit(condition.start_byte, condition.start_byte, dialect.negation.encode())
    return None


MUTATION = Mutation("check-inverted", "a condition says the opposite", _sites, r"\bif\b")
