"""`oversight audit import`: reports, scores, labels and verdicts taken into the store, wherever they were made."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from oversight.cli.audit.database import Database, open_store
from oversight.errors import OversightError, UsageError

if TYPE_CHECKING:
    from oversight.audit.authors import Who
    from oversight.audit.store import Store
    from oversight.audit.store.intake import Taken
    from oversight.cli.progress import Tell

_SUFFIXES = (".json", ".jsonl")
_STDIN = Path("-")
_LONGEST_NAME = 200  # characters


def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of .json and .jsonl; - is stdin.")
    ],
    repository: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="owner/name: of scores and labels, and of reports instead of their own."),
    ] = None,
    repo: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A clone that knows who wrote the commits, and where, which rows of scores do not tell.",
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Take JSON reports, scores.jsonl, labels.jsonl and files of verdicts into the store.

    Each file is told apart by its first line, and taken in whole or not at all: a line that is amiss is named, the
    other files are taken in, and the exit code is 2. What is in the store already is passed over, so that
    files may be imported again after they have grown. A verdict that is on record stays as it was first said.
    """
    from oversight.cli.progress import stages
    from oversight.reports.escape import terminal

    if repository is not None and not 0 < len(repository.strip()) <= _LONGEST_NAME:
        raise UsageError("--repository is no name", mend="write it as owner/name")
    found = list(_files(files))
    errors: list[OversightError] = []
    with _authors(repo) as who, open_store(database, make=True) as store, stages() as tell:
        for path in found:
            name = "standard input" if path == _STDIN else terminal(str(path), 200)
            try:
                typer.echo(f"{name}: {_told(_take(store, path, name, repository, who, tell))}")
            except OversightError as error:
                errors.append(error)
    for earlier in errors[:-1]:
        typer.echo(f"oversight: {terminal(str(earlier))}", err=True)
    if errors:
        raise errors[-1]


@contextmanager
def _authors(repo: Path | None) -> Iterator[Who | None]:
    """What knows who wrote the commits of the clone, None without one."""
    if repo is None:
        yield None
        return
    from oversight.audit.authors import of_repository
    from oversight.changes.repository import Repository

    with Repository.open(repo) as repository:
        yield of_repository(repository)


def _take(store: Store, path: Path, name: str, repository: str | None, who: Who | None, tell: Tell) -> Taken:
    from oversight.audit.store.intake import take

    def advance(lines: int) -> None:
        tell("importing", lines, 0)

    with _opened(path, name) as file:
        return take(store.engine, file, name, repository=repository, who=who, advance=advance)


def _opened(path: Path, name: str) -> AbstractContextManager[IO[bytes]]:
    if path == _STDIN:
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a path"
        raise UsageError(f"{name} cannot be read: {reason}", mend="check the path and its permissions") from error


def _told(taken: Taken) -> str:
    if not taken.found:
        return "nothing in it"
    kind = taken.kind.removesuffix("s") if taken.found == 1 else taken.kind
    told = f"{taken.found:,} {kind}, {taken.added:,} new"
    if taken.differing:
        lines = ", ".join(map(str, taken.differing[:5])) + (", …" if len(taken.differing) > 5 else "")
        told += f"; {len(taken.differing):,} are on record with other contents, which stay (line {lines})"
    return told


def _files(named: Sequence[Path]) -> Iterator[Path]:
    for path in named:
        if path != _STDIN and path.is_dir():
            inside = sorted(_inside(path))
            if not inside:
                raise UsageError("a folder has no .json or .jsonl files in it", mend="name the files")
            yield from inside
        else:
            yield path


def _inside(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names if name.endswith(_SUFFIXES))
