"""A hunk with its syntax: names, counts, and whether it changes anything but comments or white space."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from oversight.changes.model import FileChange, Hunk
from oversight.changes.syntax.enclosing import enclosing_in_fragment, enclosing_in_source
from oversight.changes.syntax.fragment import split
from oversight.changes.syntax.grammar import EditCounts, load
from oversight.changes.syntax.layout import same_tokens
from oversight.changes.syntax.parsing import Allowance, parse

MAX_SOURCE_BYTES = 2 * 1024 * 1024
"""A whole file longer than this is not parsed for the sake of a name."""

_NONE = EditCounts()


class HunkSummary(NamedTuple):
    """What is said of a hunk's syntax to people; the fields are those of `HunkSyntax` by the same names."""

    language: str | None
    enclosing: str | None
    added: EditCounts
    deleted: EditCounts
    comment_only: bool
    formatting_only: bool


class HunkSyntax:
    """What the lines of one hunk are, syntactically. Everything is computed when first asked for.

    `old` is the hunk's context with its deleted lines, `new` with its added lines; None where that side
    has no line at all. All but `enclosing` follows from the hunk's own lines.
    """

    def __init__(self, hunk: Hunk, language: str | None, names: _Names, allowance: Allowance) -> None:
        self.language = language
        self.hunk = hunk
        self.old, self.new = split(hunk, language, allowance)
        self._names = names

    @cached_property
    def enclosing(self) -> str | None:
        """The definition in which the change begins (`Class.method`), None where unknown. For people, not a feature."""
        exact = self._names.around(self.hunk)
        if exact is not None:
            return exact
        side = self.new if self.new is not None and any(self.new.changed) else self.old
        side = side or self.new
        return None if side is None else enclosing_in_fragment(side, self.hunk.section)

    @property
    def added(self) -> EditCounts:
        """What starts on the added lines."""
        return self.new.counts if self.new is not None else _NONE

    @property
    def deleted(self) -> EditCounts:
        """What starts on the deleted lines."""
        return self.old.counts if self.old is not None else _NONE

    @cached_property
    def parsed(self) -> bool:
        """Whether every side that changed has a syntax tree, so that no count comes from words alone."""
        return all(side.tree is not None for side in (self.old, self.new) if side is not None and any(side.changed))

    @cached_property
    def comment_only(self) -> bool:
        """Whether all changed lines are certainly blank, comments or docstrings; False when in doubt."""
        sides = [side for side in (self.old, self.new) if side is not None and any(side.changed)]
        return bool(sides) and all(
            side.inert.is_comment(row) for side in sides for row, changed in enumerate(side.changed) if changed
        )

    @cached_property
    def formatting_only(self) -> bool:
        """Whether both sides are certainly the same but for white space that means nothing; False when in doubt."""
        return self.old is not None and self.new is not None and same_tokens(self.old, self.new)

    def settle(self, *, named: bool) -> None:
        """Work out what features and reports ask for, `enclosing` where it is to be `named`, and release the trees.

        A tree that is asked for later is made again.
        """
        _ = self.parsed, self.comment_only, self.formatting_only, named and self.enclosing
        for side in (self.old, self.new):
            if side is not None:
                if any(side.changed):
                    _ = side.code, side.counts
                side.release()

    def summary(self, *, named: bool) -> HunkSummary:
        """Return what a report needs, which holds no text of the change; `enclosing` only where it is to be `named`."""
        return HunkSummary(
            self.language,
            self.enclosing if named else None,
            self.added,
            self.deleted,
            self.comment_only,
            self.formatting_only,
        )


class _Names:
    """Names from the tree of the whole new file, parsed once for all hunks of a file, when first asked for."""

    def __init__(self, file: FileChange, source: bytes | None, allowance: Allowance) -> None:
        self._file = file
        self._source = source
        self._allowance = allowance

    @cached_property
    def _by_hunk(self) -> dict[int, str | None]:
        source, language = self._source, self._file.language
        if source is None or language is None or len(source) > MAX_SOURCE_BYTES:
            return {}
        loaded = load(language, source)
        tree = parse(loaded, source, self._allowance)
        if tree is None:
            return {}
        hunks = self._file.hunks
        names = enclosing_in_source(loaded, tree.root_node, source, [hunk.span[0] for hunk in hunks])
        return dict(zip([hunk.new_start for hunk in hunks], names, strict=True))

    def around(self, hunk: Hunk) -> str | None:
        return self._by_hunk.get(hunk.new_start)


def analyse(
    file: FileChange, source: bytes | None = None, *, allowance: Allowance | None = None
) -> tuple[HunkSyntax, ...]:
    """Return the syntax of each hunk of `file`, in order.

    `source` is the new file in full; it makes `HunkSyntax.enclosing` exact and changes nothing else. `allowance`
    is what the files of a change share; a file that comes without one has one of its own.
    """
    allowance = Allowance() if allowance is None else allowance
    names = _Names(file, source, allowance)
    return tuple([HunkSyntax(hunk, file.language, names, allowance) for hunk in file.hunks])
