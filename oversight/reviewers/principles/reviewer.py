"""The weak reviewer that reads a change by the constitution."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from oversight.changes.model import Change
from oversight.changes.syntax import HunkSyntax, analyse
from oversight.history.model import Context
from oversight.reviewers.model import Opinion, Place
from oversight.reviewers.principles.constitution_files import builtin, unique
from oversight.reviewers.principles.matching import Matcher
from oversight.reviewers.principles.model import Detector, Principle, Side
from oversight.reviewers.principles.view import FileView
from oversight.reviewers.principles.words import Vocabulary

MESSAGE_LENGTH = 65_536
"""Characters of title and body that patterns read."""


class _Index:
    """Which detectors a file can set off at all, by the sub-words of its changed rows."""

    def __init__(self, principles: Sequence[Principle]) -> None:
        self.of_change: list[tuple[int, Matcher]] = []
        self.of_file: list[tuple[int, Matcher]] = []
        self.always: dict[Side, list[tuple[int, Matcher]]] = {Side.ADDED: [], Side.DELETED: []}
        self.by_word: dict[Side, dict[str, list[tuple[frozenset[str], int, Matcher]]]]
        self.by_word = {Side.ADDED: defaultdict(list), Side.DELETED: defaultdict(list)}
        self.vocabulary = Vocabulary(
            word
            for principle in principles
            for detector in principle.detectors
            for part in detector.words
            for word in part
        )
        for number, principle in enumerate(principles):
            for detector in principle.detectors:
                self._enter(number, Matcher(detector))

    def _enter(self, number: int, matcher: Matcher) -> None:
        side = matcher.side
        if matcher.of_change:
            self.of_change.append((number, matcher))
        elif side is None:
            self.of_file.append((number, matcher))
        elif not matcher.detector.words:
            self.always[side].append((number, matcher))
        else:
            for words in matcher.detector.words:
                self.by_word[side][max(words, key=len)].append((words, number, matcher))

    def candidates(self, view: FileView) -> list[tuple[int, Matcher]]:
        """Detectors that `view` could set off, none twice."""
        found = {id(matcher): (number, matcher) for number, matcher in self.of_file}
        for side in Side:
            if not view.rows[side]:
                continue
            for number, matcher in self.always[side]:
                if _worth_reading(view, side, matcher.detector):
                    found[id(matcher)] = (number, matcher)
            words, by_word = view.words[side].keys(), self.by_word[side]
            for word in by_word.keys() & words:
                for needed, number, matcher in by_word[word]:
                    if needed <= words:
                        found[id(matcher)] = (number, matcher)
        return list(found.values())


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
        for number, matcher in self._index.of_change:
            if matcher.fires_on_change(message, context):
                fired[number] = []
        analysed = map(analyse, change.files) if syntax is None else syntax
        for hunks, file in zip(analysed, change.files, strict=True):
            view = FileView(file, hunks, self._index.vocabulary)
            for number, matcher in self._index.candidates(view):
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
