"""A diff as rows of a page, cut into parts that a browser can take.

Nothing is left out: what does not fit on a page is on the next one, and a line that is too long for a row goes on in
the next row. Text becomes markup here and nowhere else, character by character escaped (`code`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from oversight.audit.budget.entry import Said
from oversight.audit.looking.placing import Placed, PlacedFile, PlacedHunk
from oversight.changes.model import Line, LineKind
from oversight.reports.escape import runs
from oversight.reports.words import known
from oversight_server.pages.reading.colours import KINDS, Coloured, Span

ROWS = 1_500
"""Rows of a part."""

_CHARACTERS = 400_000  # of a part
_LONGEST = 4_000  # characters of a row
_STEPS = 5  # of shades


@dataclass(frozen=True, slots=True)
class Row:
    """A line, or a piece of one; findings are those at this line."""

    kind: LineKind
    old: int | None
    new: int | None
    code: Markup
    findings: tuple[Said, ...] = ()
    continued: bool = False
    no_newline: bool = False


@dataclass(frozen=True, slots=True)
class ShownHunk:
    """What of a hunk is in a part. `rank`: its place among the hunks that have a risk, the riskiest being 1.

    `findings` are those that have no row of their own. `continued`: it began in an earlier part.
    """

    placed: PlacedHunk
    rank: int | None
    shade: int | None
    continued: bool
    findings: tuple[Said, ...]
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownFile:
    """What of a file is in a part."""

    placed: PlacedFile
    continued: bool
    hunks: list[ShownHunk] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a diff, `number` of `parts`.

    `starts` says in which part each hunk begins, `ranked` how many of all have a risk.
    """

    number: int
    parts: int
    files: list[ShownFile]
    starts: Mapping[int, int]
    ranked: int


def part_of(placed: Placed, colours: Coloured, wanted: int) -> Part:
    """Return one part of a diff; the last one where there are fewer than `wanted`."""
    ranks = _ranks(placed)
    highest = max((one.risk for file in placed.files for one in file.hunks if known(one.risk)), default=0.0)
    parts, starts = _measured(placed)
    wanted = min(max(wanted, 1), parts)
    cutter, files = _Cutter(), list[ShownFile]()
    for place, file in enumerate(placed.files):
        began = cutter.take(2, 0)
        shown = ShownFile(file, continued=began != wanted)
        of_file = colours[place] if place < len(colours) else ()
        for index, hunk in enumerate(file.hunks):
            spans = of_file[index] if index < len(of_file) else ()
            _fill(shown, hunk, spans, cutter, wanted, (ranks.get(hunk.number), _shade(hunk.risk, highest)))
        if shown.hunks or began == wanted:
            files.append(shown)
    return Part(wanted, parts, files, starts, len(ranks))


def code(text: str, spans: Sequence[Span] = ()) -> Markup:
    r"""Return a line of code as markup: every character escaped, what cannot be seen made visible, and marked as such.

    >>> print(code("if a<b:\u202e", (Span(0, 2, 0),)))
    <span class="t-key">if</span> a&lt;b:<span class="odd">\u202e</span>
    """
    pieces, at = [], 0
    for start, end, kind in spans:
        if not at <= start < end <= len(text) or not 0 <= kind < len(KINDS):
            continue  # what a child says of colours is believed no further than that
        pieces += [_plain(text[at:start]), f'<span class="t-{KINDS[kind]}">{_plain(text[start:end])}</span>']
        at = end
    return Markup("".join([*pieces, _plain(text[at:])]))  # noqa: S704  # `_plain` escapes


def _plain(text: str) -> str:
    """Return text as markup. Tabs stay, since a style sheet says how wide they are."""
    if text.isascii() and (text.isprintable() or text.replace("\t", "").isprintable()):
        return str(escape(text))
    parts = []
    for number, piece in enumerate(text.split("\t")):
        parts += ["\t"] * bool(number)
        parts += [f'<span class="odd">{escape(one)}</span>' if odd else str(escape(one)) for one, odd in runs(piece)]
    return "".join(parts)


class _Cutter:
    """Says in which part the next rows are."""

    def __init__(self) -> None:
        self.part = 1
        self._rows, self._characters = 0, 0

    def take(self, rows: int, characters: int) -> int:
        if self._rows and (self._rows + rows > ROWS or self._characters + characters > _CHARACTERS):
            self.part += 1
            self._rows = self._characters = 0
        self._rows += rows
        self._characters += characters
        return self.part


def _measured(placed: Placed) -> tuple[int, dict[int, int]]:
    """Return how many parts there are, and in which each hunk begins."""
    cutter, starts = _Cutter(), dict[int, int]()
    for file in placed.files:
        cutter.take(2, 0)
        for hunk in file.hunks:
            for line in hunk.hunk.lines:
                for piece in _pieces(line.text):
                    starts.setdefault(hunk.number, cutter.take(1, len(piece)))
            starts.setdefault(hunk.number, cutter.part)
    return cutter.part, starts


def _fill(
    shown: ShownFile, hunk: PlacedHunk, spans: Sequence[Sequence[Span]], cutter: _Cutter, wanted: int,
    about: tuple[int | None, int | None],
) -> None:  # fmt: skip
    """Add what of a hunk is in the wanted part."""
    first = True
    here: ShownHunk | None = None
    lines = {line.new_number for line in hunk.hunk.lines if line.new_number is not None}
    loose = tuple(one for one in hunk.findings if one.start not in lines)
    for place, line in enumerate(hunk.hunk.lines):
        for number, piece in enumerate(_pieces(line.text)):
            if cutter.take(1, len(piece)) == wanted:
                if here is None:
                    here = ShownHunk(hunk, *about, continued=not first, findings=loose)
                    shown.hunks.append(here)
                whole = len(piece) == len(line.text)
                of_line = spans[place] if whole and place < len(spans) else ()
                here.rows.append(_row(line, piece, of_line, hunk.findings, continued=number > 0))
            first = False


def _row(line: Line, piece: str, spans: Sequence[Span], findings: Sequence[Said], *, continued: bool) -> Row:
    at = () if continued else tuple(one for one in findings if one.start == line.new_number is not None)
    old, new = (None, None) if continued else (line.old_number, line.new_number)
    return Row(line.kind, old, new, code(piece, spans), at, continued, line.no_newline)


def _pieces(text: str) -> Iterator[str]:
    if len(text) <= _LONGEST:
        yield text
        return
    for start in range(0, len(text), _LONGEST):
        yield text[start : start + _LONGEST]


def _ranks(placed: Placed) -> dict[int, int]:
    """Return the place of each hunk that has a risk, the riskiest being 1, by its number."""
    risks = [(one.number, one.risk) for file in placed.files for one in file.hunks if known(one.risk)]
    return {number: place for place, (number, _) in enumerate(sorted(risks, key=lambda one: -one[1]), 1)}


def _shade(risk: float | None, highest: float) -> int | None:
    """Return how dark a hunk is, from 1, measured by the riskiest of the change; None where nothing is known of it."""
    if not known(risk):
        return None
    return max(1, round(_STEPS * risk / highest)) if highest > 0 else 1
