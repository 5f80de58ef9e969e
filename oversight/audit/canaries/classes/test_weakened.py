"""A test asserts less: one of its assertions is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Site, Source

_NAME = re.compile(r"(?:await\s+)?([\w.:>$-]+!?)\s*\(")
_STATEMENTS = frozenset({"assert_statement", "static_assert_declaration"})


def _sites(source: Source) -> Iterator[Site]:
    if not source.test:
        return
    for node in source.nodes:
        if not node.has_error and _asserts(source, node) and (removal := source.removal(node)) is not None:
            yield (removal,)


def _asserts(source: Source, node: Node) -> bool:
    if node.type in _STATEMENTS:
        return True
    if node.type not in source.dialect.statements:
        return False
    name = _NAME.match(source.said(node))
    if name is None:
        return False
    plain = name[1].rstrip("!").lstrip("$").replace("->", ".")
    return "assertions" in source.loaded.name_and_kinds(plain.encode())[1]


MUTATION = Mutation(
    "test-weakened",
    "an assertion of a test is gone",
    _sites,
    hint=r"(?i)assert|expect|check|should|verify|fail|require|cmocka|ck_",
    tests=True,
)
