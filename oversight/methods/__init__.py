"""Weak-to-strong methods, one file each: a new method is one new file here, and no edited one.

A module of this package whose name does not start with an underscore is a method by the name of the module (`_` read
as `-`). It defines `METHOD`, made from a learner; or `AROUND`, made from a learner and another method whose labels it
prepares or whose students it joins. The latter are written before the method that they go around, with a plus,
and alone they go around `naive`:

    seed-ensemble+confident-filter+mixed
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from oversight.errors import UsageError

if TYPE_CHECKING:
    from oversight.features.model import Example
    from oversight.history.model import GoldLabel
    from oversight.reviewers.model import WeakLabel
    from oversight.students.student import Learner, Student

PLAIN = "naive"
"""What is gone around where no method is named."""


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


def method(name: str) -> Callable[[Learner], Method]:
    """Return the constructor of the method called `name`, or of several joined by `+`.

    `UsageError` where one is unknown, or does not go around another.
    """
    *outer, last = [module(part) for part in name.split("+")]
    if not hasattr(last, "METHOD"):
        outer, last = [*outer, last], module(PLAIN)
    for one in outer:
        if not hasattr(one, "AROUND"):
            raise UsageError(
                "a method stands before another that it does not go around",
                mend="write seed ensembles and filters first, as in seed-ensemble+confident-filter+mixed",
            )

    def constructor(learner: Learner) -> Method:
        made: Method = last.METHOD(learner)
        for one in reversed(outer):
            made = one.AROUND(learner, made)
        return made

    return constructor


def module(name: str) -> ModuleType:
    """Return the module of one method, which has a `METHOD` or an `AROUND`; `UsageError` where there is none."""
    if name not in names():
        raise UsageError("there is no method of that name", mend=f"use one of {', '.join(names())}")
    return import_module(f"{__name__}.{name.replace('-', '_')}")
