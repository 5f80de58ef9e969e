"""A change in a repository of git, and what its base says of reviews.

Nothing is ever checked out. What a base revision says of reviews (settings, principles, a model) is read at the tip of
the base, not at the merge base, which the author of a change chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from oversight.base_settings import Files, principle_files, settings_file
from oversight.changes.repository import Repository, Span
from oversight.config import FILE_NAME
from oversight.errors import ModelError, RepositoryError, UnscoredError, UsageError
from oversight.history.index import Index
from oversight.reports import RiskReport
from oversight.review import Reviewer
from oversight_github.code.clone import Clone, GoneError, read_for_review
from oversight_github.code.wanted import Wanted

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
    """A change in a repository: a checkout, or, where there is one, our `clone`. `base` is the tip of the base.

    `index`: the folder that the history is kept in, None for the cache directory.
    """

    repository: Repository
    span: Span
    base: str | None
    name: str
    clone: Clone | None = None
    index: Path | None = None

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
        with Index.open(self.repository, directory=self.index) as index:
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


def in_clone(stack: ExitStack, wanted: Wanted, clone: Clone, name: str) -> GitSource:
    """Return the change from a clone of our own. Raises GoneError, UnscoredError, UsageError, RepositoryError."""
    tip, head = fetch(clone, wanted)
    repository = stack.enter_context(Repository.open(clone.path))
    found = between(repository, tip, head, name, else_alone=wanted.else_alone)
    own, before = read_for_review(repository, found.span.base, head)
    clone.fetch_contents([*own, *before])
    return replace(found, clone=clone)


def fetch(clone: Clone, wanted: Wanted) -> tuple[str | None, str]:
    """Fetch the commits of what is wanted with their history; the tip of the base (None: there is none) and the head.

    Raises GoneError, UsageError, RepositoryError.
    """
    head = clone.resolve(wanted.head)
    about = head if wanted.pull is None else f"pull{wanted.pull.number}"

    def fetched(base: str) -> str:
        sha = clone.resolve(base)
        if clone.shared and clone.empty:
            clone.fetch([sha])  # by itself: what is too large beyond it is this change alone
        clone.fetch([sha, head], about)
        return sha

    tip = tip_of(wanted, fetched)
    if tip is None:
        clone.fetch([head], about)
    clone.keep(tip or head)
    return tip, head


def tip_of(wanted: Wanted, resolve: Callable[[str], str]) -> str | None:
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


def between(repository: Repository, tip: str | None, head: str, name: str, *, else_alone: bool = False) -> GitSource:
    """Return the change between two commits that are there. Raises UnscoredError where they have nothing in common.

    Where `tip` is None, and where `else_alone` and there is nothing between them, it is the head alone.
    """
    if tip is not None:
        try:
            span = repository.span(f"{tip}..{head}")
            if span.base != span.head or not else_alone:
                return GitSource(repository, span, tip, name)
        except RepositoryError as error:
            if not else_alone:
                raise UnscoredError(f"there is nothing to compare with: {error.message}", mend=error.mend) from error
    span = repository.span(head)
    return GitSource(repository, span, span.base, name)
