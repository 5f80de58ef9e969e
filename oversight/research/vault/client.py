"""Asking the vault: starts its process, hands it predictions, and hears its answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight.errors import VaultError
from oversight.research.model import Answer, Submission
from oversight.research.vault import wire

_ENDED = "the vault ended before it answered"
_AGAIN = "go on with oversight research run: what was answered is not lost, and the question is not counted twice"


class Vault:
    """The vault in a folder, as a context manager that starts and ends its process.

    For a run it takes `ask` and a `board` of what was told. For `people` it takes `seal`, `confirm` and a `board` with
    intervals; that board can be read beside a run. `VaultError` where it cannot be opened, or gives no answer.
    """

    def __init__(self, folder: Path, *, people: bool = False) -> None:
        self._folder, self._kind = folder, "people" if people else "run"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Vault:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "oversight.research.vault", str(self._folder), self._kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OPENBLAS_NUM_THREADS": "1"},
        )
        try:
            self._heard()
        except VaultError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        process.wait()

    def ask(self, submission: Submission) -> Answer:
        """Have predictions compared with the best so far. The same question again costs nothing."""
        told = self._request(
            "ask",
            experiment=submission.experiment,
            researcher=submission.researcher,
            configuration=submission.configuration.identity,
            method=submission.configuration.method,
            proxies=dict(submission.proxies),
            predictions=dict(submission.predictions),
        )
        return Answer(**{**told, "flags": tuple(told["flags"])})

    def board(self) -> dict[str, Any]:
        """Return the leaderboard: `board.coarse` in a run, with `board.audit` and `board.figures` for people."""
        return self._request("board")

    def seal(self, experiment: str) -> dict[str, Any]:
        """Score an experiment on the sealed half, once; asked again, the entry of the ledger is told again. After the
        first nothing more can be asked in this study.
        """
        return self._request("seal", experiment=experiment)

    def confirm(self, experiment: str, ground: str, predictions: NDArray[np.float32]) -> dict[str, Any]:
        """Score predictions (K, T) of a sealed experiment on a ground that was never queried, once."""
        return self._request("confirm", experiment=experiment, ground=ground, predictions={ground: predictions})

    def _request(self, kind: str, **told: Any) -> dict[str, Any]:
        if self._process is None or self._process.stdin is None:
            raise VaultError("the vault is not open", mend="use it as a context manager")
        try:
            self._process.stdin.write(wire.line(kind, **told))
            self._process.stdin.flush()
        except BrokenPipeError:
            raise VaultError(_ENDED, mend=_AGAIN) from None
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        assert self._process is not None  # noqa: S101  asked only while it runs
        assert self._process.stdout is not None  # noqa: S101  a pipe
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise VaultError(_ENDED, mend=_AGAIN)
        told: Mapping[str, Any] = json.loads(line)
        if "error" in told:
            raise VaultError(str(told["error"]), mend=str(told["mend"]))
        return dict(told)
