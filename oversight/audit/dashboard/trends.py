"""PGR and canaries in words, numbers and charts: runs over time and model versions, and what the newest of them say.

A run of PGR is compared with those alone that did the same: the same method, weak reviewer, labels and measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from oversight.audit.canaries.figures import ALL, Figures
from oversight.audit.canaries.figures import Share as Counted
from oversight.audit.canaries.text import FEWEST
from oversight.audit.dashboard import svg
from oversight.audit.dashboard.model import Behind, Dashboard, Flock
from oversight.audit.dashboard.planted import behind, newest, over_time
from oversight.audit.dashboard.rows import Cell
from oversight.audit.dashboard.view import Measure, model_name, share, too_few
from oversight.audit.figures import Share
from oversight.experiment.runs import Run
from oversight.reports.escape import visible
from oversight.reports.words import counted, plural

_MOST_RUNS = 40
_TEXT = 60  # characters of a text of others
_SHA = 12


@dataclass(frozen=True, slots=True)
class Recovery:
    """Runs of PGR that can be compared; `rows` are their cells, the newest first, `left` how many are not shown."""

    name: str
    chart: svg.Chart | None
    rows: tuple[tuple[str, ...], ...]
    left: int


@dataclass(frozen=True, slots=True)
class Kind:
    """What a run says of a class or a language: how many canaries, and its measures."""

    name: str
    count: int
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest run of canaries of a repository. `cells` has a row a class, a cell a language: caught of how many,
    and the way to these.
    """

    name: str
    kinds: tuple[Kind, ...]
    languages: tuple[Kind, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell | Behind, ...], ...]


@dataclass(frozen=True, slots=True)
class Flocks:
    """Runs of canaries over time that can be compared, where there are several; `classes` are those of each of them."""

    name: str
    classes: str
    chart: svg.Chart
    rows: tuple[tuple[Cell | Behind, ...], ...]


COLUMNS = ("measured", "at", "version", "PGR", "95 % interval", "test changes", "weak", "student", "ceiling")
"""The columns of the rows of `Recovery`."""

OVER_TIME = ("ended", "model", "canaries", "caught", "95 % interval", "controls flagged", "95 % interval")
"""The columns of the rows of `Flocks`."""


def recoveries(dashboard: Dashboard) -> tuple[Recovery, ...]:
    """Return the recorded runs of PGR, those of one kind together, the kind that was measured last first."""
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in dashboard.measured:
        groups.setdefault((run.repository, run.metric, run.method, run.weak, run.human), []).append(run)
    ordered = sorted(groups.values(), key=lambda runs: runs[-1].when, reverse=True)
    return tuple(_recovery(runs) for runs in ordered)


def newest_flocks(dashboard: Dashboard) -> tuple[Newest, ...]:
    """Return what the newest run of canaries says, of each repository."""
    return tuple(_newest(dashboard, flock) for flock in newest(dashboard))


def flocks(dashboard: Dashboard) -> tuple[Flocks, ...]:
    """Return the runs of canaries of which there are two or more with the same repository, budget and classes."""
    return tuple(_over_time(dashboard, group) for group in over_time(dashboard))


def _recovery(runs: Sequence[Run]) -> Recovery:
    shown = runs[-_MOST_RUNS:]
    first = shown[-1]
    method, weak, metric = (visible(text, _TEXT) for text in (first.method, first.weak, first.metric))
    name = f"{method}, weak reviewer {weak}, {first.human:,} human labels, {'AUROC' if metric == 'auroc' else metric}"
    if first.repository is not None:
        name = f"{visible(first.repository, _TEXT)}: {name}"
    values = tuple(run.values["pgr"] for run in shown)
    chart = None
    if any(value is not None for value in values):
        titles = tuple(f"{run.when[:10]}: PGR {_number(run.values['pgr'])} {_bounds(run.interval)}" for run in shown)
        series = svg.Series("PGR", "first", values, tuple(run.interval for run in shown), titles)
        below = [(visible(run.when[:10]), visible(run.tip[:8])) for run in shown]
        versions = [visible(run.version, _SHA) for run in shown]
        bounds = svg.bounds_of(values, 0.0, 1.0, 0.1)
        chart = svg.trend([series], below, versions, bounds, "PGR", {0.0: "weak reviewer", 1.0: "ceiling"})
    return Recovery(name, chart, tuple(_run(run) for run in reversed(shown)), len(runs) - len(shown))


def _run(run: Run) -> tuple[str, ...]:
    size = "unknown" if run.n is None else f"{run.n:,}"
    size += "" if run.positives is None else f", {run.positives:,} risky"
    recovered = _number(run.values["pgr"])
    if run.values["pgr"] is None:
        recovered = f"insufficient data: {visible(run.reason or 'no reason was recorded', 3 * _TEXT)}"
    others = (_number(run.values[name]) for name in ("weak", "student", "ceiling"))
    return run.when[:10], run.tip[:8], visible(run.version, _TEXT), recovered, _bounds(run.interval), size, *others


def _newest(dashboard: Dashboard, flock: Flock) -> Newest:
    run, figures = flock.run, flock.figures
    budget = f"budget {run.budget:g} %, seed {run.seed}"
    name = f"{visible(run.repository, _TEXT)}, {run.at:%Y-%m-%d}, {model_name(dashboard, run.model)}, {budget}"
    columns = sorted({one.language for one in figures if one.language != ALL})
    kinds = [one for one in figures if one.language == ALL]
    found = {(one.kind, one.language): one for one in figures}

    def cell(kind: str, language: str) -> Cell | Behind:
        one = found.get((kind, language))
        words = "none" if one is None else f"{one.caught.count:g} of {one.caught.of}"
        return words if one is None else behind(dashboard, flock, kind, language, words)

    return Newest(
        name=name,
        kinds=tuple(
            _kind("all classes" if one.kind == ALL else one.kind, one, behind(dashboard, flock, one.kind))
            for one in kinds
        ),
        languages=tuple(
            _kind(one.language, one, behind(dashboard, flock, language=one.language))
            for one in figures
            if one.kind == ALL and one.language != ALL
        ),
        columns=tuple(columns),
        cells=tuple((one.kind, *(cell(one.kind, language) for language in columns)) for one in kinds if one.kind != ALL)
        if len(columns) > 1
        else (),
    )


def _kind(name: str, one: Figures, rows: Behind) -> Kind:
    def of(share: Counted) -> tuple[Behind, ...]:
        """Return the way to the rows; where not each of them has what is counted, how many they are."""
        return (rows if share.of == one.canaries else replace(rows, words=f"among {counted(one.canaries, 'row')}"),)

    told = (
        ("caught", one.caught, "canary"), ("controls", one.false_flags, "control"),
        ("before", one.before, "change"), ("above", one.above, "pair"),
    )  # fmt: skip
    measures = tuple(_measure(key, share, noun, of(share)) for key, share, noun in told)
    return Kind(visible(name, _TEXT), one.canaries, measures)


def _measure(name: str, one: Counted, noun: str, behind: tuple[Behind, ...]) -> Measure:
    if one.value is None or one.of < FEWEST:
        return too_few(one.of, noun, behind)
    return share(name, Share(one.value, (one.low, one.high), one.of, None), plural(noun), behind)


def _over_time(dashboard: Dashboard, group: Sequence[Flock]) -> Flocks:
    whole = [flock.figures[0] for flock in group]
    ways = [behind(dashboard, flock, words=f"{one.canaries:,}") for flock, one in zip(group, whole, strict=True)]
    series = [
        _series("caught", "first", [one.caught for one in whole], group, ways),
        _series("controls flagged", "second", [one.false_flags for one in whole], group, ways),
    ]
    below = [(f"{flock.run.at:%Y-%m-%d}", flock.run.head[:8]) for flock in group]
    versions = [flock.run.model[:8] for flock in group]
    rows = tuple(
        (
            f"{flock.run.at:%Y-%m-%d %H:%M}", model_name(dashboard, flock.run.model),
            way, *_cells(one.caught), *_cells(one.false_flags),
        )
        for flock, one, way in zip(reversed(group), reversed(whole), reversed(ways), strict=True)
    )  # fmt: skip
    last = group[-1].run
    name = f"{visible(last.repository, _TEXT)}, budget {last.budget:g} %"
    return Flocks(
        name,
        ", ".join(visible(one, _TEXT) for one in last.classes),
        svg.trend(series, below, versions, (0.0, 1.0), "share flagged"),
        rows,
    )


def _series(
    name: str, style: str, shares: Iterable[Counted], group: Sequence[Flock], ways: Sequence[Behind]
) -> svg.Series:
    known = [one if one.value is not None and one.of >= FEWEST else None for one in shares]
    return svg.Series(
        name,
        style,
        tuple(None if one is None else one.value for one in known),
        tuple(None if one is None else (one.low, one.high) for one in known),
        tuple(
            f"{flock.run.at:%Y-%m-%d}: {name} {'' if one is None else f'{one.count:g} of {one.of}'}"
            for flock, one in zip(group, known, strict=True)
        ),
        tuple(ways),
    )


def _cells(one: Counted) -> tuple[str, str]:
    told = _measure("", one, "canary", ())
    return told.text, told.interval


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _bounds(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
