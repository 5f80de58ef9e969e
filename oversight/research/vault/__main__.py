"""The vault's process: `python -I -m oversight.research.vault FOLDER run|people`; requests in, answers out, by line."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from oversight.errors import OversightError
from oversight.research.vault import files, wire
from oversight.research.vault.keeper import Keeper


def serve(vault: Path, *, people: bool, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until no more requests come. The first line says whether the vault is open."""
    try:
        keeper = Keeper(vault, people=people)
    except OversightError as error:
        _say(answers, _error(error))
        return
    try:
        _say(answers, {"open": True})
        while line := requests.readline(wire.LONGEST):
            _say(answers, _answered(keeper, vault, line))
    finally:
        keeper.close()


def _answered(keeper: Keeper, vault: Path, line: bytes) -> dict[str, Any]:
    try:
        return keeper.answer(wire.request(line))
    except OversightError as error:
        return _error(error)
    except Exception:  # what went wrong may depend on labels: it stays in the vault
        files.write(vault / files.FAULT, traceback.format_exc().encode("utf-8", "backslashreplace"))
        return {"error": "the vault could not answer", "mend": f"{files.FAULT} in its folder says why"}


def _error(error: OversightError) -> dict[str, Any]:
    return {"error": error.message, "mend": error.mend}


def _say(answers: BinaryIO, told: dict[str, Any]) -> None:
    answers.write(json.dumps(told, allow_nan=False).encode("ascii") + b"\n")
    answers.flush()


def main() -> None:
    """Serve on the standard streams. An interrupt from the terminal is the director's: it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder, kind = sys.argv[1:]
    serve(Path(folder), people=kind == "people", requests=sys.stdin.buffer, answers=sys.stdout.buffer)


if __name__ == "__main__":
    main()
