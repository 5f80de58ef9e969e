"""What is said of a change, at the files and hunks that it is said of; terminal and pages show the same."""

from __future__ import annotations

from dataclasses import dataclass

from oversight.audit.budget.entry import Said
from oversight.audit.looking.dossier import Dossier
from oversight.changes.model import FileChange, Hunk
from oversight.history.files import FileHistory


@dataclass(frozen=True, slots=True)
class PlacedHunk:
    """A hunk, its `number` in the change, from 1, and what is said of it.

    `told`: the report has it; `risk` is None also where it gives none. `reasons` are those that no finding says too.
    """

    hunk: Hunk
    number: int
    told: bool = False
    risk: float | None = None
    findings: tuple[Said, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file, its past, its hunks, and what is said of it in no hunk."""

    file: FileChange
    history: FileHistory | None
    said: tuple[Said, ...]
    hunks: tuple[PlacedHunk, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """The files of a change, and what is said of files that are not in it; all of it where there is no diff."""

    files: tuple[PlacedFile, ...]
    elsewhere: tuple[Said, ...]

    @property
    def hunks(self) -> int:
        """How many there are."""
        return sum(len(one.hunks) for one in self.files)


def placed(dossier: Dossier, *, hidden: bool) -> Placed:
    """Return what there is to show of a dossier; with `hidden` nothing of what the model and the principles say."""
    files = () if dossier.change is None else dossier.change.files
    said = () if hidden else dossier.entry.said
    histories = {one.path: one for one in dossier.histories}
    found: list[PlacedFile] = []
    count = 0
    for file in files:
        here = [one for one in said if one.path == file.path]
        hunks = tuple(_hunk(hunk, here, number) for number, hunk in enumerate(file.hunks, count + 1))
        count += len(hunks)
        spans = {hunk.span for hunk in file.hunks}
        inside = {id(one) for hunk in hunks for one in hunk.findings}
        outside = tuple(one for one in here if id(one) not in inside and (one.start, one.end) not in spans)
        found.append(PlacedFile(file, histories.get(file.path), outside, hunks))
    known = {file.path for file in files}
    return Placed(tuple(found), tuple(one for one in said if one.path not in known))


def _hunk(hunk: Hunk, said: list[Said], number: int) -> PlacedHunk:
    ours = next((one for one in said if one.principle is None and (one.start, one.end) == hunk.span), None)
    findings = tuple(one for one in said if _in(one, hunk))
    told = {reason for finding in findings for reason in finding.reasons}
    if ours is None:
        return PlacedHunk(hunk, number, findings=findings)
    reasons = tuple(reason for reason in ours.reasons if reason not in told)
    return PlacedHunk(hunk, number, True, ours.risk, findings, reasons)


def _in(one: Said, hunk: Hunk) -> bool:
    """Whether a finding is in a hunk: among its lines in the new file."""
    numbers = [line.new_number for line in hunk.lines if line.new_number is not None]
    first, last = (numbers[0], numbers[-1]) if numbers else hunk.span
    return one.principle is not None and one.start is not None and min(first, hunk.span[0]) <= one.start <= last
