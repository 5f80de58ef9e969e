"""A model in the shadow beside the one in use: the same changes, weighted by their chances, and no word too many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oversight.audit.budget.beside import Shadow, as_dict, compare, text
from oversight.audit.budget.outcome import Considered
from oversight.audit.verdict import Selection
from oversight.reports.escape import terminal

NAME = "<b>small\x1b[2J"


def considered(number: int, selection: Selection | None, risky: bool | None, risk: float | None) -> Considered:
    chance = 0.1 if selection is Selection.RANDOM else 1.0
    return Considered("Octo/Repo", f"{number:040x}", "human", selection, chance, risky, risk)


def world() -> tuple[list[Considered], Shadow]:
    """60 changes with a place, every other one risky, of which the model in use says the same; 60 that were drawn, of
    which every fifth is, as it knows. The shadow knows those with a place, and says the same of the others.
    """
    picked = [considered(one, Selection.FLAGGED, one % 2 == 0, 0.9) for one in range(60)]
    drawn = [considered(one, Selection.RANDOM, one % 5 == 0, 0.3 if one % 5 == 0 else 0.1) for one in range(60, 120)]
    risks = {("octo/repo", one.commit): 0.9 if one.risky else 0.8 for one in picked}
    risks |= {("octo/repo", one.commit): 0.2 for one in drawn}
    return [*picked, *drawn], Shadow("5e" * 32, NAME, "1", risks)


def test_changes_count_by_the_chance_that_they_had() -> None:
    """By hand: 60 seen of 60, and 60 of 600, so that what was drawn weighs ten times as much."""
    found = compare(world()[0], {}, world()[1])
    # 30 risky and 30 safe with a place, 120 risky and 480 safe without one.
    pairs = (30 + 120) * (30 + 480)
    used = (30 * 30 * 0.5 + 30 * 480 + 120 * 480) / pairs
    tried = (30 * 30 + 30 * 480 + 120 * 480 * 0.5) / pairs
    assert (found.n, found.risky) == (120, 42)
    assert found.in_use is not None
    assert found.shadow is not None
    assert found.difference is not None
    assert found.in_use.value == pytest.approx(used)
    assert found.shadow.value == pytest.approx(tried)
    assert found.difference.value == pytest.approx(tried - used)
    assert found.verdict.startswith("is worse than the model in use")


def test_who_is_better_and_who_cannot_be_told() -> None:
    """The same risks make no difference; exchanged, the one that knew less knows more."""
    population, shadow = world()
    same = replace(shadow, risks={("octo/repo", one.commit): one.risk or 0.0 for one in population})
    assert "includes 0" in compare(population, {}, same).verdict
    exchanged = [replace(one, risk=shadow.risks["octo/repo", one.commit]) for one in population]
    assert compare(exchanged, {}, same).verdict.startswith("is better than the model in use")


def test_what_has_no_chance_or_no_risk_is_left_out() -> None:
    """What people looked at of their own accord, what waits, and what either model has not scored."""
    population, shadow = world()
    known = compare(population, {}, shadow)
    others = [
        considered(1_000, None, True, 0.5), considered(1_001, Selection.REQUEST, True, 0.5),
        considered(1_002, Selection.FLAGGED, None, 0.5), considered(1_003, Selection.FLAGGED, True, None),
        considered(1_004, Selection.FLAGGED, True, 0.5),
    ]  # fmt: skip
    risks = {**shadow.risks, **{("octo/repo", one.commit): 0.5 for one in others[:4]}}
    assert compare([*population, *others], {}, replace(shadow, risks=risks)) == known


def test_a_head_is_known_by_what_it_became() -> None:
    """`oversight score` reads the main line, where a pull request has another commit."""
    population, shadow = world()
    landed = {one.commit: "f" * 8 + one.commit[8:] for one in population}
    moved = {(name, landed[commit]): risk for (name, commit), risk in shadow.risks.items()}
    assert compare(population, landed, replace(shadow, risks=moved)) == compare(population, {}, shadow)


def test_too_few_are_told_as_that_and_names_of_strangers_are_text() -> None:
    """No figure of nine risky changes; what the store has of a name moves no cursor."""
    population, shadow = world()
    few = compare(population[:18], {}, shadow)
    assert (few.n, few.risky, few.difference) == (18, 9, None)
    (line,) = text([few], terminal)
    assert "10 risky and 10 safe" in line
    assert "\x1b" not in line
    told = as_dict(compare(population, {}, shadow))
    assert told["shadow"]["interval"][0] < told["shadow"]["value"] < told["shadow"]["interval"][1]
    assert list(text([], terminal)) == []
