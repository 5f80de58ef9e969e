"""The chain of what a vault was asked and what it answered."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from oversight.errors import VaultError
from oversight.research.vault.files import LEDGER
from oversight.research.vault.ledger import GENESIS, Ledger


def written(vault: Path, count: int = 3) -> bytes:
    with Ledger(vault, write=True) as ledger:
        for number in range(count):
            ledger.add("asked", {"number": number})
    return (vault / LEDGER).read_bytes()


def test_entries_are_read_again_as_they_were_added(tmp_path: Path) -> None:
    """Entries come back in order, numbered, and the head is the hash of the last."""
    with Ledger(tmp_path, write=True) as ledger:
        assert ledger.head == GENESIS
        added = [ledger.add("asked", {"score": 0.1 + 0.2, "flags": ["copy"]}), ledger.add("sealed", {})]
    with Ledger(tmp_path, write=False) as again:
        assert again.entries == added
        assert [entry["entry"] for entry in again.entries] == [1, 2]
        assert again.head == added[-1]["hash"]


def test_the_ledger_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else can read the file."""
    written(tmp_path)
    assert (tmp_path / LEDGER).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_half_a_last_line_was_never_answered(tmp_path: Path, cut: int) -> None:
    """What a kill cut off is dropped, by writers from the file as well, and what comes next has its place."""
    content = written(tmp_path)
    (tmp_path / LEDGER).write_bytes(content[:-cut])
    with Ledger(tmp_path, write=False) as read:
        assert len(read.entries) == 2
    with Ledger(tmp_path, write=True) as ledger:
        assert ledger.add("asked", {"number": 2})["entry"] == 3
    assert len((tmp_path / LEDGER).read_bytes()) == len(content)


def test_an_entry_that_was_changed_is_refused(tmp_path: Path) -> None:
    """A changed number, a line that is gone or elsewhere, and another way to write the same break the chain."""
    lines = written(tmp_path).splitlines(keepends=True)
    changed = [
        [lines[0], lines[1].replace(b'"number": 1', b'"number": 7'), lines[2]],
        [lines[0], lines[2]],
        [lines[1], lines[0], lines[2]],
        [lines[0].replace(b": ", b":  ", 1), *lines[1:]],
        [b"{\n", *lines],
        [b'{"entry": 1}\n', *lines],
    ]
    for case in changed:
        (tmp_path / LEDGER).write_bytes(b"".join(case))
        with pytest.raises(VaultError):
            Ledger(tmp_path, write=False)


def test_one_process_writes_at_a_time_and_others_read(tmp_path: Path) -> None:
    """A second writer is refused, a reader is not, and cannot write."""
    with Ledger(tmp_path, write=True) as first:
        first.add("asked", {})
        with pytest.raises(VaultError, match="already"):
            Ledger(tmp_path, write=True)
        with Ledger(tmp_path, write=False) as reader:
            assert len(reader.entries) == 1
            with pytest.raises(VaultError, match="for reading"):
                reader.add("asked", {})
    with Ledger(tmp_path, write=True) as next_one:
        assert next_one.writes


def test_an_entry_that_does_not_fit_on_the_disk_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only half of a line can be written, none of it stays, and the ledger goes on."""
    with Ledger(tmp_path, write=True) as ledger:
        ledger.add("asked", {})
        write = os.write
        monkeypatch.setattr(os, "write", lambda file, content: write(file, content[: len(content) // 2]))
        with pytest.raises(VaultError, match="cannot be written"):
            ledger.add("asked", {})
        monkeypatch.undo()
        ledger.add("asked", {"after": True})
    entries = [json.loads(line) for line in (tmp_path / LEDGER).read_text().splitlines()]
    assert [entry["entry"] for entry in entries] == [1, 2]
