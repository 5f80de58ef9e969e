"""The chain: what can be proved of it, and what only with a head that was noted elsewhere."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from oversight.audit import lines
from oversight.audit.store import Store, writing
from oversight.audit.store.tables import landings, ledger, verdicts
from oversight.audit.verdict import Landing, Selection, Shown
from oversight.errors import StoreError
from tests.audit.builders import HEAD, OTHER, at, verdict
from tests.postgres import Postgres

COLUMNS = [(table.name, column.name) for table in (ledger, verdicts, landings) for column in table.columns]
SAID = [
    verdict(finding="f" * 32 + ":2"),
    verdict("safe", who="bob", hours=1, shown=Shown(Selection.RANDOM, 0.05, flagged=False, risk=0.25)),
    Landing(HEAD, OTHER, "octo/repo", 7, at(9)),
    verdict("unsure", hours=2, shown=Shown(Selection.RANDOM, 0.05, blind=True)),
]
HASHES = (
    "3c13e6c419d5b5118957b69bfebf6a2295fc7a954fa6c6b6e16ddb5616997d2a",
    "eca1815922f1c5112cd2b072f0a7913ea8a84cdf0bc1a31006cbf83759569e4c",
)
"""Of the first two entries, as they were before verdicts could be blind."""


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
    store.append(SAID)
    last = "0" * 64
    for line in lines.written(SAID).splitlines(keepends=True):
        last = hashlib.sha256(f"{last}\n{line}".encode()).hexdigest()
    assert store.head().hash == last


def test_the_same_entries_make_the_same_chain_on_either_database(tmp_path: Path, postgres: Postgres):
    """A head can be compared between a laptop's file and a server's database."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as one, Store.open(postgres.url) as other:
        one.append(SAID)
        other.append(SAID)
        assert one.head() == other.head()


def test_a_chain_from_before_a_column_came_holds_as_it_was(url: str):
    """What was written then has the same hashes now: a head that was noted is still one of the chain."""
    before = [column.name for column in verdicts.columns if column.name != "blind"]
    with Store.open(url) as store:
        store.append(SAID[:2])
        with writing(store.engine) as connection:
            for later in ("shadow_scores", "canary_reviews", "canary_runs", "seen"):
                connection.execute(text(f"DROP TABLE {later}"))
            for table, column in (("verdicts", "blind"), ("opinions", "weight"), ("changes", "directory")):
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
            connection.execute(text("UPDATE audit_version SET version_num = '0002'"))
            assert sorted(one["name"] for one in inspect(connection).get_columns("verdicts")) == sorted(before)
    with Store.open(url) as store:
        assert store.verify(HASHES[0]) is None
        assert store.head().hash == HASHES[1]
        assert store.record().verdicts == tuple(SAID[:2])


class Tampering:
    """An SQLite store with what was said, `SAID`, and somebody who writes to its file past the program."""

    def __init__(self, store: Store, file: sqlite3.Connection) -> None:
        self.store, self.file = store, file

    def verdict(self, head: str | None = None) -> str:
        """What verification says."""
        broken = self.store.verify(head)
        return "holds" if broken is None else f"{broken.sequence}: {broken.reason}"

    def after(self, *statements: str) -> str:
        """What verification says after these statements."""
        for statement in statements:
            self.file.execute(statement)
        return self.verdict()


@pytest.fixture
def tampering(tmp_path: Path) -> Iterator[Tampering]:
    """Somebody who knows how to switch off the rules of the database."""
    path = tmp_path / "audit.db"
    with Store.open(f"sqlite:///{path}") as store, closing(sqlite3.connect(path, isolation_level=None)) as file:
        store.append(SAID)
        file.execute("PRAGMA foreign_keys=OFF")
        yield Tampering(store, file)


def flips(value: Any) -> Iterator[tuple[Any, str]]:
    """The value with a bit of one byte flipped, and the type it is then stored as; of text also so that it is none."""
    match value:
        case None:
            yield from ((0, "INTEGER"), ("x", "TEXT"))
        case int():
            yield None, "INTEGER"
            yield from ((value ^ 1 << bit, "INTEGER") for bit in (0, 1, 9, 40))
        case float():
            content = struct.pack(">d", value)
            for place in range(8):
                changed = bytes(byte ^ (place == index) for index, byte in enumerate(content))
                yield struct.unpack(">d", changed)[0], "REAL"
        case str():
            content = value.encode()
            for place in {0, len(content) // 2, len(content) - 1}:
                for bit in (1, 32, 128):
                    yield content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :], "TEXT"


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_one_byte_that_was_flipped_is_found(tampering: Tampering, table: str, column: str):
    """In every column of every entry; and the entry is named that holds it, or the place where it should be."""
    tried = 0
    for sequence, value in tampering.file.execute(f'SELECT sequence, "{column}" FROM {table}').fetchall():
        for flipped, kind in flips(value):
            change = f'UPDATE {table} SET "{column}" = CAST(? AS {kind}) WHERE sequence = ?'
            with suppress(sqlite3.IntegrityError):  # another row has that value: it cannot be flipped so
                tampering.file.execute(change, (flipped, sequence))
                found = tampering.verdict()
                assert found.startswith(f"{sequence}: "), (found, value, flipped)
                tried += 1
                key = flipped if column == "sequence" else sequence
                tampering.file.execute(f'UPDATE {table} SET "{column}" = ? WHERE sequence = ?', (value, key))
    assert tried
    assert tampering.verdict() == "holds"


def test_an_entry_that_was_taken_out_is_found(tampering: Tampering):
    """Whether its link has gone with it or not."""
    assert tampering.after("DELETE FROM verdicts WHERE sequence = 2") == "2: it holds what no entry can"
    assert tampering.after("DELETE FROM ledger WHERE sequence = 2") == "2: it is missing"
    closing_up = "UPDATE ledger SET sequence = sequence - 1 WHERE sequence > 2"
    assert tampering.after(closing_up) == "2: it does not follow the one before it"


def test_an_entry_that_was_put_in_is_found(tampering: Tampering):
    """As a verdict beside the chain, at its end with hashes that were made up, and with content of another."""
    stray = "INSERT INTO verdicts SELECT 9, {} FROM verdicts WHERE sequence = 1".format(
        ", ".join(f'"{column.name}"' for column in list(verdicts.c)[1:])
    )
    assert tampering.after(stray) == "9: a verdict stands there that is not in the chain"
    forged = f"INSERT INTO ledger VALUES (5, 'verdict', '{'a' * 64}', '{tampering.store.head().hash}', '{'b' * 64}')"
    moved = "UPDATE verdicts SET sequence = 5 WHERE sequence = 9"
    assert tampering.after(moved, forged) == "5: its content is not what its hash was made of"


def test_entries_that_changed_places_are_found(tampering: Tampering):
    """Whether what was said was exchanged, or the links as well."""
    swap = [
        "UPDATE {0} SET sequence = 99 WHERE sequence = 1",
        "UPDATE {0} SET sequence = 1 WHERE sequence = 2",
        "UPDATE {0} SET sequence = 2 WHERE sequence = 99",
    ]
    content = [statement.format("verdicts") for statement in swap]
    assert tampering.after(*content) == "1: its content is not what its hash was made of"
    links = [statement.format("ledger") for statement in swap]
    assert tampering.after(*links) == "1: it does not follow the one before it"


def cut(tampering: Tampering, last: int) -> None:
    """Take away everything after the entry `last`."""
    for table in ("ledger", "verdicts", "landings"):
        tampering.file.execute(f"DELETE FROM {table} WHERE sequence > ?", (last,))


def test_an_end_that_was_cut_off_is_found_with_a_head_that_was_noted_and_not_without(tampering: Tampering):
    """A shorter chain is a chain: nothing in it tells that it was once longer."""
    head = tampering.store.head().hash
    cut(tampering, 3)
    assert tampering.verdict() == "holds"
    assert tampering.verdict(head).startswith("4: no entry has the hash of the head that was noted")


def test_a_chain_made_anew_is_found_with_a_head_that_was_noted_and_not_without(tampering: Tampering):
    """Who can write to the database can compute hashes as well."""
    head = tampering.store.head().hash
    cut(tampering, 0)
    tampering.store.append(SAID[:1])
    assert tampering.verdict() == "holds"
    assert tampering.verdict(head).startswith("2: no entry has the hash of the head that was noted")


def test_a_head_that_was_noted_stays_one(store: Store):
    """What is added later breaks no promise of before: the head of then is an entry of now."""
    store.append(SAID[:2])
    head = store.head().hash
    store.append(SAID)
    assert store.verify(head) is None
    assert store.verify("0" * 64) is None


def test_a_damaged_ledger_is_neither_read_nor_written(tampering: Tampering):
    """Reading says which entry is damaged, and what would have to be compared with it is not added."""
    tampering.file.execute("UPDATE verdicts SET decided_at = 'yesterday' WHERE sequence = 2")
    with pytest.raises(StoreError, match="entry 2 of the ledger is damaged"):
        tampering.store.record()
    with pytest.raises(StoreError, match="damaged"):
        tampering.store.append(SAID)


def test_one_byte_is_found_in_postgresql_too(postgres: Postgres):
    """Whichever database keeps it, it is the content that is hashed."""
    with Store.open(postgres.url) as store:
        store.append(SAID)
        postgres.sql("UPDATE verdicts SET note = 'becausf' WHERE sequence = 2")
        broken = store.verify()
        assert broken is not None
        assert broken.sequence == 2
        postgres.sql("UPDATE verdicts SET note = 'because', risk = risk + 1e-16 WHERE sequence = 2")
        broken = store.verify()
        assert broken is not None
        assert broken.sequence == 2
