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

from oversight.audit.budget.outcome import Considered
from oversight.audit.budget.plan import Candidate, decide
from oversight.audit.budget.spending import Budget, Period
from oversight.audit.budget.summary import Predictions, Summary, summary
from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict
from oversight.measurement.audited import Auditor, Total, recall, total
from oversight.measurement.beta import Tail
from oversight.measurement.intervals import wilson
from oversight.measurement.metrics import auroc

RATES = (0.01, 0.05, 0.1, 0.3)
BUDGETS = (0.05, 0.1, 0.2)
PERFECT, CAREFUL, HASTY = Auditor(), Auditor(0.9, 1.0), Auditor(0.8, 0.98)
ERRING = (PERFECT, Auditor(0.8, 1.0), Auditor(1.0, 0.98), HASTY)
"""People who never err, to compare; who say safe of a fifth of what is risky; who say risky of a fiftieth of what is
safe; and who do both.
"""

UNCORRECTED = "People who err, and nobody says so"
RECOVERED = "PGR against the verdicts"
TAILS: tuple[Tail, ...] = ("exact", "mid-p", "jeffreys")
SHARE = 0.25
START = datetime(2026, 1, 5, tzinfo=UTC)

_PAGE = Path(__file__).parent / "AUDIT.md"
_OUTPUT = Path(__file__).parent / "results" / "audit-coverage.json"
_KINDS = ("human", "human", "human", "agent", "agent", "bot")
_OPENING = """\
Written by `python -m benchmarks.audit_coverage --table`: {repeats:,} simulated audits of {size:,} changes in each row,
queued by the real plan with a random slice of {share:.0%} of the budget, judged by people of known error rates. Shown
is how often a 95 % interval covers the truth, and how wide it is on average. Where fewer than ten changes were drawn,
or no risky one was found, no interval is given: the share of audits that have one stands beside. Of {repeats:,} audits
{low:.1%} to {high:.1%} are to be expected where 95 % is right.

Few draws of something rare can give only a few different intervals, so that no method covers 95 % at each point: of 1 %
risky changes ten or fifty draws mostly find none, and the interval then reaches far enough nearly always. What counts
is that no row is far below."""
_ERRORS = """\
All that they say is taken for true here, at a budget of 10 %: `told` is the mean of the estimates, beside the mean of
the truth. Who says safe of a fifth of what is risky makes about a fifth of what was missed disappear, and recall
somewhat too high. Who says risky of a fiftieth of what is safe invents misses: where 1 % is risky more than three
times as many as there are, and the interval fails in one of seven; where 30 % is, hardly any. Both together can look
right, since they hide each other. Where the report is told of their rates, as in the tables above, the intervals hold.

The value of recall itself is too high where little is risky, also of people who never err: a slice in which nothing
risky is found gives 1. What it tells is in its interval."""
_OF_VERDICTS = """\
Of the riskiest {flagged:.0%}, which are flagged, only some have a place; the others are judged where they are drawn,
and weighted by how many they stand for. Shown are the share of risky ones among what is flagged, the Brier score of the
risks, and the share of risky changes, each beside what it is of all changes."""
_PGR = """\
The report is given what a weak reviewer and a ceiling say of every change (`--predictions`). Without ten risky and ten
safe changes among those that were drawn there is no figure, nor where all that were judged tell less than ten of equal
weight, or weak and ceiling cannot be told apart. `PGR` is the mean of the truth, `told` of the estimates, of the audits
that have one. Before so many had to be drawn, of 10 % risky ones intervals covered 86.1% at a budget of 20 % and 90.9%
at 40 %: a handful of risky draws shows too little spread."""
_WEEKS = (0.1, 0.5, 0.56, 1.0)  # of all changes, those that there are at the end of each week
_FLAGGED = 0.15  # of all changes: more than most budgets have places for
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
    limit = float(np.quantile([one.risk for one in candidates], 1 - _FLAGGED))
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


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return the page."""
    first = next(iter(found.values()))[0]
    noise = 1.96 * (0.95 * 0.05 / first["repeats"]) ** 0.5
    numbers = {"repeats": first["repeats"], "size": first["size"], "low": 0.95 - noise, "high": 0.95 + noise}
    opening = _OPENING.format(share=SHARE, **numbers)
    lines = ["# Do the intervals of `oversight audit report` hold?", "", opening]
    head = "| risky | budget | drawn | recall covered | width | given | missed covered | width, of all | given |"
    for title, rows in found.items():
        if title not in (UNCORRECTED, RECOVERED):
            lines += ["", f"## {title}", "", head, "|---" * 9 + "|", *map(_row, rows)]
    lines += ["", "## Figures of verdicts", "", *_figures([one for rows in found.values() for one in rows])]
    lines += ["", f"## {RECOVERED}", "", *_recovered(found[RECOVERED])]
    lines += ["", f"## {UNCORRECTED}", "", *_uncorrected(found[UNCORRECTED])]
    methods = ("score", *TAILS)
    lines += ["", "## Other methods, on the verdicts of the first table", ""]
    lines += ["Coverage of recall's interval, and its width. Ours is mid-p.", ""]
    lines += ["| risky | budget | " + " | ".join(methods) + " |", "|---" * (2 + len(methods)) + "|"]
    for one in next(iter(found.values())):
        shown = [(one[f"by {name}"]["mean"], one[f"by {name}, width"]["mean"]) for name in methods]
        cells = [f"{covered:.1%}, {width:.2f}" for covered, width in shown]
        lines.append(f"| {one['rate']:.0%} | {one['budget']:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _figures(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Precision, Brier score and share of risky changes, by how changes were queued and answered."""
    yield _OF_VERDICTS.format(flagged=_FLAGGED)
    yield ""
    names = ("precision", "brier", "observed")
    yield "| risky | budget | queued | answered |" + "".join(
        f" {name} | width | given |" for name in ("precision covered", "Brier covered", "risky covered")
    )
    yield "|---" * 13 + "|"
    for one in rows:
        if "precision" not in one or not one["corrected"] or one["recovered"]:
            continue
        how = "by the week" if one["weekly"] else f"in {one['calls']} call{'s' * (one['calls'] > 1)}"
        cells = [f"{one['rate']:.0%}", f"{one['budget']:.0%}", how, f"{one['answered']:.0%}"]
        cells += [cell for name in names for cell in _cells(one, name, 3)]
        yield f"| {' | '.join(cells)} |"


def _recovered(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """PGR, where the report has what a weak reviewer and a ceiling say of all changes."""
    yield _PGR
    yield ""
    yield "| risky | budget | PGR | told | covered | width | given |"
    yield "|---" * 7 + "|"
    for one in rows:
        shown = [f"{one[f'pgr, {key}']['mean']:.2f}" if "pgr" in one else "-" for key in ("true", "told")]
        cells = [f"{one['rate']:.0%}", f"{one['budget']:.0%}", *shown, *_cells(one, "pgr", 2)]
        yield f"| {' | '.join(cells)} |"


def _uncorrected(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What the errors of people do to the estimates where the report is not told of them."""
    yield _ERRORS
    yield ""
    yield "| risky | risky called safe | safe called risky | recall | told | covered | missed | told | covered |"
    yield "|---" * 9 + "|"
    for one in rows:
        cells = [f"{one['rate']:.0%}", f"{1 - one['sensitivity']:.0%}", f"{1 - one['specificity']:.0%}"]
        for name, digits in (("recall", 2), ("missed", 3)):
            true, told, covered = (one[key]["mean"] for key in (f"{name}, true", f"{name}, told", name))
            cells += [f"{true:.{digits}f}", f"{told:.{digits}f}", f"{covered:.1%}"]
        yield f"| {' | '.join(cells)} |"


def _row(one: dict[str, Any]) -> str:
    cells = [f"{one['rate']:.0%}", f"{one['budget']:.0%}", f"{one['drawn']:.0f}"]
    return f"| {' | '.join([*cells, *_cells(one, 'recall', 2), *_cells(one, 'missed', 3)])} |"


def _cells(one: dict[str, Any], name: str, digits: int) -> list[str]:
    """How often an interval covers, how wide it is, and in how many audits there is one."""
    told, width = one.get(name), one.get(f"{name}, width")
    if told is None or width is None:
        return ["-", "-", "0%"]
    return [f"{told['mean']:.1%}", f"{width['mean']:.{digits}f}", f"{told['n'] / one['repeats']:.0%}"]


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
