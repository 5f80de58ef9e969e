"""`oversight audit show`: a change with its diff, what was said of it, and keys to say what it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.audit.auditor import Who, names_of, note_shown
from oversight.cli.audit.database import Database, open_store
from oversight.cli.audit.queueing import Repository
from oversight.cli.options import HERE, Repo
from oversight.errors import RepositoryError, UsageError

if TYPE_CHECKING:
    from oversight.audit.budget.entry import Entry
    from oversight.audit.looking.dossier import Dossier
    from oversight.audit.looking.files import Files
    from oversight.audit.looking.session import Session
    from oversight.audit.store import Store
    from oversight.audit.verdict import Verdict
    from oversight.changes.repository import Repository as Git

_DIGITS = re.compile("[0-9a-f]{7,64}")


def show(
    commit: Annotated[
        str | None,
        typer.Argument(
            metavar="COMMIT",
            help="A change on record, or any commit of the repository.  [default: the first that waits in the queue]",
            show_default=False,
        ),
    ] = None,
    repo: Repo = HERE,
    repository: Repository = None,
    who: Who = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Hide what the model and others think until you have said what you think.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Print it as text, as when the output is no terminal.")
    ] = False,
    database: Database = None,
) -> None:
    """Look at a change, hunk by hunk, and say whether it is risky.

    Shows the diff with the risk of each hunk and its reasons, what principles find, what people said so far, and who
    changed the files before and how often that had to be repaired. Keys: s safe, r risky, u unsure, d dismiss; n and p
    go to the next hunk and back, j and k to the next change of the queue and back, q leaves. Each verdict is
    asked for a reason and goes to the ledger, with what was shown. Nothing of the change is run or checked out.
    """
    from oversight.audit.store.queue import Scope, entries

    with open_store(database, make=True) as store, ExitStack() as stack:
        git, files = _files(repo, stack)
        waiting = entries(store.engine, Scope(repository))
        first = _first(store, files, git, commit, repository, waiting, blind=blind)
        if plain or not _interactive():
            if not blind:
                note_shown(store, who, [first.entry.commit])
            _print(first, blind=blind)
            return
        names = names_of(who)
        _look(_session(store, files, first, waiting, names, blind=blind))


def _interactive() -> bool:
    from rich.console import Console

    return sys.stdin.isatty() and sys.stdout.isatty() and not Console().is_dumb_terminal


def _print(dossier: Dossier, *, blind: bool) -> None:
    from oversight.audit.looking.page import page, plain
    from oversight.reports import write

    write(plain(page(dossier, hidden=blind)), None)


def _look(session: Session) -> None:
    try:
        from oversight.audit.looking.terminal import look
    except ImportError:  # there is no termios on Windows
        _print(session.dossier, blind=session.hidden)
        return
    from rich.console import Console

    look(session, Console(highlight=False), sys.stdin.fileno())


def _session(
    store: Store, files: Files, first: Dossier, waiting: Sequence[Entry], names: Sequence[str], *, blind: bool
) -> Session:
    from oversight.audit.looking.authors import wrote
    from oversight.audit.looking.dossier import gather
    from oversight.audit.looking.session import Session
    from oversight.audit.store import listing

    def append(verdict: Verdict) -> int:
        store.append([verdict])
        return store.head().entries

    def shown(dossier: Dossier) -> Dossier:
        if not blind:  # nobody is blind afterwards, also in a browser
            listing.note_seen(store.engine, names[0], [dossier.entry.commit], datetime.now(UTC))
        return dossier

    return Session(
        shown(first),
        waiting,
        who=names[0],
        own=lambda entry: wrote(entry, names),
        blind=blind,
        gather=lambda entry: shown(gather(store, files, entry)),
        append=append,
        saw=lambda entry: listing.has_seen(store.engine, names[0], entry.commit),
    )


def _files(path: Path, stack: ExitStack) -> tuple[Git | None, Files]:
    from oversight.audit.looking.files import Files
    from oversight.changes.repository import Repository as Git
    from oversight.history.index import Index

    try:
        git = stack.enter_context(Git.open(path))
    except RepositoryError as error:
        return None, Files(None, None, str(error))
    return git, Files(git, stack.enter_context(Index.open(git)))


def _first(
    store: Store, files: Files, git: Git | None, named: str | None, repository: str | None,
    waiting: Sequence[Entry], *, blind: bool,
) -> Dossier:  # fmt: skip
    """Return the change to begin with. UsageError where none waits, and where the name fits none, or several."""
    from oversight.audit.looking.dossier import gather, unreported
    from oversight.audit.looking.session import shuffled
    from oversight.audit.store.queue import find
    from oversight.cli.progress import progress

    with progress("reading history") as advance:
        if named is None:
            if not waiting:
                raise UsageError("nothing waits for a verdict", mend='name a commit, or run "oversight audit queue"')
            return gather(store, files, (shuffled(waiting) if blind else waiting)[0], advance)
        sha = _resolved(git, named)
        wanted = sha or named.lower()
        found = find(store.engine, wanted, repository) if _DIGITS.fullmatch(wanted) else []
        if len(found) > 1:
            raise UsageError("several changes on record are named so", mend="give more digits, or --repository")
        if found:
            return gather(store, files, found[0], advance)
        if sha is None:
            raise UsageError(
                "neither the store nor the repository has such a commit",
                mend="name one by 7 or more digits, or give --repo",
            )
        return unreported(store, files, sha, advance)


def _resolved(git: Git | None, named: str) -> str | None:
    try:
        return None if git is None else git.resolve(named)
    except RepositoryError:
        return None
