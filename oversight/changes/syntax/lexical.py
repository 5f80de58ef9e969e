"""Counts for text without a syntax tree: an unknown language, or a fragment too large or too odd to parse.

The words are those that most languages share. It is a fallback: it looks into strings and comments, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from oversight.changes.syntax.grammar import ASSERTING, EditCounts

_NAMES = re.compile(r"([A-Za-z_][\w.:]{0,80})[!?]?\s?\(")
_NOT_CALLED = frozenset(
    {"if", "elif", "for", "while", "switch", "catch", "return", "sizeof", "and", "or", "not", "in", "match"}
)
_ASSERTING = re.compile(ASSERTING)
_WORDS = {
    "conditions": re.compile(r"\b(?:if|elif|elsif|elseif|unless|case|when)\b|&&|\|\|"),
    "loops": re.compile(r"\b(?:for|foreach|while|until|loop)\b"),
    "handlers": re.compile(r"\b(?:try|except|catch|rescue|finally|ensure|defer|recover)\b"),
    "raises": re.compile(r"\b(?:raise|throw|panic|abort)\b"),
    "returns": re.compile(r"\b(?:return|yield)\b"),
    "definitions": re.compile(r"\b(?:def|func|function|fn|class|struct|interface|trait|enum|module|namespace)\s+\w"),
    "imports": re.compile(r"^\s*(?:#\s*include|import|from|use|using|require|require_relative|include)\b"),
    "assignments": re.compile(r"(?<![=!<>:~^|&+*/%-])=(?![=~>])|[-+*/%|&^]=|:=|<-"),
    "literals": re.compile(r"\b\d[\w.]*|\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'"),
    "comments": re.compile(r"^\s*(?:#|//|/\*|\*|--|;|%)"),
}


def count_words(rows: Iterable[str]) -> tuple[EditCounts, tuple[str, ...]]:
    """Count in `rows` by words alone; return the counts and the names in front of parentheses, in order."""
    counts = dict.fromkeys(_WORDS, 0)
    called: list[str] = []
    for row in rows:
        for category, pattern in _WORDS.items():
            counts[category] += sum(1 for _ in pattern.finditer(row))
        called += [name for name in _NAMES.findall(row) if name not in _NOT_CALLED]
    asserting = sum(1 for name in called if _ASSERTING.search(name))
    return EditCounts(calls=len(called), assertions=asserting, **counts), tuple(called)
