"""Whether two fragments differ in white space alone, and in such that means nothing to their language.

Both must have the same text once white space is left out, and the same tree: the same kinds of nodes at the
same depths and the same tokens. In Python, where indentation means something, statements must also begin in
the same columns. Where either side has a syntax error, as most fragments do that were cut out of a block,
and where there is no tree, the non-blank rows must correspond one to one: only white space within a row (and,
with a tree and outside Python, in front of it) may differ then.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node, Tree

from oversight.changes.syntax.fragment import Fragment


def same_tokens(old: Fragment, new: Fragment) -> bool:
    """Return whether nothing but meaningless white space differs between the two sides."""
    if _solid_bytes(old) != _solid_bytes(new) or b"".join(old.text.split()) != b"".join(new.text.split()):
        return False
    rows = [_rows(old), _rows(new)]
    if old.loaded is None or new.loaded is None or old.tree is None or new.tree is None:
        return [row.rstrip() for row in rows[0]] == [row.rstrip() for row in rows[1]]
    if old.loaded is not new.loaded:
        return False
    containers = old.loaded.grammar.containers
    if old.tree.root_node.has_error or new.tree.root_node.has_error:
        if ["".join(row.split()) for row in rows[0]] != ["".join(row.split()) for row in rows[1]]:
            return False
        if containers and [_indent(row) for row in rows[0]] != [_indent(row) for row in rows[1]]:
            return False
    return _same_trees(old.tree, new.tree, old.text, new.text, containers)


def _solid_bytes(fragment: Fragment) -> int:
    """How many bytes of the changed rows are not white space: nearly all hunks differ there already."""
    changed = "".join([row.text for row, is_changed in zip(fragment.rows, fragment.changed, strict=True) if is_changed])
    return len(changed.encode("utf-8", "surrogateescape").translate(None, b" \t\n\r\x0b\x0c"))


def _rows(fragment: Fragment) -> list[str]:
    return [row.text for row in fragment.rows if row.text.strip()]


def _indent(row: str) -> str:
    return row[: len(row) - len(row.lstrip())]


def _same_trees(old: Tree, new: Tree, old_text: bytes, new_text: bytes, containers: tuple[str, ...]) -> bool:
    left, right = _walk(old, old_text, containers), _walk(new, new_text, containers)
    for one in left:
        if one != next(right, None):
            return False
    return next(right, None) is None


def _walk(tree: Tree, text: bytes, containers: tuple[str, ...]) -> Iterator[tuple[int, int, bytes, int]]:
    """Yield kind, depth, text of a leaf, and column of a statement, for each node in order. Not recursive."""
    cursor = tree.walk()
    depth = 0
    holders = [False]
    while True:
        node = cursor.node
        if node is None:
            return
        leaf = node.child_count == 0
        content = _leaf_text(node, text) if leaf else b""
        yield node.kind_id, depth, content, node.start_point[1] if holders[-1] else -1
        if cursor.goto_first_child():
            depth += 1
            holders.append(node.type in containers)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1
            holders.pop()


def _leaf_text(node: Node, text: bytes) -> bytes:
    content = text[node.start_byte : node.end_byte]
    if node.is_extra:
        return b" ".join(content.split())
    # A newline that ends a statement is a token of some grammars.
    return content.strip() if not content.strip() else content
