"""A change whose new file is written otherwise: one diff after another, as one, and as git would have shown it.

    rows of the whole file, each kept, deleted or added by the change  ── replace some of them ──>  hunks

Three rows of context stand around what changed, and the row of the enclosing definition behind the second `@@`, both
as git puts them there: that a defect was planted must not show in how a diff was cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from oversight.audit.canaries.source import Edit
from oversight.changes.model import FileChange, Hunk, Line, LineKind

_CONTEXT = 3
_SECTION = 80  # bytes of the enclosing row that git shows
_HEAD = re.compile(r"[A-Za-z_$]")


class Row(NamedTuple):
    """A row of a file and what a change does with it."""

    kind: LineKind
    text: str


class Region(NamedTuple):
    """Rows of the new file from `first` to before `last`, counted from 0, that give way to `rows`."""

    first: int
    last: int
    rows: tuple[str, ...]


def rewritten(file: FileChange, text: bytes, edits: Sequence[Edit]) -> FileChange | None:
    """Return what a change does to a file if the new file, which is `text`, is edited as well.

    None where the hunks are not of that text, where it does not end in a newline, and where the edits take back some
    of what the change did: its diff could then be cut in several ways.
    """
    script = script_of(file, text)
    if script is None:
        return None
    composed = _composed(script, regions_of(text, edits))
    if composed is None:
        return None
    hunks = hunks_of(composed)
    return replace(file, hunks=hunks) if hunks and hunks != file.hunks else None


def script_of(file: FileChange, text: bytes) -> list[Row] | None:
    """Return all rows of both sides of a file, None where its hunks are not of `text`, the new side."""
    if not text.endswith(b"\n"):
        return None
    rows = _decoded(text)
    script: list[Row] = []
    done = 0
    for hunk in file.hunks:
        start = hunk.new_start - 1 if any(line.new_number for line in hunk.lines) else hunk.new_start
        script += [Row(LineKind.CONTEXT, row) for row in rows[done:start]]
        done = start
        for line in hunk.lines:
            if line.kind is not LineKind.DELETED:
                if done >= len(rows) or rows[done] != line.text:
                    return None
                done += 1
            if line.no_newline:
                return None
            script.append(Row(line.kind, line.text))
    return script + [Row(LineKind.CONTEXT, row) for row in rows[done:]]


def regions_of(text: bytes, edits: Sequence[Edit]) -> list[Region]:
    """Return the edits as whole rows, in order."""
    regions: list[Region] = []
    ordered = sorted(edits)
    for edit in ordered:
        first = text.count(b"\n", 0, edit.start)
        start = text.rfind(b"\n", 0, edit.start) + 1
        whole = edit.start == start and (edit.end == start or text[edit.end - 1 : edit.end] == b"\n")
        end = edit.end if whole else text.find(b"\n", edit.end) + 1
        instead = text[start : edit.start] + edit.text + text[edit.end : end]
        regions.append(_trimmed(first, _decoded(text[start:end]), _decoded(instead)))
    return regions


def _trimmed(first: int, old: Sequence[str], new: Sequence[str]) -> Region:
    """The region without the rows at either end that stay as they are."""
    ahead = 0
    while ahead < min(len(old), len(new)) and old[ahead] == new[ahead]:
        ahead += 1
    behind = 0
    while behind < min(len(old), len(new)) - ahead and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    return Region(first + ahead, first + len(old) - behind, tuple(new[ahead : len(new) - behind]))


def _decoded(text: bytes) -> list[str]:
    return text.decode("utf-8", "surrogateescape").split("\n")[:-1] if text else []


def _composed(script: Sequence[Row], regions: Sequence[Region]) -> list[Row] | None:
    """Return the script with its new side replaced; None where regions overlap or the change is taken back in part."""
    composed: list[Row] = []
    touched: set[int] = set()
    waiting = list(regions)
    place = 0
    for row in script:
        if row.kind is LineKind.DELETED:
            composed.append(row)
            continue
        while waiting and waiting[0].first == place and waiting[0].last == place:
            _insert(composed, touched, waiting.pop(0))
        if waiting and waiting[0].first <= place < waiting[0].last:
            if row.kind is LineKind.CONTEXT:
                touched.add(len(composed))
                composed.append(Row(LineKind.DELETED, row.text))
            if place == waiting[0].last - 1:
                _insert(composed, touched, waiting.pop(0))
        else:
            composed.append(row)
        place += 1
    return None if waiting else _ordered(composed, touched)


def _insert(composed: list[Row], touched: set[int], region: Region) -> None:
    touched.update(range(len(composed), len(composed) + max(len(region.rows), 1)))
    composed.extend(Row(LineKind.ADDED, row) for row in region.rows)


def _ordered(script: Sequence[Row], touched: set[int]) -> list[Row] | None:
    """Return the script with deleted rows before added ones in each run, as git has them."""
    ordered: list[Row] = []
    place = 0
    for changes, group in groupby(script, lambda row: row.kind is not LineKind.CONTEXT):
        run = list(group)
        if changes:
            deleted = [row for row in run if row.kind is LineKind.DELETED]
            added = [row for row in run if row.kind is LineKind.ADDED]
            again = {row.text for row in deleted} & {row.text for row in added}
            if not touched.isdisjoint(range(place, place + len(run) + 1)) and again:
                return None
            ordered += deleted + added
        else:
            ordered += run
        place += len(run)
    return ordered


def hunks_of(script: Sequence[Row]) -> tuple[Hunk, ...]:
    """Cut a script into hunks with three rows of context; runs of changes share one where their contexts meet."""
    changed = [place for place, row in enumerate(script) if row.kind is not LineKind.CONTEXT]
    if not changed:
        return ()
    spans: list[list[int]] = []
    for place in changed:
        if spans and place - spans[-1][1] - 1 <= 2 * _CONTEXT:
            spans[-1][1] = place
        else:
            spans.append([place, place])
    return tuple(_hunks(script, spans))


def _hunks(script: Sequence[Row], spans: Sequence[Sequence[int]]) -> Iterator[Hunk]:
    old = new = 1
    place = 0
    section = ""
    for begin, end in spans:
        first, last = max(begin - _CONTEXT, 0), min(end + _CONTEXT + 1, len(script))
        for row in script[place:first]:
            if row.kind is not LineKind.ADDED and _HEAD.match(row.text):
                section = row.text
            old += row.kind is not LineKind.ADDED
            new += row.kind is not LineKind.DELETED
        starts, above = (old, new), section
        lines = []
        for row in script[first:last]:
            kept = row.kind is not LineKind.ADDED, row.kind is not LineKind.DELETED
            lines.append(Line(row.kind, old if kept[0] else None, new if kept[1] else None, row.text))
            if kept[0] and _HEAD.match(row.text):
                section = row.text
            old, new = old + kept[0], new + kept[1]
        sides = (starts[0] - (starts[0] == old), starts[1] - (starts[1] == new))
        yield Hunk(*sides, _shown(above), tuple(lines))
        place = last


def _shown(section: str) -> str:
    return section.encode("utf-8", "surrogateescape")[:_SECTION].decode("utf-8", "surrogateescape").rstrip()
