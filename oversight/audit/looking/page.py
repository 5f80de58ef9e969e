"""A dossier as rows of text: what it is, what was said of it, and its diff, hunk by hunk.

A row is one line, escaped when it is made, and has one style. Nothing of a diff is cut off or left out: what is too
long for a screen is folded (`fold`), since what cannot be seen cannot be judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nlargest
from itertools import accumulate, pairwise

from rich.cells import get_character_cell_size

from oversight.audit.budget.entry import Said, where, why
from oversight.audit.looking.dossier import Dossier
from oversight.audit.looking.placing import PlacedHunk, placed
from oversight.audit.verdict import Verdict
from oversight.changes.model import FileChange, Line, LineKind
from oversight.history.files import FileHistory
from oversight.reports.escape import log_line, terminal
from oversight.reports.words import counted, percent, place

BLIND = "Blind: what the model, the principles and other people say is hidden until you have said what you think."

_TITLE, _PATH, _TEXT, _NAME = 200, 400, 500, 100
_FIRST = 5
_EARLIER = 80  # characters of the title of an earlier commit
_STYLES = {LineKind.ADDED: "green", LineKind.DELETED: "red", LineKind.CONTEXT: ""}
_SEVERITIES = {"critical": "bold red", "high": "bold red", "medium": "yellow", "low": "dim"}
_DECISIONS = {"safe": "green", "risky": "red", "unsure": "yellow", "dismissed": "yellow"}
_HIGH, _MIDDLE = 0.5, 0.2  # of a risk, where a hunk's heading changes its colour


@dataclass(frozen=True, slots=True)
class Row:
    """One line of escaped text; `hang` is how many columns its continuation is indented. Prose is folded at blanks."""

    text: str
    style: str = ""
    hang: int = 0
    prose: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and in which of them the hunks begin."""

    rows: tuple[Row, ...]
    hunks: tuple[int, ...]


def page(dossier: Dossier, *, hidden: bool) -> Page:
    """Return what there is to see; with `hidden` nothing that tells what the model or anybody else thinks."""
    rows = [*_head(dossier), Row("")]
    if hidden:
        rows.append(Row(BLIND, "bold yellow"))
    else:
        rows += [*_opinion(dossier), *_people(dossier.said)]
    places: list[int] = []
    if dossier.change is None:
        rows += [Row(""), Row(f"The diff cannot be shown: {terminal(dossier.missing or 'unknown', _TEXT)}", "yellow")]
        if not hidden:
            rows += [row for one in dossier.entry.said for row in _said(one)]
    else:
        _files(dossier, rows, places, hidden=hidden)
    return Page(tuple(rows), tuple(places))


def plain(shown: Page) -> str:
    """Return a page as lines of text, one a row, whatever their length."""
    return "".join(f"{log_line(row.text).rstrip()}\n" for row in shown.rows)


def fold(row: Row, width: int) -> list[str]:
    """Return a row's text as lines of at most `width` columns, from 4 on."""
    hang = min(row.hang, width // 2)
    ends = _cuts(row.text, width, width - hang, prose=row.prose)
    pieces = [row.text[start:end] for start, end in pairwise((0, *ends, len(row.text)))]
    return [pieces[0], *(" " * hang + piece for piece in pieces[1:])]


def _cuts(text: str, first: int, others: int, *, prose: bool) -> list[int]:
    """Return where a text is cut, whose first line has `first` columns and the others `others`."""
    if text.isascii() and len(text) <= first:
        return []
    # Terminals disagree on characters of no width: to count them as one keeps all of a line on the screen.
    cells = [0, *accumulate(1 if one.isascii() else max(get_character_cell_size(one), 1) for one in text)]
    cuts: list[int] = []
    start, blank, width = 0, 0, first
    for at, character in enumerate(text):
        if cells[at + 1] - cells[start] > width and at > start:
            start = blank if prose and blank > start else at
            cuts.append(start)
            width = others
        if character == " " and not text[start:at].isspace() and at > start:
            blank = at + 1
    return cuts


def _head(dossier: Dossier) -> Iterator[Row]:
    entry, change = dossier.entry, dossier.change
    title = entry.title if change is None else change.title
    yield Row(terminal((title or "").strip() or "(no title)", _TITLE), "bold")
    made = [terminal(entry.repository, _NAME), f"#{entry.number}" if entry.number else "", entry.commit[:12]]
    author = entry.author if change is None else change.author
    if author is not None:
        made.append(f"by {terminal(author, _NAME)}" + (f" ({entry.provenance})" if entry.provenance else ""))
    if change is not None and change.authored_at is not None:
        made.append(f"on {change.authored_at:%Y-%m-%d}")
    size = [] if change is None else [counted(len(change.files), "file")]
    if entry.added is not None and entry.deleted is not None:
        size.append(f"+{entry.added:,} -{entry.deleted:,}")
    yield Row(" ".join(filter(None, made)) + (f": {', '.join(size)}" if size else ""))
    if change is not None:
        yield from (Row(f"  {terminal(line, _TEXT)}", "dim", 2) for line in change.body.splitlines() if line.strip())


def _opinion(dossier: Dossier) -> Iterator[Row]:
    entry = dossier.entry
    if not dossier.reported:
        yield Row('The store has no report on this change: "oversight audit import" takes one in.', "yellow")
        return
    word, style = ("FLAGGED", "bold red") if entry.flagged else ("NOT FLAGGED", "bold green")
    yield Row(word if entry.status == "scored" else f"{entry.status.upper()}, {word}", style)
    yield from (Row(f"  - {terminal(reason, _TEXT)}", hang=4) for reason in why(entry))
    hunks = [one for one in entry.said if one.principle is None and one.risk is not None]
    if len(hunks) > 1:
        yield Row(f"The riskiest of {len(hunks):,} hunks:")
        for one in nlargest(_FIRST, hunks, key=lambda one: one.risk or 0.0):
            yield Row(f"  {percent(one.risk).rjust(6)}  {terminal(where(one), _PATH)}", hang=10)


def _people(said: Sequence[Verdict]) -> Iterator[Row]:
    if said:
        yield Row("")
        yield Row("What people said", "bold")
    for one in said:
        about = " of a finding" if one.finding is not None else ""
        told = f"  {one.decided_at:%Y-%m-%d %H:%M} {terminal(one.who, _NAME)}: {one.decision.value}{about}"
        told += " (blind)" if one.shown.blind else ""
        told += "" if one.counts else " (their own change, does not count)"
        note = f": {terminal(one.note, _TEXT)}" if one.note.strip() else ""
        yield Row(told + note, _DECISIONS[one.decision.value], 4)


def _files(dossier: Dossier, rows: list[Row], places: list[int], *, hidden: bool) -> None:
    shown = placed(dossier, hidden=hidden)
    for one in shown.files:
        rows += [Row(""), *_file(one.file, one.history)]
        rows += [row for said in one.said for row in _said(said)]
        for hunk in one.hunks:
            places.append(len(rows) + 1)
            rows += [Row(""), *_hunk(one.file, hunk, f"hunk {hunk.number} of {shown.hunks}")]
    rows += [row for said in shown.elsewhere for row in (Row(""), *_said(said))]


def _file(file: FileChange, history: FileHistory | None) -> Iterator[Row]:
    moved = f" (from {terminal(file.old_path, _PATH)})" if file.old_path not in (None, file.path) else ""
    notes = [file.status.value, "binary" if file.binary else "", terminal(file.unread or "", _TEXT)]
    if file.old_mode != file.new_mode and None not in (file.old_mode, file.new_mode):
        notes.append(f"mode {terminal(file.old_mode or '', 10)} to {terminal(file.new_mode or '', 10)}")
    yield Row(f"{terminal(file.path, _PATH)}{moved}: {', '.join(filter(None, notes))}", "bold underline")
    if history is None:
        return
    people = ", ".join(f"{terminal(who, _NAME)} {count:,}" for who, count in history.authors)
    people += ", …" if history.people > len(history.authors) else ""
    told = f"  before: {counted(history.changes, 'change')} by {_people_of(history.people)} ({people})"
    told += f"; {counted(history.repairs, 'repair')} among them, {history.repaired:,} had to be repaired later"
    yield Row(told, "dim", 10)
    for one in history.latest:
        when = f"{datetime.fromtimestamp(min(one.at, 253402300799), UTC):%Y-%m-%d}"
        yield Row(f"    {when} {one.sha[:9]} {terminal(one.author, _NAME)}: {terminal(one.title, _EARLIER)}", "dim", 6)


def _people_of(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _hunk(file: FileChange, shown: PlacedHunk, name: str) -> Iterator[Row]:
    hunk = shown.hunk
    heading = f"== {name} == {place(terminal(file.path, _PATH), *hunk.span)}"
    heading += f" == risk {percent(shown.risk)}" if shown.told else ""
    section = terminal(hunk.section.strip(), _NAME)
    yield Row(f"{heading}{f' == {section}' if section else ''}", f"bold {_shade(shown.risk)}".strip(), 3)
    for finding in shown.findings:
        yield from _said(finding)
    yield from (Row(f"  - {terminal(reason, _TEXT)}", hang=4) for reason in shown.reasons)
    width = max((len(str(number)) for line in hunk.lines for number in (line.old_number, line.new_number)), default=1)
    for line in hunk.lines:
        yield from _line(line, width)


def _line(line: Line, width: int) -> Iterator[Row]:
    old, new = (("" if number is None else str(number)).rjust(width) for number in (line.old_number, line.new_number))
    text = f"{old} {new} {line.kind.value}{line.text.expandtabs(4)}"
    yield Row(terminal(text), _STYLES[line.kind], 2 * width + 3, prose=False)
    if line.no_newline:
        yield Row(" " * (2 * width + 2) + r"\ no newline at the end", "dim")


def _said(one: Said) -> Iterator[Row]:
    """What a principle found, or what is known of a hunk that is not shown."""
    if one.principle is None:
        told = f"{terminal(where(one), _PATH)} risk {percent(one.risk)}"
        yield Row(f"  {told}", "bold", 4)
        yield from (Row(f"    - {terminal(reason, _TEXT)}", hang=6) for reason in one.reasons)
        return
    message = terminal(one.reasons[0] if one.reasons else "", _TEXT)
    told = f"  {one.severity}: {message} [{terminal(one.principle, _NAME)}] {terminal(where(one), _PATH)}"
    yield Row(told, _SEVERITIES.get(one.severity or "", ""), 4)


def _shade(risk: float | None) -> str:
    if risk is None:
        return "cyan"
    return "red" if risk >= _HIGH else "yellow" if risk >= _MIDDLE else "cyan"
