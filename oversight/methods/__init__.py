"""Weak-to-strong methods, one file each: a new method is one new file here, and no edited one.

A module of this package whose name does not start with an underscore, and which defines `METHOD`, is a method by
the name of the module (`_` read as `-`). `Method` says what it has to do.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from oversight.errors import UsageError

if TYPE_CHECKING:
    from oversight.features.model import Example
    from oversight.history.model import GoldLabel
    from oversight.reviewers.model import WeakLabel
    from oversight.students.student import Learner, Student


class Method(Protocol):
    """Turns weak labels, and the few human ones there are, into a student.

    Methods are made from a learner and store it; `fit` checks what it is given. Labels belong to examples by
    `change_id`; an example may have a weak label, a human one, both or none. Gold labels of the evaluation
    split cannot reach a method: it has no parameter for them.
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

    >>> names()
    ('mixed', 'naive')
    """
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in found if not name.startswith("_")))


def method(name: str) -> Callable[[Learner], Method]:
    """Return the constructor of the method called `name`; `UsageError` where there is none."""
    if name not in names():
        raise UsageError("there is no method of that name", mend=f"use one of {', '.join(names())}")
    constructor: Callable[[Learner], Method] = import_module(f"{__name__}.{name.replace('-', '_')}").METHOD
    return constructor
