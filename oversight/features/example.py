"""Change + Context -> Example: all that a model ever sees of a change.

Token features come from code alone where the language has a grammar: comments and the contents of strings are
blanked first, so that words meant for the reader (or for the model) change nothing. They come from the hunk's
own lines, never from the full file, so that a bare diff, a commit in a bulk run and a commit in training give
the same Example.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oversight.changes.model import Change, FileChange
from oversight.features.facts import FACTS, facts_of, tags_of
from oversight.features.model import Example
from oversight.features.tokens import HASH_BUCKETS, TOKENIZER_VERSION, Mark, hash_hunks
from oversight.history import measures
from oversight.history.context import MEASURES
from oversight.history.model import Context

if TYPE_CHECKING:
    from oversight.changes.syntax import Fragment, HunkSyntax


def schema_of(measures: tuple[str, ...], facts: tuple[str, ...]) -> str:
    """Return the hash of a feature schema: 16 hexadecimal digits over all that gives the arrays their meaning."""
    parts = {"measures": measures, "facts": facts, "tokenizer": TOKENIZER_VERSION, "buckets": HASH_BUCKETS}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


SCHEMA = schema_of(MEASURES, FACTS)
"""Hash of the feature schema. A model that was trained on another one is refused."""

CONTENT_SCHEMA = schema_of((), FACTS)
"""Hash of the part that does not depend on history: tokens and facts."""

HISTORY: NDArray[np.bool_] = np.isin(MEASURES, (*measures.HISTORY, "message_words", "message_ticket"))
"""(M,) True for the measures that a bare diff does not have."""


def featurise(change: Change, context: Context, syntax: tuple[tuple[HunkSyntax, ...], ...] | None = None) -> Example:
    """Turn `change` into arrays.

    `syntax` has one tuple a file and in it one value a hunk, as `oversight.changes.syntax.analyse` gives; it
    is computed here where the caller has not done so. Files without hunks (binary, unread) leave no rows:
    the coverage receipt names them.
    """
    if syntax is None:
        from oversight.changes.syntax import analyse

        syntax = tuple(analyse(file) for file in change.files)
    texts: list[Iterator[tuple[Mark, str]]] = []
    facts: list[list[float]] = []
    places: list[tuple[int, int]] = []
    for file_number, (file, hunks) in enumerate(zip(change.files, syntax, strict=True)):
        for hunk_number, (hunk, found) in enumerate(zip(file.hunks, hunks, strict=True)):
            texts.append(_marked(file, found))
            facts.append(facts_of(file, hunk, found))
            places.append((file_number, hunk_number))
    tokens, offsets = hash_hunks(texts)
    return Example(
        change_id=change.id,
        schema=SCHEMA,
        measures=np.asarray(context.values, dtype=np.float32),
        tokens=tokens,
        offsets=offsets,
        facts=np.array(facts, dtype=np.float32).reshape(len(facts), len(FACTS)),
        places=np.array(places, dtype=np.int32).reshape(len(places), 2),
    )


def _marked(file: FileChange, syntax: HunkSyntax) -> Iterator[tuple[Mark, str]]:
    """Yield the texts of a hunk with their marks; context is the same on both sides and taken once."""
    for tag in tags_of(file.path, file.language):
        yield Mark.TAG, tag
    if syntax.new is not None:
        yield Mark.ADDED, _code(syntax.new, changed=True)
    if syntax.old is not None:
        yield Mark.DELETED, _code(syntax.old, changed=True)
    # The side that is parsed anyway: of a hunk that only deletes, the new one is context alone.
    side = next((side for side in (syntax.new, syntax.old) if side is not None and any(side.changed)), None)
    if side is not None:
        yield Mark.CONTEXT, _code(side, changed=False)


def _code(fragment: Fragment, *, changed: bool) -> str:
    """Return the code of the changed (or of the unchanged) rows, comments and strings blanked."""
    flags = fragment.changed if changed else [not flag for flag in fragment.changed]
    if not any(flags):
        return ""  # asking for the code would parse the fragment
    return "\n".join(compress(fragment.code, flags))
