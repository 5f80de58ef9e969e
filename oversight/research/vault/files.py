"""Files of the vault: the owner's alone, and whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

POLICY = "policy.json"
GOLD = "gold"
SUBMISSIONS = "submissions"
LEDGER = "ledger.jsonl"
FAULT = "fault.txt"


def folder(path: Path) -> Path:
    """Make a folder that nobody else can enter, where there is none."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read; it is on the disk when this returns, and never there by half."""
    folder(path.parent)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
    settle(path.parent)


def settle(path: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
