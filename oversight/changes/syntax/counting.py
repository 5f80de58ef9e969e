"""What starts on the changed rows of a fragment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tree_sitter import Node

from oversight.changes.syntax.grammar import CATEGORIES, EditCounts

if TYPE_CHECKING:
    from oversight.changes.syntax.fragment import Fragment
    from oversight.changes.syntax.grammar import Loaded

_LONGEST_NAME = 120
_COUNTED = frozenset(CATEGORIES)


@dataclass(slots=True)
class Census:
    """The counts of one side, the names it calls in order, and where each counted thing stands.

    `places` maps a category to byte offsets into the fragment's text.
    """

    counts: EditCounts
    called: tuple[str, ...] = ()
    places: dict[str, list[int]] = field(default_factory=dict)


def take_census(fragment: Fragment, loaded: Loaded, captures: Mapping[str, Sequence[Node]]) -> Census:
    """Count what starts on the changed rows of a fragment, of what the query "reading" captured."""
    text = fragment.text
    changed = bytearray(len(text) + 1)
    for first, last in fragment.runs:
        changed[first:last] = b"\1" * (last - first)
    places: dict[str, list[int]] = {}
    names: list[tuple[int, bytes]] = []
    for category, nodes in captures.items():
        if category == "calls":
            # A call stands where its name ends; of a chain over several rows only the last link names it.
            spans = [(node.start_byte, end) for node in nodes if changed[(end := node.end_byte) - 1]]
            names = [
                (end - 1, text[max(start, end - _LONGEST_NAME) : end].rsplit(b"\n", 1)[-1].strip())
                for start, end in spans
            ]
        elif category == "label":
            labels = [node for node in nodes if loaded.is_error_label(text[node.start_byte : node.end_byte])]
            places.setdefault("handlers", []).extend([byte for node in labels if changed[byte := node.start_byte]])
        elif category in _COUNTED:
            places.setdefault(category, []).extend([byte for node in nodes if changed[byte := node.start_byte]])
    called = _add_calls(names, loaded, places)
    counts = EditCounts(*[len(places[category]) if category in places else 0 for category in CATEGORIES])
    return Census(counts, called, places)


def _add_calls(names: list[tuple[int, bytes]], loaded: Loaded, places: dict[str, list[int]]) -> tuple[str, ...]:
    if not names:
        return ()
    names.sort()
    places["calls"] = [byte for byte, _ in names]
    called = []
    for byte, raw in names:
        name, kinds = loaded.name_and_kinds(raw)
        called.append(name)
        for kind in kinds:
            places.setdefault(kind, []).append(byte)
    return tuple(called)
