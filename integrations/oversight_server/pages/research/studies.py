"""Which studies there are: folders that the operator named, and who may see what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from oversight.errors import ConfigError
from oversight_server.pages.access import Person

_STUDY = "study.json"


@dataclass(frozen=True)
class Studies:
    """`folders` are studies, or hold some; `readers` are logins on GitHub, in lower case.

    A study is of no repository on GitHub, so that nobody's role there says who may see it. Whoever came by the token
    may, since it opens the pages on the machine that has the folders, and so may the readers; for everybody else there
    is no such page.
    """

    folders: tuple[Path, ...]
    readers: frozenset[str] = frozenset()

    def shown_to(self, person: Person) -> bool:
        """Whether somebody may see the studies."""
        return person.via == "token" or person.login.lower() in self.readers

    def found(self) -> dict[str, Path]:
        """Return the studies by their names: those of their folders, with a number from the second of a name on."""
        named: dict[str, Path] = {}
        for folder in self._all():
            name, number = folder.name, 2
            while name in named:
                name, number = f"{folder.name}-{number}", number + 1
            named[name] = folder
        return named

    def _all(self) -> Iterator[Path]:
        for folder in map(Path.resolve, self.folders):
            if (folder / _STUDY).is_file():
                yield folder
            elif folder.is_dir():
                yield from sorted(path.parent for path in folder.glob(f"*/{_STUDY}"))


def studies_of(folders: Iterable[Path], readers: Iterable[str] = ()) -> Studies | None:
    """Return the studies in these folders, None where none is named; `ConfigError` on a system without research."""
    named = tuple(folders)
    if not named:
        return None
    if os.name != "posix":
        raise ConfigError("studies are shown on Linux and macOS alone", mend="name none, or run it there")
    return Studies(named, frozenset(one.lower() for one in readers))
