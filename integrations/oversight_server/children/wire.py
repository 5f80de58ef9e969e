"""Values on the way between processes: JSON, framed by its length, and dataclasses as lists of their fields.

JSON, since nothing that it holds can be executed. What comes back is checked against the types of the fields: a child
has read hostile text in native parsers, and is believed no further than that it can make up a report. Text may hold
lone surrogates (bytes that were no UTF-8), which JSON's escapes carry and most libraries for typed JSON refuse.
"""

from __future__ import annotations

import json
import os
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, BinaryIO, TypeVar, cast

T = TypeVar("T")

MOST_BYTES = 1 << 29
"""Bytes of one message: more is no message."""

_HEADER = 8


def send(file: BinaryIO, message: Mapping[str, Any]) -> None:
    """Write one message. Raises OSError where nobody reads."""
    content = json.dumps(message, separators=(",", ":")).encode("ascii")
    file.write(len(content).to_bytes(_HEADER, "big"))
    file.write(content)
    file.flush()


def receive(file: BinaryIO) -> dict[str, Any] | None:
    """Read one message, None at the end. Raises ValueError for what is none, and for one that is cut off."""
    header = file.read(_HEADER)
    if not header:
        return None
    length = int.from_bytes(header, "big")
    if len(header) < _HEADER or length > MOST_BYTES:
        raise ValueError("no message")
    content = file.read(length)
    if len(content) < length:
        raise ValueError("half a message")
    try:
        message = json.loads(content)
    except RecursionError:
        raise ValueError("no message") from None
    if not isinstance(message, dict):
        raise ValueError("no message")
    return message


def encode(value: Any) -> Any:
    """Return `value` (dataclasses, named tuples, enums, tuples, moments and plain values) as JSON can hold it."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [encode(one) for one in value]
        case _ if is_dataclass(value):
            return [encode(getattr(value, field.name)) for field in fields(value)]
        case _:
            raise TypeError(f"{type(value).__name__} does not travel")


def decode(kind: type[T], value: Any) -> T:
    """Return the value of type `kind` that `encode` made `value` of. Raises ValueError where it fits no field."""
    try:
        return cast("T", _decoder(cast("Any", kind))(value))
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(f"no {kind.__name__}") from error


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and arguments[1:] == (...,):
        return _many(_decoder(arguments[0]))
    if origin is tuple:
        return _each(tuple(_decoder(one) for one in arguments))
    if origin in (types.UnionType, typing.Union) and len(arguments) == 2 and type(None) in arguments:
        (inner,) = (one for one in arguments if one is not type(None))
        return _maybe(_decoder(inner))
    if is_dataclass(kind):
        return _record(kind, tuple(field.name for field in fields(kind)))
    if isinstance(kind, type) and issubclass(kind, tuple):
        return _record(kind, cast("Any", kind)._fields)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if kind is datetime:
        return lambda value: datetime.fromisoformat(value)
    if kind is float:
        return _float
    if kind in (bool, int, str):
        return _plain(kind)
    raise TypeError(f"{kind} does not travel")


def _plain(kind: type) -> Callable[[Any], Any]:
    def decoded(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(kind.__name__)
        return value

    return decoded


def _float(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("float")
    return float(value)


def _many(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decoded(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError("list")
        return tuple(map(inner, value))

    return decoded


def _each(inners: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def decoded(value: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError("list")
        return tuple(inner(one) for inner, one in zip(inners, value, strict=True))

    return decoded


def _maybe(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else inner(value)


def _record(kind: Any, names: tuple[str, ...]) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    parts = [_decoder(hints[name]) for name in names]

    def decoded(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != len(parts):
            raise TypeError(kind.__name__)
        return kind(*(part(one) for part, one in zip(parts, value, strict=True)))

    return decoded


def private_ends() -> tuple[BinaryIO, BinaryIO]:
    """Return this process's standard input and output as its own, and let whatever else prints do so to nobody."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return incoming, outgoing
