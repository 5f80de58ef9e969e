"""Messages between a worker and whoever started it: a JSON object and arrays, each with its length before it.

    8 bytes | 8 bytes | JSON, UTF-8 | safetensors

What comes from a worker may come from code that a proposer wrote: sizes are bounded, and nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_LENGTHS = struct.Struct("<QQ")
_LARGEST = 1 << 30  # bytes of one frame
_AT_ONCE = 1 << 20


class FrameError(Exception):
    """The other side has gone, sent what is no frame, or took too long (`late`)."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


def send(
    descriptor: int, told: Mapping[str, Any], arrays: Arrays | None = None, *, deadline: float | None = None
) -> None:
    """Write one frame; `deadline` is a time of `time.monotonic`. `FrameError` where it cannot be."""
    # safetensors writes no empty file; contiguous, since it would write others in the order of their memory.
    body = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}) if arrays else b""
    head = json.dumps(told, allow_nan=False).encode()
    view = memoryview(_LENGTHS.pack(len(head), len(body)) + head + body)
    while view:
        _wait(descriptor, deadline, reading=False)
        try:
            view = view[os.write(descriptor, view[:_AT_ONCE]) :]
        except BlockingIOError:
            continue
        except OSError as error:
            raise FrameError("the other side has gone") from error


def receive(
    descriptor: int, *, deadline: float | None = None, largest: int = _LARGEST
) -> tuple[dict[str, Any], Arrays]:
    """Read one frame of at most so many bytes; `FrameError` where none comes, in time, that is one."""
    head, body = _LENGTHS.unpack(_exactly(descriptor, _LENGTHS.size, deadline))
    if head + body > largest:
        raise FrameError("a frame is too long")
    try:
        told = json.loads(_exactly(descriptor, head, deadline))
        arrays = load(_exactly(descriptor, body, deadline)) if body else {}
    except (ValueError, RecursionError, KeyError, SafetensorError) as error:
        raise FrameError("what was sent is no frame") from error
    if not isinstance(told, dict):
        raise FrameError("what was sent is no frame")
    return told, arrays


def _exactly(descriptor: int, size: int, deadline: float | None) -> bytes:
    parts: list[bytes] = []
    while size:
        _wait(descriptor, deadline, reading=True)
        try:
            part = os.read(descriptor, min(size, _AT_ONCE))
        except BlockingIOError:
            continue
        if not part:
            raise FrameError("the other side has gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _wait(descriptor: int, deadline: float | None, *, reading: bool) -> None:
    if deadline is None:
        return
    left = deadline - time.monotonic()
    ready = select.select([descriptor] if reading else [], [] if reading else [descriptor], [], max(0.0, left))
    if left <= 0 or not any(ready):
        raise FrameError("it took too long", late=True)
