"""One byte changed anywhere: of the file that SQLite keeps, or of an export; and lines that were moved about."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from oversight.audit import lines
from oversight.audit.store import Store
from oversight.audit.store.chain import GENESIS, Entry, following
from oversight.audit.store.engine import connect, locate
from oversight.audit.store.intake import take
from oversight.errors import LabelError, StoreError
from tests.audit.builders import verdict
from tests.audit.store.test_ledger import SAID

WRITTEN = lines.written(SAID).encode()


def head_of(entries: list[Entry]) -> str:
    """The head of a chain of these entries."""
    last = GENESIS
    for entry in entries:
        last = following(last, entry)
    return last


def flipped(content: bytes, place: int) -> bytes:
    """The content with one bit of the byte at a place changed, of each byte another one."""
    return content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]


def cells(path: Path) -> list[int]:
    """The places in the file of all bytes that hold entries: those of each row, and of where it is in its page."""
    found: list[int] = []
    with closing(sqlite3.connect(path)) as file:
        (size,) = file.execute("PRAGMA page_size").fetchone()
        roots = file.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('ledger', 'verdicts', 'landings')")
        pages = [page for (page,) in roots]
    content = path.read_bytes()
    for page in pages:
        start = (page - 1) * size
        assert content[start] == 13, "a page of a table with all of its rows"
        rows = int.from_bytes(content[start + 3 : start + 5])
        first = int.from_bytes(content[start + 5 : start + 7])
        found += [*range(start + 8, start + 8 + 2 * rows), *range(start + first, start + size)]
    return found


def kept(path: Path) -> list[object]:
    """All that the file says of entries."""
    with closing(sqlite3.connect(path)) as file:
        return [file.execute(f"SELECT * FROM {table}").fetchall() for table in ("ledger", "verdicts", "landings")]


def test_one_byte_of_the_file_is_found(tmp_path: Path):
    """Wherever in the pages that hold entries: the chain is broken, or the file cannot be read any more.

    A few bits there mean nothing to SQLite, such as those of an address beyond the size of a page.
    """
    path = tmp_path / "audit.db"
    url = f"sqlite:///{path}"
    with Store.open(url) as store:
        store.append(SAID)
    content, places, whole, idle = path.read_bytes(), cells(path), kept(path), 0
    for place in places[::7]:
        path.write_bytes(flipped(content, place))
        with closing(Store(connect(locate(url)))) as store, suppress(StoreError):
            if store.verify() is None:
                assert kept(path) == whole, place
                idle += 1
    assert idle < len(places) // 100
    path.write_bytes(content)
    with Store.open(url) as store:
        assert store.verify() is None


def test_one_byte_of_an_export_is_found():
    """The file is refused, or makes another head; or it is another way to write the same."""
    head, same = head_of(SAID), 0
    for place in range(0, len(WRITTEN), 3):
        try:
            entries = [entry for _, entry in lines.stream(flipped(WRITTEN, place).split(b"\n"))]
        except LabelError:
            continue
        if head_of(entries) == head:
            assert entries == SAID
            same += 1
    assert same < len(WRITTEN) // 100


ROWS = WRITTEN.splitlines(keepends=True)


@pytest.mark.parametrize(
    "rows",
    [
        [ROWS[1], ROWS[0], *ROWS[2:]],
        [*ROWS[:1], *ROWS[2:]],
        ROWS[:-1],
        [ROWS[0], lines.line(verdict(who="eve")).encode(), *ROWS[1:]],
    ],
    ids=["exchanged", "taken out", "cut off", "put in"],
)
def test_an_export_that_was_moved_about_is_found(tmp_path: Path, rows: list[bytes]):
    """It makes a chain that holds, and that has not the head that was noted when it was written."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        take(store.engine, io.BytesIO(b"".join(rows)), "verdicts.jsonl")
        assert store.verify() is None
        broken = store.verify(head_of(SAID))
        assert broken is not None
        assert "no entry has the hash" in broken.reason


def test_an_export_that_says_something_twice_is_refused(tmp_path: Path):
    """Nobody has written it like that."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store, pytest.raises(StoreError, match="repeats line 1"):
        take(store.engine, io.BytesIO(b"".join([*ROWS, ROWS[0]])), "verdicts.jsonl")


def test_an_entry_that_stands_twice_is_found(tmp_path: Path):
    """Who made the table anew, without its rules, can append one with hashes that follow."""
    path = tmp_path / "audit.db"
    with Store.open(f"sqlite:///{path}") as store:
        store.append(SAID)
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.executescript(
                "PRAGMA foreign_keys=OFF; CREATE TABLE copy AS SELECT * FROM ledger; DROP TABLE ledger;"
                "ALTER TABLE copy RENAME TO ledger"
            )
            before = store.head().hash
            told = (before, following(before, SAID[0]))
            file.execute("INSERT INTO ledger SELECT 5, kind, name, ?, ? FROM ledger WHERE sequence = 1", told)
            columns = ", ".join(f'"{row[1]}"' for row in file.execute("PRAGMA table_info(verdicts)").fetchall()[1:])
            file.execute(f"INSERT INTO verdicts SELECT 5, {columns} FROM verdicts WHERE sequence = 1")
        broken = store.verify()
        assert broken is not None
        assert (broken.sequence, broken.reason) == (5, "it says again what an entry before it said")
