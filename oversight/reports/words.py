"""The words that the faces for people share: numbers said so that nobody is misled by rounding, and order."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeGuard, TypeVar

from oversight.changes.model import Change
from oversight.history.model import Completeness
from oversight.reports.model import Coverage, Finding, FlaggedBy, HunkRisk, RiskReport, Status
from oversight.reviewers.model import Severity

WHOLE_CHANGE = "(the whole change)"
"""What stands where a path would, for a finding about no file in particular."""

_GRAVITY = {severity: rank for rank, severity in enumerate(reversed(Severity))}
_CONTEXT = {
    Completeness.FULL: "the repository's history was known",
    Completeness.PARTIAL: "only a part of the repository's history was known",
    Completeness.NONE: "nothing of the repository's history was known",
}


def reasons(hunk: HunkRisk, listed: Iterable[Finding]) -> list[str]:
    """Return the hunk's reasons; what a finding that is `listed` already says in full is named by its principle."""
    told = {finding.message: finding.principle for finding in listed}
    named = [told[reason] for reason in hunk.reasons if reason in told]
    rest = [reason for reason in hunk.reasons if reason not in told]
    return [f"see {', '.join(named)}", *rest] if named else rest


def known(number: float | None) -> TypeGuard[float]:
    """Whether there is a number at all: neither None nor NaN nor infinite."""
    return number is not None and math.isfinite(number)


def percent(risk: float | None) -> str:
    """Return a probability as a percentage; what is possible never shows as 0 %, nor as 100 %.

    >>> percent(0.314), percent(0.0004), percent(0.9999), percent(None)
    ('31%', '<0.1%', '>99.9%', 'unknown')
    """
    if not known(risk):
        return "unknown"
    share = risk * 100
    if share < 0.1:
        return "<0.1%"
    if share > 99.9:
        return ">99.9%"
    # "10%" from 9.95 on and "90%" up to 90.4: one decimal only where the whole number would say too little.
    return f"{share:.1f}%" if share < 9.95 or share >= 99.5 else f"{share:.0f}%"


def frequency(risk: float) -> str:
    """Return a probability as people grasp it best, as a frequency.

    >>> frequency(0.31), frequency(0.0213), frequency(0.6), frequency(0.004), frequency(0.98)
    ('about 1 in 3', 'about 1 in 50', 'about 6 in 10', 'fewer than 1 in 100', 'more than 9 in 10')
    """
    if risk < 0.01:
        return "fewer than 1 in 100"
    if risk > 0.95:
        return "more than 9 in 10"
    if risk < 0.45:
        among = 1 / risk
        step = 1 if among < 10.5 else 5 if among < 30 else 10
        return f"about 1 in {step * round(among / step)}"
    return f"about {risk * 10:.0f} in 10"


def rank(percentile: float) -> str:
    """Return a percentile in words, rounded down: nobody is told of more than there is.

    >>> rank(96.7), rank(99.97), rank(100.0), rank(0.3)
    ('riskier than 96% of', 'riskier than 99.9% of', 'riskier than all of', 'riskier than less than 1% of')
    """
    if percentile >= 100:
        return "riskier than all of"
    if percentile < 1:
        return "riskier than less than 1% of"
    shown = math.floor(percentile * 10) / 10 if percentile >= 99 else math.floor(percentile)
    return f"riskier than {shown:g}% of"


def number(value: float) -> str:
    """Return a number as a person would have written it.

    >>> number(10.0), number(2.5)
    ('10', '2.5')
    """
    return f"{value:g}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "hunk"), counted(1200, "line")
    ('1 hunk', '1,200 lines')
    """
    return f"{count:,} {noun if count == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Return the plural of a noun, such as we use them.

    >>> plural("hunk"), plural("canary")
    ('hunks', 'canaries')
    """
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def verdict(report: RiskReport) -> str:
    """Return the verdict's one word, in capitals."""
    if report.status is Status.SCORED:
        return "FLAGGED" if report.flagged else "NOT FLAGGED"
    return "UNSCORED" if report.status is Status.UNSCORED else "ERROR"


def grounds(report: RiskReport) -> str:
    """Return why the flag is up or down, or why there is none to go by, as the rest of the verdict's sentence.

    Our own words only: what went wrong (`report.error`) is shown, escaped, by each face.
    """
    if report.status is not Status.SCORED:
        rest = "no risk could be given, which does not mean a low one: treat the change as unread"
        return f"{rest}; {_grounds(report)}" if report.flagged_by else rest
    if report.flagged:
        return f"a person should read this change; {_grounds(report)}"
    return f"outside the review budget of {number(report.budget)}%, and no principle asks for a reader"


def _grounds(report: RiskReport) -> str:
    said = []
    if FlaggedBy.BUDGET in report.flagged_by:
        said.append(f"it is inside the review budget of {number(report.budget)}%")
    if FlaggedBy.PRINCIPLE in report.flagged_by:
        said.append("a principle asks for a reader")
    return " and ".join(said) or "no reason given"


def risk_sentence(report: RiskReport) -> str | None:
    """Return risk and percentile in words; None where there is no risk."""
    if not known(report.risk):
        return None
    often = frequency(report.risk)
    are = "is" if often.startswith("about 1 in") else "are"
    repaired = f"{often} changes like this one {are} later repaired or withdrawn"
    said = [repaired, "how it compares with other changes is unknown"]
    if known(report.percentile):
        said[1] = f"{rank(report.percentile)} the changes it is compared with"
    if report.model is not None and report.model.elsewhere:
        said = [said[1], f"in the repositories that the model learned from, {repaired}"]
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."


def churn(change: Change) -> str:
    """Return how many lines a change adds and deletes, if that is known."""
    if change.added is None or change.deleted is None:
        return "an unknown number of lines"
    return f"+{change.added:,} -{change.deleted:,}"


def coverage_sentence(coverage: Coverage) -> str:
    """Return the coverage receipt's first line."""
    files = f"{coverage.files_scored:,} of {counted(coverage.files_total, 'file')}"
    lines = (
        f"{counted(coverage.lines_scored, 'changed line')} of an unknown number"
        if coverage.lines_total is None
        else f"{coverage.lines_scored:,} of {counted(coverage.lines_total, 'changed line')}"
    )
    return f"{files} and {lines} were scored; {_CONTEXT[coverage.context]}."


def by_gravity(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the gravest first, then by place."""
    return sorted(findings, key=lambda finding: (_GRAVITY[finding.severity], finding.path, finding.line or 0))


@dataclass(frozen=True, slots=True)
class Group:
    """What one principle says in the same words, and everywhere it says so (paths and lines, never empty)."""

    principle: str
    severity: Severity
    message: str
    places: tuple[tuple[str, int | None], ...]


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Return findings by what they say, the gravest first: a person reads a sentence once, not once a line."""
    groups: dict[tuple[str, Severity, str], list[tuple[str, int | None]]] = {}
    for finding in by_gravity(findings):
        key = (finding.principle, finding.severity, finding.message)
        groups.setdefault(key, []).append((finding.path, finding.line))
    return [Group(*key, tuple(dict.fromkeys(places))) for key, places in groups.items()]


class Weighed(Protocol):
    """A hunk, as far as its place in the order of reading goes."""

    @property
    def risk(self) -> float | None:
        """Its own risk."""

    @property
    def weight(self) -> float | None:
        """What goes before the risk, if anything does."""


_Weighed = TypeVar("_Weighed", bound=Weighed)


def in_reading_order(hunks: Iterable[_Weighed]) -> list[_Weighed]:
    """Return hunks by weight, then by risk, those without a risk last; what is left of ties as in the change."""
    return sorted(hunks, key=_last)


def _last(hunk: Weighed) -> tuple[bool, float, float]:
    risk = hunk.risk if known(hunk.risk) else 0.0
    return not known(hunk.risk), -(hunk.weight or 0.0), -risk


def place(path: str, start: int | None = None, end: int | None = None) -> str:
    """Return `path:line` or `path:first-last`. The path is as hostile as before.

    >>> place("a.py", 3, 3), place("a.py", 3, 9), place("a.py")
    ('a.py:3', 'a.py:3-9', 'a.py')
    """
    if not path:
        return WHOLE_CHANGE
    if start is None:
        return path
    return f"{path}:{start}" if end is None or end == start else f"{path}:{start}-{end}"
