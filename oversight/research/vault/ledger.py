r"""What a vault was asked and what it answered: a line an entry, each with a hash over the one before it and itself.

    hash = sha256(hash of the entry before + "\n" + the entry without its hash, as JSON)

An entry is on the disk before its answer leaves. A last line without its newline was never answered, and is cut off.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from oversight.audit import fields
from oversight.errors import VaultError
from oversight.research.vault import files

Entry: TypeAlias = dict[str, Any]

GENESIS = "0" * 64
"""What stands for the hash before the first entry."""

_FOREIGN = "put back the ledger that the vault wrote, or start another study"


class Ledger:
    """The entries of a vault. A context manager; where it is to be written, nobody else may write meanwhile
    (`VaultError`). A chain that does not hold is refused.
    """

    def __init__(self, vault: Path, *, write: bool) -> None:
        path = vault / files.LEDGER
        self._file: int | None = None
        if write:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._own()
            files.settle(vault)
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        if self._file is not None and len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        self.entries: list[Entry] = _read(whole)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def head(self) -> str:
        """The hash of the last entry. Noted elsewhere, it shows that none after it was taken away."""
        return str(self.entries[-1]["hash"]) if self.entries else GENESIS

    @property
    def writes(self) -> bool:
        """Whether it is open for writing."""
        return self._file is not None

    def add(self, kind: str, told: Mapping[str, Any]) -> Entry:
        """Append an entry; it is on the disk when this returns. `VaultError` where it could not be written."""
        if self._file is None:
            raise VaultError("the vault was opened for reading", mend="open it for writing")
        moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        entry: Entry = {"entry": len(self.entries) + 1, "at": moment, "kind": kind, **told}
        entry = _plain({**entry, "hash": _hash(self.head, entry)})
        line = _line(entry).encode("ascii") + b"\n"
        length = os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("the disk is full")
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, length)
            raise VaultError("the vault's ledger cannot be written", mend="free some space and go on") from error
        self.entries.append(entry)
        return entry

    def _own(self) -> None:
        assert self._file is not None  # noqa: S101  just opened
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            self._file = None
            raise VaultError(
                "somebody is asking this vault already", mend="wait until the run of this study has ended"
            ) from None


def _read(content: bytes) -> list[Entry]:
    entries: list[Entry] = []
    head = GENESIS
    for number, raw in enumerate(content.split(b"\n")[:-1], 1):
        entry = _entry(raw, number)
        told = {name: value for name, value in entry.items() if name != "hash"}
        if _line(entry).encode("ascii") != raw or entry.get("entry") != number or _hash(head, told) != entry["hash"]:
            raise VaultError(f"entry {number} of the vault's ledger is not as it was written", mend=_FOREIGN)
        head = entry["hash"]
        entries.append(entry)
    return entries


def _entry(raw: bytes, number: int) -> Entry:
    try:
        entry = fields.load(raw.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise VaultError(f"entry {number} of the vault's ledger is not JSON", mend=_FOREIGN) from error
    if not isinstance(entry, dict) or not isinstance(entry.get("hash"), str):
        raise VaultError(f"entry {number} of the vault's ledger has no hash", mend=_FOREIGN)
    return entry


def _hash(previous: str, told: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{previous}\n{_line(told)}".encode("ascii")).hexdigest()


def _line(told: Mapping[str, Any]) -> str:
    return json.dumps(told, allow_nan=False)


def _plain(entry: Entry) -> Entry:
    """Return the entry as it will be read again, tuples as lists."""
    plain: Entry = json.loads(_line(entry))
    return plain
