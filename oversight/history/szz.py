"""SZZ: whoever last wrote the lines that a repair deletes is named for it.

The variant: AG-SZZ (Kim et al., "Automatic Identification of Bug-Introducing Changes", ASE 2006) over the blame
of Sliwerski et al. (B-SZZ, MSR 2005): blank lines, comments and formatting-only hunks are passed over, here by
the parsers of `oversight.changes.syntax`, and blame ignores white space. From MA-SZZ (da Costa et al., TSE 2017)
it takes that changes without content (merges, renames) are never named: blame follows renames and goes through
merges. Repairs that touch more than `MOST_FILES` files or delete more than `MOST_LINES` lines are left out,
and so is a commit blamed that the pool calls a bulk or initial import.

A repair is a commit with a `Fixes:` trailer, or one whose subject says that it repairs something (words of
`oversight.history.references.is_fix`), and that the pool does not exclude. It is noisy: about one repair in six
deletes no line of code at all (counted), and context lines that should have been added name nobody.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from oversight.changes.model import FileChange, FileStatus
from oversight.changes.patches import files_of
from oversight.changes.paths import decode, unquote
from oversight.changes.repository import Patch, Repository
from oversight.changes.syntax import analyse
from oversight.errors import DiffError, RepositoryError

MOST_FILES = 20
MOST_LINES = 300

_HEADER = re.compile(rb"^([0-9a-f]{40}|[0-9a-f]{64}) (\d+) \d+(?: \d+)?$")
_FILENAME = b"filename "
_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line comes from: the commit that last wrote it, its path there, and its number, from 1 on."""

    sha: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Blamed:
    """A repair, and where the lines of code that it deletes come from; `reason` says why there are none.

    `unread` counts the files that git could not blame: content that is missing, or a path that git cannot take.
    """

    fix: str
    committed_at: int
    origins: tuple[Origin, ...] = ()
    reason: str | None = None
    unread: int = 0

    @property
    def culprits(self) -> tuple[str, ...]:
        """The commits that last wrote those lines, each once."""
        return tuple(dict.fromkeys(origin.sha for origin in self.origins))


def blame_repairs(
    repository: Repository,
    fixes: Iterable[str],
    *,
    jobs: int | None = None,
    advance: Callable[[int], None] = lambda _steps: None,
) -> Iterator[Blamed]:
    """Blame each of the commits `fixes`, in order. `jobs` processes of git at a time (default: one a core)."""
    pending: deque[tuple[Blamed, list[Future[list[Origin] | None]]]] = deque()
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        try:
            for patch in repository.patches(fixes):
                # Parsing stays in this thread; git, which takes the time, runs in processes of its own.
                blamed, places = _places(patch)
                pending.append((blamed, [pool.submit(_origins, repository, *place) for place in places]))
                if len(pending) >= _AHEAD:
                    yield _joined(*pending.popleft())
                    advance(1)
            while pending:
                yield _joined(*pending.popleft())
                advance(1)
        finally:
            for _, futures in pending:
                for future in futures:
                    future.cancel()


def _joined(blamed: Blamed, futures: Sequence[Future[list[Origin] | None]]) -> Blamed:
    found = [future.result() for future in futures]
    origins = tuple(origin for one in found if one is not None for origin in one)
    return replace(blamed, origins=origins, unread=found.count(None))


def _places(patch: Patch) -> tuple[Blamed, list[tuple[str, str, list[int]]]]:
    """What to blame for a repair: revision, path and lines, a file each."""
    repair = Blamed(patch.sha, patch.committed_at or 0)
    if patch.parent is None:
        return replace(repair, reason="no parent"), []
    try:
        files = files_of(patch)
    except DiffError:
        return replace(repair, reason="unreadable"), []
    parent = patch.parent
    places = [(parent, file.old_path or file.path, lines) for file in files if (lines := code_lines(file))]
    if len(files) > MOST_FILES or sum(len(lines) for _, _, lines in places) > MOST_LINES:
        return replace(repair, reason="bulk"), []
    return (repair, places) if places else (replace(repair, reason="no line of code deleted"), [])


def code_lines(file: FileChange) -> list[int]:
    """Numbers, in the old file, of the deleted lines that hold code: no blank, comment or reformatted line."""
    if file.status is FileStatus.ADDED or file.language is None or file.binary or file.unread is not None:
        return []
    found = []
    for syntax in analyse(file):
        if syntax.old is None or syntax.formatting_only or syntax.comment_only:
            continue
        for row, changed, code in zip(syntax.old.rows, syntax.old.changed, syntax.old.code, strict=True):
            if changed and code.strip() and row.old_number is not None:
                found.append(row.old_number)
    return found


def _origins(repository: Repository, revision: str, path: str, lines: Sequence[int]) -> list[Origin] | None:
    """Where those lines of a file come from, without the edges of a cut-off history; None where git cannot tell."""
    ranges = [f"-L{first},{last}" for first, last in _runs(lines)]
    try:
        return _read_porcelain(repository.run("blame", "--porcelain", "-w", *ranges, revision, "--", path))
    except RepositoryError:
        return None


def _read_porcelain(told: bytes) -> list[Origin]:
    """Read `git blame --porcelain`, which describes a commit (path, boundary) where it first comes up, or moves on
    to another path, and merely names it afterwards.
    """
    found: list[Origin] = []
    paths: dict[str, str] = {}
    edges: set[str] = set()
    sha, number = "", 0
    for line in told.split(b"\n"):
        if line.startswith(b"\t"):
            found.append(Origin(sha, paths[sha], number))
        elif header := _HEADER.match(line):
            sha, number = header[1].decode("ascii"), int(header[2])
        elif line.startswith(_FILENAME):
            paths[sha] = decode(unquote(line.removeprefix(_FILENAME)))
        elif line == b"boundary":
            edges.add(sha)
    return [origin for origin in found if origin.sha not in edges]


def _runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Consecutive numbers as ranges, both ends inclusive."""
    start = previous = lines[0]
    for line in lines[1:]:
        if line != previous + 1:
            yield start, previous
            start = line
        previous = line
    yield start, previous
