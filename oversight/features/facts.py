"""Edit facts of a hunk: what was done to it, counted, as a row of numbers.

Facts are counts and flags of the hunk and of the file it stands in, never of its neighbours, so that nothing
added elsewhere moves them. The directory of a path is left out on purpose: a hunk does not become safer by
standing in a folder that looks vendored. That a file is a test is kept: it is what reviewers ask first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from oversight.changes.model import FileChange, FileStatus, Hunk, LineKind

if TYPE_CHECKING:
    from oversight.changes.syntax import HunkSyntax

_COUNTS = (
    "calls", "conditions", "loops", "handlers", "raises", "returns", "assertions",
    "definitions", "imports", "assignments", "literals", "comments",
)  # fmt: skip
_counts = attrgetter(*_COUNTS)

FACTS: tuple[str, ...] = (
    "lines_added",
    "lines_deleted",
    "lines_context",
    *(f"{name}_added" for name in _COUNTS),
    *(f"{name}_deleted" for name in _COUNTS),
    "comment_only",
    "formatting_only",
    "parsed",
    "test_file",
    "file_added",
    "file_deleted",
)
"""Names of the facts, in the order of the columns of `Example.facts`. Counts are raw; flags are 0 or 1."""

_TEST = re.compile(
    r"(^|[/_.-])(tests?|testing|testdata|specs?|fixtures?|__tests__|__snapshots__)([/_.-]|$)", re.IGNORECASE
)


@lru_cache(maxsize=65_536)
def is_test(path: str) -> bool:
    """Whether `path` looks like a test or test data, by its name.

    >>> is_test("src/app.test.ts"), is_test("tests/data.json"), is_test("src/attestation.py")
    (True, True, False)
    """
    return _TEST.search(path) is not None


@lru_cache(maxsize=65_536)
def tags_of(path: str, language: str | None) -> tuple[str, ...]:
    """Return what is said about a file as tokens: its language and suffix (its name where it has none)."""
    name = PurePosixPath(path)
    return (f"language:{language}", f"suffix:{name.suffix.lower() or name.name}")


def facts_of(file: FileChange, hunk: Hunk, syntax: HunkSyntax) -> list[float]:
    """Return the row of facts of `hunk`, in the order of `FACTS`."""
    kinds = [line.kind for line in hunk.lines]
    added = kinds.count(LineKind.ADDED)
    deleted = kinds.count(LineKind.DELETED)
    return [
        added,
        deleted,
        len(kinds) - added - deleted,
        *_counts(syntax.added),
        *_counts(syntax.deleted),
        syntax.comment_only,
        syntax.formatting_only,
        syntax.language is not None,
        is_test(file.path),
        file.status is FileStatus.ADDED,
        file.status is FileStatus.DELETED,
    ]
