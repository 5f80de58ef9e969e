"""How often the intervals of `oversight audit report` cover the truth: `python -m benchmarks.audit_coverage --table`.

Changes whose truth is known are queued by the real plan (`oversight.audit.budget.plan`) and judged by simulated people
of known error rates. The real summary of a report (`oversight.audit.budget.summary`) then estimates recall, what was
missed, the precision of flags, the Brier score, the share of risky changes and PGR. No clone and no model is needed,
and nothing is tuned on what is found.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.audit_coverage_table import FLAGGED, RECOVERED, SHARE, TAILS, UNCORRECTED, table
from oversight.audit.budget.outcome import Considered
from oversight.audit.budget.plan import Candidate, decide
from oversight.audit.budget.spending import Budget, Period
from oversight.audit.budget.summary import Predictions, Summary, summary
from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict
from oversight.measurement.audited import Auditor, Total, recall, total
from oversight.measurement.intervals import wilson
from oversight.measurement.metrics import auroc

RATES = (0.01, 0.05, 0.1, 0.3)
BUDGETS = (0.05, 0.1, 0.2)
PERFECT, CAREFUL, HASTY = Auditor(), Auditor(0.9, 1.0), Auditor(0.8, 0.98)
ERRING = (PERFECT, Auditor(0.8, 1.0), Auditor(1.0, 0.98), HASTY)
"""People who never err, to compare; who say safe of a fifth of what is risky; who say risky of a fiftieth of what is
safe; and who do both.
"""

START = datetime(2026, 1, 5, tzinfo=UTC)

_PAGE = Path(__file__).parent / "AUDIT.md"
_OUTPUT = Path(__file__).parent / "results" / "audit-coverage.json"
_KINDS = ("human", "human", "human", "agent", "agent", "bot")
_WEEKS = (0.1, 0.5, 0.56, 1.0)  # of all changes, those that there are at the end of each week
_SIGNAL = 1.2  # of the risks, in log odds: an AUROC of some .75 to .8


@dataclass(frozen=True)
class Scene:
    """What is simulated: `size` changes, a share `rate` of them risky, in `calls` calls, `budget` being a fraction.

    `weekly`: as a number a week instead, which gives unequal chances in weeks that differ. `corrected`: the report is
    told how often people err; otherwise it takes all that they say for true. `recovered`: it is given predictions of a
    weak reviewer and of a ceiling, for PGR.
    """

    size: int
    rate: float
    budget: float
    auditor: Auditor = PERFECT
    calls: int = 1
    answered: float = 1.0
    weekly: bool = False
    corrected: bool = True
    recovered: bool = False


def simulate(scene: Scene, repeats: int, seed: int = 0) -> dict[str, Any]:
    """Return how often the intervals of recall and of what was missed cover the truth, and how wide they are."""
    rng = np.random.default_rng([seed, scene.size, round(1000 * scene.rate), round(1000 * scene.budget), scene.calls])
    told: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, value in _once(scene, rng):
            told.setdefault(name, []).append(value)
    drawn = told.pop("drawn")
    return {
        "size": scene.size,
        "rate": scene.rate,
        "budget": scene.budget,
        "sensitivity": scene.auditor.sensitivity,
        "specificity": scene.auditor.specificity,
        "calls": scene.calls,
        "answered": scene.answered,
        "weekly": scene.weekly,
        "corrected": scene.corrected,
        "recovered": scene.recovered,
        "repeats": repeats,
        "drawn": float(np.mean(drawn)),
        **{name: {"mean": float(np.mean(values)), "n": len(values)} for name, values in sorted(told.items())},
    }


def population(scene: Scene, rng: np.random.Generator) -> tuple[list[Candidate], dict[int, bool]]:
    """Return changes with calibrated risks, and which of them are risky."""
    odds = _SIGNAL * rng.normal(size=scene.size)
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-(odds + middle)))).mean() < scene.rate else (low, middle)
    risks = 1 / (1 + np.exp(-(odds + low)))
    truth = rng.random(scene.size) < risks
    kinds, folders = rng.integers(0, len(_KINDS), scene.size), rng.integers(0, 12, scene.size)
    candidates = [
        Candidate(key, "o/r", f"{key:040x}", float(risks[key]), False, _KINDS[kinds[key]], f"src/{folders[key]}")
        for key in range(scene.size)
    ]
    return candidates, dict(enumerate(truth.tolist()))


def queued(candidates: Sequence[Candidate], scene: Scene, seed: str) -> dict[int, tuple[Selection | None, float]]:
    """Return selection and propensity of each change, after all calls; changes come in unequal lots."""
    budget = Budget(None, None, scene.budget, SHARE)
    ends = [((call + 1) / scene.calls) ** 2 for call in range(scene.calls)]
    if scene.weekly:
        budget = Budget(round(scene.budget * scene.size / len(_WEEKS)), Period.WEEK, None, SHARE)
        ends = list(_WEEKS)
    fates: dict[int, tuple[Selection | None, float]] = {}
    moments: dict[int, datetime] = {}
    for call, end in enumerate(ends):
        now = START + timedelta(weeks=call)
        there = candidates[: round(len(candidates) * end)]
        known = [
            replace(one, considered_at=moments[one.key], selection=fates[one.key][0], queued_at=moments[one.key])
            if one.key in moments
            else one
            for one in there
        ]
        plan = decide(known, budget, now, f"{seed} {call}")
        fates |= {one.key: (selection, chance) for one, selection, chance in plan.fresh}
        fates |= {one.key: (Selection.FLAGGED, 1.0) for one in plan.promoted}
        moments |= {one.key: now for one, _, _ in plan.fresh}
    return fates


def _once(scene: Scene, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    candidates, truth = population(scene, rng)
    fate = queued(candidates, scene, str(rng.integers(1 << 62)))
    called = {key: bool(rng.random() < _says_risky(scene.auditor, risky=risky)) for key, risky in truth.items()}
    limit = float(np.quantile([one.risk for one in candidates], 1 - FLAGGED))
    rows = [
        Considered(
            one.repository,
            one.commit,
            one.provenance,
            *fate[one.key],
            called[one.key] if fate[one.key][0] is not None and rng.random() < scene.answered else None,
            risk=one.risk,
            flagged=one.risk is not None and one.risk > limit,
        )
        for one in candidates
    ]
    said = [_verdict(row) for row in rows if row.risky is not None]
    predictions = _predictions(candidates, truth, rng) if scene.recovered else None
    told = summary(rows, said, {}, scene.auditor if scene.corrected else PERFECT, predictions)
    yield "drawn", float(told.outcome.drawn)
    yield from _of_outcome(told, scene, rows, truth)
    if scene.auditor.perfect:
        yield from _of_figures(told, rows, truth)
    if predictions is not None:
        yield from _of_recovery(told, rows, truth, predictions)


def _verdict(row: Considered) -> Verdict:
    decision = Decision.RISKY if row.risky else Decision.SAFE
    shown = Shown(row.selection or Selection.REQUEST, row.propensity, row.flagged, row.risk)
    return Verdict(row.commit, "auditor", decision, "", START, shown, Source("benchmark", row.repository))


def _predictions(candidates: Sequence[Candidate], truth: dict[int, bool], rng: np.random.Generator) -> Predictions:
    """Return what three say of each commit: weak, who sees the student's risk through noise; the student; and a ceiling
    that knows more of the truth.
    """
    risks = np.array([one.risk for one in candidates])
    odds = np.log(risks / (1 - risks))
    weak = odds + rng.normal(scale=2 * _SIGNAL, size=odds.size)
    ceiling = odds + np.array([truth[one.key] for one in candidates]) + rng.normal(scale=0.5, size=odds.size)
    told = zip(weak.tolist(), odds.tolist(), ceiling.tolist(), strict=True)
    return {one.commit: {0: (low, own, high)} for one, (low, own, high) in zip(candidates, told, strict=True)}


def _of_outcome(
    told: Summary, scene: Scene, rows: Sequence[Considered], truth: dict[int, bool]
) -> Iterator[tuple[str, float]]:
    """What was caught, and what was missed."""
    missed, recalled = told.outcome.missed, told.outcome.recall
    others = [key for key in truth if rows[key].selection is not Selection.FLAGGED]
    there = sum(truth[key] for key in others)
    unknown = there - sum(truth[key] and rows[key].risky is True for key in others)
    if missed.interval is not None:
        yield "missed", _covers(missed.interval, unknown)
        yield "missed, width", (missed.interval[1] - missed.interval[0]) / scene.size
        if not scene.corrected and missed.value is not None:
            yield "missed, true", unknown / scene.size
            yield "missed, told", missed.value / scene.size
    if recalled.interval is not None and any(truth.values()):
        right = 1 - there / sum(truth.values())
        yield "recall", _covers(recalled.interval, right)
        yield "recall, width", recalled.interval[1] - recalled.interval[0]
        if not scene.corrected and recalled.value is not None:
            yield "recall, true", right
            yield "recall, told", recalled.value
        if scene.auditor.perfect and scene.calls == 1 and scene.answered == 1.0:
            yield from _rivals(rows, right)


def _of_figures(told: Summary, rows: Sequence[Considered], truth: dict[int, bool]) -> Iterator[tuple[str, float]]:
    """Precision of flags, Brier score and the share of risky changes, beside what they are of all changes."""
    risky = np.array([truth[key] for key in range(len(rows))])
    risks, flagged = np.array([one.risk for one in rows]), np.array([one.flagged for one in rows])
    figures = told.figures
    for name, found, right in (
        ("precision", figures.precision, risky[flagged].mean()),
        ("brier", figures.brier, ((risks - risky) ** 2).mean()),
        ("observed", figures.observed, risky.mean()),
    ):
        if found.interval is not None:
            yield name, _covers(found.interval, float(right))
            yield f"{name}, width", found.interval[1] - found.interval[0]


def _of_recovery(
    told: Summary, rows: Sequence[Considered], truth: dict[int, bool], predictions: Predictions
) -> Iterator[tuple[str, float]]:
    """PGR, beside what it is of all changes."""
    if told.recovered.interval is None or told.recovered.pgr is None:
        return
    risky = np.array([truth[key] for key in range(len(rows))])
    said = np.array([predictions[one.commit][0] for one in rows])
    weak, own, high = (auroc(risky, said[:, place]).require() for place in range(3))
    yield "pgr", _covers(told.recovered.interval, (own - weak) / (high - weak))
    yield "pgr, width", told.recovered.interval[1] - told.recovered.interval[0]
    yield "pgr, true", (own - weak) / (high - weak)
    yield "pgr, told", told.recovered.pgr


def _rivals(rows: Sequence[Considered], right: float) -> Iterator[tuple[str, float]]:
    """Coverage and width of the recall's interval by other methods, on the same verdicts."""
    places = [one.risky is True for one in rows if one.selection is Selection.FLAGGED]
    draws = [one for one in rows if one.selection is Selection.RANDOM]
    called, chances = [one.risky is True for one in draws], [one.propensity for one in draws]
    picked, size = total(places, [1.0] * len(places), len(places)), len(rows) - len(places)
    found: dict[str, Any] = {tail: total(called, chances, size, tail=tail) for tail in TAILS}
    for name, others in {"score": _scored(called, chances, size), **found}.items():
        interval = recall(picked, others).interval
        if interval is not None:
            yield f"by {name}", _covers(interval, right)
            yield f"by {name}, width", interval[1] - interval[0]


def _scored(called: Sequence[bool], chances: Sequence[float], size: int) -> Total:
    """Return the total as ours is, inside of a score interval (Wilson) instead of binomial tails."""
    told = total(called, chances, size)
    if told.value is None or told.judged == size:
        return told
    weights = 1.0 / np.array(chances)
    effective = float(weights.sum() ** 2 / (weights @ weights)) / (1.0 - told.judged / size)
    share = float(weights @ np.array(called)) / float(weights.sum())
    low, high = (size * bound for bound in wilson(share * effective, effective))
    return Total(told.value, (max(low, sum(called)), min(high, size - told.judged + sum(called))), size, told.judged)


def _says_risky(auditor: Auditor, *, risky: bool) -> float:
    return auditor.sensitivity if risky else 1.0 - auditor.specificity


def _covers(interval: tuple[float, float], truth: float) -> float:
    return float(interval[0] - 1e-9 <= truth <= interval[1] + 1e-9)


def scenes(size: int) -> Iterator[tuple[str, Scene]]:
    """Yield what is simulated, by the title of its table."""
    for rate in RATES:
        for budget in BUDGETS:
            yield "One call, people who are never wrong", Scene(size, rate, budget)
            yield "Eight calls while changes come in", Scene(size, rate, budget, calls=8)
            yield "A number a week, in weeks that differ", Scene(size, rate, budget, calls=len(_WEEKS), weekly=True)
            yield "Four of five entries are answered", Scene(size, rate, budget, answered=0.8)
            yield "People who see 90 % of what is risky", Scene(size, rate, budget, CAREFUL)
            yield "People who see 80 %, and call 2 % of what is safe risky", Scene(size, rate, budget, HASTY)

    for rate in RATES[-2:]:
        for budget in (0.1, 0.2, 0.4):
            yield RECOVERED, Scene(size, rate, budget, recovered=True)

    for auditor in ERRING:
        for rate in RATES:
            yield UNCORRECTED, Scene(size, rate, 0.1, auditor, corrected=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, and write the figures; with `--table` the page as well, and alone with `--repeats 0`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=1_000)
    parser.add_argument("--size", type=int, default=1_000, help="changes of each population")
    parser.add_argument("--output", type=Path, default=_OUTPUT)
    parser.add_argument("--table", action="store_true", help=f"write {_PAGE.name} from OUTPUT")
    chosen = parser.parse_args(arguments)
    if chosen.repeats:
        found: dict[str, list[dict[str, Any]]] = {}
        for title, scene in scenes(chosen.size):
            found.setdefault(title, []).append(simulate(scene, chosen.repeats))
            print(title, scene, file=sys.stderr)
        chosen.output.write_text(json.dumps(found) + "\n", encoding="utf-8")
    if chosen.table:
        _PAGE.write_text(table(json.loads(chosen.output.read_text(encoding="utf-8"))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
