"""A small store whose figures can be worked out by hand, and what is recorded beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from oversight.audit.budget.spending import parse
from oversight.audit.canaries.judging import Said
from oversight.audit.canaries.runs import Part, Reviewed, Run
from oversight.audit.dashboard import Dashboard, gather
from oversight.audit.store import Store, canaries
from oversight.audit.store.intake import take
from oversight.audit.store.queue import Scope, entries, fill
from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict
from oversight.experiment.runs import Run as Measured
from tests.audit.store.test_queue import report

NAME, OTHER = "octo/repo", "octo/other"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
NOW = START + timedelta(days=60)
MODELS = ("a" * 64, "b" * 64)


def change(number: int, **other: Any) -> dict[str, Any]:
    """A report on change `number` of 100: the higher the number the riskier, flagged from 85 on."""
    told = report(number, number / 100, percentile=float(number), flagged=number >= 85)
    told["change"] |= {"repository": NAME, "title": f"Change {number}", "author": "Ada <ada@shop.example>"}
    told["model"] = {"name": "small", "version": "1", "sha256": MODELS[number % 2]}
    for hunk in told["hunks"]:
        hunk["path"] = "src/a.py"
    return told | other


def judged(store: Store) -> None:
    """100 changes, 20 with a place and 16 of the others drawn; all are judged: risky are 90 to 99, and each tenth.

    Two people judge the twelve riskiest; of 96 they say two things.
    """
    for number in range(100):
        at = START + timedelta(days=number % 2 * 31)
        store.add_report(change(number), source="import", at=at)
    fill(store.engine, parse("36%", 4 / 9), Scope(), now=START + timedelta(days=40), seed="dashboard")
    said = []
    for place, entry in enumerate(entries(store.engine, Scope())):
        number = int(entry.commit, 16)
        for who in ("ann", "bob")[: 2 if place < 12 else 1]:
            risky = number >= 90 or number % 10 == 0
            decision = Decision.RISKY if risky and (who, place) != ("bob", 3) else Decision.SAFE
            shown = entry.shown(blind=place % 4 == 0)
            at = START + timedelta(days=41, minutes=place)
            said.append(Verdict(entry.commit, who, decision, "", at, shown, Source("pages", NAME, None)))
    store.append(said)


def repaired(store: Store, *numbers: int) -> None:
    """Labels of the history: these changes were repaired."""
    lines = [
        {"commit": f"{number:040x}", "risky": True, "source": "fixes", "decided_at": "2026-04-01T00:00:00+00:00",
         "evidence": [], "excluded": None}
        for number in numbers
    ]  # fmt: skip
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    take(store.engine, BytesIO(content), "labels.jsonl", repository=NAME, at=NOW)


def flock(number: int, caught: int, repository: str = NAME) -> Run:
    """A run of 16 canaries, 12 of one class in Python and 4 of another in C; so many of the first are caught."""
    reviewed = []
    for pair in range(16):
        kind, language = ("guard-removed", "python") if pair < 12 else ("lock-dropped", "c")
        for part in Part:
            flagged = part is Part.CANARY and pair < caught
            said = Said("scored", 0.1, 50.0 + pair, flagged, False, flagged)
            shas = f"canary:{pair:064x}" if part is Part.CANARY else f"{pair:040x}"
            reviewed.append(Reviewed(pair, part, kind, language, shas, f"{pair:040x}", 3, 1, said))
    at = START + timedelta(days=number)
    return Run(repository, at, f"{number:040x}", number, 10.0, MODELS[number % 2], tuple(reviewed))


def measured(day: int, pgr: float | None, **other: Any) -> Measured:
    """A recorded run of `oversight pgr`."""
    values = {"weak": 0.6, "student": 0.7, "ceiling": 0.8, "human_only": 0.65, "pgr": pgr}
    known: dict[str, Any] = {
        "when": f"2026-03-{day:02}T00:00:00+00:00", "tip": "c" * 40, "version": "0.1", "method": "naive",
        "weak": "panel", "human": 300, "metric": "auroc", "values": values,
        "interval": None if pgr is None else (pgr - 0.3, pgr + 0.3), "repository": "repo", "n": 500, "positives": 60,
        "reason": "the gap is not significant" if pgr is None else None,
    }  # fmt: skip
    return Measured(**(known | other))


def whole(store: Store) -> Dashboard:
    """A dashboard that has something in every section."""
    judged(store)
    repaired(store, 5, 7, 95)
    for number, caught in ((1, 3), (20, 6)):
        canaries.keep(store.engine, flock(number, caught))
    runs = [measured(3, 0.4), measured(10, None), measured(20, 0.6, version="0.2")]
    return gather(store, NAME, measured=runs, at=NOW)


def several(store: Store) -> Mapping[str, Mapping[int, tuple[float, float, float]]]:
    """Two repositories, and whatever figures may not be of: verdicts outside of the queue, of people's own accord, on
    changes of a month of which nobody was asked any, that are even, and of authors; runs of canaries of other classes
    and budgets; a model in the shadow. Returns predictions.
    """
    judged(store)
    for number in range(1_000, 1_060):
        told = change(number % 100) | {"risk": None if number % 9 == 0 else number % 100 / 100}
        told["change"] |= {"id": f"{number:040x}", "repository": OTHER}
        told["change"]["provenance"] = {"kind": ("bot", "unknown")[number % 2], "name": None}
        told["status"] = "unscored" if told["risk"] is None else "scored"
        store.add_report(told, source="import", at=START + timedelta(days=50))
    fill(store.engine, parse("50%", 0.5), Scope(OTHER), now=START + timedelta(days=51), seed="other")
    said = [
        _said(entry.commit, who, place % 3 == 0, entry.shown(blind=place % 4 == 0), OTHER)
        for place, entry in enumerate(entries(store.engine, Scope(OTHER)))
        if place % 7
        for who in ("ann", "bob")[: 1 + (place % 5 == 0)]
    ]
    for number in range(2_000, 2_010):
        told = change(7)
        told["change"] |= {"id": f"{number:040x}", "repository": OTHER}
        store.add_report(told, source="import", at=START + timedelta(days=80))
    fill(store.engine, parse("1%", 0.5), Scope(OTHER), now=START + timedelta(days=81), seed="later")
    accord = Shown(Selection.REQUEST, None, False, 0.1, 10.0, MODELS[0])
    said += [_said(f"{number:040x}", "ann", number % 2 == 0, accord, OTHER) for number in range(2_000, 2_006)]
    said += [_said(f"{number:040x}", "ann", number == 3, accord, NAME) for number in (1, 2, 3)]
    for number in range(3_000, 3_040):  # where the review stood
        selection = (Selection.FLAGGED, Selection.RANDOM, Selection.REQUEST)[number % 3]
        chance = {Selection.FLAGGED: 1.0, Selection.RANDOM: 0.5}.get(selection)
        shown = Shown(selection, chance, number % 3 == 0, number % 100 / 100, 50.0, MODELS[1])
        said += [_said(f"{number:040x}", "ann", number % 4 == 0, shown, NAME)]
        said += [_said(f"{number:040x}", "bob", number % 8 == 0, shown, NAME)] if number % 5 == 0 else []
    said.append(replace(_said(f"{4:040x}", "ada", False, accord, NAME), own=True))
    store.append(said)
    shadowed(store, NAME, range(70, 100))
    for run in (flock(1, 3), flock(2, 5, OTHER), flock(3, 4), replace(flock(4, 2), budget=20.0), flock(5, 2, OTHER)):
        canaries.keep(store.engine, run)
    partly = flock(6, 12, OTHER)
    fewer = tuple(one for one in partly.reviewed if one.kind == "guard-removed" and (one.pair or one.part != "before"))
    canaries.keep(store.engine, replace(partly, reviewed=fewer))
    numbers = (*range(50, 100), *range(1_000, 1_060), *range(2_000, 2_006), *range(3_000, 3_020))
    return {f"{number:040x}": {0: (0.5, number % 10 / 10, number % 7 / 7)} for number in numbers}


def shadowed(store: Store, repository: str, numbers: Iterable[int]) -> None:
    """Scores of a model in the shadow on these changes."""
    shadow = {"name": "dark", "version": "1", "sha256": "5e" * 32, "flagged": False}
    row = {"status": "scored", "percentile": 50.0, "flagged": False, "added": 1, "deleted": 0, "shadow": shadow}
    lines = [{"commit": f"{number:040x}", "risk": number % 10 / 10, **row} for number in numbers]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    take(store.engine, BytesIO(content), "scores.jsonl", repository=repository, at=NOW)


def _said(commit: str, who: str, risky: bool, shown: Shown, repository: str) -> Verdict:
    decision = Decision.RISKY if risky else Decision.SAFE
    at = START + timedelta(days=90, minutes=int(commit, 16) % 997)
    return Verdict(commit, who, decision, "", at, shown, Source("pages", repository, None))


def asked(dashboard: Dashboard, selection: Selection) -> list[int]:
    """The numbers of the changes that people were asked about in this way."""
    return sorted(int(one.commit, 16) for one in dashboard.changes if one.selection is selection)
