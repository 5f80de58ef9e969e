"""Reading principles: TOML in, checked values out, one clear error for everything else.

A principle file holds `id`, `category`, `severity`, `sentence`, optionally `risk`, and one or more `[[detect]]`
tables; the principle fires where any of them does. Within a table everything must hold:

    paths, languages, status, kind   the file: globs (any depth; "@name" is a set of paths.toml), languages,
                                     FileStatus values, and "binary" (no lines to read), "nul-bytes", "symlink",
                                     "submodule", "made-executable", "unread", "unparsed" (no syntax tree)
    code | text                      a pattern over the changed rows of `side` ("added" or "deleted")
    path                             a pattern over the file's paths, as they stand and with `_`, `-`, `+` and `.`
                                     for blanks
    message                          a pattern over title and body
    query                            tree-sitter queries by language; @here marks the place, @trivial a body
                                     that must hold nothing but comments, strings and no-ops
    edits                            {what, at_least}: nodes of a kind of EditCounts on changed rows of a hunk
    words                            identifiers of which a row needs one for the pattern to match at all;
                                     compared by sub-words (`innerHTML` is `inner` and `html`), case ignored
    contains                         pieces of text of which the changed rows need one; where sub-words are too coarse
    also                             patterns {side, code | text} that must match in the same hunk
    at_least                         how many rows of the hunk must match
    entropy                          least Shannon entropy, bits a character, of the group `secret`
    longer_than, non_ascii           characters that a row must exceed; whether it must hold other than ASCII
    becomes                          {code | text, grows, shrinks}: what replaces the row in the same run of changes
    lost                             deleted rows that are neither put back in their hunk nor replaced in the same run
                                     of changes by a row of the same pattern; a move to another hunk is a loss
    unless, without                  patterns over code that must match neither the row, nor the hunk's new side
    measures                         of the context: {la = {at_least}} (ld, nf, nd, ns), {exp = {at_most}} (rexp)

Patterns are Python's, within a subset that stays fast on hostile rows: `*` and `+` repeat at most 30 times, no
back-references, no nested repetitions. `code` is read in canonical spacing, with blanks between two words only;
blanks elsewhere in such a pattern are optional. `^` and `$` are the ends of a row; a row is read up to 4096
characters, and `unreadable-row` reports longer ones.

`unless`, `without` and what `lost` sets off look at parsed code alone, never at comments, strings, paths or
messages: nobody talks a finding away.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oversight.changes.languages import LANGUAGES
from oversight.changes.model import FileStatus
from oversight.changes.syntax import CATEGORIES
from oversight.errors import ConfigError
from oversight.reviewers.model import Severity
from oversight.reviewers.principles.model import (
    RISK_BY_SEVERITY,
    Becomes,
    Bounds,
    Detector,
    Edits,
    Field,
    Pattern,
    Principle,
    Side,
)
from oversight.reviewers.principles.regexes import UnsafeRegexError, bounded
from oversight.reviewers.principles.words import subwords

FILE_SIZE = 64 * 1024
"""Largest principle file, in bytes."""

KINDS = frozenset({"binary", "nul-bytes", "symlink", "submodule", "made-executable", "unread", "unparsed"})
GROWING = frozenset({"la", "ld", "nf", "nd", "ns"})
"""Measures that padding can only raise, so that they may have a lower bound and no upper one."""
EXPERIENCE = frozenset({"exp", "rexp"})
"""Measures of the author that nothing in the change can raise, so that they may have an upper bound."""
_PRINCIPLE_KEYS = frozenset({"id", "category", "severity", "sentence", "risk", "detect"})
_DETECT_KEYS = frozenset(
    {
        "paths", "path", "languages", "status", "kind",
        "code", "text", "side", "message", "query", "edits",
        "words", "contains", "longer_than", "non_ascii", "entropy", "at_least", "measures",
        "unless", "also", "without", "becomes", "lost",
    }
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_MEND = "see the principle reference, docs/PRINCIPLES.md, for what a principle file holds"

Table = dict[str, Any]


class _Reader:
    """Checks one file; `source` is what messages call it."""

    def __init__(self, source: str, path_sets: Mapping[str, tuple[str, ...]], *, trusted: bool) -> None:
        self.source = source
        self.trusted = trusted
        self.path_sets = path_sets

    def fail(self, what: str) -> ConfigError:
        return ConfigError(f"the principle file {self.source!r} is not valid: {what}", mend=_MEND)

    def principle(self, table: Table) -> Principle:
        self._known(table, _PRINCIPLE_KEYS, "the file")
        name, category = self._text(table, "id", 64), self._text(table, "category", 64)
        if not (_NAME.fullmatch(name) and _NAME.fullmatch(category)):
            raise self.fail("id and category are lower-case words joined by hyphens")
        try:
            severity = Severity(self._text(table, "severity", 16))
        except ValueError:
            raise self.fail(f"severity is one of {', '.join(Severity)}") from None
        risk = self._number(table, "risk", RISK_BY_SEVERITY[severity])
        if risk is not None and not 0.0 <= risk <= 1.0:
            raise self.fail("risk lies between 0 and 1")
        detects = table.get("detect")
        if not isinstance(detects, list) or not 1 <= len(detects) <= 40:
            raise self.fail("it needs 1 to 40 [[detect]] tables")
        sentence = self._text(table, "sentence", 600)
        return Principle(name, category, severity, sentence, risk, tuple(self._detector(item) for item in detects))

    def _detector(self, table: Any) -> Detector:
        if not isinstance(table, dict) or not table:
            raise self.fail("a [[detect]] table is empty")
        self._known(table, _DETECT_KEYS, "[[detect]]")
        side = self._side(table)
        found = [key for key in ("code", "text", "message", "query", "edits") if key in table]
        if len(found) > 1:
            raise self.fail(f"{' and '.join(found)} exclude each other in one [[detect]] table")
        detector = Detector(
            paths=self._paths(table),
            path=self._regex(table, "path") if "path" in table else None,
            languages=self._subset(table, "languages", frozenset(LANGUAGES)),
            statuses=self._subset(table, "status", frozenset(FileStatus)),
            kinds=self._subset(table, "kind", KINDS),
            words=self._words(table),
            contains=self._strings(table, "contains"),
            pattern=self._pattern(table, side) if "code" in table or "text" in table else None,
            message=self._regex(table, "message") if "message" in table else None,
            side=side,
            queries=self._queries(table),
            edits=self._edits(table, side),
            unless=self._regex(table, "unless") if "unless" in table else None,
            also=tuple(self._pattern(item, self._side(item)) for item in self._tables(table, "also")),
            without=self._regex(table, "without") if "without" in table else None,
            becomes=self._becomes(table),
            lost=self._flag(table, "lost"),
            entropy=self._number(table, "entropy", None),
            at_least=int(self._number(table, "at_least", 1) or 1),
            longer_than=self._whole(table, "longer_than"),
            non_ascii=self._flag(table, "non_ascii"),
            measures=self._measures(table),
        )
        self._coherent(detector)
        return detector

    def _coherent(self, detector: Detector) -> None:
        pattern = detector.pattern
        if (detector.unless or detector.without or detector.becomes or detector.also) and pattern is None:
            raise self.fail("unless, without, becomes and also go with code or text")
        if detector.lost and (pattern is None or pattern.field is not Field.CODE or pattern.side is not Side.DELETED):
            raise self.fail('lost goes with code and side = "deleted"')
        if detector.becomes and (pattern is None or pattern.side is not Side.DELETED):
            raise self.fail('becomes goes with side = "deleted"')
        if detector.entropy is not None and (pattern is None or "(?P<secret>" not in pattern.regex):
            raise self.fail("entropy measures the group (?P<secret>…)")
        compared = detector.becomes is not None and (detector.becomes.grows or detector.becomes.shrinks)
        if compared and not all("(?P<number>" in (part.regex if part else "") for part in (pattern, detector.becomes)):
            raise self.fail("grows and shrinks compare the groups (?P<number>…) of both patterns")
        file_level = detector.paths or detector.path or detector.statuses or detector.kinds
        measured = detector.longer_than or detector.measures
        if not (pattern or detector.message or detector.queries or detector.edits or file_level or measured):
            raise self.fail("a [[detect]] table without any condition would fire on everything")

    def _known(self, table: Table, keys: frozenset[str], where: str) -> None:
        unknown = sorted(set(table) - keys)
        if unknown:
            raise self.fail(f"{where} has unknown keys: {', '.join(map(repr, unknown))}")

    def _text(self, table: Table, key: str, longest: int) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            raise self.fail(f"{key} is a text of 1 to {longest} characters")
        return " ".join(value.split())

    def _number(self, table: Table, key: str, default: float | None) -> float | None:
        value = table.get(key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self.fail(f"{key} is a number")
        return None if value is None else float(value)

    def _whole(self, table: Table, key: str) -> int | None:
        value = self._number(table, key, None)
        return None if value is None else int(value)

    def _flag(self, table: Table, key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(f"{key} is true or false")
        return value

    def _strings(self, table: Table, key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if (
            not isinstance(value, list)
            or len(value) > 200
            or not all(isinstance(x, str) and 0 < len(x) <= 200 for x in value)
        ):
            raise self.fail(f"{key} is a list of short texts")
        return tuple(value)

    def _subset(self, table: Table, key: str, allowed: frozenset[str]) -> frozenset[str]:
        values = frozenset(self._strings(table, key))
        if values - allowed:
            raise self.fail(f"{key} knows {', '.join(sorted(allowed))}")
        return values

    def _paths(self, table: Table) -> tuple[str, ...]:
        globs: list[str] = []
        for glob in self._strings(table, "paths"):
            if not glob.startswith("@"):
                globs.append(glob)
            elif glob[1:] in self.path_sets:
                globs.extend(self.path_sets[glob[1:]])
            else:
                raise self.fail(f"there is no set of paths called {glob!r}")
        if any(glob.count("*") > 8 for glob in globs):
            raise self.fail("a glob has more than eight asterisks")
        return tuple(globs)

    def _words(self, table: Table) -> tuple[frozenset[str], ...]:
        words = tuple(subwords(word) for word in self._strings(table, "words"))
        if not all(words):
            raise self.fail("a word of words has no letters")
        return words

    def _side(self, table: Table) -> Side:
        try:
            return Side(table.get("side", "added"))
        except ValueError:
            raise self.fail('side is "added" or "deleted"') from None

    def _regex(self, table: Table, key: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not value:
            raise self.fail(f"{key} is a regular expression")
        if self.trusted:
            return value
        try:
            safe = bounded(value, code=key in ("code", "unless", "without"))
        except UnsafeRegexError as error:
            raise self.fail(f"the pattern of {key} is refused: {error}") from None
        if re.compile(safe).search(""):
            raise self.fail(f"the pattern of {key} matches an empty row")
        return value

    def _field(self, table: Table) -> tuple[Field, str]:
        if ("code" in table) == ("text" in table):
            raise self.fail("a pattern is given as code or as text")
        field = Field.CODE if "code" in table else Field.TEXT
        return field, self._regex(table, field.value)

    def _pattern(self, table: Table, side: Side) -> Pattern:
        return Pattern(side, *self._field(table))

    def _tables(self, table: Table, key: str) -> list[Table]:
        value = table.get(key, [])
        if not isinstance(value, list) or len(value) > 8 or not all(isinstance(item, dict) for item in value):
            raise self.fail(f"{key} is a list of tables")
        for item in value:
            self._known(item, frozenset({"side", "code", "text"}), key)
        return value

    def _table(self, table: Table, key: str) -> Table | None:
        value = table.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.fail(f"{key} is a table")
        return value

    def _queries(self, table: Table) -> dict[str, str]:
        queries = self._table(table, "query") or {}
        for language, query in queries.items():
            if language not in LANGUAGES:
                raise self.fail(f"query knows {', '.join(LANGUAGES)}")
            if not isinstance(query, str) or not 0 < len(query) <= 4000 or "@here" not in query:
                raise self.fail("a query is a text of at most 4000 characters that captures @here")
        return queries

    def _edits(self, table: Table, side: Side) -> Edits | None:
        edits = self._table(table, "edits")
        if edits is None:
            return None
        self._known(edits, frozenset({"what", "at_least"}), "edits")
        if edits.get("what") not in CATEGORIES:
            raise self.fail(f"edits counts {', '.join(CATEGORIES)}")
        return Edits(side, edits["what"], int(self._number(edits, "at_least", 1) or 1))

    def _becomes(self, table: Table) -> Becomes | None:
        becomes = self._table(table, "becomes")
        if becomes is None:
            return None
        self._known(becomes, frozenset({"code", "text", "grows", "shrinks"}), "becomes")
        return Becomes(*self._field(becomes), self._flag(becomes, "grows"), self._flag(becomes, "shrinks"))

    def _measures(self, table: Table) -> tuple[tuple[str, Bounds], ...]:
        measures = self._table(table, "measures") or {}
        found: list[tuple[str, Bounds]] = []
        for name, bounds in measures.items():
            if name not in GROWING | EXPERIENCE:
                raise self.fail(f"measures knows {', '.join(sorted(GROWING | EXPERIENCE))}")
            allowed = "at_least" if name in GROWING else "at_most"
            if not isinstance(bounds, dict) or set(bounds) != {allowed}:
                raise self.fail(f"the measure {name} takes {allowed}")
            found.append((name, Bounds(self._number(bounds, "at_least", None), self._number(bounds, "at_most", None))))
        return tuple(found)


def parse_principle(
    data: bytes, source: str, path_sets: Mapping[str, tuple[str, ...]] | None = None, *, trusted: bool = False
) -> Principle:
    """Read one principle from the bytes of its file; `source` names it in errors. Raises ConfigError.

    The patterns of `trusted` data, the shipped constitution, are checked by its tests, and compiled when first used.
    """
    reader = _Reader(source, path_sets or {}, trusted=trusted)
    if len(data) > FILE_SIZE:
        raise reader.fail(f"it is larger than {FILE_SIZE} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise reader.fail(f"it is not TOML: {error}") from None
    return reader.principle(table)


def parse_path_sets(data: bytes) -> dict[str, tuple[str, ...]]:
    """Read the named sets of globs that principles refer to as "@name"."""
    return {name: tuple(globs) for name, globs in tomllib.loads(data.decode("utf-8")).items()}


def files_below(paths: Iterable[Path]) -> list[Path]:
    """List the principle files that `paths` name: files as they are, directories with every `*.toml` below them.

    Symbolic links are not followed out of a directory. Raises ConfigError where a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(item for item in path.rglob("*.toml") if item.is_file() and not item.is_symlink()))
        elif path.is_file():
            found.append(path)
        else:
            raise ConfigError(
                f"there are no principles at {path.name!r}", mend="name a file or a directory that exists"
            )
    return found
