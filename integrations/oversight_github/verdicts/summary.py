"""The step summary of a scheduled run: what is on record, what it tells of the reviews, and what is asked of people.

Nothing that people wrote is in it but the words of a failed measurement, escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from oversight.audit.figures import Figures, Share, few
from oversight.measurement.bootstrap import Estimate
from oversight.measurement.intervals import Interval
from oversight.reports.escape import markdown
from oversight.reports.words import counted
from oversight_github.verdicts.asking import Asked
from oversight_github.verdicts.recovery import Recovery

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Told:
    """What a run did and found."""

    fresh: int
    refused: int
    figures: Figures
    recovery: Recovery
    asked: Sequence[Asked] = ()


def render(told: Told) -> str:
    """Return the summary as Markdown."""
    return "\n".join([*_record(told), *_figures(told), *_reliability(told.figures), *_asked(told.asked)]) + "\n"


def _record(told: Told) -> Iterator[str]:
    figures = told.figures
    yield "## Verdicts\n"
    if not figures.verdicts:
        yield "Nobody has given a verdict yet. `/oversight safe` or `/oversight risky` below a pull request is one."
    else:
        by = "; ".join((_listed(figures.sources), _listed(figures.decisions)))
        people = "1 person" if figures.people == 1 else f"{figures.people:,} people"
        yield f"{counted(figures.verdicts, 'verdict')} of {people} on record, {told.fresh} of them new ({by})."
        disputed = f", {figures.disputed} on which people are even" if figures.disputed else ""
        yield f"By them {counted(figures.risky, 'change')} risky, {figures.safe} safe{disputed}."
    if figures.own:
        yield f"Not counted: {counted(figures.own, 'verdict')} of authors, who clear nothing of their own."
    if told.refused:
        yield f"Refused: {counted(told.refused, 'command')}; the log says which and why."
    yield ""


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{markdown(name, 40)} {count:,}" for name, count in sorted(counts.items()))


def _figures(told: Told) -> Iterator[str]:
    figures, recovery = told.figures, told.recovery
    yield "| measure | value | 95 % interval | of |"
    yield "|---|---|---|---|"
    yield _share("precision of flags", figures.precision, "flagged changes that were judged")
    of_recall = f"{figures.recall.reviewed} judged changes, the unflagged ones drawn at random and weighted"
    yield _row("recall of flags", figures.recall.value, figures.recall.interval, of_recall, figures.recall.reason)
    yield _share("risky share", figures.observed, _beside(figures))
    brier = figures.brier
    yield _row("Brier score", brier.value, brier.interval, "the same; less is better", brier.reason)
    judged = "judged by two people or more"
    agreement = f"{counted(figures.several, 'change')} {judged}"
    unsaid = few(figures.several, "change", judged)
    yield _estimate("agreement of people (alpha)", figures.agreement, agreement, unsaid)
    of_recovery = f"{recovery.n} test changes, {recovery.positives} risky; {_three(recovery)}; {recovery.human} labels"
    why = f"{recovery.reason}; {of_recovery}" if recovery.n else recovery.reason
    yield _row(f"PGR ({recovery.metric})", recovery.pgr, recovery.interval, of_recovery, why)
    yield ""
    for warning in recovery.warnings:
        yield f"- PGR: {markdown(warning, _SHOWN)}"
    if figures.recall.value is not None:
        yield (
            "- Recall, risky share, Brier score and calibration are of the changes of which people say something once "
            "they are shown; they are of all changes if flagged and drawn ones are answered alike."
        )
    yield ""


def _beside(figures: Figures) -> str:
    return f"flagged and drawn changes, judged, weighted, shown with a mean risk of {_number(figures.expected)}"


def _three(recovery: Recovery) -> str:
    parts = (("weak", recovery.weak), ("student", recovery.student), ("ceiling", recovery.ceiling))
    return ", ".join(f"{name} {_number(value)}" for name, value in parts)


def _share(name: str, share: Share, what: str) -> str:
    return _row(name, share.value, share.interval, f"{share.n} {what}", share.reason)


def _estimate(name: str, estimate: Estimate, of: str, reason: str | None) -> str:
    bounds = None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)
    return _row(name, estimate.value, bounds, of, reason)


def _row(name: str, value: float | None, interval: Interval | None, of: str, reason: str | None) -> str:
    if value is None:
        return f"| {name} | none | | {markdown(reason or 'unknown', _SHOWN)} |"
    bounds = "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
    return f"| {name} | {value:.3f} | {bounds} | {of} |"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _reliability(figures: Figures) -> Iterator[str]:
    table = figures.reliability
    if table.error.value is None:
        return
    error = f"expected calibration error {table.error.value:.3f}"
    yield f"Calibration of the shown risks on flagged and drawn changes that were judged, weighted, {error}:\n"
    yield "| risks shown | changes | mean risk | risky | 95 % interval |"
    yield "|---|---|---|---|---|"
    for one in table.bins:
        bounds = f"{one.interval[0]:.3f} to {one.interval[1]:.3f}"
        shown = f"{one.low:.3f} to {one.high:.3f}"
        yield f"| {shown} | {one.count} | {one.predicted:.3f} | {one.observed:.3f} | {bounds} |"
    yield ""


def _asked(asked: Sequence[Asked]) -> Iterator[str]:
    if not asked:
        return
    yield (
        "**Please judge these**, drawn at random from what was merged without a flag; without them nobody knows what "
        "is missed. Answer there with `/oversight safe` or `/oversight risky`:\n"
    )
    for one in asked:
        yield f"- [#{one.number}]({one.address})" if one.address else f"- #{one.number}"
