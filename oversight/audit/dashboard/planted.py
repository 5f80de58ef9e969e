"""The rows behind figures of canaries: pairs of a run, of a class of it, of a language, and of a class in a language.

A run has a number, its place among those of the dashboard, and so have its classes and languages: names of others are
no parts of addresses.
"""

from __future__ import annotations

from collections.abc import Iterator

from oversight.audit.canaries.figures import ALL
from oversight.audit.canaries.runs import Part, Reviewed
from oversight.audit.dashboard.model import Behind, Dashboard, Flock
from oversight.audit.dashboard.rows import Cell, Section, Table, percentile

MOST_RUNS = 40
"""Of runs that can be compared, how many a trend shows."""

_COLUMNS = (
    "made from", "class", "language", "percentile", "flagged by", "control's percentile", "control", "before",
)  # fmt: skip
_TITLES = {
    "canaries": "Canaries of the newest runs, by class",
    "languages": "Canaries of the newest runs, by language",
    "cells": "Canaries of the newest runs, by class and language",
    "runs": "Canaries of each run",
}
_SHA = 12

_Pair = dict[Part, Reviewed]


def newest(dashboard: Dashboard) -> tuple[Flock, ...]:
    """Return the newest run of canaries of each repository."""
    last = {one.run.repository.lower(): one for one in dashboard.flocks}
    return tuple(last[key] for key in sorted(last))


def over_time(dashboard: Dashboard) -> tuple[tuple[Flock, ...], ...]:
    """Return the runs that can be compared, the last of each kind, where there are two or more."""
    groups: dict[tuple[object, ...], list[Flock]] = {}
    for flock in dashboard.flocks:
        groups.setdefault(flock.run.asked, []).append(flock)
    return tuple(tuple(group[-MOST_RUNS:]) for group in groups.values() if len(group) > 1)


def behind(dashboard: Dashboard, flock: Flock, kind: str = ALL, language: str = ALL, words: str = "the rows") -> Behind:
    """Return the way to the pairs of a run, or of those that are of a class and a language."""
    number = next(place for place, one in enumerate(dashboard.flocks, 1) if one is flock)
    classes, languages = flock.run.classes, _languages(flock)
    if kind == language == ALL:
        return Behind(words, "runs", str(number))
    if language == ALL:
        return Behind(words, "canaries", f"{number}-{classes.index(kind) + 1}")
    if kind == ALL:
        return Behind(words, "languages", f"{number}-{languages.index(language) + 1}")
    return Behind(words, "cells", f"{number}-{classes.index(kind) + 1}-{languages.index(language) + 1}")


def canaries(dashboard: Dashboard, key: str) -> Table:
    """Return one of the tables of canaries."""
    sections = [
        Section(behind(dashboard, flock, kind, language).section or "", _told(flock, kind, language), pairs)
        for flock, kind, language in _parts(dashboard, key)
        if (pairs := [pair for pair in _pairs(flock) if _is(pair, kind, language)])
    ]
    return Table(key, _TITLES[key], _COLUMNS, frozenset({3, 5}), tuple(sections), _row)


def _parts(dashboard: Dashboard, key: str) -> Iterator[tuple[Flock, str, str]]:
    if key == "runs":
        shown = {id(one) for one in (*newest(dashboard), *(one for group in over_time(dashboard) for one in group))}
        yield from ((flock, ALL, ALL) for flock in dashboard.flocks if id(flock) in shown)
        return
    for flock in newest(dashboard):
        for kind in flock.run.classes if key != "languages" else (ALL,):
            for language in _languages(flock) if key != "canaries" else (ALL,):
                yield flock, kind, language


def _told(flock: Flock, kind: str, language: str) -> str:
    run = flock.run
    parts = [one for one in (kind, language) if one != ALL]
    return f"{run.repository}, {run.at:%Y-%m-%d %H:%M}" + (f": {', '.join(parts)}" if parts else "")


def _languages(flock: Flock) -> tuple[str, ...]:
    return tuple(sorted({one.language for one in flock.run.reviewed if one.part is Part.CANARY}))


def _pairs(flock: Flock) -> list[_Pair]:
    pairs: dict[int, _Pair] = {}
    for one in flock.run.reviewed:
        pairs.setdefault(one.pair, {})[one.part] = one
    return [pair for pair in pairs.values() if Part.CANARY in pair]


def _is(pair: _Pair, kind: str, language: str) -> bool:
    canary = pair[Part.CANARY]
    return kind in (ALL, canary.kind) and language in (ALL, canary.language)


def _row(pair: _Pair) -> tuple[Cell, ...]:
    canary, control, before = (pair.get(part) for part in (Part.CANARY, Part.CONTROL, Part.BEFORE))
    if canary is None or control is None:
        return ("",) * len(_COLUMNS)
    return (
        canary.origin[:_SHA],
        canary.kind,
        canary.language,
        percentile(canary.said.percentile),
        _flagged_by(canary),
        percentile(control.said.percentile),
        "flagged" if control.said.flagged else "no",
        "" if before is None else "flagged" if before.said.flagged else "no",
    )


def _flagged_by(one: Reviewed) -> str:
    grounds = [word for word, holds in (("budget", one.said.by_budget), ("principle", one.said.by_principle)) if holds]
    return ", ".join(grounds) or ("unscored" if one.said.flagged else "no")
