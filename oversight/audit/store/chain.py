r"""The chain of what people said: each entry's hash is over the one before it and over its line in the file format.

    hash = sha256(hash of the entry before + "\n" + line)          the first one's is sha256(GENESIS + "\n" + line)

The line is what `oversight.audit.lines` writes, its newline included. So the chain says nothing that an exported file
does not: whoever has the file can compute every hash of it, without a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from typing import Any, TypeAlias

from oversight.audit import lines
from oversight.audit.store.tables import storable
from oversight.audit.verdict import Landing, Verdict

Entry: TypeAlias = Verdict | Landing

GENESIS = "0" * 64
"""What stands for the hash before the first entry."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many entries there are, and the hash of the last, `GENESIS` where there is none.

    Noted elsewhere, it is the anchor without which nobody can tell a chain from one that was cut off or made anew.
    """

    entries: int
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold: the place of the entry in the chain, from 1, and what is wrong there."""

    sequence: int
    reason: str


def following(previous: str, entry: Entry) -> str:
    """Return the hash of an entry that comes after the one with the hash `previous`; `LabelError` as `lines.line`."""
    return hashlib.sha256(f"{previous}\n{lines.line(entry)}".encode("ascii")).hexdigest()


def name_of(entry: Entry) -> str:
    """Return a hash of what no two entries that are `canonical` share (`lines.name_of`)."""
    return hashlib.sha256("\n".join(_flat(lines.name_of(entry))).encode("ascii")).hexdigest()


def canonical(entry: Entry) -> Entry:
    """Return the entry as its line says it, and with text that every database takes; `LabelError` as `lines.line`."""
    if isinstance(entry, Landing):
        entry = replace(entry, repository=storable(entry.repository))
    else:
        repository = None if entry.source.repository is None else storable(entry.source.repository)
        source = replace(entry.source, repository=repository)
        entry = replace(entry, who=storable(entry.who), note=storable(entry.note), source=source)
    return lines.read_line(lines.line(entry), "an entry of the ledger")


def _flat(name: Any) -> Iterator[str]:
    for part in name:
        told = astuple(part) if hasattr(part, "__dataclass_fields__") else part
        yield json.dumps(told, default=str)
