"""A failure is told to nobody: a returned error becomes success, a handler no longer passes on what it caught."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Edit, Site, Source, swapped


def _sites(source: Source) -> Iterator[Site]:
    dialect = source.dialect
    for node in source.nodes:
        bare = source.bare(node)
        if node.has_error or bare.type not in dialect.leaving or source.statement(bare).id != node.id:
            continue
        if bare.type in dialect.raising:
            if source.within(node, dialect.handlers) is not None and (edit := _silence(source, node)) is not None:
                yield (edit,)
        elif source.within(node, frozenset({dialect.conditional})) is not None:
            yield from ((edit,) for edit in _success(source, node))


def _silence(source: Source, node: Node) -> Edit | None:
    if source.dialect.nothing:
        return swapped(node, source.dialect.nothing)
    start = source.text.rfind(b"\n", 0, node.start_byte) + 1
    end = source.text.find(b"\n", node.end_byte)
    alone = end >= 0 and not source.text[start : node.start_byte].strip()
    if not alone or source.text[node.end_byte : end].strip(b" \t\r;"):
        return None
    return Edit(start, end + 1, b"")


def _success(source: Source, node: Node) -> Iterator[Edit]:
    said = source.said(node)
    for pattern, instead in source.dialect.failures:
        match = re.fullmatch(pattern, said, re.DOTALL)
        if match is not None:
            yield swapped(node, match.expand(instead))
            return


MUTATION = Mutation("error-swallowed", "a failure is told to nobody", _sites, r"\b(?:return|raise|throw)\b")
