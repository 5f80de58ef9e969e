"""A study as words, numbers and places in a picture: what templates write down as it is.

Figures come from the vault's records alone. What researchers wrote is text of strangers, which templates escape; the
parameters beside a figure are those of the study's own record, and only where that is what the vault was asked about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from oversight.audit.dashboard.svg import Scale, Tick, bounds_of, ticks
from oversight.research import leaderboard
from oversight.research.study import Result

Told: TypeAlias = Mapping[str, Any]

WIDTH = 160.0
"""Of a picture of an interval, in its own units."""

_EDGE = 8.0
_PGR = (-1.0, 2.0)  # beyond which a picture of PGR does not go
_DIFFERENCE = (-0.3, 0.3)
_STEPS = 4
_PGR_STYLE, _DIFFERENCE_STYLE, _AUROC_STYLE = ".2f", "+.3f", ".3f"


@dataclass(frozen=True, slots=True)
class Dot:
    """A value and its interval as places along a picture; `cut_low`, `cut_high`: the interval goes on beyond it."""

    value: float
    low: float
    high: float
    cut_low: bool
    cut_high: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure in words, and its 95 % interval, "" where it has none; without a figure the `reason`, and no `dot`."""

    text: str
    interval: str
    reason: str | None
    dot: Dot | None


_ITSELF = Estimate("-", "", None, None)


@dataclass(frozen=True, slots=True)
class Axis:
    """What the pictures of a column share: round values, and the place of 0."""

    ticks: tuple[Tick, ...]
    zero: float


@dataclass(frozen=True, slots=True)
class Row:
    """An experiment on the leaderboard, or what it is compared with, which has no `answer`."""

    name: str
    researcher: str
    method: str
    parameters: tuple[str, ...]
    answer: str
    flags: tuple[str, ...]
    pgr: Estimate
    naive: Estimate
    default: Estimate


@dataclass(frozen=True, slots=True)
class Scored:
    """What the sealed half or a confirmation showed: its figures by name, and in a sentence what it comes to."""

    title: str
    counts: str
    verdict: str
    measures: tuple[tuple[str, Estimate], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A query that was not compared with anything, and why."""

    name: str
    researcher: str
    method: str
    reason: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """What the vault told: see the template."""

    rows: tuple[Row, ...]
    beside: tuple[Row, ...]
    pgr: Axis
    difference: Axis
    no_pgr: tuple[str, ...]
    scored: tuple[Scored, ...]
    refused: tuple[Refused, ...]
    flags: tuple[tuple[str, int], ...]
    said: Mapping[str, int]
    asked: int
    left: int
    queries: int
    each: int
    bits: float
    best: float
    entries: int
    head: str


def board_of(told: Told, records: Sequence[Result]) -> Board:
    """Return the leaderboard of `leaderboard.read`, with parameters from a study's records."""
    figures = [*told["figures"], *told["beside"]]
    pgr = _scale(((one["pgr"], one["interval"]) for one in figures), (0.0, 1.0), _PGR)
    differences = [one["differences"][name] for one in figures for name in ("naive", "default")]
    difference = _scale(((one["value"], one["interval"]) for one in differences), (-0.02, 0.02), _DIFFERENCE)
    parameters = _parameters(told["queries"], records)
    queries = [(one, one["answer"]) for one in told["queries"]]
    return Board(
        rows=tuple(_row(one, pgr, difference, parameters) for one in told["figures"]),
        beside=tuple(_row(one, pgr, difference, parameters) for one in told["beside"]),
        pgr=_axis(pgr),
        difference=_axis(difference),
        no_pgr=tuple(dict.fromkeys(one["reason"] for one in told["beside"] if one["reason"])),
        scored=tuple(_scored(one) for one in (*told["sealed"], *told["confirmed"])),
        refused=tuple(
            Refused(one["experiment"], one["researcher"], one["method"], answer["reason"], tuple(answer["flags"]))
            for one, answer in queries
            if answer["answer"] == "refused"
        ),
        flags=tuple(Counter(flag for _, answer in queries for flag in answer["flags"]).most_common()),
        said=Counter(answer["answer"] for _, answer in queries),
        asked=told["asked"],
        left=told["left"],
        queries=told["policy"]["queries"],
        each=told["policy"]["each"],
        bits=told["bits"],
        best=told["best"],
        entries=told["entries"],
        head=told["head"],
    )


def share_of(families: Mapping[str, int]) -> tuple[tuple[str, int, float], ...]:
    """Return method families with how often each was tried, and its share of the most frequent one's, 0 to 100."""
    most = max(families.values(), default=1)
    return tuple((name, count, round(100.0 * count / most, 2)) for name, count in families.items())


def _parameters(queries: Iterable[Told], records: Sequence[Result]) -> dict[str, tuple[str, ...]]:
    """Return parameters in words by experiment, of those whose record is what the vault was asked about."""
    asked = {one["experiment"]: one["configuration"] for one in queries}
    return {
        one.experiment.name: tuple(f"{name} {value}" for name, value in one.configuration.parameters.items())
        for one in records
        if asked.get(one.experiment.name) == one.configuration.identity
    }


def _row(told: Told, pgr: Scale, difference: Scale, parameters: Mapping[str, tuple[str, ...]]) -> Row:
    name, answer = told["experiment"], told.get("answer")
    naive, default = (
        _ITSELF if rival == name else _estimate(told["differences"][rival], _DIFFERENCE_STYLE, difference)
        for rival in ("naive", "default")
    )
    return Row(
        name if answer else leaderboard.NAMES[name],
        told.get("researcher", ""),
        told.get("method", ""),
        parameters.get(name, ()),
        answer["answer"] if answer else "",
        tuple(answer["flags"]) if answer else (),
        _recovered(told, pgr),
        naive,
        default,
    )


def _scored(entry: Told) -> Scored:
    found, verdict = entry["result"], leaderboard.verdict(entry)
    sealed = entry["kind"] == "sealed"
    names = [("AUROC of the weak reviewer", "weak"), ("AUROC of the student", "student")]
    names.append(("AUROC of the ceiling", "ceiling"))
    measures = [("PGR", _recovered(found))]
    measures += [(words, _estimate(found[name], _AUROC_STYLE)) for words, name in names]
    measures += [
        (f"AUROC above {words}", _estimate(found["differences"][name], _DIFFERENCE_STYLE))
        for name, words in leaderboard.NAMES.items()
    ]
    return Scored(
        f"{entry['experiment']} on " + ("the sealed half" if sealed else f"{entry['ground']}, never queried"),
        f"{found['n']:,} changes, {found['positives']:,} of them risky",
        verdict[:1].upper() + verdict[1:],
        tuple(measures),
        tuple(found["warnings"]),
    )


def _recovered(told: Told, scale: Scale | None = None) -> Estimate:
    return _estimate({"value": told["pgr"], **told}, _PGR_STYLE, scale)


def _estimate(told: Told, style: str, scale: Scale | None = None) -> Estimate:
    """Return a figure, with its place on a scale where one is given."""
    value, interval = told["value"], told["interval"]
    if value is None:
        return Estimate("none", "", str(told["reason"]), None)
    low, high = interval or (value, value)
    words = "" if interval is None else f"{low:{style}} to {high:{style}}"
    dot = None
    if scale is not None:
        places = scale.at(value), scale.at(low), scale.at(high)
        dot = Dot(*places, not scale.holds(low), not scale.holds(high))
    return Estimate(f"{value:{style}}", words, None, dot)


def _scale(
    values: Iterable[tuple[float | None, Sequence[float] | None]], least: Sequence[float], most: Sequence[float]
) -> Scale:
    """Return a scale that has all values and the ends of their intervals on it, as far as `most` allows."""
    there = [end for value, interval in values if value is not None for end in (value, *(interval or ()))]
    low, high = bounds_of(there, least[0], least[1], 0.0)
    return Scale(max(low, most[0]), min(high, most[1]), _EDGE, WIDTH - _EDGE)


def _axis(scale: Scale) -> Axis:
    steps = ticks(scale.low, scale.high, _STEPS)
    return Axis(tuple(Tick(scale.at(step), (f"{step:g}",)) for step in steps), scale.at(0.0))
