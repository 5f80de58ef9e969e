"""What we need to know of a language, as data, and the tree-sitter objects made from it.

A pattern of a category is either the kind of a node (`"if_statement"`) or a tree-sitter query pattern in
which `@_` marks the node that counts (`'(binary_expression "&&" @_)'`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import import_module
from typing import NamedTuple

from tree_sitter import Language, Parser, Query, QueryCursor


class EditCounts(NamedTuple):
    """How many syntax nodes of each kind start on the changed rows of one side of a hunk.

    A node may be of several kinds: `assertEqual(a, b)` is a call and an assertion, `panic("x")` a call and
    a raise, `require("x")` in JavaScript a call and an import. A call stands where its name ends, so that
    each link of a chain written over several rows counts on its own row.
    """

    calls: int = 0
    conditions: int = 0
    loops: int = 0
    handlers: int = 0
    raises: int = 0
    returns: int = 0
    assertions: int = 0
    definitions: int = 0
    imports: int = 0
    assignments: int = 0
    literals: int = 0
    comments: int = 0


CATEGORIES: tuple[str, ...] = EditCounts._fields
"""The names of the counts, in the order of `EditCounts`."""

ASSERTING = (
    r"^(?:\w+[.:]{1,2})*\w*?(?:(?:^|_|\b)(?:assert|Assert|ASSERT)|Assert|(?:^|[._])(?:EXPECT_|CHECK_|REQUIRE_))"
    r"|^expect\b|\bshould\b|^(?:BUILD_)?(?:BUG|WARN)_ON|^(?:CHECK|REQUIRE|DCHECK|VERIFY)(?:_\w+)?$"
)
"""Names of calls that assert, in every language; a language may add its own in `Grammar.named`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """One language: where its parser comes from, which nodes count as what, what its comments look like.

    `stray` and `suspect` are regular expressions of the hostile rule (see `oversight.changes.syntax.inert`):
    `stray` is what text in front of a comment or string must not contain, `suspect` is what the inside of
    one must not contain, for it to be believed. `prose` proves of a piece of text that it cannot be code.
    """

    name: str
    module: str
    entry: str = "language"
    variants: tuple[tuple[str, str], ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    error_labels: str = ""
    comments: tuple[str, ...] = ("comment",)
    markers: tuple[str, ...] = ("//", "/*")
    strings: tuple[str, ...] = ()
    long_strings: str = ""
    interpolations: tuple[str, ...] = ()
    stray: str
    suspect: str
    prose: str = ""
    docstrings: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()


MAX_DEPTH = 500
"""Nodes deeper in a tree than this are not looked at: tree-sitter's queries take time in nodes times depth."""


def bounded(query: Query) -> QueryCursor:
    """Return a cursor for `query` that stays fast on hostile nesting. Use it for every query on a fragment."""
    cursor = QueryCursor(query)
    cursor.set_max_start_depth(MAX_DEPTH)
    return cursor


def _query(language: Language, captures: Mapping[str, tuple[str, ...]]) -> Query:
    """Return the query that captures, under each name, what the patterns of that name find."""
    return Query(
        language,
        "\n".join(
            (pattern if pattern[0] in "([" else f"({pattern}) @_").replace("@_", f"@{name}")
            for name, patterns in captures.items()
            for pattern in patterns
        ),
    )


class Loaded:
    """A grammar with its compiled parts. Shared by threads, except parsers and cursors, which are per thread."""

    def __init__(self, grammar: Grammar, entry: str) -> None:
        self.grammar = grammar
        self.language = Language(getattr(import_module(grammar.module), entry)())
        self.suspect = re.compile(grammar.suspect.encode())
        self.stray = re.compile(grammar.stray.encode())
        self.prose = re.compile(grammar.prose.encode()) if grammar.prose else None
        self.long_strings = re.compile(grammar.long_strings.encode()) if grammar.long_strings else None
        self.markers = tuple(marker.encode() for marker in grammar.markers)
        self.opening = re.compile(b"|".join([rb"[\"'`]", *map(re.escape, self.markers)]))
        self._named = {category: re.compile(pattern) for category, pattern in grammar.named.items()}
        self._asserting = re.compile(ASSERTING)
        self._error_label = re.compile(grammar.error_labels) if grammar.error_labels else None
        self._local = threading.local()
        self.name_and_kinds = lru_cache(maxsize=16384)(self._name_and_kinds)

    @property
    def _inert(self) -> dict[str, tuple[str, ...]]:
        grammar = self.grammar
        return {
            "comments": grammar.comments,
            "string": grammar.strings,
            "interpolation": grammar.interpolations,
            "docstring": grammar.docstrings,
        }

    @cached_property
    def _reading(self) -> Query:
        return _query(self.language, {**self.grammar.categories, **self._inert})

    @cached_property
    def _lexing(self) -> Query:
        return _query(self.language, self._inert)

    @cached_property
    def _defining(self) -> Query:
        return _query(self.language, {"definitions": self.grammar.categories["definitions"]})

    @property
    def parser(self) -> Parser:
        """This thread's parser."""
        parser: Parser | None = getattr(self._local, "parser", None)
        if parser is None:
            parser = self._local.parser = Parser(self.language)
        return parser

    def cursor(self, purpose: str) -> QueryCursor:
        """This thread's cursor over the query for one of three purposes.

        "reading" is for what is counted and what is inert, "lexing" for the latter alone, "defining" for definitions.
        The cursor keeps the range that was last set on it: set one before every use.
        """
        cursor: QueryCursor | None = getattr(self._local, purpose, None)
        if cursor is None:
            query: Query = getattr(self, f"_{purpose}")
            cursor = bounded(query)
            setattr(self._local, purpose, cursor)
        return cursor

    def _name_and_kinds(self, raw: bytes) -> tuple[str, tuple[str, ...]]:
        """Return the name that is called, and what a call of that name is besides a call."""
        name = raw.decode("utf-8", "replace")
        kinds = [category for category, pattern in self._named.items() if pattern.search(name)]
        if "assertions" not in kinds and self._asserting.search(name):
            kinds.append("assertions")
        return name, tuple(kinds)

    def is_error_label(self, raw: bytes) -> bool:
        """Whether a jump label by this name marks an error path (`err`, `out_free`)."""
        return self._error_label is not None and self._error_label.search(raw.decode("utf-8", "replace")) is not None


_lock = threading.Lock()
_loaded: dict[tuple[str, str], Loaded] = {}
_grammars: dict[str, Grammar] = {}


def grammar_of(language: str) -> Grammar:
    """Return the table of `language` (a value of `FileChange.language`). Nothing is imported before it is asked for."""
    grammar = _grammars.get(language)
    if grammar is None:
        module = import_module(f"{__package__}.languages.{language.replace('-', '_')}")
        grammar = _grammars[language] = module.GRAMMAR
    return grammar


def load(language: str, text: bytes) -> Loaded:
    """Return the compiled grammar of `language`, in the variant that suits `text`."""
    grammar = grammar_of(language)
    entry = grammar.entry
    for pattern, variant in grammar.variants:
        if re.search(pattern.encode(), text):
            entry = variant
            break
    key = (language, entry)
    loaded = _loaded.get(key)
    if loaded is None:
        with _lock:
            loaded = _loaded.setdefault(key, Loaded(grammar, entry))
    return loaded
