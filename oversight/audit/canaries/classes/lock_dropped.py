"""A lock is no longer taken, nor given back: the calls of both are gone, or the block of a `with` stands alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.source import Edit, Site, Source

_CALL = re.compile(
    r"(?:defer\s+|await\s+)?(?P<name>[\w.:>\-$&*\[\]()]*?)\s*\((?P<arguments>[^()]*)\)\s*;?\s*", re.DOTALL
)
_TAKES = re.compile(r"(?:^|[._>:-])\w*?(?:[Ll]ock|LOCK|[Aa]cquire)(?:_\w+)?$")
_GIVES = re.compile(r"(?i)(?:unlock|release)(?:_\w+)?$")
_HELD = re.compile(r"(?i)(?:^|[._])\w*(?:lock|mutex|semaphore)\b(?!\w)")
_FUNCTION = re.compile(r"function|method|lambda|closure")


def _sites(source: Source) -> Iterator[Site]:
    for node in source.nodes:
        if node.has_error:
            continue
        if node.type == "with_statement":
            site = _without_block(source, node)
        elif node.type in source.dialect.statements:
            site = _without_calls(source, node)
        else:
            continue
        if site:
            yield site


def _without_calls(source: Source, node: Node) -> Site:
    said = source.said(node)
    guarding = source.dialect.guarding
    taken = _CALL.fullmatch(said)
    if guarding and re.search(guarding, said):
        removal = source.removal(node)
        return (removal,) if removal is not None else ()
    if taken is None or _GIVES.search(taken["name"]) or not _TAKES.search(taken["name"]):
        return ()
    given = (other for other in _around(source, node) if _answers(source, taken, other))
    removals = [source.removal(statement) for statement in (node, *given)]
    return tuple(removal for removal in removals if removal is not None) if removals[0] is not None else ()


def _answers(source: Source, taken: re.Match[str], other: Node) -> bool:
    """Whether a statement gives back what was taken: of the same arguments, and of the same object."""
    given = _CALL.fullmatch(source.said(other))
    if given is None or not _GIVES.search(given["name"]) or given["arguments"].strip() != taken["arguments"].strip():
        return False
    return _owner(given["name"]) == _owner(taken["name"])


def _owner(name: str) -> str:
    return re.sub(r"[^.>]*$", "", name)


def _around(source: Source, node: Node) -> Iterator[Node]:
    """The statements of the function that a node is in, that come after it."""
    function = node.parent
    while function is not None and not _FUNCTION.search(function.type):
        function = function.parent
    stack = [function] if function is not None else []
    while stack:
        other = stack.pop()
        if other.type in source.dialect.statements and other.start_byte > node.end_byte:
            yield other
        stack.extend(other.named_children)


def _without_block(source: Source, node: Node) -> Site:
    body = node.child_by_field_name("body")
    indent = source.indent(node)
    head = source.text[node.start_byte : body.start_byte].decode("utf-8", "replace") if body is not None else ""
    if body is None or indent is None or "," in head or " as " in head or not _HELD.search(head.strip().rstrip(":")):
        return ()
    inner = source.indent(body)
    if inner is None or "\n" in head.strip() or not inner.startswith(indent):
        return ()
    start = node.start_byte - len(indent)
    first = body.start_byte - len(inner)
    end = source.text.find(b"\n", body.end_byte)
    rows = source.text[first : end if end >= 0 else len(source.text)].split(b"\n")
    if any(row.strip() and not row.startswith(inner) for row in rows):
        return ()
    moved = b"\n".join(indent + row[len(inner) :] if row.strip() else row for row in rows)
    return (Edit(start, first + sum(map(len, rows)) + len(rows) - 1, moved),)


MUTATION = Mutation("lock-dropped", "a lock is no longer taken", _sites, r"(?i)lock|mutex|semaphore|acquire")
