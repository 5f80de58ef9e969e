"""The store: a database that is opened, migrated, and asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine

from oversight.audit.store import ledger, names, reports
from oversight.audit.store.chain import Broken, Entry, Head
from oversight.audit.store.engine import connect, locate, reading, writing
from oversight.audit.store.migrate import migrate
from oversight.audit.store.tables import VERSION_TABLE
from oversight.audit.verdict import Landing, Record, Verdict

_MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """Changes, reports, opinions, labels and the ledger of verdicts in one database; a context manager.

    Threads and processes may share a database, and threads a `Store`. Every method is one transaction. All of them
    raise `StoreError` where the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str | None = None, *, make: bool = True) -> Self:
        """Open the database at an SQLAlchemy URL (`engine.locate` says which without one), and migrate it.

        Without `make` one that is not there is a `StoreError`: whoever reads would take an empty one for an answer.
        """
        engine = connect(locate(url), make=make)
        try:
            migrate(engine, _MIGRATIONS, version_table=VERSION_TABLE)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def add_report(
        self, report: Any, *, source: str, repository: str | None = None, number: int | None = None, at: datetime
    ) -> int:
        """Put a JSON report on record, and return its row; that of the one on record where it is the same report.

        `report` is parsed JSON (`reports/schema.json`). `source` is a word for how it came ("webhook"), `repository`
        the name to keep it under, the report's own by default; `number` the pull request's; `at` the moment of the
        review. `StoreError` says what is amiss with it.
        """
        told = reports.read(report, "the report", repository)
        with writing(self.engine) as connection:
            return reports.add(connection, told, reports.Came(source, number, at))[0]

    def append(self, entries: Iterable[Entry]) -> int:
        """Add verdicts and landings at the end of the ledger, and return how many: those that are not on record yet.

        What was said by the same person at the same place and moment on the same change is the same
        (`oversight.audit.lines.name_of`): so what is delivered twice is on record once. `LabelError` for one that the
        file format cannot hold; then none of them is added.
        """
        with writing(self.engine) as connection:
            return ledger.append(connection, entries).added

    def append_unless_said(self, entry: Verdict, said: int) -> bool:
        """Add a verdict if its person has said just `said` things of its change in its repository by now, and tell
        whether it was added.

        Whoever sends the same form twice says one thing. Raises as `append`.
        """
        with writing(self.engine) as connection:
            ledger.alone(connection)
            there = ledger.said_of(connection, entry.change_id, entry.source.repository)
            before = [one for one in there if one.who == entry.who]
            return len(before) == said and bool(ledger.append(connection, [entry]).added)

    def record(self, repository: str | None = None, number: int | None = None) -> Record:
        """Return all of the ledger, in its order, or what is in it of one repository, or of one pull request there."""
        with reading(self.engine) as connection:
            links = ledger.links(connection)
            told = (
                [link.entry for link in links]
                if repository is None
                else list(ledger.about(connection, repository, number))
            )
        return Record(
            tuple(entry for entry in told if isinstance(entry, Verdict)),
            tuple(entry for entry in told if isinstance(entry, Landing)),
        )

    def said_in(self, repository: str | None) -> Record:
        """Return what is in the ledger of a repository, under whichever name it had, and what names none; all of it of
        None. Its entries name repositories as they are called now.
        """
        with reading(self.engine) as connection:
            had = () if repository is None else names.names_of(connection, repository)
            now = names.called_now(connection)
        return names.scoped(self.record(), repository, had, now)

    def forget(self, repository: str) -> int:
        """Delete the reports on a repository, with all that they say of its changes, and return how many there were.

        The ledger stays: it is a chain, and holds no code. So do labels that were imported, and the changes they name.
        """
        with writing(self.engine) as connection:
            return reports.forget(connection, repository)

    def head(self) -> Head:
        """Return the end of the ledger, to be noted where who can write to the database cannot."""
        with reading(self.engine) as connection:
            return ledger.head(connection)

    def verify(self, anchor: str | None = None) -> Broken | None:
        """Return the first link of the ledger that does not hold, None where all do (`ledger.verify`)."""
        with reading(self.engine) as connection:
            return ledger.verify(connection, anchor)
