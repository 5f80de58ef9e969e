"""Does a detector fire on a file, and where."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oversight.changes.model import FileStatus
from oversight.history.model import Context
from oversight.reviewers.model import Place
from oversight.reviewers.principles.globs import compile_globs
from oversight.reviewers.principles.model import Becomes, Bounds, Detector, Field, Pattern, Side
from oversight.reviewers.principles.queries import query_places
from oversight.reviewers.principles.regexes import compile_bounded
from oversight.reviewers.principles.sure import sure_code
from oversight.reviewers.principles.view import FileView, Row, squeeze

_JOINED = re.compile(r"[_.+-]")  # what stands for blanks in paths
_OLD_AND_NEW = {Side.ADDED: "new", Side.DELETED: "old"}


class Regex:
    """A pattern of the safe subset, compiled when first used: most principles never see a row they could match."""

    __slots__ = ("_compiled", "code", "pattern")

    def __init__(self, pattern: str, field: Field) -> None:
        self.pattern = pattern
        self.code = field is Field.CODE
        self._compiled: re.Pattern[str] | None = None

    @property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern."""
        if self._compiled is None:
            self._compiled = compile_bounded(self.pattern, code=self.code)
        return self._compiled

    def search(self, text: str) -> re.Match[str] | None:
        """Search in one row."""
        return self.compiled.search(text)


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of a side (by its index) and what matched in it."""

    index: int
    match: re.Match[str]


class _Spot(NamedTuple):
    """Where in a file a row stands, for telling whether another row can speak for it."""

    hunk: int
    stretch: int | None
    run: int


class Matcher:
    """One detector, made ready to run."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.regex = Regex(detector.pattern.regex, detector.pattern.field) if detector.pattern else None
        self.message = Regex(detector.message, Field.TEXT) if detector.message else None
        self.unless = Regex(detector.unless, Field.CODE) if detector.unless else None
        self.without = Regex(detector.without, Field.CODE) if detector.without else None
        self.becomes = Regex(detector.becomes.regex, detector.becomes.field) if detector.becomes else None
        self._paths = compile_globs(detector.paths) if detector.paths else None
        self.path = Regex(detector.path, Field.TEXT) if detector.path else None
        self.also = tuple((pattern, Regex(pattern.regex, pattern.field)) for pattern in detector.also)

    @property
    def side(self) -> Side | None:
        """The side whose rows decide; None where the file, the message or the measures do."""
        detector = self.detector
        if detector.pattern is not None:
            return detector.pattern.side
        return detector.side if detector.queries or detector.edits or detector.longer_than else None

    @property
    def of_change(self) -> bool:
        """Whether the change as a whole decides, not any of its files."""
        detector = self.detector
        of_file = detector.paths or detector.path or detector.languages or detector.statuses or detector.kinds
        return detector.message is not None or not (of_file or self.side)

    def fires_on_change(self, message: str, context: Context) -> bool:
        """Whether a detector of the change as a whole fires."""
        if not self._measured(context):
            return False
        return self.message is None or self.message.search(message) is not None

    def concerns(self, language: str | None, status: FileStatus) -> bool:
        """Whether the detector is about files in this language with which this was done."""
        detector = self.detector
        if detector.languages and language not in detector.languages:
            return False
        if detector.queries and language not in detector.queries:
            return False
        return not detector.statuses or status in detector.statuses

    def admits(self, view: FileView) -> bool:
        """Whether the detector is about a file of this kind, given that it `concerns` and `matches` it."""
        kinds = self.detector.kinds
        return not kinds or any(_KINDS[kind](view) for kind in kinds)

    def matches(self, path: str) -> bool:
        """Whether the detector is about files by this path; of a file with two, either counts."""
        if self._paths is not None and self._paths.match(path) is None:
            return False
        return self.path is None or any(self.path.search(squeeze(one)) for one in (path, _JOINED.sub(" ", path)))

    def places(self, view: FileView, context: Context) -> list[Place]:
        """Where the detector fires in a file that it admits; empty where it does not."""
        detector, path = self.detector, view.file.path
        if not self._measured(context):
            return []
        if detector.queries:
            return query_places(view, detector.queries[view.file.language or ""], detector.side)
        if detector.edits is not None:
            return self._edit_places(view)
        if detector.pattern is not None:
            return self._pattern_places(view, detector.pattern)
        if detector.longer_than is None:
            return [Place(path)]
        rows = view.rows[detector.side]
        return to_places(path, detector.side, [rows[index] for index in self._readable(view, detector.side)])

    def _pattern_places(self, view: FileView, pattern: Pattern) -> list[Place]:
        rows = view.rows[pattern.side]
        hits = self._hits(view, pattern)
        if hits and self.detector.lost:
            hits = self._lost(view, hits)
        if hits and (self.also or self.without or self.detector.at_least > 1):
            hits = self._in_hunks(view, rows, hits)
        if hits and self.detector.becomes is not None:
            return self._replaced(view, self.detector.becomes, rows, hits)
        return to_places(view.file.path, pattern.side, [rows[hit.index] for hit in hits])

    def _hits(self, view: FileView, pattern: Pattern) -> list[Hit]:
        if self.regex is None:
            return []
        side, search, rows = pattern.side, self.regex.compiled.search, view.rows[pattern.side]
        hits: list[Hit] = []
        for index in self._readable(view, side):
            found = search(view.text(side, pattern.field, index))
            if found is not None:
                hits.append(Hit(index, found))
        if hits and self.unless is not None:
            hits = [hit for hit in hits if not self._excused(view, side, hit, rows[hit.index])]
        least = self.detector.entropy
        if hits and least is not None:
            hits = [hit for hit in hits if entropy(hit.match["secret"]) >= least]
        return hits

    def _readable(self, view: FileView, side: Side) -> Sequence[int]:
        """The rows that the detector's pattern need read."""
        detector, rows = self.detector, view.rows[side]
        indices = view.holding(side, detector.words)
        if detector.non_ascii:
            indices = [index for index in indices if not rows[index].raw.isascii()]
        if detector.longer_than is not None:
            indices = [index for index in indices if len(rows[index].raw) > detector.longer_than]
        return indices

    def _excused(self, view: FileView, side: Side, hit: Hit, row: Row) -> bool:
        """Whether certain code of the row matches `unless`."""
        if self.unless is None or not view.parsed(side, row):
            return False
        return self.unless.search(sure_code(view.text(side, Field.CODE, hit.index))) is not None

    def _lost(self, view: FileView, hits: list[Hit]) -> list[Hit]:
        """Keep deleted rows that were neither put back word for word in their hunk nor replaced in their run.

        Only certain code speaks for a row (see `sure`). A move to another hunk is reported: nothing in a hunk
        proves that it does not lie in a text that opens out of sight.
        """
        if self.regex is None:
            return hits
        stock = self._certain_rows(view, self.regex)
        deleted = view.rows[Side.DELETED]
        missing: list[tuple[Hit, _Spot]] = []
        for hit in hits:
            row = deleted[hit.index]
            spot = _Spot(row.hunk, view.stretch(row.hunk, row.position), row.run)
            text = view.text(Side.DELETED, Field.TEXT, hit.index)
            if stock[spot, text]:
                stock[spot, text] -= 1
            else:
                missing.append((hit, spot))
        nearby: defaultdict[tuple[int, int | None, str], list[_Spot]] = defaultdict(list)
        for (spot, text), count in stock.items():
            nearby[spot.hunk, spot.stretch, text].extend([spot] * count)
        gone: defaultdict[_Spot, list[Hit]] = defaultdict(list)
        for hit, spot in missing:
            text = view.text(Side.DELETED, Field.TEXT, hit.index)
            if moved := nearby[spot.hunk, spot.stretch, text]:
                stock[moved.pop(), text] -= 1
            else:
                gone[spot].append(hit)
        spare: Counter[_Spot] = Counter()
        for (spot, _), count in stock.items():
            spare[spot] += count
        return [hit for spot, found in gone.items() if len(found) > spare[spot] for hit in found]

    def _certain_rows(self, view: FileView, regex: Regex) -> Counter[tuple[_Spot, str]]:
        """Count added rows that match `regex` with certain code, by where they are and what they say."""
        found: Counter[tuple[_Spot, str]] = Counter()
        rows = view.rows[Side.ADDED]
        for index in self._readable(view, Side.ADDED):
            row, code = rows[index], view.text(Side.ADDED, Field.CODE, index)
            if view.parsed(Side.ADDED, row) and regex.search(code) and regex.search(sure_code(code)):
                stretch = view.stretch(row.hunk, row.position)
                if stretch is not None:
                    found[_Spot(row.hunk, stretch, row.run), view.text(Side.ADDED, Field.TEXT, index)] += 1
        return found

    def _in_hunks(self, view: FileView, rows: Sequence[Row], hits: list[Hit]) -> list[Hit]:
        """Keep hits of hunks where `also` holds, `without` does not, and there are `at_least` of them."""
        by_hunk: defaultdict[int, list[Hit]] = defaultdict(list)
        for hit in hits:
            by_hunk[rows[hit.index].hunk].append(hit)
        kept: list[Hit] = []
        for hunk, found in by_hunk.items():
            if len(found) < self.detector.at_least or not all(self._holds(view, hunk, *also) for also in self.also):
                continue
            answered = self._answered(view, hunk)
            kept.extend(hit for hit in found if view.stretch(hunk, rows[hit.index].position) not in answered)
        return kept

    def _answered(self, view: FileView, hunk: int) -> set[int]:
        """The stretches of a hunk in which certain code of the new side matches `without`."""
        if self.without is None:
            return set()
        search = self.without.search
        stretches = {view.stretch(hunk, position) for position, code in view.new_code(hunk) if search(code)}
        return {stretch for stretch in stretches if stretch is not None}

    @staticmethod
    def _holds(view: FileView, hunk: int, pattern: Pattern, regex: Regex) -> bool:
        rows = view.rows[pattern.side]
        first, last = bisect_left(rows, hunk, key=_hunk_of), bisect_right(rows, hunk, key=_hunk_of)
        return any(regex.search(view.text(pattern.side, pattern.field, index)) for index in range(first, last))

    def _replaced(self, view: FileView, becomes: Becomes, rows: Sequence[Row], hits: list[Hit]) -> list[Place]:
        if self.becomes is None:
            return []
        before: dict[int, tuple[float, float]] = {}
        for hit in hits:
            least, most = before.get(rows[hit.index].run, (math.inf, -math.inf))
            number = _number(hit.match)
            before[rows[hit.index].run] = (min(least, number), max(most, number))
        unchanged = {
            (row.run, view.text(Side.DELETED, Field.TEXT, index)) for index, row in enumerate(rows) if row.run in before
        }
        found: list[Row] = []
        for index, row in enumerate(view.rows[Side.ADDED]):
            if row.run not in before or (row.run, view.text(Side.ADDED, Field.TEXT, index)) in unchanged:
                continue
            match = self.becomes.search(view.text(Side.ADDED, becomes.field, index))
            if match and _compares(becomes, before[row.run], _number(match)):
                found.append(row)
        return to_places(view.file.path, Side.ADDED, found)

    def _edit_places(self, view: FileView) -> list[Place]:
        edits = self.detector.edits
        if edits is None:
            return []
        hunks = set()
        for number, syntax in enumerate(view.syntax):
            counts = syntax.added if edits.side is Side.ADDED else syntax.deleted
            if getattr(counts, edits.what) >= edits.at_least:
                hunks.add(number)
        return to_places(view.file.path, edits.side, [row for row in view.rows[edits.side] if row.hunk in hunks])

    def _measured(self, context: Context) -> bool:
        if not self.detector.measures:
            return True
        from oversight.history.context import MEASURES

        return all(
            _within(float(context.values[MEASURES.index(name)]), bounds) for name, bounds in self.detector.measures
        )


def _within(value: float, bounds: Bounds) -> bool:
    if math.isnan(value):
        return False
    above = bounds.at_least is None or value >= bounds.at_least
    return above and (bounds.at_most is None or value <= bounds.at_most)


_KINDS: dict[str, Callable[[FileView], bool]] = {
    "binary": lambda view: view.file.binary and not view.file.hunks,
    "nul-bytes": lambda view: view.has_nul_bytes,
    "symlink": lambda view: view.file.symlink,
    "submodule": lambda view: view.file.submodule,
    "unread": lambda view: view.file.lost,
    "unparsed": lambda view: view.unparsed,
    "made-executable": lambda view: view.file.new_mode == "100755" and view.file.old_mode != "100755",
}


def _hunk_of(row: Row) -> int:
    return row.hunk


def _number(match: re.Match[str]) -> float:
    """The value of the group `number`; NaN where there is none, which is neither least nor most of anything."""
    try:
        return float((match.groupdict().get("number") or "nan").replace("_", ""))
    except ValueError:
        return math.nan


def _compares(becomes: Becomes, before: tuple[float, float], after: float) -> bool:
    if not (becomes.grows or becomes.shrinks):
        return True
    least, most = before
    return (becomes.grows and after > least) or (becomes.shrinks and after < most)


def entropy(text: str) -> float:
    """Shannon entropy of the characters of `text`, in bits a character.

    >>> entropy("abababab")
    1.0
    """
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values()) if total else 0.0


def to_places(path: str, side: Side, rows: Iterable[Row]) -> list[Place]:
    """Join rows into places, one for each stretch of consecutive lines."""
    places: list[Place] = []
    for number in sorted({row.number for row in rows}):
        last = places[-1] if places else None
        if last is not None and last.end == number - 1:
            places[-1] = Place(path, last.start, number, _OLD_AND_NEW[side])
        else:
            places.append(Place(path, number, number, _OLD_AND_NEW[side]))
    return places
