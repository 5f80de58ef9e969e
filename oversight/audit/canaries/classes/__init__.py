"""Classes of defects that are planted: one file each, found by its `MUTATION`. A new one is a new file here, and an
example of it in each language in the contract suite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from oversight.audit.canaries.source import Site, Source
from oversight.errors import UsageError

REVERSED = "reversed-repair"
"""The class that is no mutation: a repair applied in reverse (`oversight.audit.canaries.reversal`)."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A class of defects: its name, what it does in a few words, and where in a file it could be done.

    `hint` is a regular expression without which no file is read: something in what a change shows has to match it.
    `tests` says that the class is of files of tests alone.
    """

    name: str
    does: str
    sites: Callable[[Source], Iterator[Site]]
    hint: str
    tests: bool = False

    def worth(self, shown: str, *, test: bool) -> bool:
        """Whether a file that shows these rows is worth reading for it."""
        return (test or not self.tests) and re.search(self.hint, shown) is not None


@cache
def mutations() -> Mapping[str, Mutation]:
    """Every mutation by its name, in the order of the names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    found = {module.MUTATION.name: module.MUTATION for module in modules}
    return dict(sorted(found.items()))


def names() -> tuple[str, ...]:
    """The names of all classes."""
    return (REVERSED, *mutations())


def chosen(text: str | None) -> tuple[str, ...]:
    """Read a list such as "guard-removed,lock-dropped"; all of them where None. UsageError where a name is unknown."""
    if text is None:
        return names()
    wanted = {part.strip().lower() for part in text.split(",") if part.strip()}
    if not wanted or not wanted <= set(names()):
        raise UsageError("--classes names no known class", mend=f"choose among {', '.join(names())}")
    return tuple(name for name in names() if name in wanted)
