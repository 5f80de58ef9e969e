"""The store's ledger as the place that verdicts are kept in, for one repository, whatever it was called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oversight.audit.verdict import Record, Verdict, in_order
from oversight_github.verdicts.dismissals import about, clears
from oversight_github.verdicts.places import Entry, unknown
from oversight_server.renaming import names_of
from oversight_server.services import Ledger


class LedgerPlace:
    """What was said in one repository; see `oversight_github.verdicts.places.Place`."""

    ours = True
    """Nobody but the server writes there."""

    def __init__(self, ledger: Ledger, repository: str) -> None:
        self._ledger = ledger
        self._repository = repository

    def read(self) -> Record:
        """Return what is on record of the repository."""
        return self._record(None)

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Put on record what is not there yet, and return it."""
        wanted = list(entries)
        fresh = unknown(wanted, self.read()) if wanted else []
        if fresh:
            self._ledger.append(fresh)
        return fresh

    def about(self, number: int) -> list[Verdict]:
        """Return what was said in a pull request."""
        return about(self._record(number).verdicts, self._repository, number)

    def clears_something(self, number: int) -> bool:
        """Whether anybody's verdict on a pull request has cleared anything, which a later one may take back."""
        return any(map(clears, self.about(number)))

    def _record(self, number: int | None) -> Record:
        names = names_of(self._ledger.engine, self._repository)
        told = [self._ledger.record(name, number) for name in names]
        if len(told) == 1:
            return told[0]
        said = [replace(one, source=replace(one.source, repository=names[0])) for each in told for one in each.verdicts]
        landed = [replace(one, repository=names[0]) for each in told for one in each.landings]
        return Record(tuple(in_order(said)), tuple(landed))
