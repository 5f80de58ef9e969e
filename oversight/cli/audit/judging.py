"""`oversight audit verdict`: what a person says of a change, put on record."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.audit.auditor import VARIABLE, names_of
from oversight.cli.audit.database import Database, open_store
from oversight.cli.audit.queueing import Repository
from oversight.errors import UsageError

if TYPE_CHECKING:
    from oversight.audit.budget.entry import Entry
    from oversight.audit.store import Store

_PREFIX = re.compile("[0-9a-f]{7,64}")


class Word(StrEnum):
    """What can be said."""

    SAFE = "safe"
    RISKY = "risky"
    UNSURE = "unsure"
    DISMISS = "dismiss"


def verdict(
    commit: Annotated[str, typer.Argument(metavar="COMMIT", help="A change on record, by 7 or more digits of it.")],
    word: Annotated[
        Word,
        typer.Argument(
            metavar="safe|risky|unsure|dismiss",
            help="safe and risky are labels; dismiss says that the flag is not wanted, and labels nothing.",
            show_choices=False,
        ),
    ],
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    who: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Who says so.  [default: {VARIABLE}, or git's user]", show_default=False),
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="You had not seen what the model says: it is shown afterwards.")
    ] = False,
    repository: Repository = None,
    database: Database = None,
) -> None:
    """Say what a change is, and append that to the ledger.

    With it goes what you were shown of the change, and how it came before you: a place in the queue, a draw with its
    probability, or your own accord. Whoever wrote a change may warn of it; what they say in its favour is kept, and
    does not count. Nothing that was said is changed: who thinks better of it says something else, and the last word
    counts.
    """
    from oversight.audit.looking.authors import wrote
    from oversight.audit.verdict import Decision, Source, Verdict
    from oversight.reports.escape import terminal

    if word is Word.DISMISS and not note.strip():
        raise UsageError("a dismissal needs a reason", mend="say with --note why the flag is not wanted")
    names = names_of(who)
    with open_store(database) as store:
        entry = _found(store, commit, repository)
        unseen = blind and not _has_seen(store, names[0], entry)
        said = Verdict(
            change_id=entry.commit,
            who=names[0],
            decision=Decision.DISMISSED if word is Word.DISMISS else Decision(word.value),
            note=note,
            decided_at=datetime.now(UTC),
            shown=entry.shown(blind=unseen),
            source=Source("command", entry.repository, entry.number),
            own=wrote(entry, names),
        )
        store.append([said])
        head = store.head()
        _note_seen(store, names[0], entry)
    typer.echo(f"{entry.commit[:12]} is {said.decision} by {terminal(said.who)}: entry {head.entries:,} of the ledger.")
    if not said.counts:
        typer.echo("It is your own change: this is on record, and does not count.")
    if blind and not unseen:
        typer.echo("You had been shown what the model says of it: this is not marked as blind.")
    if blind:
        typer.echo("\n".join(_revealed(entry)))


def _found(store: Store, commit: str, repository: str | None) -> Entry:
    from oversight.audit.store.queue import find
    from oversight.reports.escape import terminal

    if _PREFIX.fullmatch(commit.lower()) is None:
        raise UsageError("a commit is named by 7 to 64 hexadecimal digits", mend='see "oversight audit queue"')
    found = find(store.engine, commit.lower(), repository)
    if not found:
        raise UsageError(
            "no report on that commit is in the store", mend="oversight audit import takes the report on it in"
        )
    if len(found) > 1:
        places = ", ".join(f"{terminal(one.repository, 60)} {one.commit[:16]}" for one in found[:5])
        raise UsageError(f"several changes are named so: {places}", mend="give more digits, or --repository")
    return found[0]


def _has_seen(store: Store, who: str, entry: Entry) -> bool:
    """Whether somebody was shown what the report says, or has said something of the change and was shown it then."""
    from oversight.audit.store import ledger, listing, reading

    with reading(store.engine) as connection:
        said = ledger.said_of(connection, entry.commit)
    return any(one.who == who for one in said) or listing.has_seen(store.engine, who, entry.commit)


def _note_seen(store: Store, who: str, entry: Entry) -> None:
    """Remember it: what is not blind was said with the report in view, and what is was followed by it."""
    from oversight.audit.store import listing

    listing.note_seen(store.engine, who, [entry.commit], datetime.now(UTC))


def _revealed(entry: Entry) -> list[str]:
    from dataclasses import replace

    from oversight.audit.budget.entry import why
    from oversight.reports.escape import terminal

    return [f"- {terminal(reason, 200)}" for reason in why(replace(entry, selection=None))]
