"""A summary as JSON, and as a page for people: text, or Markdown. Unknown is null, or a reason, and never 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from oversight.audit.budget.outcome import Outcome
from oversight.audit.budget.summary import Summary
from oversight.audit.figures import FEWEST, Figures, Share, few
from oversight.measurement.bootstrap import Estimate
from oversight.reports.escape import data, markdown, terminal
from oversight.reports.words import counted

_INSUFFICIENT = "insufficient data"

Row = tuple[str, str, str, str]
"""A figure: what it is, its value, its 95 % interval, and what it is of, or why there is none."""


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
            "brier": _estimate(figures.brier),
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
                "precision": asdict(summary.precision[kind]),
            }
            for kind, one in summary.outcomes.items()
        },
    }


def text(summary: Summary) -> str:
    """Return the page as text for a terminal."""
    rows = list(_rows(summary))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]

    def laid_out(row: Row) -> str:
        return "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])).rstrip()

    return "\n".join((*_sentences(summary, terminal), "", *map(laid_out, rows), "", *_doubts(summary, terminal))) + "\n"


def as_markdown(summary: Summary) -> str:
    """Return the page as Markdown."""
    head, *rows = list(_rows(summary))
    lines = ["## Audit", "", *_sentences(summary, markdown), ""]
    lines += [f"| {' | '.join(head)} |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join((*lines, "", *_doubts(summary, markdown))) + "\n"


def _of(outcome: Outcome) -> dict[str, Any]:
    return {
        "missed": asdict(outcome.missed),
        "recall": asdict(outcome.recall),
        "risky_share": asdict(outcome.risky),
        "cost_per_catch": asdict(outcome.cost),
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    interval = None if one.low is None or one.high is None else (one.low, one.high)
    return {"value": one.value, "interval": interval, "reason": one.reason}


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


def _rows(summary: Summary) -> Iterator[Row]:
    figures = summary.figures
    yield "measure", "value", "95 % interval", "of"
    yield _share("probably missed, changes", summary.outcome.missed, "judged among those without a place", digits=1)
    yield _share("recall at the budget", summary.outcome.recall, "judged changes, weighted")
    yield _share("risky share of all", summary.outcome.risky, "judged changes, weighted")
    yield _share("judged per catch", summary.outcome.cost, "judged changes", digits=1)
    yield _share("precision of flags", figures.precision, "flagged changes that were judged")
    yield _measured("Brier score of shown risks", figures.brier, figures.observed)
    error = figures.reliability.error
    yield _row("calibration error", error.value, None, f"{error.n} judged changes", error.reason)
    judged = f"{figures.several} changes that two people or more judged"
    agreement = figures.agreement
    yield _row("agreement (Krippendorff's alpha)", agreement.value, _bounds(agreement), judged, _why_none(figures))
    yield _share("blind verdicts", summary.blind, "verdicts on changes that had a risk")
    told = summary.recovered
    yield _row("PGR (AUROC)", told.pgr, told.interval, f"{told.n} judged changes, {told.positives} risky", told.reason)
    for kind, one in summary.outcomes.items():
        written = {"human": "human-written", "agent": "agent-written", "bot": "bot-written"}.get(kind, "author unknown")
        yield _share(f"{written}: risky share", one.risky, f"judged of {one.considered}")
        yield _share(f"{written}: recall", one.recall, f"judged of {one.considered}")
        yield _share(f"{written}: precision", summary.precision[kind], f"judged of {one.picked} that had a place")


def _doubts(summary: Summary, escape: Callable[[str], str]) -> Iterator[str]:
    for one in summary.figures.reliability.bins:
        yield (
            f"- of {one.count} changes shown with risks from {one.low:.3f} to {one.high:.3f}, {one.predicted:.3f} on "
            f"average, {one.observed:.3f} were risky ({one.interval[0]:.3f} to {one.interval[1]:.3f})"
        )
    for warning in summary.recovered.warnings:
        yield f"- PGR: {escape(warning)}"
    told = summary.outcome
    if told.picked_judged < told.picked or told.drawn_judged < told.drawn:
        yield "- not all that was asked is answered: figures hold as far as the rest is like what was judged"


def _why_none(figures: Figures) -> str | None:
    """Return why people's agreement has no value, or no interval."""
    if figures.several < FEWEST:
        return few(figures.several, "changes were judged by two people or more")
    return figures.agreement.reason


def _share(name: str, share: Share, what: str, *, digits: int = 3) -> Row:
    return _row(name, share.value, share.interval, f"{share.n} {what}", share.reason, digits)


def _measured(name: str, estimate: Estimate, observed: Share) -> Row:
    return _row(name, estimate.value, _bounds(estimate), f"{observed.n} judged changes", observed.reason)


def _bounds(estimate: Estimate) -> Sequence[float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def _row(
    name: str, value: float | None, bounds: Sequence[float] | None, of: str, reason: str | None, digits: int = 3
) -> Row:
    if value is None:
        return name, _INSUFFICIENT, "", reason or "unknown"
    interval = "" if bounds is None else f"{bounds[0]:.{digits}f} to {bounds[1]:.{digits}f}"
    return name, f"{value:.{digits}f}", interval, of
