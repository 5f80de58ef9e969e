"""A comparison is off by one: `<` for `<=`, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Site, Source, swapped

_NEIGHBOUR = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def _sites(source: Source) -> Iterator[Site]:
    for node in source.nodes:
        if node.type in source.dialect.comparisons and not node.has_error:
            for child in node.children:
                if not child.is_named and child.type in _NEIGHBOUR:
                    yield (swapped(child, _NEIGHBOUR[child.type]),)


MUTATION = Mutation("boundary-changed", "a comparison takes in one more value, or one fewer", _sites, r"[<>]")
