"""What fields of files that people hand us may hold: checks, in words too, so that a refusal says what was expected."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from oversight.reports.escape import terminal


@dataclass(frozen=True, slots=True)
class Field:
    """What a field may hold, as a check and in words."""

    holds: Callable[[Any], bool]
    words: str


Fields: TypeAlias = Mapping[str, Field]


def text(least: int = 0, most: int | None = None) -> Field:
    """A string of so many characters."""
    words = f"{least} to {most} characters" if most is not None else "text that is not empty" if least else "text"
    largest = math.inf if most is None else most
    return Field(lambda value: isinstance(value, str) and least <= len(value) <= largest, words)


def like(pattern: str, words: str) -> Field:
    """A string that all of a regular expression matches."""
    compiled = re.compile(pattern)
    return Field(lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None, words)


def one_of(*values: str) -> Field:
    """One of these strings."""
    return Field(lambda value: isinstance(value, str) and value in values, " or ".join(f'"{one}"' for one in values))


def number(low: float, high: float) -> Field:
    """A number between two others."""

    def holds(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

    return Field(holds, f"a number from {low:g} to {high:g}")


def whole(least: int = 1) -> Field:
    """A whole number that fits into 64 bits."""

    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value < 1 << 63

    return Field(holds, f"a whole number above {least - 1}" if least else "a whole number, 0 or more")


def or_null(field: Field) -> Field:
    """What the field holds, or null."""
    return Field(lambda value: value is None or field.holds(value), f"{field.words}, or null")


def array(field: Field) -> Field:
    """Any number of what the field holds."""
    return Field(lambda value: isinstance(value, list) and all(map(field.holds, value)), f"an array of {field.words}")


def positive(most: float) -> Field:
    """A number above 0, up to another."""
    upto = number(0, most)
    return Field(lambda value: upto.holds(value) and value > 0, f"a number above 0, up to {most:g}")


TRUTH = Field(lambda value: isinstance(value, bool), "true or false")
TRUE = Field(lambda value: value is True, "true")
NULL = Field(lambda value: value is None, "null")
OBJECT = Field(lambda value: isinstance(value, dict), "an object")
SHA = like(r"[0-9a-f]{40}|[0-9a-f]{64}", "a full sha in lower case")
SHA256 = like(r"[0-9a-f]{64}", "a sha256 in lower case")
MOMENT = like(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})",
    "a moment with its time zone, as 2025-01-31T12:00:00Z",
)


def amiss(told: Mapping[str, Any], wanted: Fields) -> str | None:
    """Return what is wrong with an object that should have these fields and no others; None where nothing is."""
    if missing := wanted.keys() - told.keys():
        return f'has no "{min(missing)}"'
    if unknown := told.keys() - wanted.keys():
        return f'has a field too many: "{terminal(min(unknown), 40)}"'
    for name, field in wanted.items():
        if not field.holds(told[name]):
            return f'has a "{name}" that is not {field.words}'
    return None


def load(text: str) -> Any:
    """Return what JSON says. ValueError or RecursionError for what is none, for a name that an object has twice, and
    for NaN and infinities.
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; a name that it has twice would let two readers read two things."""
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("a name that stands twice")
    return told


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
