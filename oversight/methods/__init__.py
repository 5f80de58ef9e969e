"""Weak-to-strong methods, one file each: a new method is one new file here, and no edited one.

A module of this package whose name does not start with an underscore is a method by the name of the module (`_` read
as `-`). It defines `METHOD`, made from a learner; or `AROUND`, made from a learner and another method whose labels it
prepares or whose students it joins. The latter are written before the method that they go around, with a plus,
and alone they go around `naive`:

    seed-ensemble+confident-filter+mixed
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from oversight.errors import UsageError

if TYPE_CHECKING:
    from oversight.features.model import Example
    from oversight.history.model import GoldLabel
    from oversight.reviewers.model import WeakLabel
    from oversight.students.student import Learner, Student

PLAIN = "naive"
"""What is gone around where no method is named."""

Parameters: TypeAlias = Mapping[str, Any]
"""Fields of a method's parts by `part.field`, as `mixed.weak_weight`; those that are not named have their defaults."""

HEAD = "head"
"""What a linear learner is called among the parts that parameters name: `head.variance`."""

_DEFAULTS: Parameters = MappingProxyType({})


class Method(Protocol):
    """Turns weak labels, and the few human ones there are, into a student.

    Methods are made from a learner and store it; `fit` checks what it is given. Labels belong to examples by
    `change_id`; an example may have a weak label, a human one, both or none. A weak label of an example that has a
    human one comes from a reviewer that was not taught with it: it tells how far the reviewer can be trusted. Gold
    labels of the evaluation split cannot reach a method: it has no parameter for them.
    """

    def fit(
        self,
        examples: Sequence[Example],
        weak_labels: Sequence[WeakLabel],
        human_labels: Sequence[GoldLabel],
        *,
        seed: int,
    ) -> Student:
        """Train a student; the same seed gives the same student. `LabelError` where there is too little to
        learn from.
        """
        ...


def names() -> tuple[str, ...]:
    """Return the names of all methods, in alphabetical order.

    >>> {"naive", "mixed"} <= set(names())
    True
    """
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def module(name: str) -> ModuleType:
    """Return the module of one method, which has a `METHOD` or an `AROUND`; `UsageError` where there is none."""
    if name not in names():
        raise UsageError("there is no method of that name", mend=f"use one of {', '.join(names())}")
    return import_module(f"{__name__}.{name.replace('-', '_')}")


def method(
    name: str, parameters: Parameters = _DEFAULTS, find: Callable[[str], ModuleType] = module
) -> Callable[[Learner], Method]:
    """Return the constructor of the method called `name`, or of several joined by `+`, with `parameters` of its parts;
    those of other parts, as of a learner, are passed over. `find` returns the module of a part.

    `UsageError` where a part is unknown, or does not go around another.
    """
    *outer, last = [(part, find(part)) for part in name.split("+")]
    if not hasattr(last[1], "METHOD"):
        outer, last = [*outer, last], (PLAIN, find(PLAIN))
    for _, one in outer:
        if not hasattr(one, "AROUND"):
            raise UsageError(
                "a method stands before another that it does not go around",
                mend="write seed ensembles and filters first, as in seed-ensemble+confident-filter+mixed",
            )

    def constructor(learner: Learner) -> Method:
        made: Method = last[1].METHOD(learner, **of_part(parameters, last[0]))
        for part, one in reversed(outer):
            made = one.AROUND(learner, made, **of_part(parameters, part))
        return made

    return constructor


def of_part(parameters: Parameters, part: str) -> dict[str, Any]:
    """Return the fields that are named of one part.

    >>> of_part({"mixed.weak_weight": 0.2, "head.variance": 0.004}, "mixed")
    {'weak_weight': 0.2}
    """
    start = f"{part}."
    return {name.removeprefix(start): value for name, value in parameters.items() if name.startswith(start)}
