"""The change that is wanted, from wherever it can be had, with what could not be seen of it.

    1. the checkout, where it is whole: nothing is fetched
    2. a clone of our own (`clone.py`), which brings the history that a shallow checkout lacks
    3. the API (`through_api.py`), where git cannot fetch: a bare diff without history

Nothing is ever checked out, and the user's repository stays as it is. What a base revision says of reviews (settings,
principles, a model) is read at the tip of the base, not at the merge base, which the author of a change chooses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from oversight.base_settings import Files, principle_files, settings_file
from oversight.changes import discovery
from oversight.changes.repository import Repository, Span
from oversight.config import FILE_NAME
from oversight.errors import ModelError, RepositoryError, UnscoredError, UsageError
from oversight.history.index import Index
from oversight.history.schema import cache_directory
from oversight.reports import RiskReport
from oversight.review import Reviewer
from oversight_github.action.clone import Clone, GoneError, Limits, Remote, is_sha, read_for_review
from oversight_github.action.runner import Runner
from oversight_github.action.wanted import Wanted
from oversight_github.client import Client

LARGEST_MODEL_FILE = 256 * 1024 * 1024
"""Bytes of one file of a model that is read at the base revision."""

_BLOBLESS = (
    "This repository is large: its history was fetched without contents, so lengths of files and renames of before the "
    "newest changes are unknown. Check out with fetch-depth: 0 to have them."
)


class Source(Protocol):
    """A change with what its base says of reviews."""

    def settings(self) -> bytes | None:
        """Return `oversight.toml` at the base, None where there is none. Raises ConfigError."""

    def principles(self, folder: str | None) -> Files:
        """Return the principle files below a folder of the base. Raises ConfigError."""

    def model(self, folder: str) -> Mapping[str, bytes] | None:
        """Return the files of a folder of the base by name, None where there is no such folder. Raises ModelError."""

    def review(self, reviewer: Reviewer) -> RiskReport:
        """Review the change."""


@dataclass(frozen=True, slots=True)
class GitSource:
    """A change in a repository: the checkout, or, where there is one, our `clone`. `base` is the tip of the base."""

    repository: Repository
    span: Span
    base: str | None
    name: str
    clone: Clone | None = None

    def settings(self) -> bytes | None:
        """Return `oversight.toml` at the base."""
        self._have(FILE_NAME)
        return settings_file(self.repository, self.base)

    def principles(self, folder: str | None) -> Files:
        """Return the principle files below a folder of the base."""
        if folder is not None:
            self._have(folder)
        return principle_files(self.repository, self.base, folder)

    def model(self, folder: str) -> Mapping[str, bytes] | None:
        """Return the files right below a folder of the base."""
        if self.base is None:
            return None
        self._have(folder)  # before the listing, which tells sizes of what is here alone
        listed = self.repository.run("ls-tree", "-l", "-z", self.base, "--", folder.rstrip("/") + "/").split(b"\0")
        found: dict[str, bytes] = {}
        for entry in filter(None, listed):
            about, _, path = entry.partition(b"\t")
            mode, kind, sha, size = about.decode("ascii").split()
            if kind == "blob" and mode.startswith("100"):
                found[path.rpartition(b"/")[2].decode("utf-8", "replace")] = self._blob(sha, size)
        return found or None

    def review(self, reviewer: Reviewer) -> RiskReport:
        """Review the change among its repository's own."""
        with Index.open(self.repository) as index:
            report = reviewer.revision(self.repository, self.span, index)
            note = index.note
        notes = report.notes + ((_BLOBLESS,) if self.clone is not None and self.clone.blobless else ())
        if note is not None:
            notes += (note[0].upper() + note[1:] + ".",)
        # A clone's folder has the name that GitHub has for it, a checkout's may have any.
        return replace(report, notes=notes, change=replace(report.change, repository=self.name))

    def _have(self, path: str) -> None:
        if self.clone is not None and self.base is not None:
            self.clone.contents_of(self.repository, self.base, [path])

    def _blob(self, sha: str, size: str) -> bytes:
        if size.isdigit() and int(size) > LARGEST_MODEL_FILE:
            raise ModelError("a file of the model at the base revision is too large", mend="give the model as a file")
        return self.repository.run("cat-file", "blob", sha)


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
                found = _in_clone(stack, wanted, clone, runner.repository)
            except GoneError as error:
                raise UnscoredError(error.message, mend=error.mend) from error
            except RepositoryError as error:
                from oversight_github.action.through_api import through_api

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
        tip = _tip(wanted, lambda name: _resolve(repository, name))
        return _source(repository, wanted, tip, head, runner.repository)
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


def _in_clone(stack: ExitStack, wanted: Wanted, clone: Clone, name: str) -> GitSource:
    """Return the change from a clone of our own. Raises GoneError, UnscoredError, UsageError, RepositoryError."""
    head = clone.resolve(wanted.head)

    def fetched(base: str) -> str:
        sha = clone.resolve(base)
        clone.fetch([sha, head])
        return sha

    tip = _tip(wanted, fetched)
    if tip is None:
        clone.fetch([head])
    clone.keep(tip or head)
    repository = stack.enter_context(Repository.open(clone.path))
    found = _source(repository, wanted, tip, head, name)
    own, before = read_for_review(repository, found.span.base, head)
    clone.fetch_contents([*own, *before])
    return replace(found, clone=clone)


def _tip(wanted: Wanted, resolve: Callable[[str], str]) -> str | None:
    """Return the first of the bases that can be had, None where the head is to be reviewed alone.

    Raises what kept the last of them from being had: GoneError, UsageError.
    """
    missing: GoneError | UsageError | None = None
    for name in wanted.bases:
        try:
            return resolve(name)
        except (GoneError, UsageError) as error:
            if isinstance(error, GoneError) and error.sha == wanted.head:
                raise
            missing = error
    if missing is not None and not wanted.else_alone:
        raise missing
    return None


def _source(repository: Repository, wanted: Wanted, tip: str | None, head: str, name: str) -> GitSource:
    """Return the change between two commits that are there. Raises UnscoredError where they have nothing in common."""
    if tip is not None:
        try:
            span = repository.span(f"{tip}..{head}")
            if span.base != span.head or not wanted.else_alone:
                return GitSource(repository, span, tip, name)
        except RepositoryError as error:
            if not wanted.else_alone:
                raise UnscoredError(f"there is nothing to compare with: {error.message}", mend=error.mend) from error
    span = repository.span(head)
    return GitSource(repository, span, span.base, name)
