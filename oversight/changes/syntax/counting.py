"""What starts on the changed rows of a fragment: one query, run over those rows alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tree_sitter import Node

from oversight.changes.syntax.grammar import CATEGORIES, EditCounts

if TYPE_CHECKING:
    from oversight.changes.syntax.fragment import Fragment
    from oversight.changes.syntax.grammar import Loaded

_MANY_RUNS = 6
_LONGEST_NAME = 120


@dataclass(slots=True)
class Census:
    """The counts of one side, the names it calls in order, and where each counted thing stands.

    `places` maps a category to byte offsets into the fragment's text.
    """

    counts: EditCounts
    called: tuple[str, ...] = ()
    places: dict[str, list[int]] = field(default_factory=dict)


def take_census(fragment: Fragment, loaded: Loaded, root: Node) -> Census:
    """Count what starts on the changed rows of a parsed fragment."""
    runs = fragment.runs
    text = fragment.text
    places: dict[str, list[int]] = {}
    names: list[tuple[int, bytes]] = []
    cursor = loaded.cursor("counting")
    # The query looks at every child of the root again for each range: with many ranges, one pass is cheaper.
    one_pass = len(runs) > _MANY_RUNS
    inside = _among(runs)
    for first, last in [(runs[0][0], runs[-1][1])] if one_pass else runs:
        cursor.set_byte_range(first, last)
        for category, nodes in cursor.captures(root).items():
            if category == "calls":
                # A call stands where its name ends; of a chain over several rows only the last link names it.
                spans = [(node.start_byte, node.end_byte) for node in nodes]
                names += [
                    (end - 1, text[max(start, end - _LONGEST_NAME) : end].rsplit(b"\n", 1)[-1].strip())
                    for start, end in spans
                    if first < end <= last and (not one_pass or inside(end - 1))
                ]
                continue
            if category == "label":
                nodes = [node for node in nodes if loaded.is_error_label(text[node.start_byte : node.end_byte])]
                category = "handlers"
            found = [byte for node in nodes if first <= (byte := node.start_byte) < last]
            if one_pass:
                found = [byte for byte in found if inside(byte)]
            if found:
                places.setdefault(category, []).extend(found)
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


def _among(runs: list[tuple[int, int]]) -> Callable[[int], bool]:
    starts = [start for start, _ in runs]

    def inside(byte: int) -> bool:
        index = bisect_right(starts, byte) - 1
        return index >= 0 and byte < runs[index][1]

    return inside
