"""Runs of canaries in words and columns, for people. Nothing here comes from a diff; names are escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oversight.audit.canaries.figures import ALL, Figures, Share, figures_of
from oversight.audit.canaries.giveaways import Giveaways
from oversight.audit.canaries.model import Flock
from oversight.audit.canaries.runs import Run
from oversight.reports.escape import terminal
from oversight.reports.words import counted

FEWEST = 10
"""With fewer canaries a class has no trend to speak of: the share is left out."""

_UNKNOWN = "-"


def run_text(run: Run) -> Iterator[str]:
    """Yield the lines on one run: the figures of every class and language."""
    yield f"{terminal(run.repository, 100)} at {run.head[:12]}, model {run.model[:12]}, seed {run.seed}"
    yield f"flagged at a budget of {run.budget:g} %, with 95 % intervals:"
    yield ""
    yield (
        f"{'class':<18}{'language':<12}{'n':>4}  {'by budget':<18}{'by principle':<18}{'either':<18}"
        f"{'controls':<18}{'before':<18}{'above control':<18}"
    ).rstrip()
    for figures in figures_of(run.reviewed):
        yield _row(figures)
    unscored = sum(figures.unscored for figures in figures_of(run.reviewed)[:1])
    if unscored:
        yield f"{counted(unscored, 'canary')} could not be scored: flagged, and by neither"


def _row(figures: Figures) -> str:
    shares = (
        figures.by_budget, figures.by_principle, figures.caught, figures.false_flags, figures.before, figures.above,
    )  # fmt: skip
    shown = "".join(f"{_shown(share):<18}" for share in shares)
    return f"{figures.kind:<18}{figures.language:<12}{figures.canaries:>4}  {shown}".rstrip()


def _shown(share: Share) -> str:
    if share.value is None:
        return _UNKNOWN
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f}-{100 * share.high:.0f})"


def made_text(flock: Flock) -> Iterator[str]:
    """Yield a line on the classes of which the history gave fewer than were wanted."""
    kinds = [pair.canary.kind for pair in flock.pairs]
    short = [
        f"{kind} {kinds.count(kind)} of {wanted}" for kind, wanted in flock.asked.items() if kinds.count(kind) < wanted
    ]
    if short:
        yield ""
        yield f"found too few places for: {', '.join(short)}"


def giveaways_text(told: Giveaways) -> Iterator[str]:
    """Yield the lines on how well canaries could be told from afar; 50 % is chance."""
    yield ""
    yield "told from their controls without reading what they do (50 % is chance):"
    yield f"  by lines added and deleted alone: {_shown(told.counts)}"
    yield f"  by a classifier of sizes, files, layout, context and message: {_shown(told.told)}"
    for name, share in told.strongest:
        yield f"  by {name} alone, where it differs ({share.of} pairs): {_shown(share)}"


def trend_text(runs: Sequence[Run]) -> Iterator[str]:
    """Yield the lines on runs over time, those that can be compared together: all canaries of each, then those of each
    class and each language.
    """
    if not runs:
        yield "no runs on record"
        return
    yield "share of canaries flagged by budget or principle, with 95 % intervals"
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.asked, []).append(run)
    for group in groups.values():
        first = group[0]
        yield ""
        yield f"{terminal(first.repository, 100)}, budget {first.budget:g} %, {terminal(', '.join(first.classes), 400)}"
        for run in group:
            yield ""
            yield f"{run.at:%Y-%m-%d %H:%M} at {run.head[:12]}, model {run.model[:12]}, seed {run.seed}"
            yield from _classes_and_languages(run)


def _classes_and_languages(run: Run) -> Iterator[str]:
    for one in figures_of(run.reviewed):
        if ALL in (one.kind, one.language):
            name = one.language if one.kind == ALL else one.kind
            yield f"  {name:<18}{one.canaries:>4}  {_trended(one)}"


def _trended(figures: Figures) -> str:
    if figures.canaries < FEWEST:
        return f"insufficient data (fewer than {FEWEST} canaries)"
    return f"{_shown(figures.caught):<18} controls {_shown(figures.false_flags)}"
