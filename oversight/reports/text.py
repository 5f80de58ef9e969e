"""The face for a terminal: the verdict first, then what a reviewer should look at, then the receipt.

Made for 80 columns. Paths are never wrapped, so that they can be copied. Every piece of the change's text
goes through `escape.terminal`, and every finished line through `escape.log_line`, since wrapping can put any
word at the start of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import combining, east_asian_width

from oversight.reports import words
from oversight.reports.escape import log_line, terminal
from oversight.reports.model import HunkRisk, RiskReport
from oversight.reviewers.model import Severity

SHOWN = 20
"""How many findings, hunks and skipped files are shown; the JSON report has all of them."""

_PLACES = 5
_REASONS = 4
_TITLE, _PATH, _TEXT = 200, 400, 500
_LABEL = 10

_BOLD, _DIM, _RED, _YELLOW, _GREEN = "1", "2", "31", "33", "32"
_VERDICTS = {"FLAGGED": _RED, "NOT FLAGGED": _GREEN, "UNSCORED": _YELLOW, "ERROR": _YELLOW}
_SEVERITIES = {Severity.CRITICAL: _RED, Severity.HIGH: _RED, Severity.MEDIUM: _YELLOW, Severity.LOW: _DIM}


def render(report: RiskReport, *, colour: bool = False, width: int = 80) -> str:
    """Return the report as lines of text, `width` columns wide where words allow it."""
    page = _Page(colour=colour, width=max(width, 40))
    _head(page, report)
    _findings(page, report)
    _hunks(page, report)
    _receipt(page, report)
    return page.text()


class _Page:
    """Lines being laid out. What it is given has been escaped; only it adds colour."""

    def __init__(self, *, colour: bool, width: int) -> None:
        self._colour = colour
        self._width = width
        self._lines: list[str] = []

    def paint(self, text: str, *styles: str) -> str:
        """Return `text` in colour, where colour is asked for."""
        return f"\x1b[{';'.join(styles)}m{text}\x1b[0m" if self._colour else text

    def line(self, text: str = "") -> None:
        """Add a line as it is."""
        self._lines.append(log_line(text))

    def heading(self, text: str) -> None:
        """Add a heading, with a blank line before it."""
        self.line()
        self.line(self.paint(text, _BOLD))

    def prose(self, text: str, indent: int, first: str | None = None) -> None:
        """Add a paragraph, wrapped and indented; `first` replaces the first line's indent."""
        for number, line in enumerate(_wrapped(text, self._width - indent)):
            self.line((" " * indent if number or first is None else first) + line)

    def verdict(self, word: str, rest: str) -> None:
        """Add the verdict's sentence, its first word in colour."""
        first, *others = _wrapped(f"{word}: {rest}.", self._width)
        self.line(self.paint(word, _BOLD, _VERDICTS[word]) + first.removeprefix(word))
        for line in others:
            self.line(line)

    def text(self) -> str:
        """Return all lines, each with a newline."""
        return "".join(f"{line.rstrip()}\n" for line in self._lines)


def _wrapped(text: str, width: int) -> Iterable[str]:
    """Split text at blanks into lines of at most `width` columns; a longer word has a line of its own."""
    line, used = "", 0
    for word in text.split(" "):
        columns = _columns(word)
        if line and used + 1 + columns > width:
            yield line
            line, used = word, columns
        else:
            line, used = (f"{line} {word}", used + 1 + columns) if line else (word, columns)
    yield line


def _columns(text: str) -> int:
    """How many columns a terminal gives to `text`."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _label(page: _Page, text: str, *styles: str) -> str:
    return "  " + page.paint(text, *styles) + " " * (_LABEL - len(text))


def _head(page: _Page, report: RiskReport) -> None:
    change = report.change
    page.verdict(words.verdict(report), words.grounds(report))
    if report.error is not None:
        page.prose(f"Why: {terminal(report.error, _TEXT)}", 0)
    sentence = words.risk_sentence(report)
    if sentence is not None:
        page.prose(f"Risk {words.percent(report.risk)}. {sentence}", 0)
    page.line()
    page.prose(terminal(change.title.strip() or "(no title)", _TITLE), 2, "  ")
    page.prose(_origin(report), 2, "  ")


def _origin(report: RiskReport) -> str:
    """Where the change comes from, as one line."""
    change = report.change
    made = [terminal(part, _TITLE) for part in (change.repository, (change.head or change.id)[:12]) if part]
    if change.author is not None:
        kind = change.provenance.kind.value
        name = f" {terminal(change.provenance.name, 60)}" if change.provenance.name else ""
        made.append(f"by {terminal(change.author, _TITLE)} ({kind}{name})")
    if change.authored_at is not None:
        made.append(f"on {change.authored_at:%Y-%m-%d}")
    size = f"{words.counted(len(change.files), 'file')}, {words.churn(change)}"
    return f"{' '.join(made)}: {size}"


def _findings(page: _Page, report: RiskReport) -> None:
    groups = words.grouped(report.findings)
    if not groups:
        return
    page.heading(f"Findings ({len(groups)})")
    for group in groups[:SHOWN]:
        style = (_BOLD, _SEVERITIES[group.severity])
        label = _label(page, group.severity.value, *style)
        page.prose(f"{terminal(group.message, _TEXT)} [{terminal(group.principle, 80)}]", _LABEL + 2, label)
        for path, line in group.places[:_PLACES]:
            page.line(" " * (_LABEL + 2) + words.place(terminal(path, _PATH), line))
        _more(page, len(group.places) - _PLACES, "place", _LABEL + 2)
    _more(page, len(groups) - SHOWN, "finding", 2)


def _hunks(page: _Page, report: RiskReport) -> None:
    hunks = words.in_reading_order(report.hunks)
    if not hunks:
        return
    shown = hunks[:SHOWN]
    of = f" ({len(shown)} of {len(hunks):,})" if len(shown) < len(hunks) else f" ({len(hunks)})"
    page.heading(("Hunks to read first" if words.known(hunks[0].risk) else "Hunks, none of them scored") + of)
    for hunk in shown:
        _hunk(page, hunk, words.reasons(hunk, report.findings[:SHOWN]))
    _more(page, len(hunks) - SHOWN, "hunk", 2)


def _hunk(page: _Page, hunk: HunkRisk, reasons: Sequence[str]) -> None:
    label = _label(page, words.percent(hunk.risk).rjust(6) if words.known(hunk.risk) else "unscored", _BOLD)
    page.line(label + words.place(terminal(hunk.path, _PATH), hunk.start, hunk.end))
    for reason in reasons[:_REASONS]:
        page.prose(terminal(reason, _TEXT), _LABEL + 4, " " * (_LABEL + 2) + "- ")
    _more(page, len(reasons) - _REASONS, "reason", _LABEL + 2)


def _more(page: _Page, count: int, noun: str, indent: int) -> None:
    if count > 0:
        page.line(" " * indent + page.paint(f"and {count:,} more {noun}{'' if count == 1 else 's'}", _DIM))


def _receipt(page: _Page, report: RiskReport) -> None:
    page.heading("Coverage")
    page.prose(words.coverage_sentence(report.coverage), 2, "  ")
    for part in report.coverage.skipped[:SHOWN]:
        page.line(f"  left out: {terminal(part.path, _PATH)} ({terminal(part.reason, _TEXT)})")
    _more(page, len(report.coverage.skipped) - SHOWN, "file", 2)
    if report.notes:
        page.heading("Notes")
        for note in report.notes:
            page.prose(terminal(note, _TEXT), 4, "  - ")
    page.line()
    page.line(page.paint(_model(report), _DIM))


def _model(report: RiskReport) -> str:
    if report.model is None:
        return "Model: none"
    model = report.model
    return f"Model: {terminal(model.name, 80)} {terminal(model.version, 40)}, sha256 {terminal(model.sha256[:12])}"
