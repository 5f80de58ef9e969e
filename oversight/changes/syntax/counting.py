"""What starts on the changed rows of a fragment: one query, run over those rows alone."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tree_sitter import Node

from oversight.changes.syntax.grammar import CATEGORIES, EditCounts

if TYPE_CHECKING:
    from oversight.changes.syntax.fragment import Fragment
    from oversight.changes.syntax.grammar import Loaded

_MANY_RUNS = 6
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Census:
    """The counts of one side, the names it calls in order, and where each counted thing stands.

    `places` maps a category to byte offsets into the fragment's text, in order.
    """

    counts: EditCounts
    called: tuple[str, ...] = ()
    places: tuple[tuple[str, tuple[int, ...]], ...] = ()


NOTHING = Census(EditCounts())


def take_census(fragment: Fragment, loaded: Loaded, root: Node) -> Census:
    """Count what starts on the changed rows of a parsed fragment."""
    runs = fragment.runs
    if not runs:
        return NOTHING
    starts = [start for start, _ in runs]
    spans = runs if len(runs) <= _MANY_RUNS else [(runs[0][0], runs[-1][1])]
    places: dict[str, list[int]] = {}
    names: list[tuple[int, str]] = []
    cursor = loaded.cursor("counting")
    for span in spans:
        cursor.set_byte_range(*span)
        captures = cursor.captures(root)
        near = [span] if spans is runs else runs
        bounds = [span[0]] if spans is runs else starts
        for category, nodes in captures.items():
            if category == "calls":
                _take_calls(nodes, fragment.text, near, bounds, names)
            elif category == "label":
                _take_labels(nodes, fragment.text, near, bounds, loaded, places)
            else:
                inside = [byte for node in nodes if _is_inside(byte := node.start_byte, near, bounds)]
                if inside:
                    places.setdefault(category, []).extend(inside)
    names.sort()
    for byte, name in names:
        places.setdefault("calls", []).append(byte)
        for category in loaded.kinds_of_name(name):
            places.setdefault(category, []).append(byte)
    counts = EditCounts(*[len(places.get(category, ())) for category in CATEGORIES])
    where = tuple((category, tuple(sorted(found))) for category, found in places.items())
    return Census(counts, tuple([name for _, name in names]), where)


def _is_inside(byte: int, runs: list[tuple[int, int]], starts: list[int]) -> bool:
    index = bisect_right(starts, byte) - 1
    return index >= 0 and byte < runs[index][1]


def _take_calls(
    nodes: list[Node],
    text: bytes,
    runs: list[tuple[int, int]],
    starts: list[int],
    names: list[tuple[int, str]],
) -> None:
    for node in nodes:
        end = node.end_byte
        if not _is_inside(end - 1, runs, starts):
            continue
        # Of a chain over several rows only the last link names this call.
        name = text[max(node.start_byte, end - _LONGEST_NAME) : end].rsplit(b"\n", 1)[-1].strip()
        names.append((end - 1, name.decode("utf-8", "replace")))


def _take_labels(
    nodes: list[Node],
    text: bytes,
    runs: list[tuple[int, int]],
    starts: list[int],
    loaded: Loaded,
    places: dict[str, list[int]],
) -> None:
    for node in nodes:
        start = node.start_byte
        name = text[start : node.end_byte].decode("utf-8", "replace")
        if _is_inside(start, runs, starts) and loaded.is_error_label(name):
            places.setdefault("handlers", []).append(start)
