"""The weak reviewer that reads a change by the constitution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from oversight.changes.model import Change, FileStatus
from oversight.changes.syntax import HunkSyntax, analyse
from oversight.features.memory import Memory
from oversight.history.model import Context
from oversight.reviewers.model import Opinion, Place
from oversight.reviewers.principles.constitution_files import builtin, unique
from oversight.reviewers.principles.matching import Matcher
from oversight.reviewers.principles.model import Detector, Principle, Side
from oversight.reviewers.principles.view import FileView
from oversight.reviewers.principles.words import Vocabulary

MESSAGE_LENGTH = 65_536
"""Characters of title and body that patterns read."""


class _Entry(NamedTuple):
    """A detector: its place in the constitution's order, the number of its principle, and itself."""

    place: int
    principle: int
    matcher: Matcher


class _Selection:
    """Which detectors a file can set off at all, by the sub-words of its changed rows."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._of_file: list[_Entry] = []
        self._of_path = Memory(self._matching, kept=4096, longest=512)
        self._always: dict[Side, list[_Entry]] = {side: [] for side in Side}
        self._by_word: dict[Side, dict[str, list[tuple[frozenset[str], _Entry]]]]
        self._by_word = {side: defaultdict(list) for side in Side}
        for entry in entries:
            self._enter(entry)

    def _enter(self, entry: _Entry) -> None:
        side = entry.matcher.side
        if side is None:
            self._of_file.append(entry)
        elif not entry.matcher.detector.words:
            self._always[side].append(entry)
        else:
            for words in entry.matcher.detector.words:
                self._by_word[side][max(words, key=len)].append((words, entry))

    def _matching(self, path: str) -> list[_Entry]:
        return [entry for entry in self._of_file if entry.matcher.matches(path)]

    def candidates(self, view: FileView) -> list[_Entry]:
        """Detectors that `view` could set off, none twice, in the constitution's order."""
        paths = {path for path in (view.file.new_path, view.file.old_path) if path is not None} or {""}
        found = {entry for path in paths for entry in self._of_path[path]}
        for side in Side:
            if view.rows[side]:
                found.update([entry for entry in self._of_rows(view, side) if any(map(entry.matcher.matches, paths))])
        return sorted(found)

    def _of_rows(self, view: FileView, side: Side) -> Iterator[_Entry]:
        for entry in self._always[side]:
            if _worth_reading(view, side, entry.matcher.detector):
                yield entry
        words, by_word = view.words[side].all, self._by_word[side]
        for word in by_word.keys() & words:
            for needed, entry in by_word[word]:
                if needed <= words:
                    yield entry


class _Index:
    """The detectors of all principles, by what can set them off."""

    def __init__(self, principles: Sequence[Principle]) -> None:
        detectors = [(number, Matcher(detector)) for number, one in enumerate(principles) for detector in one.detectors]
        entries = [_Entry(place, number, matcher) for place, (number, matcher) in enumerate(detectors)]
        self.of_change = [entry for entry in entries if entry.matcher.of_change]
        self._others = [entry for entry in entries if not entry.matcher.of_change]
        self._selections: dict[tuple[str | None, FileStatus], _Selection] = {}
        self.vocabulary = Vocabulary(
            word for _, matcher in detectors for part in matcher.detector.words for word in part
        )

    def candidates(self, view: FileView) -> list[_Entry]:
        """Detectors that `view` could set off, none twice, in the constitution's order."""
        language, status = view.file.language, view.file.status
        selection = self._selections.get((language, status))
        if selection is None:
            concerned = [entry for entry in self._others if entry.matcher.concerns(language, status)]
            selection = self._selections[language, status] = _Selection(concerned)
        return selection.candidates(view)


def _worth_reading(view: FileView, side: Side, detector: Detector) -> bool:
    """Whether the rows of a side, taken together, can hold what a detector without words looks for."""
    if detector.non_ascii and view.raw[side].isascii():
        return False
    if detector.longer_than is not None and view.longest[side] <= detector.longer_than:
        return False
    return not detector.contains or any(piece in view.raw[side] for piece in detector.contains)


class Principles:
    """Reviews by the shipped constitution and by `extra` principles, which can only add findings.

    Raises ConfigError where an extra principle takes the id of another one.
    """

    name = "principles"

    def __init__(self, extra: Sequence[Principle] = ()) -> None:
        self.principles = (*builtin(), *unique(extra))
        self._index = _Index(self.principles)

    def review(
        self, change: Change, context: Context, syntax: Iterable[Sequence[HunkSyntax]] | None = None
    ) -> tuple[Opinion, ...]:
        """Return one opinion for each principle that fires, in the constitution's order.

        `syntax` gives, for each file of the change, the syntax of its hunks, and is taken up to its end file by
        file; it is worked out where None.
        `Opinion.lines` are all places; it is empty where the change as a whole (its message, its measures)
        fires. `Opinion.reason` is the principle's sentence and never quotes the change.
        """
        fired: defaultdict[int, list[Place]] = defaultdict(list)
        message = f"{change.title}\n{change.body}"[:MESSAGE_LENGTH]
        for _, number, matcher in self._index.of_change:
            if matcher.fires_on_change(message, context):
                fired[number] = []
        analysed = map(analyse, change.files) if syntax is None else syntax
        for hunks, file in zip(analysed, change.files, strict=True):
            view = FileView(file, hunks, self._index.vocabulary)
            for _, number, matcher in self._index.candidates(view):
                if matcher.admits(view) and (places := matcher.places(view, context)):
                    fired[number].extend(places)
        return tuple(self._opinion(self.principles[number], fired[number]) for number in sorted(fired))

    def _opinion(self, principle: Principle, places: list[Place]) -> Opinion:
        return Opinion(
            reviewer=self.name,
            risk=principle.risk,
            reason=principle.sentence,
            lines=tuple(dict.fromkeys(places)),
            principle=principle.id,
            severity=principle.severity,
        )
