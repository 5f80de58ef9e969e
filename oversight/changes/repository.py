"""A git repository, read: revisions and ranges become `Change`, a history becomes patches in bulk.

Everything goes through `Quarantine`: nothing is written into the repository and nothing in it is run.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from oversight.changes import discovery
from oversight.changes.blobs import BLOB_BYTES, Blobs
from oversight.changes.model import Change, Provenance
from oversight.changes.patches import (
    DIFF_OPTIONS,
    LOG_OPTIONS,
    Patch,
    diff,
    files_of,
    read_headers,
    read_patches,
    undisguised,
)
from oversight.changes.provenance import provenance_of, together
from oversight.changes.quarantine import GitError, Quarantine, shown
from oversight.changes.touched import touched
from oversight.errors import RepositoryError

__all__ = ["BLOB_BYTES", "DIFF_OPTIONS", "LOG_OPTIONS", "CommitId", "Patch", "Repository", "Span", "change_of"]

_SHA = {"sha1": re.compile(r"[0-9a-f]{40}"), "sha256": re.compile(r"[0-9a-f]{64}")}
_DEEPEN = "fetch more of the history: `git fetch --deepen=100`, or `fetch-depth: 0` in a checkout action"
_REVISION_MEND = "name a commit, branch or tag that `git log` knows"
_LATEST = (1 << 40) - 1


class Span(NamedTuple):
    """What is to be reviewed: the change from `base` (None is before the first commit) to `head`.

    `single` says that it is one commit against its first parent, not a range.
    """

    base: str | None
    head: str
    single: bool


class CommitId(NamedTuple):
    """A non-merge commit and its place in the history. Times are Unix seconds, none later than the year 36812.

    `effective_time` is the commit's own time, or the latest one among its ancestors where that is later
    (clocks go wrong); `generation` is the length of the longest way to a root. Both depend on the ancestors
    alone. `boundary` marks where a shallow clone was cut: the commit's parents are unknown, not absent.
    """

    sha: str
    parents: tuple[str, ...]
    effective_time: int
    generation: int
    committed_at: int
    boundary: bool

    @property
    def key(self) -> tuple[int, int, str]:
        """Sort key of a total order in which parents precede children, whichever tip was asked for."""
        return self.effective_time, self.generation, self.sha


class Repository:
    """One repository. Use it as a context manager, or leave the temporary files to the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        place = discovery.find(path)
        self.name = place.name
        """A name to show; never a path."""
        self.key = hashlib.sha256(str(place.common_dir).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        """The same for every work tree of this repository on this machine: caches are kept under it."""
        self._git = Quarantine(place)
        self._sha = _SHA[self._git.object_format]
        self._blobs = Blobs(self._git)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the repository that `path` is in. Raises `RepositoryError` where there is none, or no usable git."""
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        return type(self), (self._path,)

    def close(self) -> None:
        """Stop what still runs and remove the temporary files."""
        self._blobs.close()
        self._git.close()

    @property
    def shallow(self) -> bool:
        """Whether part of the history was cut off when the repository was cloned."""
        return bool(self._git.boundary)

    @property
    def object_format(self) -> str:
        """`sha1` or `sha256`."""
        return self._git.object_format

    def run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run a git command that only reads, in quarantine; what it prints. Raises `RepositoryError`."""
        return self._git.run(*arguments, stdin=stdin)

    def stream(self, *arguments: str, stdin: bytes | None = None) -> AbstractContextManager[BinaryIO]:
        """Run a git command that only reads, in quarantine, and read its output while it comes.

        Leaving the context early stops git; leaving it at the end of the output raises `RepositoryError`
        where git failed.
        """
        return self._git.stream(*arguments, stdin=stdin)

    def resolve(self, revision: str) -> str:
        """Return the full sha of the commit that `revision` names. Raises `RepositoryError` where it names none."""
        if self._sha.fullmatch(revision) and self._exists(revision):
            return revision
        name = shown(revision)
        # What follows an open brace would be taken for part of what is asked: git reads `@{0^{commit}` as a date.
        depths = [0, *accumulate((character == "{") - (character == "}") for character in revision)]
        odd = any(ord(character) < 32 for character in revision) or depths[-1] != 0 or min(depths) < 0
        if not revision or revision.startswith("-") or odd:
            raise RepositoryError(f"'{name}' is no revision", mend=_REVISION_MEND)
        try:
            found = self._git.run("rev-parse", "--verify", "--end-of-options", revision + "^{commit}")
        except GitError as failure:
            raise self._unresolved(revision, failure) from None
        sha = found.decode("ascii", "replace").strip()
        if not self._sha.fullmatch(sha):
            raise RepositoryError(f"'{name}' is not one revision", mend=_REVISION_MEND)
        return sha

    def span(self, spec: str = "HEAD") -> Span:
        """Read a range. A revision is that commit against its first parent; `A..B` and `A...B` are merge-base(A, B)..B.

        A side that is left out means HEAD. Raises `RepositoryError` where a revision is unknown, where the
        histories are unrelated, and where a shallow clone lacks the merge base. A commit whose parent a shallow
        clone lacks has no base, and its change is unread as a whole.
        """
        dots = "..." if "..." in spec else ".." if ".." in spec else ""
        if not dots:
            head = self.resolve(spec)
            # Where a shallow clone was cut the parent is unknown, not absent: `change` marks the commit as unread.
            parents = self._git.run("rev-list", "--parents", "--max-count=1", head, "--").split()[1:]
            return Span(parents[0].decode() if parents else None, head, single=True)
        left, _, right = spec.partition(dots)
        start, head = self.resolve(left or "HEAD"), self.resolve(right or "HEAD")
        return Span(self._merge_base(start, head), head, single=False)

    def change(self, span: Span) -> Change:
        """Read a span as one change. Of a range, title, body and author are those of its newest commit."""
        if span.single:
            (patch,) = self.patches([span.head])
            return change_of(patch, self.name)
        commits = self._commits_of(span)
        head = next(commits)
        provenances = [_provenance(commit) for commit in (head, *commits)]
        data, unread = diff(self._git, span.base, span.head)
        patch = replace(head, sha=span.head, parent=span.base, data=data, unread=unread)
        return _change(undisguised(self._git, patch), self.name, together(provenances))

    def commits(self, tip: str, *, since: datetime | None = None, until: datetime | None = None) -> list[CommitId]:
        """Return the non-merge commits reachable from `tip`, ancestors first, in the order of `CommitId.key`.

        `since` and `until` bound the committer date, both inclusive; without a time zone they are UTC.
        """
        first, last = _timestamp(since), _timestamp(until)
        places: dict[str, int] = {}
        times, generations = array("q"), array("l")
        found = []
        command = ("rev-list", "--parents", "--timestamp", "--topo-order", "--reverse", self.resolve(tip), "--")
        with self._git.stream(*command) as out:
            for line in out:
                stamp, sha, *parents = line.decode("ascii").split()
                known = [places[parent] for parent in parents]
                # git passes on whatever 64 bits hold, and a negative date as one near their end.
                committed = min(int(stamp), _LATEST)
                effective = max([committed, *(times[place] for place in known)])
                generation = 1 + max([-1, *(generations[place] for place in known)])
                places[sha] = len(times)
                times.append(effective)
                generations.append(generation)
                if len(parents) < 2 and (first is None or first <= committed) and (last is None or committed <= last):
                    boundary = sha in self._git.boundary
                    found.append(CommitId(sha, tuple(parents), effective, generation, committed, boundary))
        found.sort(key=lambda commit: commit.key)
        return found

    def patches(self, shas: Iterable[str]) -> Iterator[Patch]:
        """Yield a patch for each of `shas` (full ids), once each, in that order, from one streamed `git log`.

        Merges are shown against their first parent. Where objects are missing, the files that need them are
        in `Patch.unread`, and the rest is read all the same.
        """
        return read_patches(self._git, shas)

    def headers(self, shas: Iterable[str]) -> Iterator[Change]:
        """Yield the commits among `shas` (full ids) that are in this repository, as changes without their files."""
        here = self._commits_among(shas)
        if here:
            for patch in read_headers(self._git, here):
                yield _change(patch, self.name, _provenance(patch))

    def touched(self, shas: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield those of some commits that are here and no merges, with the paths that differ from their parents."""
        return touched(self._git, self._commits_among(shas))

    def read(self, revision: str, path: str) -> bytes | None:
        """Return a file's content at a revision (a full sha, or anything `resolve` knows).

        None where there is no such file, where its content is missing, and where it has more than
        `BLOB_BYTES` bytes.
        """
        sha = revision if self._sha.fullmatch(revision) else self.resolve(revision)
        return self._blobs.read(sha, path)

    def _commits_among(self, shas: Iterable[str]) -> list[str]:
        asked = "".join(f"{sha}\n" for sha in shas).encode("ascii")
        told = self._git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked).decode("ascii")
        return [line.partition(" ")[0] for line in told.splitlines() if line.endswith(" commit")]

    def _exists(self, sha: str) -> bool:
        return self._git.run("cat-file", "--batch-check=%(objecttype)", stdin=sha.encode() + b"\n") == b"commit\n"

    def _unresolved(self, revision: str, failure: GitError) -> RepositoryError:
        if "ambiguous" in failure.text:
            return RepositoryError(f"'{shown(revision)}' fits more than one commit", mend="write more of its digits")
        if revision == "HEAD":
            return RepositoryError("this repository has no commits yet", mend="commit something first")
        mend = (
            f"{_REVISION_MEND}; this clone is shallow, so it may be older: {_DEEPEN}"
            if self.shallow
            else _REVISION_MEND
        )
        return RepositoryError(f"there is no commit '{shown(revision)}' here", mend=mend)

    def _merge_base(self, start: str, head: str) -> str:
        """The best common ancestor; of several, git's first, which depends on the two commits alone."""
        try:
            return self._git.run("merge-base", start, head).split()[0].decode()
        except GitError as failure:
            if failure.status != 1:
                raise
        if self.shallow:
            raise RepositoryError("the two commits have no common ancestor in this shallow clone", mend=_DEEPEN)
        raise RepositoryError(
            "the two commits have unrelated histories", mend="name two commits with a common ancestor"
        )

    def _commits_of(self, span: Span) -> Iterator[Patch]:
        """The commits of a range without their diffs, newest first; the head alone where the range is empty."""
        within = self._git.run("rev-list", span.head, f"^{span.base}", "--").decode("ascii").split()
        return read_headers(self._git, within or [span.head])


def change_of(patch: Patch, repository: str) -> Change:
    """Parse a patch into a `Change`; `repository` is the name to show. Raises `DiffError`."""
    return _change(patch, repository, _provenance(patch))


def _change(patch: Patch, repository: str, provenance: Provenance) -> Change:
    title, _, body = patch.message.strip("\n").partition("\n")
    return Change(
        id=patch.sha,
        repository=repository,
        base=patch.parent,
        head=patch.sha,
        author=patch.author,
        provenance=provenance,
        authored_at=_moment(patch.authored_at),
        title=title,
        body=body.strip("\n"),
        files=files_of(patch),
    )


def _provenance(patch: Patch) -> Provenance:
    return provenance_of(patch.author, patch.committer, patch.message)


def _moment(seconds: int | None) -> datetime | None:
    """Unix seconds as a time-zone aware moment; None for what no calendar holds."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _timestamp(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
