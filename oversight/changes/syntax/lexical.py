"""Counts for text without a syntax tree: an unknown language, or a fragment too long or too odd to parse.

The words are those that most languages share. It is a fallback: it looks into strings and comments, too,
and takes one pass over the text, because lock files and data make up most of what is counted here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from oversight.changes.syntax.grammar import ASSERTING, EditCounts

_TOKEN = re.compile(r"[A-Za-z_][\w.]*\(?|\d[\w.]*|&&|\|\||(?<![=!<>])=(?!=)")
_ASSERTING = re.compile(ASSERTING)
_COMMENT_MARKERS = ("#", "//", "/*", "*", "--", ";", "%")
_WORDS = {
    "conditions": "if elif elsif elseif unless case when && ||",
    "loops": "for foreach while until loop",
    "handlers": "try except catch rescue finally ensure defer recover",
    "raises": "raise throw panic abort",
    "returns": "return yield",
    "definitions": "def func function fn class struct interface trait enum module namespace",
    "imports": "import include require require_relative use using",
    "assignments": "=",
}
_CATEGORY = {word: category for category, words in _WORDS.items() for word in words.split()}
_NOT_CALLED = frozenset({"switch", "sizeof", "and", "or", "not", "in", "match", *_CATEGORY})


def count_words(rows: Sequence[str]) -> tuple[EditCounts, tuple[str, ...]]:
    """Count in `rows` by words alone; return the counts and the names in front of parentheses, each once."""
    text = "\n".join(rows)
    counts = dict.fromkeys(_WORDS, 0)
    calls = assertions = literals = 0
    called: list[str] = []
    for token, times in Counter(_TOKEN.findall(text)).items():
        word = token.removesuffix("(")
        category = _CATEGORY.get(word)
        if category is not None:
            counts[category] += times
        elif word is not token and word not in _NOT_CALLED:
            calls += times
            called.append(word)
            if _ASSERTING.search(word):
                assertions += times
        elif token[0].isdigit():
            literals += times
    literals += (text.count('"') + text.count("'")) // 2
    comments = sum(row.lstrip().startswith(_COMMENT_MARKERS) for row in rows)
    return (
        EditCounts(calls=calls, assertions=assertions, literals=literals, comments=comments, **counts),
        tuple(called),
    )
