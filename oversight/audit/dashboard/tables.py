"""The rows behind the figures: which changes, verdicts and canaries each of them is of.

A table has sections, so that a figure of a part leads to that part. Of changes that wait for a verdict, or that nobody
was asked about, no row says what a review thinks of them: who judges one later may want to judge it blind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256

from oversight.audit.budget.telling import WRITTEN
from oversight.audit.dashboard.model import JUDGED, Change, Dashboard, Group, Said, month
from oversight.audit.dashboard.planted import canaries
from oversight.audit.dashboard.rows import Cell, Place, Section, Table, percentile
from oversight.audit.store.overview import Passed
from oversight.reports.words import percent

MOST_MISSES = 15
"""Of what was passed, how many the page shows itself."""

_SHA = 12


def names() -> tuple[str, ...]:
    """Return the keys of all tables, in the order in which a page has them."""
    return tuple(_TABLES)


def table(dashboard: Dashboard, key: str) -> Table:
    """Return one table; KeyError for a key that there is none of."""
    return _TABLES[key](dashboard)


def bins_of(dashboard: Dashboard) -> Iterator[tuple[Change, ...]]:
    """Yield the changes of each bin of the reliability diagram."""
    shown = sorted(
        (one for one in dashboard.group(*JUDGED) if one.risk is not None and one.weight is not None),
        key=lambda one: (one.risk, one.commit),
    )
    for bin_ in dashboard.summary.figures.reliability.bins:
        yield tuple(one for one in shown if one.risk is not None and bin_.low <= one.risk <= bin_.high)


def _judged(
    key: Group, title: str, parts: Callable[[Sequence[Change]], tuple[Section, ...]] | None = None
) -> Callable[[Dashboard], Table]:
    columns = ("change", "written by", "chance", "flagged", "risk", "percentile", "model", "people say", "votes")

    def made(dashboard: Dashboard) -> Table:
        sections = (parts or _by_author)(dashboard.group(key))
        return Table(key.value, title, columns, frozenset({2, 4, 5}), sections, _row)

    return made


def _flagged(dashboard: Dashboard) -> Table:
    sections = tuple(
        Section(group.value, words, [one for one in dashboard.group(group) if one.flagged and one.weight is not None])
        for group, words in {**_CAME, Group.ELSEWHERE: "judged where the review stood"}.items()
    )
    columns = (*_SHORT[0], "stands for")
    return Table(
        "flagged", "Flagged, and judged", columns, frozenset({5}), sections, lambda one: (*_short(one), _stands(one))
    )


def _elsewhere(dashboard: Dashboard) -> Table:
    rows = dashboard.group(Group.ELSEWHERE)
    words = {"flagged": "flagged", "random": "drawn at random", "request": "of people's own accord"}
    sections = tuple(
        Section(kind, title, [one for one in rows if one.selection is not None and one.selection.value == kind])
        for kind, title in words.items()
    )
    columns = ("change", "chance", "flagged", "risk", "percentile", "model", "people say", "votes")
    told = "Judged where the review stood, and never considered for the queue"
    return Table(
        Group.ELSEWHERE.value, told, columns, frozenset({1, 3, 4}), sections, lambda one: _without(_row(one), 1)
    )


def _unjudged(key: Group, title: str) -> Callable[[Dashboard], Table]:
    def made(dashboard: Dashboard) -> Table:
        rows = sorted(dashboard.group(key), key=lambda one: sha256(f"{one.repository} {one.commit}".encode()).digest())
        columns = ("change", "written by")
        return Table(key.value, title, columns, frozenset(), _by_author(rows), lambda one: (_place(one), _written(one)))

    return made


def _risks(dashboard: Dashboard) -> Table:
    bins = zip(dashboard.summary.figures.reliability.bins, bins_of(dashboard), strict=True)
    sections = tuple(
        Section(str(number), f"shown with {percent(bin_.low)} to {percent(bin_.high)}", rows)
        for number, (bin_, rows) in enumerate(bins, 1)
    )
    columns = ("change", "risk", "people say", "stands for")
    told = "Judged changes by the risk that was shown"
    return Table(
        "risks",
        told,
        columns,
        frozenset({1, 3}),
        sections,
        lambda one: (_place(one), percent(one.risk), _says(one), _stands(one)),
    )


def _several(dashboard: Dashboard) -> Table:
    rows = [one for one in dashboard.changes if one.votes[0] + one.votes[1] > 1]
    told = "Changes that two people or more judged"
    section = Section("all", "called risky or safe by several", rows)
    columns = ("change", "risky", "safe", "unsure")
    return Table(
        "several", told, columns, frozenset({1, 2, 3}), (section,), lambda one: (_place(one), *map(str, one.votes))
    )


def _blind(dashboard: Dashboard) -> Table:
    rows = [one for one in dashboard.said if one.asked]
    sections = (
        Section("blind", "given without having seen the risk", [one for one in rows if one.blind]),
        Section("open", "given with the risk in view", [one for one in rows if not one.blind]),
    )
    columns = ("when", "change", "blind", "counts")
    return Table("blind", "Verdicts on changes of the queue that had a risk", columns, frozenset(), sections, _said)


def _predicted(dashboard: Dashboard) -> Table:
    rows = [one for one in dashboard.group(*JUDGED) if one.commit in dashboard.predicted and one.weight is not None]
    told = "Judged changes of which weak reviewer, student and ceiling said something"
    return Table("pgr", told, *_SHORT, (Section("all", "with predictions", rows),), _short)


def _shadows(dashboard: Dashboard) -> Table:
    changes = {(one.repository, one.commit): one for one in dashboard.changes}
    sections = tuple(
        Section(
            str(number),
            f"{one.name} {one.version} {_model(one.model)}",
            [changes[change] for change in one.changes if change in changes],
        )
        for number, one in enumerate(dashboard.beside, 1)
    )
    return Table("shadows", "Judged changes with a risk of a model in the shadow", *_SHORT, sections, _short)


def _verdicts(dashboard: Dashboard) -> Table:
    kinds = sorted({one.decision for one in dashboard.said})
    sections = tuple(Section(kind, kind, [one for one in dashboard.said if one.decision == kind]) for kind in kinds)
    columns = ("when", "change", "blind", "counts")
    return Table("verdicts", "Verdicts, as they were given", columns, frozenset(), sections, _said)


def _passed(dashboard: Dashboard) -> Table:
    columns = ("change", "written by", "percentile", "risk", "people say", "history says")
    section = Section("all", "the lowest percentile first", dashboard.passed)
    told = "Not flagged, and risky all the same"
    return Table("passed", told, columns, frozenset({2, 3}), (section,), miss)


def _months(dashboard: Dashboard) -> Table:
    sections = _sections(dashboard, dashboard.months, lambda one: month(one.considered_at), str)
    return Table("months", "Judged changes by the month in which they were considered", *_SHORT, sections, _short)


def _models(dashboard: Dashboard) -> Table:
    sections = _sections(dashboard, dashboard.models, lambda one: one.model, _model)
    return Table("models", "Judged changes by the model that reviewed them", *_SHORT, sections, _short)


_SHORT = (("change", "written by", "how it came", "flagged", "people say"), frozenset[int]())
_CAME = {Group.PICKED: "had a place", Group.DRAWN: "drawn", Group.KNOWN: "judged before"}
_ELSEWHERE = "judged elsewhere"


def _short(one: Change) -> tuple[Cell, ...]:
    return _place(one), _written(one), _CAME.get(one.group, _ELSEWHERE), _flag(one), _says(one)


def _sections(
    dashboard: Dashboard, keys: Iterable[str], key: Callable[[Change], str | None], words: Callable[[str], str]
) -> tuple[Section, ...]:
    rows: dict[str | None, list[Change]] = {}
    for one in dashboard.group(*_CAME):
        rows.setdefault(key(one), []).append(one)
    return tuple(
        Section(f"{name}-{group.value}", f"{words(name)}: {came}", [one for one in rows[name] if one.group is group])
        for name in keys
        if name in rows
        for group, came in _CAME.items()
    )


def _by_author(rows: Sequence[Change]) -> tuple[Section, ...]:
    words = {**WRITTEN, "unknown": "author unknown", "untold": "nothing says who wrote them"}
    return tuple(Section(kind, told, [one for one in rows if one.written == kind]) for kind, told in words.items())


def _by_label(rows: Sequence[Change]) -> tuple[Section, ...]:
    words = {"risky": "called risky", "safe": "called safe"}
    return tuple(Section(kind, told, [one for one in rows if _says(one) == kind]) for kind, told in words.items())


def _row(one: Change) -> tuple[Cell, ...]:
    chance = "" if one.propensity is None else f"{one.propensity:.3g}"
    votes = ", ".join(
        f"{count} {word}" for count, word in zip(one.votes, ("risky", "safe", "unsure"), strict=True) if count
    )
    shown = _flag(one), percent(one.risk), percentile(one.percentile), _model(one.model)
    return _place(one), _written(one), chance, *shown, _says(one), votes


def _flag(one: Change) -> str:
    return "unknown" if one.flagged is None else "flagged" if one.flagged else "no"


def miss(one: Passed) -> tuple[Cell, ...]:
    """Return the row of a change that should have been flagged."""
    people = "" if one.people is None else "risky" if one.people else "safe"
    place = Place(one.repository, one.commit, one.number, one.title)
    written = WRITTEN.get(one.provenance or "", "unknown").removesuffix("-written")
    return place, written, percentile(one.percentile), percent(one.risk), people, one.source or ""


def _said(one: Said) -> tuple[Cell, ...]:
    when = f"{one.at:%Y-%m-%d %H:%M}"
    counts = "yes" if one.counts else "no: their own change"
    return when, Place(one.repository, one.commit), "yes" if one.blind else "no", counts


def _place(one: Change) -> Place:
    return Place(one.repository, one.commit, one.number, one.title)


def _written(one: Change) -> str:
    return WRITTEN.get(one.written, "unknown").removesuffix("-written")


def _says(one: Change) -> str:
    return "" if one.risky is None else "risky" if one.risky else "safe"


def _stands(one: Change) -> str:
    return "" if one.weight is None else f"{one.weight:,.1f}"


def _model(digest: str | None) -> str:
    return "" if digest is None else digest[:_SHA]


def _without(cells: tuple[Cell, ...], column: int) -> tuple[Cell, ...]:
    return (*cells[:column], *cells[column + 1 :])


_TABLES: dict[str, Callable[[Dashboard], Table]] = {
    "picked": _judged(Group.PICKED, "Had a place, and judged"),
    "drawn": _judged(Group.DRAWN, "Drawn at random, and judged"),
    "flagged": _flagged,
    "known": _judged(Group.KNOWN, "Judged before anybody was asked"),
    "own": _judged(Group.OWN, "Not picked, and judged of people's own accord", _by_label),
    "elsewhere": _elsewhere,
    "waiting": _unjudged(Group.WAITING, "In the queue: nobody has judged it, or people are even"),
    "rest": _unjudged(Group.REST, "Considered, and neither picked nor judged"),
    "risks": _risks,
    "months": _months,
    "models": _models,
    "several": _several,
    "pgr": _predicted,
    "shadows": _shadows,
    "blind": _blind,
    "verdicts": _verdicts,
    "passed": _passed,
    **{key: partial(canaries, key=key) for key in ("canaries", "languages", "cells", "runs")},
}
