"""Fuzz target of the diff parser: any bytes are read or refused with `DiffError`, and what is read goes round.

With atheris installed: `python tests/fuzz/fuzz_diff.py CORPUS_FOLDER -max_total_time=60`.
Without it, every file that is named, or is in a folder that is named, is tried once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from oversight.changes.diff import Limits, change_from_diff, parse_diff, render
from oversight.errors import DiffError

LIMITS = Limits(line_bytes=200, file_lines=50, file_hunks=10, file_bytes=2_000, change_lines=100, change_bytes=4_000)


def check(data: bytes) -> None:
    """Try one input. Raises whatever the parser should not have."""
    try:
        files = list(parse_diff(data))
    except DiffError:
        return
    if not any(file.unread for file in files):
        again = list(parse_diff(render(files)))
        if render(again) != render(files):
            raise AssertionError("reading what was written gives something else")
    limited = list(parse_diff(data, limits=LIMITS))
    if [file.path for file in limited] != [file.path for file in files]:
        raise AssertionError("a limit changed which files there are")
    change_from_diff(data)


def _inputs(arguments: list[str]) -> Iterator[Path]:
    for argument in map(Path, arguments):
        yield from sorted(item for item in argument.rglob("*") if item.is_file()) if argument.is_dir() else [argument]


def main() -> None:
    """Fuzz where atheris is installed, else run over the files that are named."""
    try:
        import atheris
    except ImportError:
        for path in _inputs(sys.argv[1:]):
            check(path.read_bytes())
        return
    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
