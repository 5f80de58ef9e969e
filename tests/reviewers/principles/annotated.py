"""Annotated examples: small changes that say where a principle fires.

An example file, `examples/<category>/<id>.example`, holds examples that begin with `=== risky: …` or
`=== ok: …`. An example is a change, file by file:

    @@ path (added, binary)      a file; in parentheses: added, deleted, binary, executable, symlink, submodule,
                                 unread (could not be read), omitted (left out on purpose)
    ~~~                          another hunk of the file
    " row", "+row", "-row"       rows of a hunk, as in a diff
    message: title               title, with the rows up to the next `@@` as body
    measures: la=4000            measures of the context; the others are unknown
    change                       the change as a whole

A `!` in front of a row, of `@@`, of `message:` or of `change` says that the principle fires there, and it
must fire nowhere else. `<U+202E>` stands for a character and `<5000*x>` for a repetition, so that the files
themselves hold nothing odd.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from oversight.changes.languages import language_of
from oversight.changes.model import (
    LEFT_OUT,
    Change,
    FileChange,
    FileStatus,
    Hunk,
    Line,
    LineKind,
    Provenance,
    ProvenanceKind,
)
from oversight.history.context import MEASURES
from oversight.history.model import Completeness, Context

EXAMPLES = Path(__file__).parent / "examples"
HUNK_DISTANCE = 100
Spot = tuple[str, str, int | None]
"""Path, side and line; the line is None for a file as a whole, and the path is empty for the change."""

_CHARACTER = re.compile(r"<U\+([0-9A-F]{4,6})>")
_REPETITION = re.compile(r"<(\d+)\*([^>]*)>")
_FILE = re.compile(r"@@ (\S+)(?: \(([a-z, ]+)\))?")


@dataclass
class Annotated:
    """One example: the change, its context, and every spot where the principle must fire."""

    principle: str
    title: str
    risky: bool
    change: Change
    context: Context
    spots: set[Spot] = field(default_factory=set)


class _FileBuilder:
    def __init__(self, path: str, flags: set[str]) -> None:
        self.path = path
        self.flags = flags
        self.hunks: list[list[Line]] = [[]]
        self.old = self.new = 1

    def add(self, kind: LineKind, text: str) -> Spot:
        old = self.old if kind is not LineKind.ADDED else None
        new = self.new if kind is not LineKind.DELETED else None
        self.hunks[-1].append(Line(kind, old, new, text))
        self.old += old is not None
        self.new += new is not None
        return (self.path, "new", new) if kind is LineKind.ADDED else (self.path, "old", old)

    def next_hunk(self) -> None:
        self.hunks.append([])
        self.old += HUNK_DISTANCE
        self.new += HUNK_DISTANCE

    def build(self) -> FileChange:
        added, deleted = "added" in self.flags, "deleted" in self.flags
        status = FileStatus.ADDED if added else FileStatus.DELETED if deleted else FileStatus.MODIFIED
        mode = "120000" if "symlink" in self.flags else "160000" if "submodule" in self.flags else "100644"
        return FileChange(
            old_path=None if added else self.path,
            new_path=None if deleted else self.path,
            status=status,
            language=language_of(self.path),
            hunks=tuple(_hunk(lines) for lines in self.hunks if lines),
            binary="binary" in self.flags,
            old_mode=None if added else mode,
            new_mode="100755" if "executable" in self.flags else mode,
            unread="it is too large" if "unread" in self.flags else LEFT_OUT if "omitted" in self.flags else None,
        )


def _hunk(lines: list[Line]) -> Hunk:
    old = next((line.old_number for line in lines if line.old_number is not None), 0)
    new = next((line.new_number for line in lines if line.new_number is not None), 0)
    return Hunk(old, new, "", tuple(lines))


def _decode(text: str) -> str:
    text = _REPETITION.sub(lambda match: int(match[1]) * match[2], text)
    return _CHARACTER.sub(lambda match: chr(int(match[1], 16)), text)


def context_with(**measures: float) -> Context:
    """A context in which all measures but these are unknown."""
    values = np.full(len(MEASURES), np.nan, dtype=np.float32)
    for name, value in measures.items():
        values[MEASURES.index(name)] = value
    return Context(values, Completeness.NONE)


def change_of_files(*files: FileChange, title: str = "A change", body: str = "") -> Change:
    """A change with nothing known but its files and message."""
    return Change("0" * 40, None, None, None, None, Provenance(ProvenanceKind.UNKNOWN), None, title, body, files)


def parse_example(principle: str, title: str, risky: bool, rows: list[str]) -> Annotated:
    """Build the change of one example, and the spots its annotations name."""
    files: list[_FileBuilder] = []
    message: list[str] = []
    spots: set[Spot] = set()
    context = context_with()
    for row in rows:
        marked, text = row.startswith("!"), row.removeprefix("!")
        if found := _FILE.fullmatch(text):
            files.append(_FileBuilder(found[1], {flag.strip() for flag in (found[2] or "").split(",")}))
            spot: Spot = (found[1], "new", None)
        elif text == "change":
            spot = ("", "new", None)
        elif text.startswith("message: "):
            message.append(text.removeprefix("message: "))
            spot = ("", "new", None)
        elif text.startswith("measures: "):
            pairs = (item.split("=") for item in text.removeprefix("measures: ").split())
            context = context_with(**{name: float(value) for name, value in pairs})
            continue
        elif not files:
            message.append(text)
            continue
        elif text == "~~~":
            files[-1].next_hunk()
            continue
        else:
            spot = files[-1].add(LineKind(text[:1] or " "), _decode(text[1:]))
        if marked:
            spots.add(spot)
    change = change_of_files(*(file.build() for file in files))
    if message:
        change = replace(change, title=message[0], body="\n".join(message[1:]))
    return Annotated(principle, title, risky, change, context, spots)


def read_examples(path: Path) -> list[Annotated]:
    """Read all examples of a file."""
    examples: list[tuple[str, bool, list[str]]] = []
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("=== "):
            kind, _, title = row.removeprefix("=== ").partition(": ")
            assert kind in ("risky", "ok"), f"{path.name}: {row}"
            examples.append((title, kind == "risky", []))
        else:
            examples[-1][2].append(row)
    return [parse_example(path.stem, title, risky, _trimmed(rows)) for title, risky, rows in examples]


def _trimmed(rows: list[str]) -> list[str]:
    while rows and not rows[-1].strip():
        rows = rows[:-1]
    return rows


def all_examples() -> list[Annotated]:
    """Every example of every principle."""
    return [example for path in sorted(EXAMPLES.glob("*/*.example")) for example in read_examples(path)]
