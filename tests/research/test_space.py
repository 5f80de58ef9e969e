"""What can be tried, read from the methods' own fields."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pytest

from oversight import methods
from oversight.errors import UsageError
from oversight.research import space
from oversight.research.model import WRITTEN, Configuration, as_json
from oversight.research.space import HEAD, Choices, Range


@dataclass(frozen=True)
class Tuned:
    """A method with fields of every kind."""

    learner: object
    share: float = 0.5
    strength: float = 50.0
    rounds: int = 2
    eager: bool = False
    most: float = field(default=0.2, metadata={"range": (0.1, 0.4)})
    kind: str = field(default="soft", metadata={"choices": ("soft", "hard")})
    nameless: str = "no range"


def of(name: str) -> space.Parameter:
    return space.parameter_of(next(one for one in fields(Tuned) if one.name == name))


def test_ranges_come_from_defaults() -> None:
    """Shares stay shares, numbers stay above 0, and no fold, round or ensemble becomes one."""
    share, strength, rounds, most = of("share"), of("strength"), of("rounds"), of("most")
    assert isinstance(share, Range)
    assert 0 < share.low < 0.5 < share.high < 1
    assert (strength.low, strength.high) == (5.0, 500.0)  # type: ignore[union-attr]
    assert (rounds.low, rounds.high) == (2, 4)  # type: ignore[union-attr]
    assert (most.low, most.high) == (0.1, 0.4)  # type: ignore[union-attr]
    assert of("eager") == Choices(False, (False, True))
    assert of("kind") == Choices("soft", ("soft", "hard"))
    with pytest.raises(UsageError):
        of("nameless")


@pytest.mark.parametrize("name", ["share", "strength", "rounds", "most"])
def test_places_of_a_range_are_in_it(name: str) -> None:
    """What is drawn from a range passes its check, at both ends too, and is found again where it was."""
    parameter = of(name)
    assert isinstance(parameter, Range)
    for place in (0.0, 0.37, 1.0):
        value = parameter.at(place)
        parameter.check(name, value)
        assert parameter.place(value) == pytest.approx(place, abs=0.3 if parameter.whole else 1e-3)


def test_every_method_can_be_drawn_and_made() -> None:
    """Each method that is offered has a range for each of its fields, and one drawn value is accepted for each."""
    assert set(space.plain()) | set(space.arounds()) == set(methods.names()) - {"label-model"}
    for name in (*space.plain(), *space.arounds()):
        found = space.drawn(np.random.default_rng(0), [name])
        assert name in found.parts
        assert space.from_json(as_json(found)) == found


def test_what_is_as_it_would_be_is_not_said() -> None:
    """Two configurations that train alike are one, whatever was said of defaults."""
    default = space.parameters(HEAD)["variance"].default
    one = space.checked(Configuration("mixed", {"head.variance": default, "mixed.weak_weight": 1 / 3}))
    assert one.identity == Configuration("mixed").identity
    assert space.checked(Configuration("mixed", {"head.variance": 0.01})).identity != one.identity


@pytest.mark.parametrize(
    "told",
    [
        "mixed",
        {"method": "nothing"},
        {"method": "seed-ensemble"},
        {"method": "mixed+naive"},
        {"method": "seed-ensemble+seed-ensemble+naive"},
        {"method": "mixed", "parameters": {"mixed.weak_weight": 2.0}},
        {"method": "mixed", "parameters": {"mixed.weak_weight": "1"}},
        {"method": "mixed", "parameters": {"mixed.weak_weight": float("nan")}},
        {"method": "mixed", "parameters": {"mixed.learner": 1}},
        {"method": "mixed", "parameters": {"naive.soft": 1}},
        {"method": "self-training", "parameters": {"self-training.folds": True}},
        {"method": "mixed", "seed": 3},
        {"method": WRITTEN},
        {"method": "mixed", "code": "METHOD = 1"},
        {"method": WRITTEN, "code": "x" * (space.LARGEST_CODE + 1)},
        {"method": WRITTEN, "code": "", "parameters": {"written.k": [1]}},
    ],
)
def test_what_is_no_configuration_is_refused(told: object) -> None:
    """Unknown names, values out of range and texts without a method are refused before anything is trained."""
    with pytest.raises(UsageError):
        space.from_json(told)


def test_a_written_method_has_values_of_its_own() -> None:
    """Parameters of a written method are plain values; what they may be is checked where its code runs."""
    one = space.from_json({"method": f"seed-ensemble+{WRITTEN}", "code": "", "parameters": {"written.k": 3}})
    assert one.parameters == {"written.k": 3}
    assert one.family == WRITTEN
