"""The dashboard's values as words, numbers and links, section by section: what templates write down as it is.

Every number has its interval, what it is of, and the rows behind it; where there is none stands why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from oversight.audit.budget.outcome import Outcome
from oversight.audit.budget.telling import INSUFFICIENT, WRITTEN, Figure, figures_of
from oversight.audit.dashboard import svg
from oversight.audit.dashboard.model import Behind, Change, Dashboard, Group, month
from oversight.audit.dashboard.rows import Cell
from oversight.audit.dashboard.tables import MOST_MISSES, miss
from oversight.audit.figures import Share, few
from oversight.audit.verdict import Selection
from oversight.reports.words import counted

_PER_CENT = "\u00a0%"
_MOST_MONTHS = 12
_SHA = 12
_AUTHORS = {**WRITTEN, "unknown": "author unknown"}


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure in words: `text` with its `interval`, which is "" where it has none, and what it is `of`; or `reason`
    where there is too little for it, and `text` says so. `whisker` is None for what is no share.
    """

    name: str
    text: str
    interval: str
    of: str
    reason: str | None
    whisker: svg.Whisker | None
    behind: tuple[Behind, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: how many, from where to where on a line of 100, and the rows, None where these may not be told
    apart from others.
    """

    words: str
    count: int
    style: str
    start: float
    width: float
    behind: Behind | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A number of changes or verdicts, in parts."""

    name: str
    count: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A group of changes beside others: how many were considered, and its measures."""

    name: str
    considered: int
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """A row of the reliability table: with which risks changes were shown, and how many of them are risky."""

    shown: str
    predicted: str
    observed: str
    interval: str
    count: int
    behind: Behind


@dataclass(frozen=True, slots=True)
class View:
    """All sections but those of PGR and canaries (`runs_view`)."""

    title: str
    when: str
    sentences: tuple[str, ...]
    first: tuple[Measure, ...]
    others: tuple[Measure, ...]
    bars: tuple[Bar, ...]
    calibration: tuple[Measure, ...]
    chart: svg.Chart | None
    bins: tuple[Bin, ...]
    authors: tuple[Compared, ...]
    months: tuple[Compared, ...]
    months_left: int
    models: tuple[Compared, ...]
    misses: tuple[tuple[Cell, ...], ...]
    misses_in_all: int
    misses_behind: Behind
    pgr: Measure
    doubt: bool


def view(dashboard: Dashboard) -> View:
    """Return what there is to show."""
    summary = dashboard.summary
    measures = {one.key: _measure(one, _behind(dashboard, one.key)) for one in figures_of(summary)}
    told = summary.outcome
    figures = summary.figures
    months = _each(dashboard, "months", dashboard.months, lambda one: month(one.considered_at))
    models = _each(dashboard, "models", dashboard.models, lambda one: one.model)
    return View(
        title=dashboard.repository or "all repositories",
        when=_when(dashboard),
        sentences=(
            f"{counted(told.considered, 'change')} considered, {counted(figures.verdicts, 'verdict')} of "
            f"{'1 person' if figures.people == 1 else f'{figures.people:,} people'}",
        ),
        first=tuple(measures[key] for key in ("recall", "missed", "precision", "cost")),
        others=tuple(measures[key] for key in ("risky", "blind", "agreement")),
        bars=(*_places(dashboard), *_decisions(dashboard)),
        calibration=(measures["calibration"], measures["brier"]),
        chart=_chart(dashboard),
        bins=tuple(_bins(dashboard)),
        authors=tuple(_authors(dashboard)),
        months=tuple(months[-_MOST_MONTHS:]),
        months_left=max(len(months) - _MOST_MONTHS, 0),
        models=tuple(replace(one, name=model_name(dashboard, one.name)) for one in models),
        misses=tuple(miss(one) for one in dashboard.passed[:MOST_MISSES]),
        misses_in_all=len(dashboard.passed),
        misses_behind=Behind("all of them", "passed"),
        pgr=measures["pgr"],
        doubt=told.picked_judged < told.picked or told.drawn_judged < told.drawn,
    )


def model_name(dashboard: Dashboard, digest: str) -> str:
    """Return how a model is called: name and version as far as they are known, and the beginning of its sha256."""
    name, version = dashboard.names.get(digest, ("", ""))
    return f"{name} {version} {digest[:_SHA]}".strip()


def share(name: str, one: Share, of: str, behind: tuple[Behind, ...] = ()) -> Measure:
    """Return a share in words."""
    return _measure(Figure("", name, one.value, one.interval, one.n, f"{one.n:,} {of}", one.reason), behind)


def percent(value: float) -> str:
    """Return a share as a percentage of one decimal, and nothing that is possible as 0 % or 100 %."""
    if 0.0 < value < 0.0005 or 0.9995 < value < 1.0:
        return ("<0.1" if value < 0.5 else ">99.9") + _PER_CENT
    return f"{100 * value:.{0 if value in (0.0, 1.0) else 1}f}{_PER_CENT}"


def _measure(one: Figure, behind: tuple[Behind, ...]) -> Measure:
    if one.value is None:
        return Measure(one.name, INSUFFICIENT, "", one.of, one.reason or "unknown", None, behind)
    if one.interval is None:
        interval = "" if one.reason is None else f"no interval: {one.reason}"
    else:
        interval = _from_to(*(_number(bound, one) for bound in one.interval))
    whisker = svg.whisker(one.value, one.interval) if one.share and one.interval is not None else None
    return Measure(one.name, _number(one.value, one), interval, one.of, None, whisker, behind)


def _from_to(low: str, high: str) -> str:
    """Return two ends, of which the first leaves the sign of per cent to the second."""
    return f"{low.removesuffix(_PER_CENT) if high.endswith(_PER_CENT) else low} to {high}"


def _number(value: float, one: Figure) -> str:
    if one.share:
        return percent(value)
    return f"{value:,.{one.digits}f}"


def _when(dashboard: Dashboard) -> str:
    since = "" if dashboard.since is None else f"from {dashboard.since:%Y-%m-%d} "
    until = "" if dashboard.until is None else f"until {dashboard.until:%Y-%m-%d} "
    return f"{since}{until}as of {dashboard.at:%Y-%m-%d %H:%M} UTC".strip()


_WORDS = {
    Group.PICKED: "had a place",
    Group.DRAWN: "drawn at random",
    Group.KNOWN: "judged before",
    Group.OWN: "of people's own accord",
    Group.ELSEWHERE: "judged elsewhere",
}
_GROUPS = {
    "recall": (Group.PICKED, Group.DRAWN, Group.KNOWN),
    "missed": (Group.DRAWN, Group.KNOWN),
    "risky": (Group.PICKED, Group.DRAWN, Group.KNOWN),
    "cost": (Group.PICKED, Group.DRAWN, Group.KNOWN, Group.OWN),
    "precision": (Group.PICKED,),  # of places; that of flags has rows of its own
}
_TABLES = {
    "precision": "flagged", "brier": "risks", "calibration": "risks", "agreement": "several", "blind": "blind",
    "pgr": "pgr",
}  # fmt: skip
_ELSEWHERE = {Selection.FLAGGED: "flagged, judged elsewhere", Selection.RANDOM: "drawn, judged elsewhere"}


def _behind(dashboard: Dashboard, key: str) -> tuple[Behind, ...]:
    if key in _TABLES:
        summary = dashboard.summary
        figures = summary.figures
        there = {
            "flagged": figures.precision.n, "risks": len(figures.reliability.bins), "several": figures.several,
            "blind": summary.blind.n, "pgr": summary.recovered.n,
        }  # fmt: skip
        return (Behind("the rows", _TABLES[key]),) if there[_TABLES[key]] else ()
    if key == "recall" and not dashboard.summary.outcome.considered:
        return _elsewhere(dashboard)
    groups = _groups(dashboard.changes, _GROUPS.get(key, ()))
    return (*groups, *_found(dashboard)) if key == "missed" else groups


def _elsewhere(dashboard: Dashboard) -> tuple[Behind, ...]:
    """Return the way to what the Action flagged and drew by itself, which recall is of where nothing was considered."""
    found = Counter(one.selection for one in dashboard.group(Group.ELSEWHERE))
    return tuple(
        Behind(f"{found[one]:,} {words}", Group.ELSEWHERE.value, one.value)
        for one, words in _ELSEWHERE.items()
        if found[one]
    )


def _found(dashboard: Dashboard) -> tuple[Behind, ...]:
    """Return the way to what is not missed any more, since people found it of their own accord: it is taken off."""
    found = sum(one.risky is True for one in dashboard.group(Group.OWN))
    return (Behind(f"less {found:,} found {_WORDS[Group.OWN]}", Group.OWN.value, "risky"),) if found else ()


def _groups(changes: Sequence[Change], groups: Sequence[Group], section: str | None = None) -> tuple[Behind, ...]:
    found = Counter(one.group for one in changes)
    return tuple(Behind(f"{found[one]:,} {_WORDS[one]}", one.value, section) for one in groups if found[one])


def _each(
    dashboard: Dashboard, table: str, outcomes: Mapping[str, Outcome], key: Callable[[Change], str | None]
) -> list[Compared]:
    """Return groups of changes, each with the way to those of its rows that a measure is of."""
    found = Counter((key(one), one.group) for one in dashboard.changes)

    def behind(name: str, measure: str) -> tuple[Behind, ...]:
        return tuple(
            Behind(f"{found[name, group]:,} {_WORDS[group]}", table, f"{name}-{group.value}")
            for group in _GROUPS[measure]
            if found[name, group]
        )

    measures = ("risky", "recall", "precision")
    return [_compared(name, one, {key: behind(name, key) for key in measures}) for name, one in outcomes.items()]


def _places(dashboard: Dashboard) -> list[Bar]:
    """Return what became of what was considered. Of what waits nobody is told for what it was picked: that says what
    the model thinks of it, and who judges it may want to be blind.
    """
    told = dashboard.summary.outcome
    waiting, rest = dashboard.group(Group.WAITING), dashboard.group(Group.REST)
    asked = {
        "had a place": (told.picked, Group.PICKED, told.picked_judged),
        "drawn at random": (told.drawn, Group.DRAWN, told.drawn_judged),
    }
    bars = [
        _bar(name, [("judged", done, "first", Behind("", group.value)),
                    ("open", count - done, "rest", None)])
        for name, (count, group, done) in asked.items()
    ]  # fmt: skip
    bars.append(_bar("open, of both", [("open", len(waiting), "rest", Behind("", Group.WAITING.value))]))
    known = len(dashboard.group(Group.KNOWN))
    bars.append(_bar("judged before anybody was asked", [("judged", known, "first", Behind("", Group.KNOWN.value))]))
    own = len(dashboard.group(Group.OWN))
    parts = [
        ("judged", own, "first", Behind("", Group.OWN.value)),
        ("not judged", len(rest), "rest", Behind("", Group.REST.value)),
    ]
    bars.append(_bar("not picked", parts))
    return bars if told.considered or waiting else []


def _decisions(dashboard: Dashboard) -> list[Bar]:
    styles = {"risky": "bad", "safe": "good", "unsure": "warn", "dismissed": "rest"}
    found = Counter(one.decision for one in dashboard.said)
    parts = [(kind, found[kind], style, Behind("", "verdicts", kind)) for kind, style in styles.items() if found[kind]]
    return [_bar("verdicts", parts)] if parts else []


def _bar(name: str, parts: Sequence[tuple[str, int, str, Behind | None]]) -> Bar:
    total = sum(count for _, count, _, _ in parts)
    made: list[Part] = []
    start = 0.0
    for words, count, style, behind in parts:
        width = 100.0 * count / total if total else 0.0
        if count:
            way = None if behind is None else replace(behind, words=words)
            made.append(Part(words, count, style, round(start, 2), round(width, 2), way))
        start += width
    return Bar(name, total, tuple(made))


def _chart(dashboard: Dashboard) -> svg.Chart | None:
    bins = dashboard.summary.figures.reliability.bins
    return svg.reliability(bins, [_bin_rows(number) for number in range(1, len(bins) + 1)]) if bins else None


def _bins(dashboard: Dashboard) -> list[Bin]:
    return [
        Bin(
            _from_to(percent(one.low), percent(one.high)),
            percent(one.predicted),
            percent(one.observed),
            _from_to(*map(percent, one.interval)),
            one.count,
            _bin_rows(number),
        )
        for number, one in enumerate(dashboard.summary.figures.reliability.bins, 1)
    ]


def _bin_rows(number: int) -> Behind:
    return Behind("the rows", "risks", str(number))


def _by_author(outcomes: Mapping[str, Outcome]) -> list[tuple[str, Outcome]]:
    """Return people first, then machines, however many changes each of them wrote."""
    order = ["human", "agent", "bot", "unknown"]
    return sorted(outcomes.items(), key=lambda one: order.index(one[0]) if one[0] in order else len(order))


def _compared(name: str, one: Outcome, behind: Mapping[str, tuple[Behind, ...]]) -> Compared:
    shares = {"risky": one.risky, "recall": one.recall, "precision": one.precision}
    return Compared(
        name, one.considered, tuple(share(key, told, "judged", behind.get(key, ())) for key, told in shares.items())
    )


def _authors(dashboard: Dashboard) -> list[Compared]:
    found = []
    for kind, one in _by_author(dashboard.summary.outcomes):
        changes = [change for change in dashboard.changes if change.written == kind]
        behind = {key: _groups(changes, _GROUPS[key], kind) for key in ("risky", "recall", "precision")}
        found.append(_compared(_AUTHORS.get(kind, "author unknown"), one, behind))
    return found


def too_few(count: int, noun: str, behind: tuple[Behind, ...]) -> Measure:
    """Return what stands in the place of a figure that there are too few of something for."""
    return Measure("", INSUFFICIENT, "", "", few(count, noun), None, behind)
