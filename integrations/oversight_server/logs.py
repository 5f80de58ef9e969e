"""Structured logs: one JSON object a line on stderr, for the server and for the libraries that it uses.

    {"time": "2026-01-02T03:04:05.678Z", "level": "info", "event": "delivery accepted", "delivery": "72d3162e-…",
     "repository": "octo/repo", "pull": 7, "head": "abc…", "duration": 0.004}

Neither secrets nor code get in. A line of ours is a constant text and known fields. Of an exception stand its type and
the places that it came through; its message only where it is an OversightError, whose messages are made to be shown,
since those of others may quote what they choked on. Lines of libraries are cut to their first line, and known secrets
are struck out of them.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any

from oversight.errors import OversightError
from oversight.reports.escape import terminal

FIELDS = ("delivery", "repository", "pull", "head", "duration")
"""What every line may carry, by `bound` or by `extra`; other fields of ours come in `extra` under `fields`."""

_OURS = "oversight"
_FRAMES = 30
_LONGEST = 300
_QUIET = 1.0  # seconds between two lines of the web server that say the same
_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=MappingProxyType({}))


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Let every line that this task or thread logs in the block carry `fields`."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


class JsonLines(logging.Formatter):
    """Formats records as JSON; `secrets` are never shown."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        ours = record.name.partition(".")[0] == _OURS
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "event": record.getMessage() if ours else self._masked(record.getMessage()),
        }
        if not ours:
            line["logger"] = record.name
        fields = {**_bound.get(), **getattr(record, "fields", {})}
        fields |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        line |= {name: self._value(value) for name, value in fields.items() if value is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line |= self._exception(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True)

    def _exception(self, error: BaseException) -> dict[str, Any]:
        found: dict[str, Any] = {"error": type(error).__qualname__, "at": _places(error.__traceback__)}
        if isinstance(error, OversightError):
            found["message"] = self._masked(str(error))
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            found["cause"] = type(cause).__qualname__
        return found

    def _value(self, value: object) -> object:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return round(value, 4)
        return self._masked(str(value))

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return terminal(text.partition("\n")[0], _LONGEST)


class Sparse(logging.Filter):
    """Lets a warning through once a second: those of the web server are about what anybody may send."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written. Errors always are; texts are the library's, before arguments."""
        said, now = self._said.get(str(record.msg)), time.monotonic()
        if record.levelno < logging.ERROR and said is not None and now - said < _QUIET:
            return False
        self._said[str(record.msg)] = now
        return True


def _places(trace: TracebackType | None) -> list[str]:
    """Return where an exception came through, the innermost last; no line of source and no value."""
    frames = [frame for frame, _ in traceback.walk_tb(trace)][-_FRAMES:]
    lines = [number for _, number in traceback.walk_tb(trace)][-_FRAMES:]
    return [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in zip(frames, lines, strict=True)
    ]


def configure(level: str, secrets: Iterable[str]) -> None:
    """Send everything that is logged in this process to stderr as JSON lines. Libraries say no less than `warning`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.filters = [Sparse()]
