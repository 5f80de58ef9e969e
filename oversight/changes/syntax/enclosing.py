"""The name of the definition around a place, for people to read. Never a feature: it may come from outside the hunk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tree_sitter import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oversight.changes.syntax.fragment import Fragment
    from oversight.changes.syntax.grammar import Loaded

_LONGEST = 120
_LONGEST_ROW = 400
_DEEPEST = 8
_NAME = r"[^\W\d][\w$]*(?:(?:\.|::|->)~?[^\W\d][\w$]*)*"
_HEADS = (
    re.compile(rf"^\s*func\s*\(\s*(?:\w+\s+)?\*?(?P<owner>\w+)[^)]*\)\s*(?P<name>{_NAME})"),
    re.compile(
        r"\b(?:def|class|interface|trait|module|namespace|func|function|fn|record|protocol|impl(?:<[^>]*>)?(?:\s+[\w:<>]+\s+for)?)"
        rf"\s+&?(?:\w+_(?:API|EXPORT|export)\s+)?(?:self\.)?(?P<name>{_NAME})"
    ),
    re.compile(rf"(?P<name>~?{_NAME}(?:::~\w+)?)\s*(?:<[^<>()]*>\s*)?\("),
    re.compile(rf"\b(?:struct|enum|union|type|mod)\s+(?P<name>{_NAME})\s*(?:$|[{{:;=<])"),
    re.compile(rf"(?P<name>{_NAME})(?:\[[^\]]*\])*\s*[:=]"),
    re.compile(rf"\b(?:struct|enum|union)\s+(?P<name>{_NAME})"),
)
_STATEMENTS = """
    if else elif for foreach while switch case do try catch finally return sizeof with match unless until loop
    public private protected static const default goto typedef extern __attribute__ __declspec defined import from
    print del assert raise throw await yield new include require
"""
_NOT_NAMES = frozenset(_STATEMENTS.split())
_HEAD_ROW = re.compile(r"[^\W\d]|\$")


def clean_section(section: str) -> str | None:
    """Return the name in the text after the second `@@` of a hunk header, None where there is none.

    >>> clean_section("static int foo_init(struct bar *b)"), clean_section("class Foo(Base):")
    ('foo_init', 'Foo')
    """
    return _first_name(section[:_LONGEST_ROW], _HEADS)


def _first_name(text: str, heads: tuple[re.Pattern[str], ...]) -> str | None:
    for pattern in heads:
        for match in pattern.finditer(text):
            name = match["name"]
            if name not in _NOT_NAMES:
                owner = match.groupdict().get("owner")
                return (f"{owner}.{name}" if owner else name)[:_LONGEST]
    return None


def _name_of(node: Node, text: bytes) -> str | None:
    """Return the name that a definition gives, looking through the declarators of C."""
    for _ in range(_DEEPEST):
        named = node.child_by_field_name("name")
        if named is not None:
            name = text[named.start_byte : named.end_byte]
            break
        inner = node.child_by_field_name("declarator") or node.child_by_field_name("key")
        if inner is None:
            inner = node.child_by_field_name("type")
            if inner is None:
                return None
        if inner.named_child_count == 0 or inner.type == "qualified_identifier":
            name = text[inner.start_byte : inner.end_byte]
            break
        node = inner
    else:
        return None
    return re.sub(r"\s+", "", name.decode("utf-8", "replace"))[:_LONGEST] or None


def _owner_of(node: Node, text: bytes) -> str | None:
    """Return the receiver's type of a Go method."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None:
        return None
    words = re.findall(r"\w+", text[receiver.start_byte : receiver.end_byte].decode("utf-8", "replace").split("[")[0])
    return words[-1] if words else None


def _around(loaded: Loaded, root: Node, text: bytes, byte: int) -> tuple[list[str], int]:
    """Return the names of the definitions around `byte`, outermost first, and the column of the first of them."""
    cursor = loaded.cursor("defining")
    cursor.set_byte_range(byte, byte + 1)
    nodes = [
        node
        for node in cursor.captures(root).get("definitions", ())
        if node.start_byte <= byte < max(node.end_byte, node.start_byte + 1)
    ]
    nodes.sort(key=lambda node: (node.start_byte, -node.end_byte))
    names: list[str] = []
    column = 0
    for node in nodes[-_DEEPEST:]:
        name = _name_of(node, text)
        if name is None:
            continue
        if not names:
            column = node.start_point[1]
            owner = _owner_of(node, text)
            if owner:
                names.append(owner)
        names.append(name)
    return names, column


def _first_byte(fragment: Fragment) -> int:
    """Return the first byte of the first changed row that is not white space, else of the row after the change."""
    for row, (line, changed) in enumerate(zip(fragment.rows, fragment.changed, strict=True)):
        if changed and line.text.strip():
            return fragment.offsets[row] + len(line.text) - len(line.text.lstrip())
    return fragment.runs[0][0] if fragment.runs else 0


def _head_above(fragment: Fragment) -> str | None:
    """Return the name on the last row up to the change that begins a definition at the left margin."""
    keyword_heads, typed_head = _HEADS[:2], _HEADS[2]
    first = next((row for row, changed in enumerate(fragment.changed) if changed), 0)
    for line in reversed(fragment.rows[: first + 1]):
        text = line.text[:_LONGEST_ROW]
        if not _HEAD_ROW.match(text) or text.rstrip().endswith((";", ",")):
            continue
        name = _first_name(text, keyword_heads)
        # A call has neither a type in front of it nor a body behind it.
        match = typed_head.search(text)
        if name is None and match is not None and "=" not in text[: match.start()]:
            typed = text[: match.start()].strip() or text.rstrip().endswith("{")
            name = match["name"] if typed and match["name"] not in _NOT_NAMES else None
        if name is not None:
            return name
    return None


def enclosing_in_fragment(fragment: Fragment, section: str) -> str | None:
    """Return the name around the first changed row as the hunk itself tells it: its rows, else its section text."""
    outer = clean_section(section)
    if fragment.loaded is None or fragment.tree is None:
        return _head_above(fragment) or outer
    names, column = _around(fragment.loaded, fragment.tree.root_node, fragment.text, _first_byte(fragment))
    if not names:
        return _head_above(fragment) or outer
    if column > 0 and outer is not None and outer.split(".")[-1] != names[0]:
        names.insert(0, outer)
    return ".".join(names)


def enclosing_in_source(loaded: Loaded, root: Node, source: bytes, numbers: Iterable[int]) -> list[str | None]:
    """Return for each 1-based line of a whole file the name of the definition around it."""
    lines = source.split(b"\n")
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    found: list[str | None] = []
    for number in numbers:
        index = min(max(number, 1), len(lines)) - 1
        line = lines[index]
        names, _ = _around(loaded, root, source, offsets[index] + len(line) - len(line.lstrip()))
        found.append(".".join(names) or None)
    return found
