"""How many changes each judged one stands for: by hand, and right about 95 times of 100 through the real queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.audit_coverage import Scene, population, queued
from oversight.audit.budget.outcome import Considered
from oversight.audit.budget.standing import standing
from oversight.audit.budget.summary import summary
from oversight.audit.figures import Figures
from oversight.audit.verdict import Decision, Selection, Shown, Source, Verdict
from oversight.measurement.audited import PERFECT

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def changes(first: int, count: int, selection: str | None, judged: int, *, flagged: bool = False) -> list[Considered]:
    """Changes from a number on, of which people call the first `judged` safe, and say nothing of the others."""
    chosen = None if selection is None else Selection(selection)
    chance = 1.0 if selection in ("flagged", "request") else 0.1
    return [
        Considered(
            "o/r", f"{first + one:040x}", "human", chosen, chance, False if one < judged else None, 0.2, 50.0, flagged
        )
        for one in range(count)
    ]


def verdicts(considered: list[Considered]) -> list[Verdict]:
    """What people say of those that have a label."""
    return [
        Verdict(
            one.commit, "ann", Decision.RISKY if one.risky else Decision.SAFE, "", NOW + timedelta(seconds=number),
            Shown(Selection.REQUEST, None, one.flagged, one.risk, one.percentile), Source("pages", "o/r"),
        )
        for number, one in enumerate(considered)
        if one.risky is not None
    ]  # fmt: skip


def test_weights_add_up_to_what_there_is():
    """Of 20 with a place ten are judged, and ten of 15 that were drawn of 215: two and 21.5 each. What was known counts
    once, what people judged of their own accord not at all.
    """
    considered = [
        *changes(0, 20, "flagged", 10), *changes(100, 15, "random", 10), *changes(200, 195, None, 0),
        *changes(500, 5, None, 5), *changes(600, 3, "request", 3),
    ]  # fmt: skip
    sample = standing(considered, {f"{0:040x}": "f" * 40})
    weights = [sample.weights[one.commit] for one in considered[1:] if one.risky is not None]
    assert sample.weights["f" * 40] == pytest.approx(2.0)
    assert weights == [pytest.approx(2.0)] * 9 + [pytest.approx(21.5)] * 10 + [None] * 5 + [1.0] * 3
    assert sum(one or 0.0 for one in sample.weights.values()) == pytest.approx(20 + 215 + 3)
    assert sample.unseen is sample.unseen_flags is None


def test_flags_stand_for_flags():
    """Two of the drawn were flagged, of 40 that were and had no place: twenty each, whatever their chance was."""
    considered = [
        *changes(0, 20, "flagged", 20, flagged=True), *changes(100, 2, "random", 2, flagged=True),
        *changes(200, 38, None, 0, flagged=True), *changes(300, 20, "random", 20), *changes(400, 120, None, 0),
    ]  # fmt: skip
    weights = standing(considered, {}).weights
    assert [weights[f"{number:040x}"] for number in (0, 100, 300)] == [1.0, pytest.approx(20.0), pytest.approx(7.0)]


def test_what_nobody_judged_any_of_is_not_guessed():
    """Many flags without a place, none of them drawn: precision would be that of places. A few do not matter."""
    known = [*changes(0, 40, "flagged", 40, flagged=True), *changes(300, 20, "random", 20)]
    many = [*known, *changes(400, 30, None, 0, flagged=True)]
    told = summary(many, verdicts(many), {}, PERFECT).figures
    assert (
        told.precision.reason == "0 judged flagged changes of those without a place that were drawn, and 10 are needed"
    )
    assert told.observed.value == 0.0
    few = [*known, *changes(400, 2, None, 0, flagged=True)]
    assert summary(few, verdicts(few), {}, PERFECT).figures.precision.n == 40
    undrawn = [*changes(0, 40, "flagged", 40, flagged=True), *changes(400, 100, None, 0)]
    assert summary(undrawn, verdicts(undrawn), {}, PERFECT).figures.reliability.error.value is None


def test_weights_that_differ_too_much_tell_too_little():
    """Twelve judged flags, two of which stand for fifty each."""
    considered = [
        *changes(0, 10, "flagged", 10, flagged=True), *changes(100, 2, "random", 2, flagged=True),
        *changes(200, 98, None, 0, flagged=True), *changes(400, 30, "random", 30),
    ]  # fmt: skip
    told = summary(considered, verdicts(considered), {}, PERFECT).figures.precision
    assert told.value is None
    assert told.reason == "12 judged changes of the flagged ones tell as much as 2.4 of equal weight, and 10 are needed"


def audit(rng: np.random.Generator) -> tuple[Figures, dict[str, float]]:
    """An audit through the real queue, of 300 changes of which 30 raise an alarm and are riskier than their risks say;
    of the places all are answered, of the draws three in four. With what is true of all changes.
    """
    scene = Scene(300, 0.06, 0.4)
    candidates, truth = population(scene, rng)
    alarms = set(rng.choice(300, 30, replace=False).tolist())
    truth |= {key: bool(rng.random() < 0.3) for key in alarms}
    candidates = [replace(one, alarm=one.key in alarms) for one in candidates]
    flagged = alarms | {one.key for one in sorted(candidates, key=lambda one: -(one.risk or 0.0))[:90]}
    fate = queued(candidates, scene, str(rng.integers(1 << 62)))
    answered = {
        key: one[0] is Selection.FLAGGED or (one[0] is not None and rng.random() < 0.75) for key, one in fate.items()
    }
    considered = [
        Considered("o/r", one.commit, one.provenance, *fate[one.key], truth[one.key] if answered[one.key] else None,
                   one.risk, 50.0, one.key in flagged)
        for one in candidates
    ]  # fmt: skip
    distances = [((one.risk or 0.0) - truth[one.key]) ** 2 for one in candidates]
    true = {
        "precision": sum(truth[key] for key in flagged) / len(flagged),
        "observed": sum(truth.values()) / len(truth),
        "brier": sum(distances) / len(distances),
    }
    return summary(considered, verdicts(considered), {}, PERFECT).figures, true


def test_weighted_figures_are_right_and_their_intervals_cover():
    """Of forty audits: the means are those of all changes, while the unweighted share is far above."""
    rng = np.random.default_rng(2)
    found = [audit(rng) for _ in range(40)]
    unweighted = np.mean([one.risky / (one.risky + one.safe) for one, _ in found])
    assert unweighted > 1.5 * np.mean([true["observed"] for _, true in found])
    for name in ("precision", "observed", "brier"):
        told = [(getattr(one, name), true[name]) for one, true in found if getattr(one, name).value is not None]
        errors = np.array([share.value - true for share, true in told])
        covered = [share.interval[0] <= true <= share.interval[1] for share, true in told]
        assert len(told) >= 36
        assert abs(errors.mean()) <= 3 * errors.std() / len(errors) ** 0.5
        assert np.mean(covered) >= 0.9
