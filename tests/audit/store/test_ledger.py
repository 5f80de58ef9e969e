"""The chain: what can be proved of it, and what only with a head that was noted elsewhere."""

from __future__ import annotations

import hashlib

from oversight.audit import lines
from oversight.audit.store import Store
from oversight.audit.verdict import Landing
from tests.audit.builders import HEAD, OTHER, at, verdict


def test_a_ledger_that_nobody_touched_holds(store: Store):
    """Empty, with one entry, and with more than are read at once."""
    assert store.verify() is None
    assert store.head().entries == 0
    assert store.append([verdict()]) == 1
    assert store.verify() is None
    assert store.append([Landing(HEAD, OTHER, "octo/repo", 7, at(9)), *(verdict(hours=n) for n in range(1, 1200))])
    assert store.verify() is None
    assert store.head().entries == 1201


def test_the_chain_can_be_computed_from_the_file_alone(store: Store):
    """Its hashes are over the lines of the file format: no database is needed to check them."""
    said = [verdict(), Landing(HEAD, OTHER, "octo/repo", 7, at(9)), verdict("safe", hours=1)]
    store.append(said)
    last = "0" * 64
    for line in lines.written(said).splitlines(keepends=True):
        last = hashlib.sha256(f"{last}\n{line}".encode()).hexdigest()
    assert store.head().hash == last
