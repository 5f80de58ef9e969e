"""What can be tried: compositions of methods and their parameters, as the methods' own dataclass fields tell.

| field | range, where its metadata names none |
|---|---|
| float in (0, 1) | odds ten times smaller to ten times larger than the default's |
| other float | ten times smaller to ten times larger than the default |
| int | half to twice the default, 2 at least: no fold, round or ensemble of one |
| bool | both |

`field(metadata={"range": (low, high)})` and `field(metadata={"choices": (...)})` say otherwise. Ranges are even
in log-odds of shares and in the logarithm of everything else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from oversight import methods
from oversight.errors import UsageError
from oversight.research.model import WRITTEN, Configuration, Value

HEAD = methods.HEAD
"""What the learner is called among the parts of a configuration."""

DEEPEST = 3
"""Arounds of one configuration, at most."""

LARGEST_CODE = 64_000
"""Characters of a method that a proposer writes."""

_TENFOLD = 10.0
_MADE = ("learner", "inner")  # what methods are made from: no parameters
_UNHEARD = ("label-model",)  # learns from reviewers' single opinions, which experiments are not given


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both inclusive; `whole` ones alone, or a `share` in (0, 1)."""

    default: float
    low: float
    high: float
    whole: bool = False
    share: bool = False

    def at(self, place: float) -> float | int:
        """Return the number at `place` in [0, 1], evenly spread as the module's docstring says."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        value = self._unscaled(low + place * (high - low))
        return round(value) if self.whole else min(max(_short(value), self.low), self.high)

    def place(self, value: float) -> float:
        """Return where a number stands in the range: what `at` takes."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low) if high > low else 0.0

    def check(self, name: str, value: Value) -> None:
        """Raise `UsageError` for what is not in the range."""
        right = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        if not right or not self.low <= value <= self.high:  # type: ignore[operator]
            kind = "a whole number" if self.whole else "a number"
            raise UsageError(f"{name} is not in its range", mend=f"give {kind} from {self.low:g} to {self.high:g}")

    def _scaled(self, value: float) -> float:
        return math.log(value / (1 - value)) if self.share else math.log(value)

    def _unscaled(self, value: float) -> float:
        return 1 / (1 + math.exp(-value)) if self.share else math.exp(value)


@dataclass(frozen=True, slots=True)
class Choices:
    """One of a few values."""

    default: Value
    values: tuple[Value, ...]

    def check(self, name: str, value: Value) -> None:
        """Raise `UsageError` for what is none of them."""
        if not any(value == one and type(value) is type(one) for one in self.values):
            raise UsageError(f"{name} is none of its choices", mend=f"give one of {list(self.values)}")


Parameter: TypeAlias = Range | Choices


@cache
def arounds() -> tuple[str, ...]:
    """Return the names of the methods that go around others."""
    return tuple(name for name in _names() if hasattr(methods.module(name), "AROUND"))


@cache
def plain() -> tuple[str, ...]:
    """Return the names of the methods that others go around."""
    return tuple(name for name in _names() if hasattr(methods.module(name), "METHOD"))


@cache
def parameters(part: str) -> Mapping[str, Parameter]:
    """Return the parameters of a method, or of the learner, by name."""
    if part == HEAD:
        from oversight.students.head import HeadLearner

        return {"variance": parameter_of(next(one for one in fields(HeadLearner) if one.name == "variance"))}
    module = methods.module(part)
    made = module.METHOD if hasattr(module, "METHOD") else module.AROUND
    return {one.name: parameter_of(one) for one in fields(made) if one.name not in _MADE}


def parameter_of(field: Field[Any]) -> Parameter:
    """Return what a field of a method may be; `UsageError` where neither its default nor its metadata tell."""
    default: Any = field.default
    told = field.metadata
    if "choices" in told:
        choices = tuple(told["choices"])
        return Choices(choices[0] if default is MISSING else default, choices)
    if isinstance(default, bool):
        return Choices(default, (False, True))
    if default is MISSING or not isinstance(default, int | float) or default <= 0:
        raise UsageError(f"the field {field.name} has no range", mend="name its range or its choices in its metadata")
    whole = isinstance(default, int)
    share = not whole and default < 1
    low, high = told.get("range") or _usual(default, whole, share)
    return Range(default, low, high, whole, share and high < 1)


def _short(value: float) -> float:
    """Four digits: what `Range.at` gives is then within the range, and people can read it."""
    return float(f"{value:.4g}")


def _usual(default: float, whole: bool, share: bool) -> tuple[float, float]:
    if whole:
        return max(2, math.ceil(default / 2)), max(2, 2 * default)
    if share:
        odds = default / (1 - default)
        return _short(odds / (_TENFOLD + odds)), _short(odds * _TENFOLD / (1 + odds * _TENFOLD))
    return default / _TENFOLD, default * _TENFOLD


def checked(configuration: Configuration) -> Configuration:
    """Return the configuration without what is as it would be anyway, so that two that train alike are one.

    `UsageError` for unknown methods and parameters, arounds that stand twice or last, and values out of range.
    """
    parts = configuration.parts
    *outer, last = parts
    written = [part for part in parts if part == WRITTEN]
    if (configuration.code is not None) != (len(written) == 1):
        raise UsageError("a method that is written has a text, and stands once", mend=f"name it {WRITTEN}, once")
    if configuration.code is not None and len(configuration.code) > LARGEST_CODE:
        raise UsageError("the method is too long", mend=f"write {LARGEST_CODE} characters at most")
    known = {*arounds(), WRITTEN}
    if len(outer) > DEEPEST or len(set(parts)) < len(parts) or any(part not in known for part in outer):
        raise UsageError(
            "the arounds of a configuration do not stand one around the other",
            mend=f"name each once, {DEEPEST} at most, of {', '.join(arounds())}",
        )
    if last not in {*plain(), WRITTEN}:
        raise UsageError("there is no method of that name to go around", mend=f"end in one of {', '.join(plain())}")
    kept = {name: value for name, value in sorted(configuration.parameters.items()) if _counts(parts, name, value)}
    return Configuration(configuration.method, kept, configuration.code)


def from_json(told: object) -> Configuration:
    """Return the configuration that `model.as_json` told, checked; `UsageError` where it is none."""
    return checked(plain_from_json(told))


def plain_from_json(told: object) -> Configuration:
    """Return the same, unchecked: there may be no such method, and values may be out of range."""
    if not isinstance(told, dict) or not isinstance(told.get("method"), str) or set(told) - _KEYS:
        raise UsageError("this is no configuration", mend="give an object with method, and parameters or code")
    given, code = told.get("parameters", {}), told.get("code")
    if not isinstance(given, dict) or not isinstance(code, str | None):
        raise UsageError("this is no configuration", mend="give parameters as an object, and code as text")
    return Configuration(told["method"], given, code)


_KEYS = {"method", "parameters", "code"}


def drawn(generator: np.random.Generator, families: Sequence[str] = ()) -> Configuration:
    """Draw a configuration, of whose methods or arounds one is of `families`, where these are named."""
    outside = [name for name in families if name in arounds()]
    inside = [name for name in families if name in plain()] or list(plain())
    outer: list[str] = []
    if outside and (len(inside) == len(plain()) or generator.random() < 0.5):
        outer = [str(generator.choice(outside))]
        inside = list(plain())
    parts = [*outer, str(generator.choice(inside))]
    values: dict[str, Value] = {}
    for part in (*parts, HEAD):
        for name, parameter in parameters(part).items():
            values[f"{part}.{name}"] = _value(parameter, generator)
    return checked(Configuration("+".join(parts), values))


def _value(parameter: Parameter, generator: np.random.Generator) -> Value:
    if isinstance(parameter, Range):
        return parameter.at(float(generator.random()))
    return parameter.values[int(generator.integers(len(parameter.values)))]


def _counts(parts: Sequence[str], name: str, value: Value) -> bool:
    """Whether a parameter says something; `UsageError` where it has no place in these parts."""
    part, _, field = name.partition(".")
    if part == WRITTEN and part in parts:
        # Its code is never loaded here, so that its fields are checked where it runs.
        if not field.isidentifier() or not isinstance(value, float | int | str | bool | None):
            raise UsageError("a parameter of a written method is no plain value", mend="give numbers, texts or flags")
        return True
    if part not in (*parts, HEAD) or part == WRITTEN or field not in parameters(part):
        raise UsageError("there is no such parameter", mend="name parameters of the configuration's parts: part.field")
    parameter = parameters(part)[field]
    parameter.check(name, value)
    return value != parameter.default


def _names() -> tuple[str, ...]:
    return tuple(name for name in methods.names() if name not in _UNHEARD)
