"""Tree-sitter queries over the fragments of a hunk."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from oversight.changes.syntax.grammar import load
from oversight.reviewers.model import Place
from oversight.reviewers.principles.model import Side

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

    from oversight.changes.syntax import Fragment
    from oversight.reviewers.principles.view import FileView

MATCHES = 2_000
"""How many matches at most a query may keep open in one fragment; more than any hunk people read has."""
DEPTH = 20
"""How deep a body that does nothing is looked into."""

_MATCHED = re.compile(r'match\?\s[^"()]*"((?:[^"\\]|\\.)*)"')
_REPEATS = re.compile(r"[*+{]")
_NOTHING = frozenset(
    {
        "comment", "line_comment", "block_comment", "pass_statement", "ellipsis", "string", "concatenated_string",
        "string_literal", "raw_string_literal", "interpreted_string_literal", "template_string", "empty_statement",
        "continue_statement", "null", "nil", "none", "undefined",
    }
)  # fmt: skip
_WRAPPERS = frozenset(
    {"expression_statement", "block", "statement_block", "compound_statement", "body_statement", "then"}
)


@lru_cache(maxsize=1024)
def _compiled(language: Language, source: str) -> Query:
    from tree_sitter import Query

    return Query(language, source)


def query_error(language: str, source: str) -> str | None:
    """Say what is wrong with a query that a repository wrote, or None.

    A query must compile, and the patterns of its `#match?` predicates may not repeat: they are not of our
    safe subset, and run on texts that an adversary chose.
    """
    from tree_sitter import QueryError

    try:
        _compiled(load(language, b"").language, source)
    except (QueryError, ValueError) as error:
        return str(error).partition("\n")[0]
    if any(_REPEATS.search(pattern) for pattern in _MATCHED.findall(source)):
        return "a #match? pattern repeats something"
    return None


def trivial(node: Node, depth: int = 0) -> bool:
    """Whether a body is closed and does nothing: comments, strings, `pass`, `continue` and empty statements only.

    A body that the hunk cuts off is not known to do nothing. Blocks in blocks beyond `DEPTH` are taken to be there
    for show.
    """
    if depth > DEPTH:
        return True
    if node.has_error or node.is_missing:
        return False
    return all(
        child.type in _NOTHING or (child.type in _WRAPPERS and trivial(child, depth + 1))
        for child in node.named_children
    )


def query_places(view: FileView, source: str, side: Side) -> list[Place]:
    """Where a query's @here touches changed rows of `side`; a capture called @trivial must be `trivial`."""
    places: list[Place] = []
    for syntax in view.syntax:
        fragment = syntax.new if side is Side.ADDED else syntax.old
        if fragment is not None and fragment.tree is not None:
            places.extend(_in_fragment(view.file.path, fragment, source, side))
    return sorted(set(places), key=lambda place: place.start or 0)


def _in_fragment(path: str, fragment: Fragment, source: str, side: Side) -> list[Place]:
    from tree_sitter import QueryCursor

    tree = fragment.tree
    if tree is None:
        return []
    cursor = QueryCursor(_compiled(tree.language, source), match_limit=MATCHES)
    places: list[Place] = []
    for _, captures in cursor.matches(tree.root_node):
        if all(trivial(node) for node in captures.get("trivial", ())):
            for node in captures.get("here", ()):
                places.extend(_place(path, fragment, node, side))
    if cursor.did_exceed_match_limit:  # matches were dropped: nobody knows which, so the hunk as a whole is reported
        places.extend(_place(path, fragment, tree.root_node, side))
    return places


def _place(path: str, fragment: Fragment, node: Node, side: Side) -> list[Place]:
    rows = range(node.start_point.row, min(node.end_point.row + 1, len(fragment.rows)))
    lines = [fragment.rows[row] for row in rows if fragment.changed[row]]
    numbers = [line.new_number if side is Side.ADDED else line.old_number for line in lines]
    known = [number for number in numbers if number is not None]
    return [Place(path, known[0], known[-1], "new" if side is Side.ADDED else "old")] if known else []
