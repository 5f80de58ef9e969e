"""Changes as pages need them: looked up in a child, and remembered for a while."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oversight.changes.model import Change
from oversight.errors import OversightError
from oversight.history.files import FileHistory
from oversight.history.index import Progress
from oversight_server.children import wire
from oversight_server.children.pool import Bounds, LostError, Pool
from oversight_server.pages.reading.colours import Coloured
from oversight_server.pages.reading.sources import Source

_COMMAND = "oversight_server.pages.reading.child"
_PATIENCE = 30.0  # seconds that a page waits for a child
_REMEMBERED = 100_000  # lines of changes, of all together
_LATE = "It took too long to read, so that there are no colours, and nothing of the past of its files."


@dataclass(frozen=True, slots=True)
class Reading:
    """A change, or why there is none, the past of its files, and colours. `note` says what is left out."""

    change: Change | None
    missing: str | None
    past: tuple[FileHistory, ...] = ()
    colours: Coloured = ()
    note: str | None = None


class Library:
    """Looks changes up. Thread-safe. Each is read within `seconds`, or without what takes longest."""

    def __init__(self, source: Source, *, children: int = 2, seconds: float = 20.0, megabytes: int = 1024) -> None:
        bounds = Bounds(children=children, seconds=seconds)
        first = {"do": "start", "megabytes": megabytes}
        self._pool = Pool(first, bounds, command=(*Pool.command[:-1], _COMMAND))
        self._source = source
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, str | None], Reading] = OrderedDict()

    def look(self, repository: str, commit: str, base: str | None) -> Reading:
        """Return a change; what goes wrong is said in the reading."""
        key = (repository.lower(), commit, base)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        reading = self._read(repository, commit, base)
        if reading.change is not None:
            with self._lock:
                self._known[key] = reading
                while sum(_lines(one) for one in self._known.values()) > _REMEMBERED:
                    self._known.popitem(last=False)
        return reading

    def close(self) -> None:
        """End all children."""
        self._pool.close()

    def _read(self, repository: str, commit: str, base: str | None) -> Reading:
        message = {"do": "look", "commit": commit, "base": base, "seconds": self._pool.bounds.seconds}
        note = None
        try:
            try:
                answer = self._asked(repository, {**message, "past": True, "colours": True})
            except LostError:
                note = _LATE
                answer = self._asked(repository, {**message, "past": False, "colours": False})
            return _reading(answer, note)
        except LostError:
            return Reading(None, "it takes too long, or too much memory, to read")
        except OversightError as error:
            return Reading(None, str(error))
        except OSError as error:
            return Reading(None, f"the clone cannot be written: {os.strerror(error.errno or 0)}")
        except ValueError:
            return Reading(None, "what was read makes no sense: report it, please")

    def _asked(self, repository: str, message: Mapping[str, Any]) -> dict[str, Any]:
        return self._source.look(repository, message, lambda whole: self._pool.ask(whole, patience=_PATIENCE))


class Shelf:
    """One repository of a library, as `oversight.audit.looking` asks for changes; `reading` is the last one."""

    def __init__(self, library: Library, repository: str) -> None:
        self._library, self._repository = library, repository
        self.reading = Reading(None, None)

    def read(
        self,
        commit: str,
        base: str | None,
        progress: Progress | None = None,  # noqa: ARG002  # children tell of none
    ) -> tuple[Change | None, str | None, tuple[FileHistory, ...]]:
        """Return the change, or why there is none, and its files' past."""
        self.reading = self._library.look(self._repository, commit, base)
        return self.reading.change, self.reading.missing, self.reading.past


def _reading(answer: Mapping[str, Any], note: str | None) -> Reading:
    if "change" not in answer:
        return Reading(None, str(answer.get("absent", "its contents cannot be had")))
    change = wire.decode(Change, answer["change"])
    past = wire.decode(tuple[FileHistory, ...], answer["past"])
    return Reading(change, None, past, wire.decode(Coloured, answer["colours"]), note)


def _lines(reading: Reading) -> int:
    """Return how many lines a change has, and one for itself and each of its files."""
    files = () if reading.change is None else reading.change.files
    return 1 + sum(1 + sum(len(hunk.lines) for hunk in file.hunks) for file in files)
