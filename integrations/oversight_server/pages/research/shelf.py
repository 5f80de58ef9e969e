"""Leaderboards that were read a moment ago: a vault is a process that resamples for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oversight.errors import VaultError
from oversight.research import leaderboard
from oversight.research.vault.files import LEDGER

_AGAIN = 10.0  # seconds after which a vault is asked again that gave nothing
_KEPT = 50


class Shelf:
    """What vaults told people, until their ledgers grow. Thread-safe; one vault is opened at a time."""

    def __init__(
        self, read: Callable[[Path], dict[str, Any]] = leaderboard.read, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._clock = read, clock
        self._kept: dict[Path, tuple[object, dict[str, Any]]] = {}
        self._failed: dict[Path, tuple[float, VaultError]] = {}
        self._lock = threading.Lock()

    def board(self, study: Path) -> dict[str, Any]:
        """Return the leaderboard of a study; `VaultError` where there is none, for some seconds without trying."""
        with self._lock:
            now = self._state(study)
            known = self._kept.get(study)
            if known is not None and known[0] == now:
                return known[1]
            failed = self._failed.get(study)
            if failed is not None and self._clock() - failed[0] < _AGAIN:
                raise VaultError(failed[1].message, mend=failed[1].mend)
            try:
                told = self._read(study)
            except VaultError as error:
                self._failed = {**dict(list(self._failed.items())[1 - _KEPT :]), study: (self._clock(), error)}
                raise
            # What was said of the state before it was read: a run that goes on meanwhile makes it be read again.
            self._kept = {**dict(list(self._kept.items())[1 - _KEPT :]), study: (now, told)}
            return told

    @staticmethod
    def _state(study: Path) -> object:
        """Return what changes with every entry of the ledger."""
        try:
            found = (study / "vault" / LEDGER).stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
