"""What predictions give away, without a label."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.vault_world import World, world
from oversight.measurement.platt import logit, sigmoid
from oversight.research.model import Floats
from oversight.research.vault import detectors
from oversight.research.vault.detectors import Earlier, Look, jump, look, malformed, ranks

MADE = world(2, {"first": 600, "second": 400})


def seen(
    predictions: Mapping[str, Floats],
    *,
    among: Mapping[str, Mapping[str, Floats]] | None = None,
    order: float | None = 0.0,
) -> Look:
    earlier = Earlier()
    for name, one in {"default": MADE.default(), **(among or {})}.items():
        earlier.add(name, one)
    return look(predictions, MADE.default(), earlier, order)


def changed(made: World, **changes: Floats) -> dict[str, Floats]:
    """The default's predictions with log-odds added in some grounds, (T,) each."""
    return {name: sigmoid(logit(runs) + changes.get(name, 0.0)) for name, runs in made.default().items()}


def test_honest_students_pass() -> None:
    """Retrained students, nearer to the truth or farther, raise nothing, whatever was asked before."""
    before: dict[str, Mapping[str, Floats]] = {}
    for number, away in enumerate((0.3, 0.5, 0.65, 0.75, 0.9)):
        student = MADE.student(away, [7, number + 1])
        assert seen(student, among=before) == Look(None, ())
        before[f"e{number}"] = student


def test_the_most_frequent_answer_is_refused() -> None:
    """One answer for everything, for half of the changes, and in one draw of one ground alone."""
    default = MADE.default()
    constant = {name: np.full_like(runs, 0.0) for name, runs in default.items()}
    half = {name: np.where(runs < np.median(runs), 0.0, runs) for name, runs in default.items()}
    once = {name: runs.copy() for name, runs in default.items()}
    once["second"][1] = 0.3
    for predictions in (constant, half, once):
        assert seen(predictions).flags == ("most-frequent",)


def test_a_copy_is_refused_in_whatever_scale_it_comes() -> None:
    """The order of an earlier one, as it was, on another scale, or with noise that changes next to nothing."""
    noise = np.random.default_rng(0).normal(scale=0.01, size=600)
    for predictions in (MADE.default(), changed(MADE, first=np.full(600, 1.5)), changed(MADE, first=noise)):
        assert seen(predictions).flags == ("copy",)
    assert seen(MADE.student(0.6, 5), among={"e1": MADE.student(0.6, 5)}).reason == "the same order as that of e1"


@pytest.mark.parametrize("share", [1 / 600, 0.02, 0.07, 0.14])
def test_an_order_of_which_a_few_rows_were_moved_is_refused(share: float) -> None:
    """Up or down, from one row to a seventh of them, also beside a ground that was honestly retrained."""
    generator = np.random.default_rng(1)
    moved = np.zeros(600)
    rows = generator.permutation(600)[: round(share * 600)]
    moved[rows] = generator.choice([-5.0, 5.0], rows.size)
    assert seen(changed(MADE, first=moved)).flags == ("few-rows",)
    beside = {"first": changed(MADE, first=moved)["first"], "second": MADE.student(0.5, 3)["second"]}
    assert seen(beside).flags == ("few-rows",)


def test_jogging_the_others_does_not_hide_a_few_rows() -> None:
    """A twentieth of the rows pushed far, and all others moved by a little."""
    generator = np.random.default_rng(2)
    moved = generator.normal(scale=0.05, size=600)
    moved[:30] += 4.0
    assert seen(changed(MADE, first=moved)).flags == ("few-rows",)


def test_predictions_that_the_order_of_rows_has_a_part_in_are_refused() -> None:
    """By the difference that a worker found; where nobody looked, nothing is said."""
    student = MADE.student(0.5, 4)
    assert seen(student, order=0.01).flags == ("row-order",)
    assert seen(student, order=float("nan")).flags == ("row-order",)
    assert seen(student, order=None) == Look(None, ())


def test_draws_that_are_alike_or_far_apart_are_noted() -> None:
    """The same answers whatever the human labels; another model in each draw; and what is like no student at all."""
    student = MADE.student(0.5, 5)
    alike = {name: np.repeat(runs[:1], len(runs), axis=0) for name, runs in student.items()}
    assert seen(alike) == Look(None, ("draws-alike",))
    apart = {
        name: np.stack([MADE.student(1.5, [seed, 9])[name][seed] for seed in range(len(runs))])
        for name, runs in student.items()
    }
    assert "draws-apart" in seen(apart).flags
    upside_down = {name: 1 - runs for name, runs in student.items()}
    assert seen(upside_down) == Look(None, ("unlike",))


def test_what_are_no_predictions_is_told_apart() -> None:
    """Grounds that are missing or too many, shapes, and values that are no probability."""
    student = MADE.student(0.5, 6)
    shapes = {name: (len(runs), runs.shape[1]) for name, runs in student.items()}
    assert malformed(student, shapes) is None
    assert "every ground" in str(malformed({"first": student["first"]}, shapes))
    assert "every ground" in str(malformed({**student, "third": student["first"]}, shapes))
    assert "shape" in str(malformed({**student, "first": student["first"][:1]}, shapes))
    for wrong in (np.nan, 1.5, -0.1, np.inf):
        broken = {name: runs.copy() for name, runs in student.items()}
        broken["second"][0, 0] = wrong
        assert malformed(broken, shapes) == "a prediction is no probability"


def test_a_jump_is_a_rise_that_the_screen_knows_nothing_of() -> None:
    """A large rise with a screen in the lower half; not a small one, nor with a high screen, nor among a few."""
    screens = [0.70, 0.71, 0.72, 0.73, 0.74]
    assert jump(0.2, 0.71, screens)
    assert not jump(0.1, 0.71, screens)
    assert not jump(0.2, 0.75, screens)
    assert not jump(0.2, 0.71, screens[:4])
    assert not jump(0.2, None, screens)


def test_ranks_share_what_is_level() -> None:
    """Equal values share the middle of their places, so that no order of rows is in them."""
    assert ranks(np.array([0.2, 0.1, 0.2, 0.9])).tolist() == [0.625, 0.25, 0.625, 1.0]
    values = np.random.default_rng(0).random(50)
    assert detectors.correlations(ranks(values)[None], ranks(np.exp(values)))[0] == pytest.approx(1)
    assert detectors.correlations(np.ones((1, 50)), values)[0] == 0
