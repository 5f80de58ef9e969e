"""The annotated examples are the constitution's tests."""

from __future__ import annotations

from collections import Counter

import pytest

from oversight.reviewers.model import Opinion
from oversight.reviewers.principles import Principles, builtin
from tests.reviewers.principles.annotated import EXAMPLES, Annotated, Spot, all_examples

ALL = all_examples()
REVIEWER = Principles()


def spots_of(opinion: Opinion) -> set[Spot]:
    """Every line that an opinion names, one by one."""
    if not opinion.lines:
        return {("", "new", None)}
    spots: set[Spot] = set()
    for place in opinion.lines:
        if place.start is None or place.end is None:
            spots.add((place.path, place.side, None))
        else:
            spots.update((place.path, place.side, number) for number in range(place.start, place.end + 1))
    return spots


@pytest.mark.parametrize("example", ALL, ids=lambda example: f"{example.principle}: {example.title}")
def test_a_principle_fires_exactly_where_its_examples_say(example: Annotated) -> None:
    """A principle fires on every marked row of its risky examples, on no other row, and on no ok example."""
    assert bool(example.spots) is example.risky, "risky examples mark rows, ok examples mark none"
    opinions = [
        opinion
        for opinion in REVIEWER.review(example.change, example.context)
        if opinion.principle == example.principle
    ]
    fired = set().union(*(spots_of(opinion) for opinion in opinions)) if opinions else set()
    assert fired == example.spots


@pytest.mark.parametrize("principle", builtin(), ids=lambda principle: principle.id)
def test_every_principle_has_examples(principle: object) -> None:
    """A principle without at least two risky and two ok examples is not part of the constitution."""
    counts = Counter(example.risky for example in ALL if example.principle == getattr(principle, "id", None))
    assert counts[True] >= 2
    assert counts[False] >= 2


def test_examples_lie_where_their_principle_lies() -> None:
    """Principle files and example files have the same names in the same categories."""
    found = {(path.parent.name, path.stem) for path in EXAMPLES.glob("*/*.example")}
    assert found == {(principle.category, principle.id) for principle in builtin()}
