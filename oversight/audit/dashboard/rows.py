"""What a table of rows is made of: sections of items, and the cells of a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Place:
    """Which change a row is of; a title or a number is None where nobody knows it."""

    repository: str
    commit: str
    number: int | None = None
    title: str | None = None


Cell: TypeAlias = str | Place


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that belong together, and what they are. `key` is a part of an address."""

    key: str
    title: str
    items: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under `columns`, which `row` makes of the items of sections; `numeric` are the columns of numbers."""

    key: str
    title: str
    columns: tuple[str, ...]
    numeric: frozenset[int]
    sections: tuple[Section, ...]
    row: Callable[[Any], tuple[Cell, ...]]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(len(section.items) for section in self.sections)


def percentile(value: float | None) -> str:
    """Return a percentile as rows have it."""
    return "unknown" if value is None else f"{value:.1f}"
