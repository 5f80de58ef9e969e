"""A summary as JSON, and as a page for people: text, or Markdown. Unknown is null, or a reason, and never 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from oversight.audit.budget.outcome import Outcome
from oversight.audit.budget.summary import Summary
from oversight.audit.figures import FEWEST, Figures, Share, few
from oversight.measurement.bootstrap import Estimate
from oversight.measurement.intervals import Interval
from oversight.reports.escape import data, markdown, terminal
from oversight.reports.words import counted

INSUFFICIENT = "insufficient data"
"""What stands in the place of a figure that the verdicts are too few for."""

WRITTEN = {"human": "human-written", "agent": "agent-written", "bot": "bot-written"}
"""Kinds of authors in words; any other is unknown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as people read it: `value` with its 95 % interval and the `n` that it is of, in words `of`; without a
    value the `reason`. `digits` are those to be shown; a `share` is one of changes or verdicts.
    """

    key: str
    name: str
    value: float | None
    interval: Interval | None
    n: int
    of: str
    reason: str | None
    digits: int = 3
    share: bool = True


_Row = tuple[str, str, str, str]


def as_dict(summary: Summary) -> dict[str, Any]:
    """Return all figures as plain values: each has a value, an interval, a number `n` and a reason."""
    figures = summary.figures
    counts = ("considered", "picked", "picked_judged", "drawn", "drawn_judged", "known", "caught", "found")
    return {
        "queue": {name: getattr(summary.outcome, name) for name in counts},
        **_of(summary.outcome),
        "precision": asdict(figures.precision),
        "calibration": {
            "error": asdict(figures.reliability.error),
            "bins": [asdict(one) for one in figures.reliability.bins],
            "brier": asdict(figures.brier),
        },
        "agreement": {**_estimate(figures.agreement), "n": figures.several, "reason": _why_none(figures)},
        "blind": asdict(summary.blind),
        "pgr": asdict(summary.recovered),
        "verdicts": {
            "n": figures.verdicts,
            "own": figures.own,
            "people": figures.people,
            "risky": figures.risky,
            "safe": figures.safe,
            "disputed": figures.disputed,
            "decisions": {data(name): count for name, count in sorted(figures.decisions.items())},
            "sources": {data(name): count for name, count in sorted(figures.sources.items())},
        },
        "provenance": {
            kind: {
                **{name: getattr(one, name) for name in counts},
                **_of(one),
                "precision": asdict(one.precision),
            }
            for kind, one in summary.outcomes.items()
        },
    }


def text(summary: Summary) -> str:
    """Return the page as text for a terminal."""
    rows = [_HEAD, *map(_row, figures_of(summary))]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]

    def laid_out(row: _Row) -> str:
        return "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])).rstrip()

    return "\n".join((*_sentences(summary, terminal), "", *map(laid_out, rows), "", *_doubts(summary, terminal))) + "\n"


def as_markdown(summary: Summary) -> str:
    """Return the page as Markdown."""
    lines = ["## Audit", "", *_sentences(summary, markdown), ""]
    lines += [f"| {' | '.join(_HEAD)} |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(_row(one))} |" for one in figures_of(summary)]
    return "\n".join((*lines, "", *_doubts(summary, markdown))) + "\n"


def _of(outcome: Outcome) -> dict[str, Any]:
    return {
        "missed": asdict(outcome.missed),
        "recall": asdict(outcome.recall),
        "risky_share": asdict(outcome.risky),
        "cost_per_catch": asdict(outcome.cost),
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"value": one.value, "interval": _bounds(one), "reason": one.reason}


def _sentences(summary: Summary, escape: Callable[[str], str]) -> Iterator[str]:
    told = summary.outcome
    yield (
        f"{counted(told.considered, 'change')} considered: {told.picked} had a place ({told.picked_judged} judged), "
        f"{told.drawn} were drawn at random ({told.drawn_judged} judged), {told.known} had been judged before."
    )
    yield f"Caught: {told.caught} risky among those that had a place; {told.found} found in all."
    decisions = ", ".join(f"{escape(name)} {count}" for name, count in sorted(summary.figures.decisions.items()))
    people = "1 person" if summary.figures.people == 1 else f"{summary.figures.people} people"
    yield f"{counted(summary.figures.verdicts, 'verdict')} of {people}{f': {decisions}' if decisions else ''}."


def figures_of(summary: Summary) -> Iterator[Figure]:
    """Yield all figures, in the order in which they are told."""
    figures, told, recovered = summary.figures, summary.outcome, summary.recovered
    unplaced = "judged among those without a place"
    yield _share("missed", "probably missed, changes", told.missed, unplaced, digits=1, share=False)
    yield _share("recall", "recall at the budget", told.recall, "judged changes, weighted")
    yield _share("risky", "risky share of all", told.risky, "judged changes, weighted")
    yield _share("cost", "judged per catch", told.cost, "judged changes", digits=1, share=False)
    yield _share("precision", "precision of flags", figures.precision, "flagged changes that were judged, weighted")
    yield _share("brier", "Brier score of shown risks", figures.brier, "judged changes, weighted", share=False)
    error = figures.reliability.error
    of = f"{error.n} judged changes, weighted"
    yield Figure("calibration", "calibration error", error.value, None, error.n, of, error.reason, share=False)
    several, alpha = figures.several, figures.agreement
    of, why = f"{several} changes that two people or more judged", _why_none(figures)
    name = "agreement (Krippendorff's alpha)"
    yield Figure("agreement", name, alpha.value, _bounds(alpha), several, of, why, share=False)
    yield _share("blind", "blind verdicts", summary.blind, "verdicts on changes that had a risk")
    of = f"{recovered.n} judged changes, {recovered.positives} risky, weighted"
    pgr, why = recovered.pgr, recovered.reason
    yield Figure("pgr", "PGR (AUROC)", pgr, recovered.interval, recovered.n, of, why, share=False)
    for kind, one in summary.outcomes.items():
        written = WRITTEN.get(kind, "author unknown")
        yield _share(f"{kind}-risky", f"{written}: risky share", one.risky, f"judged of {one.considered}")
        yield _share(f"{kind}-recall", f"{written}: recall", one.recall, f"judged of {one.considered}")
        of = f"judged of {one.picked} that had a place"
        yield _share(f"{kind}-precision", f"{written}: precision", one.precision, of)


def _doubts(summary: Summary, escape: Callable[[str], str]) -> Iterator[str]:
    for one in summary.figures.reliability.bins:
        yield (
            f"- of {one.count} changes shown with risks from {one.low:.3f} to {one.high:.3f}, {one.predicted:.3f} on "
            f"average, {one.observed:.3f} were risky ({one.interval[0]:.3f} to {one.interval[1]:.3f}), weighted"
        )
    for warning in summary.recovered.warnings:
        yield f"- PGR: {escape(warning)}"
    told = summary.outcome
    if told.picked_judged < told.picked or told.drawn_judged < told.drawn:
        yield "- not all that was asked is answered: figures hold as far as the rest is like what was judged"


def _why_none(figures: Figures) -> str | None:
    """Return why people's agreement has no value, or no interval."""
    if figures.several < FEWEST:
        return few(figures.several, "change", "judged by two people or more")
    return figures.agreement.reason


def _share(key: str, name: str, one: Share, what: str, *, digits: int = 3, share: bool = True) -> Figure:
    return Figure(key, name, one.value, one.interval, one.n, f"{one.n} {what}", one.reason, digits, share)


def _bounds(estimate: Estimate) -> Interval | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


_HEAD: _Row = ("measure", "value", "95 % interval", "of")


def _row(one: Figure) -> _Row:
    if one.value is None:
        return one.name, INSUFFICIENT, "", one.reason or "unknown"
    value = f"{one.value:.{one.digits}f}"
    if one.interval is None:
        return one.name, value, "", one.of if one.reason is None else f"{one.of}; no interval: {one.reason}"
    return one.name, value, " to ".join(f"{bound:.{one.digits}f}" for bound in one.interval), one.of
