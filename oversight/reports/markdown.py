"""The face for a pull request's comment, a check run's summary or a step summary: GitHub's Markdown.

Short and quiet: the verdict, what calls for a reader, and everything else folded away. It never grows past
`LIMIT`: lists are cut between entries, and say how many they lost. No block may take more than half of the
room that is left, so that no flood of findings pushes the coverage receipt out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import oversight
from oversight.reports import words
from oversight.reports.escape import code, markdown, terminal
from oversight.reports.model import Finding, FlaggedBy, HunkRisk, RiskReport, Status

LIMIT = 65_535
"""GitHub's limit for comments and check-run texts, in characters; kept in bytes of UTF-8, which are never fewer."""

Link = Callable[[str, int | None, int | None], str | None]
"""Where a path and lines of the new file (first and last) can be looked at; None where they cannot."""

_UPFRONT_FINDINGS = 10
_UPFRONT_HUNKS = 5
_PLACES = 5
_REASONS = 4
_LEADING = "**Hunks to read first**, each with the risk of its lines alone"
_PATH, _TEXT = 200, 400


@dataclass(frozen=True, slots=True)
class _Block:
    """A list of `count` entries, one line each, with what stands before it; folded away where it has a summary.

    The entries are an iterator: of a hundred thousand hunks only those are made into text that fit.
    """

    count: int
    entries: Iterator[str]
    title: str = ""
    summary: str = ""

    def fitted(self, room: int) -> str:
        """Return the block with as many whole entries as fit into `room` bytes; empty where there is none."""
        opening = f"<details><summary>{self.summary}</summary>\n\n" if self.summary else ""
        opening += f"{self.title}\n" if self.title else ""
        opening += "\n" if self.title and self.count else ""
        closing = "\n</details>\n\n" if self.summary else "\n"
        left = room - _size(opening + closing + self._cut(self.count))
        kept: list[str] = []
        for entry in self.entries:
            left -= _size(entry)
            if left < 0:
                kept.append(self._cut(self.count - len(kept)))
                break
            kept.append(entry)
        return opening + "".join(kept) + closing

    def _cut(self, lost: int) -> str:
        return f"- and {lost:,} more, left out to keep to the length of a comment\n"


def render(report: RiskReport, *, limit: int = LIMIT, link: Link | None = None) -> str:
    """Return the report as Markdown of at most `limit` bytes; `link` gives the addresses of places.

    An address is the caller's, and stands between round brackets as it is: it has neither these nor blanks.
    """
    head, foot = _head(report), _foot(report)
    parts, room = [head], limit - _size(head) - _size(foot)
    for block in _blocks(report, link or _nowhere):
        if block.count or block.title:
            parts.append(block.fitted(room // 2))
            room -= _size(parts[-1])
    return "".join([*parts, foot])


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


def _head(report: RiskReport) -> str:
    lines = [f"**{words.verdict(report).capitalize()}**: {words.grounds(report)}."]
    if report.error is not None:
        lines.append(f"Why: {markdown(report.error, _TEXT)}")
    sentence = words.risk_sentence(report)
    if sentence is not None:
        lines.append(f"Risk **{_percent(report.risk)}**. {sentence}")
    return "\n\n".join(lines) + "\n\n"


def _percent(risk: float | None) -> str:
    return words.percent(risk).replace("<", "&lt;").replace(">", "&gt;")


def _nowhere(_path: str, _start: int | None, _end: int | None) -> None:
    return None


def _blocks(report: RiskReport, link: Link) -> list[_Block]:
    findings = words.grouped(report.findings)
    hunks = words.in_reading_order(report.hunks)
    first, others = findings[:_UPFRONT_FINDINGS], findings[_UPFRONT_FINDINGS:]
    upfront = _UPFRONT_HUNKS if FlaggedBy.BUDGET in report.flagged_by else 0
    leading, rest = hunks[:upfront], hunks[upfront:]
    show = partial(_hunk, listed=report.findings, link=link)
    tell = partial(_finding, link=link)
    coverage = report.coverage
    skipped = (_skipped(part.path, part.reason) for part in coverage.skipped)
    notes = (f"- {markdown(note, _TEXT)}\n" for note in report.notes)
    return [
        _Block(len(first), map(tell, first), title="**Findings**" if first else ""),
        _Block(len(leading), map(show, leading), title=_LEADING if leading else ""),
        _Block(len(others), map(tell, others), summary=words.counted(len(others), "more finding")),
        _Block(len(rest), map(show, rest), summary=words.counted(len(rest), "more hunk" if leading else "hunk")),
        _Block(len(coverage.skipped), skipped, title=words.coverage_sentence(coverage), summary=_receipt(report)),
        _Block(len(report.notes), notes, summary="Notes"),
    ]


def _finding(group: words.Group, link: Link) -> str:
    places = ", ".join(_place(link, path, line) for path, line in group.places[:_PLACES])
    if len(group.places) > _PLACES:
        places += f" and {words.counted(len(group.places) - _PLACES, 'more place')}"
    said = markdown(group.message, _TEXT)
    return f"- **{group.severity.value}** {said} ({code(group.principle, 80)})<br>{places}\n"


def _hunk(hunk: HunkRisk, listed: Sequence[Finding], link: Link) -> str:
    reasons = "; ".join(markdown(reason, _TEXT) for reason in words.reasons(hunk, listed)[:_REASONS])
    head = f"- **{_percent(hunk.risk)}** {_place(link, hunk.path, hunk.start, hunk.end)}"
    return f"{head}: {reasons}\n" if reasons else f"{head}\n"


def _place(link: Link, path: str, start: int | None = None, end: int | None = None) -> str:
    if not path:
        return words.WHOLE_CHANGE
    shown, address = code(words.place(terminal(path, _PATH), start, end)), link(path, start, end)
    return shown if address is None else f"[{shown}]({address})"


def _skipped(path: str, reason: str) -> str:
    return f"- {code(path, _PATH)}: {markdown(reason, _TEXT)}\n"


def _receipt(report: RiskReport) -> str:
    coverage = report.coverage
    whole = coverage.files_scored == coverage.files_total and not coverage.skipped
    if report.status is not Status.SCORED:
        return "Coverage: not scored"
    said = "all" if whole else f"{coverage.files_scored:,} of {coverage.files_total:,}"
    return f"Coverage: {said} files scored"


def _foot(report: RiskReport) -> str:
    change = report.change
    reviewed = f"oversight {oversight.__version__} on {code((change.head or change.id)[:12])}"
    if report.model is None:
        return f"<sub>{reviewed}, no model</sub>\n"
    model = f"{code(report.model.name, 80)} {code(report.model.version, 40)}, sha256 {code(report.model.sha256[:12])}"
    return f"<sub>{reviewed}, model {model}</sub>\n"
