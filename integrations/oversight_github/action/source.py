"""The change that is wanted, from wherever it can be had, with what could not be seen of it.

    1. the checkout, where it is whole: nothing is fetched
    2. a clone of our own (`code/clone.py`), which brings the history that a shallow checkout lacks
    3. the API (`code/through_api.py`), where git cannot fetch: a bare diff without history

Nothing is ever checked out, and the user's repository stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from oversight.changes import discovery
from oversight.changes.repository import Repository
from oversight.errors import RepositoryError, UnscoredError
from oversight.history.schema import cache_directory
from oversight_github.action.runner import Runner
from oversight_github.client import Client
from oversight_github.code.clone import Clone, GoneError, Limits
from oversight_github.code.remote import Remote
from oversight_github.code.source import GitSource, Source, between, in_clone, tip_of
from oversight_github.code.wanted import Wanted
from oversight_github.shas import is_sha


@contextmanager
def find(
    wanted: Wanted,
    runner: Runner,
    token: str | None,
    client: Client,
    *,
    kilobytes: int | None,
    limits: Limits | None = None,
) -> Iterator[Source]:
    """Give the source of what is wanted, for the length of the block. `kilobytes`: GitHub's figure for the repository.

    Raises UnscoredError where the change cannot be had at all.
    """
    with ExitStack() as stack:
        found: Source | None = _in_checkout(stack, wanted, runner)
        if found is None:
            try:
                remote = Remote(runner.server_url, runner.repository, token)
                clone = Clone(remote, _clones(runner) / remote.place, kilobytes=kilobytes, limits=limits)
                found = in_clone(stack, wanted, clone, runner.repository)
            except GoneError as error:
                raise UnscoredError(error.message, mend=error.mend) from error
            except RepositoryError as error:
                from oversight_github.code.through_api import through_api

                found = through_api(wanted, client, because=error)
        yield found


def _in_checkout(stack: ExitStack, wanted: Wanted, runner: Runner) -> GitSource | None:
    """Return the change where the job's checkout holds all of it and its history, None where it does not."""
    try:
        repository = stack.enter_context(Repository.open(runner.workspace))
        packs = discovery.find(runner.workspace).common_dir / "objects" / "pack"
        if repository.shallow or any(packs.glob("*.promisor")):
            return None
        head = _resolve(repository, wanted.head)
        tip = tip_of(wanted, lambda name: _resolve(repository, name))
        return between(repository, tip, head, runner.repository, else_alone=wanted.else_alone)
    except (RepositoryError, UnscoredError):
        return None


def _resolve(repository: Repository, name: str) -> str:
    """Return the commit of a name in a checkout, where the server's branches are those of `origin`."""
    if not is_sha(name):
        for candidate in (f"refs/remotes/origin/{name.removeprefix('refs/heads/')}", f"refs/tags/{name}"):
            with suppress(RepositoryError):
                return repository.resolve(candidate)
    return repository.resolve(name)


def _clones(runner: Runner) -> Path:
    """Return where clones are kept: the cache directory, or the job's own where that cannot be written."""
    directory = cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return runner.temp
    return directory if os.access(directory, os.W_OK) else runner.temp
