r"""Regular expressions that stay fast on hostile rows.

Python's `re` backtracks. A pattern is therefore taken only from a subset in which the number of ways to
match from one start is bounded by the pattern alone, whatever the row holds:

- `*` and `+` mean at most `STAR` repetitions: `bounded` rewrites them, so that `\w*` becomes `\w{0,30}`;
- the ways multiply along a sequence and add up over alternatives; a repeated group counts its own ways to the
  power of its repetitions. More than `WAYS` in all is refused, which takes out `(a*)*`, `(a|b)+` and their kin;
- no back-references and no conditionals.

Rows are cut to a fixed length before they are matched, so the whole cost is linear in the size of a change.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import dataclass, field

STAR = 30
"""What `*` and `+` may repeat at most."""

WAYS = 900_000
"""How many ways to match from one start a pattern may have, by a pessimistic count."""

LENGTH = 1_500
"""Longest pattern, in characters."""

_REPEAT = re.compile(r"\{(\d{0,4})(,?)(\d{0,4})\}")
_WORD = re.compile(r"\w")
_OPENING = re.compile(r"\((?:\?(?::|i:|P<[A-Za-z_]\w{0,30}>|=|!|<=|<!|[aimsx]{1,5}\)))?")


class UnsafeRegexError(ValueError):
    """The pattern is malformed or outside the subset; the message says where."""


@dataclass(slots=True)
class _Level:
    """A group being read: its finished branches, and the ways, first letter and last atom of the current one."""

    branches: list[tuple[str | None, int]] = field(default_factory=list)
    ways: int = 1
    first: str | None = None
    empty: bool = True
    leading: bool = False
    behind: bool = False
    atom: int | None = None

    def begin_atom(self, letter: str | None, ways: int) -> None:
        self.close_atom()
        self.leading, self.empty = self.empty, False
        if self.leading:
            self.first = letter
        self.atom = ways

    def close_atom(self) -> None:
        if self.atom is not None:
            self.ways = min(self.ways * self.atom, WAYS + 1)
            self.atom = None

    def close_branch(self) -> None:
        self.close_atom()
        self.branches.append((self.first, self.ways))
        self.ways, self.first, self.empty = 1, None, True

    def total(self) -> int:
        """Ways of all branches: only those that begin with the same letter can match at the same place."""
        self.close_branch()
        anywhere = sum(ways for first, ways in self.branches if first is None)
        letters = Counter[str]()
        for first, ways in self.branches:
            if first is not None:
                letters[first.lower()] += ways
        return min(max(letters.values(), default=0) + anywhere, WAYS + 1)


class _Scanner:
    """One pass over a pattern: writes the bounded pattern, and counts the ways as it goes."""

    def __init__(self, pattern: str, *, code: bool) -> None:
        self.pattern = pattern
        self.code = code
        self.position = 0
        self.written: list[str] = []
        self.levels = [_Level()]

    def run(self) -> str:
        while self.position < len(self.pattern):
            self._step(self.pattern[self.position])
        if len(self.levels) != 1:
            raise UnsafeRegexError("a group is never closed")
        if self.levels[0].total() > WAYS:
            raise UnsafeRegexError("it can match one place in too many ways; repeat less, or nest no repetitions")
        return "".join(self.written)

    def _step(self, character: str) -> None:
        level = self.levels[-1]
        if character == "\\":
            self._escape()
        elif character == "[":
            self._take(self._class_end() - self.position)
        elif character == "(":
            self._open()
        elif character == ")":
            self._close()
        elif character == "|":
            level.close_branch()
            self._copy(1)
        elif character == " " and self.code:
            self._blank()
        elif character in "*+?" or (character == "{" and _REPEAT.match(self.pattern, self.position)):
            self._repeat(character)
        else:
            self._take(1, character if character.isalnum() else None)

    def _copy(self, length: int) -> None:
        self.written.append(self.pattern[self.position : self.position + length])
        self.position += length

    def _take(self, length: int, letter: str | None = None) -> None:
        self.levels[-1].begin_atom(letter, 1)
        self._copy(length)

    def _blank(self) -> None:
        before, after = self.pattern[max(self.position - 2, 0) : self.position], self.pattern[self.position + 1 :]
        between_words = _WORD.fullmatch(before[-1:]) and before[:1] != "\\" and _WORD.match(after)
        self.levels[-1].begin_atom(None, 1)
        self.position += 1
        exact = between_words or self.levels[-1].behind  # what lies behind has one length
        if exact or after[:1] in ("?", "*", "+", "{"):
            self.written.append(" ")
        else:
            self.written.append(" ?")

    def _escape(self) -> None:
        following = self.pattern[self.position + 1 : self.position + 2]
        if not following or following in "123456789gk":
            raise UnsafeRegexError("back-references are not allowed")
        self._take(2)

    def _class_end(self) -> int:
        index = self.position + 1
        if self.pattern[index : index + 1] == "^":
            index += 1
        first = index
        while index < len(self.pattern):
            if self.pattern[index] == "\\":
                index += 2
                continue
            if self.pattern[index] == "]" and index > first:
                return index + 1
            index += 1
        raise UnsafeRegexError("a character class is never closed")

    def _open(self) -> None:
        opening = _OPENING.match(self.pattern, self.position)
        if opening is None or (opening.group() == "(" and self.pattern[self.position + 1 : self.position + 2] == "?"):
            raise UnsafeRegexError("only (…), (?:…), (?P<name>…), look-arounds and leading flags are allowed")
        flags = opening.group().endswith(")")
        self._copy(len(opening.group()))
        if not flags:
            self.levels.append(_Level(behind=opening.group().startswith("(?<")))

    def _close(self) -> None:
        if len(self.levels) == 1:
            raise UnsafeRegexError("a group is closed that was never opened")
        ways = self.levels.pop().total()
        self.levels[-1].begin_atom(None, ways)
        self._copy(1)

    def _repeat(self, character: str) -> None:
        level = self.levels[-1]
        if level.atom is None:
            raise UnsafeRegexError("a repetition of nothing, or of a repetition")
        low, high, length = self._bounds(character)
        self.written.append("?" if (low, high) == (0, 1) else f"{{{low},{high}}}")
        self.position += length
        if self.pattern[self.position : self.position + 1] == "?":
            self._copy(1)
        ways = min(level.atom, WAYS + 1) ** min(high, 20) * (high - low + 1)
        level.atom = None
        if low == 0 and level.leading:
            level.first = None
        level.ways = min(level.ways * ways, WAYS + 1)

    def _bounds(self, character: str) -> tuple[int, int, int]:
        if character == "?":
            return 0, 1, 1
        if character in "*+":
            return int(character == "+"), STAR, 1
        found = _REPEAT.match(self.pattern, self.position)
        if found is None or not (found[1] or found[3]):
            raise UnsafeRegexError("a repetition without bounds")
        low = int(found[1] or 0)
        if not found[2]:
            return low, low, len(found.group())
        high = int(found[3]) if found[3] else max(STAR, low)
        if high < low:
            raise UnsafeRegexError("a repetition whose upper bound is below its lower one")
        return low, high, len(found.group())


def bounded(pattern: str, *, code: bool = False) -> str:
    r"""Return `pattern` with `*` and `+` bounded; raise UnsafeRegexError where it is not in the safe subset.

    With `code` it is made for rows in canonical spacing: a blank that is not between two words is optional.

    >>> bounded(r"exec\s*\(")
    'exec\\s{0,30}\\('
    """
    if len(pattern) > LENGTH:
        raise UnsafeRegexError(f"it is longer than {LENGTH} characters")
    safe = _Scanner(pattern, code=code).run()
    try:
        with warnings.catch_warnings():
            # `[[a]` and the like: Python warns that a later version may read it otherwise.
            warnings.simplefilter("error", FutureWarning)
            re.compile(safe)
    except (re.error, OverflowError, FutureWarning) as error:
        raise UnsafeRegexError(str(error)) from error
    return safe


def compile_bounded(pattern: str, *, code: bool) -> re.Pattern[str]:
    """Compile a pattern of the safe subset; `^` and `$` are the ends of a row."""
    return re.compile(bounded(pattern, code=code), re.MULTILINE)
