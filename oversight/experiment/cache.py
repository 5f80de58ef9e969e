"""What was read of a change, kept by its content: an interrupted run goes on where it stopped, a second one is quick.

One SQLite file outside the repository, with safetensors in it. Keys hold everything the content depends on: the
commit, the schema of tokens and facts, and the constitution. A damaged cache is thrown away, never trusted,
never fatal.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from oversight.experiment.reading import Reading
from oversight.features.example import SCHEMA
from oversight.features.model import Example
from oversight.reviewers.model import Opinion, Severity

_AT_ONCE = 500  # SQLite takes at most 999 variables a statement in old builds


class ReadingCache:
    """Readings by sha, for one state of the code (`edition`). Use as a context manager."""

    def __init__(self, path: Path, edition: str) -> None:
        self._edition = edition
        self._connection = _connect(path)

    def __enter__(self) -> ReadingCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, measures: Mapping[str, NDArray[np.float32]]) -> Iterator[Reading]:
        """Yield the readings there are of the commits in `measures`; what cannot be decoded counts as absent."""
        shas = list(measures)
        for start in range(0, len(shas), _AT_ONCE):
            part = shas[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT sha, content FROM readings WHERE edition = ? AND sha IN ({marks})"  # noqa: S608  # marks only
            for sha, content in self._connection.execute(query, (self._edition, *part)):
                with contextlib.suppress(SafetensorError, zlib.error, KeyError, ValueError, TypeError):
                    yield _decode(sha, content, measures[sha])

    def put(self, readings: Iterable[Reading]) -> None:
        """Keep readings, all or none of them; where the disk is full, none."""
        rows = [(self._edition, reading.example.change_id, _encode(reading)) for reading in readings]
        with contextlib.suppress(sqlite3.OperationalError), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?)", rows)


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file; anew where it is damaged, in memory where there can be none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _open(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # "not a database", "malformed": and nothing else, a locked file is a good one
            path.unlink()
            return _open(path)
    except (OSError, sqlite3.OperationalError):
        return _open(Path(":memory:"))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS readings"
        " (edition TEXT, sha TEXT, content BLOB, PRIMARY KEY (edition, sha)) WITHOUT ROWID"
    )
    return connection


def _encode(reading: Reading) -> bytes:
    example = reading.example
    arrays: dict[str, NDArray[Any]] = {
        "tokens": example.tokens.astype(np.uint16),  # there are 2**16 buckets
        "offsets": example.offsets,
        "facts": example.facts,
        "places": example.places,
    }
    said = [[one.reviewer, one.principle, one.risk, one.severity] for one in reading.opinions]
    return zlib.compress(save_arrays(arrays, metadata={"opinions": json.dumps(said)}), level=1)


def _decode(sha: str, content: bytes, measures: NDArray[np.float32]) -> Reading:
    raw = zlib.decompress(content)
    arrays = load_arrays(raw)
    length = int.from_bytes(raw[:8], "little")  # safetensors: a JSON header of this length, then the arrays
    said = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["opinions"])
    opinions = tuple(
        Opinion(reviewer, risk, "", principle=principle, severity=severity and Severity(severity))
        for reviewer, principle, risk, severity in said
    )
    tokens = arrays["tokens"].astype(np.uint32)
    example = Example(sha, SCHEMA, measures, tokens, arrays["offsets"], arrays["facts"], arrays["places"])
    return Reading(example, opinions)
