"""`oversight audit verify`: whether anybody changed what was said."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from oversight.cli.audit.database import Database, open_store
from oversight.errors import StoreError, UsageError


def verify(
    database: Database = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A head that was noted before: some entry of the chain must have it."),
    ] = None,
) -> None:
    """Prove the chain of verdicts and landings, and print its head.

    Every entry is hashed with the one before it: one that was changed, taken out, put in or moved breaks the
    chain, and the first broken link is named, with exit code 2. Cutting off the end, and making all of it anew, leave
    a chain that holds: note the head where who can write to the database cannot, and give it with --head.
    """
    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", head):
        raise UsageError("--head is no hash", mend="give the 64 digits that an earlier run printed")
    with open_store(database) as store:
        end = store.head()  # before it is proved: what is added meanwhile is not
        broken = store.verify(head)
    if broken is not None:
        raise StoreError(
            f"the ledger is broken at entry {broken.sequence}: {broken.reason}",
            mend="restore the database from before, or the entries from an export of then",
        )
    typer.echo(f"{end.entries:,} entries hold, and the head is\n{end.hash}")
