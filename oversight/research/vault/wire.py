"""What passes between a director and its vault: a line of JSON a request, a line an answer; numbers as plain bytes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oversight.audit import fields
from oversight.audit.fields import Fields
from oversight.errors import VaultError
from oversight.research.model import Floats

LONGEST = 1 << 29
"""Bytes of a line at most."""

_FLOAT = np.dtype("<f4")
_MEND = "ask as oversight.research.vault.client does"
_NAME = fields.like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "a name of letters, digits, dots and dashes")

_REQUESTS: Mapping[str, Fields] = {
    "ask": {
        "experiment": _NAME,
        "researcher": fields.text(1, 100),
        "configuration": fields.text(1, 100),
        "method": fields.text(1, 1_000),
        "proxies": fields.OBJECT,
        "predictions": fields.OBJECT,
    },
    "board": {},
    "seal": {"experiment": _NAME},
    "confirm": {"experiment": _NAME, "ground": _NAME, "predictions": fields.OBJECT},
}
_ARRAY: Fields = {"shape": fields.array(fields.whole(0)), "data": fields.text()}
_PROXY = fields.number(-1e9, 1e9)


def request(line: bytes) -> dict[str, Any]:
    """Return a request, its predictions as arrays; `VaultError` where it is none."""
    try:
        told = fields.load(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise VaultError("a request is not JSON", mend=_MEND) from error
    kind = told.pop("kind", None) if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in _REQUESTS:
        raise VaultError("a request of no known kind", mend=_MEND)
    if reason := fields.amiss(told, _REQUESTS[kind]):
        raise VaultError(f"a request {reason}", mend=_MEND)
    if "predictions" in told:
        told["predictions"] = {name: _array(one) for name, one in told["predictions"].items()}
    if not all(_PROXY.holds(value) for value in told.get("proxies", {}).values()):
        raise VaultError("a proxy is no number", mend=_MEND)
    return {"kind": kind, **told}


def line(kind: str, **told: Any) -> bytes:
    """Return a request as its line; `predictions` are arrays by ground."""
    if "predictions" in told:
        told["predictions"] = {name: _told(runs) for name, runs in told["predictions"].items()}
    return json.dumps({"kind": kind, **told}, allow_nan=False).encode("ascii") + b"\n"


def bytes_of(runs: NDArray[Any]) -> bytes:
    """Return predictions as bytes: what they are kept as, and what their hash is over."""
    return np.ascontiguousarray(runs, dtype=_FLOAT).tobytes()


def floats_of(content: bytes, shape: tuple[int, ...]) -> Floats:
    """Return what `bytes_of` wrote; ValueError where the shape does not fit."""
    return np.frombuffer(content, dtype=_FLOAT).reshape(shape).astype(np.float64)


def _told(runs: NDArray[Any]) -> dict[str, Any]:
    return {"shape": list(runs.shape), "data": base64.b64encode(bytes_of(runs)).decode("ascii")}


def _array(told: Any) -> Floats:
    if not isinstance(told, dict) or fields.amiss(told, _ARRAY):
        raise VaultError("predictions are no arrays", mend=_MEND)
    try:
        return floats_of(base64.b64decode(told["data"], validate=True), tuple(told["shape"]))
    except (ValueError, binascii.Error) as error:
        raise VaultError("predictions do not have the shape that they say", mend=_MEND) from error
