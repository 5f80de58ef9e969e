"""What the history knows of the files that a change touches, for people to read: who changed them, and how they fared.

All names and titles are text of the repository, and as hostile as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest

from oversight.changes.repository import LOG_OPTIONS, Repository
from oversight.history.measures import looked_at, source_of
from oversight.history.model import Commit
from oversight.history.past import Past
from oversight.history.state import FileState

_LATEST = 3
_AUTHORS = 3


@dataclass(frozen=True, slots=True)
class Earlier:
    """A commit before the change. `at` is in Unix seconds."""

    sha: str
    author: str
    at: int
    title: str


@dataclass(frozen=True, slots=True)
class FileHistory:
    """One file before the change, under all of its names; the path is that in the change.

    Of its `changes`, `repairs` say that they repair something, and `repaired` were later said to have been what had to
    be repaired. `authors` are those with most changes, as (address, changes), of `people` in all; `latest` the newest
    commits under its last name, the newest first.
    """

    path: str
    changes: int
    repairs: int
    repaired: int
    people: int
    authors: tuple[tuple[str, int], ...]
    latest: tuple[Earlier, ...]


def histories(repository: Repository, past: Past, commit: Commit) -> list[FileHistory]:
    """Return what `past` knows of the files of `commit`, but for files that it does not know; of very wide commits, of
    those files alone that are measured.
    """
    state = past.state_for(commit)
    sources = {touch.path: source_of(touch) for touch in looked_at(commit.touches)}
    known = {path: state.files[source] for path, source in sources.items() if source in state.files}
    latest = {path: past.latest(sources[path], _LATEST) for path in known}
    told = {one.sha: one for one in _read(repository, [sha for shas in latest.values() for sha in shas])}
    return [
        _history(path, file, [told[sha] for sha in latest[path] if sha in told])
        for path, file in known.items()
        if file.changes
    ]


def _history(path: str, file: FileState, latest: Sequence[Earlier]) -> FileHistory:
    authors = nlargest(_AUTHORS, file.authors.items(), key=lambda one: (one[1], one[0]))
    return FileHistory(path, file.changes, file.fixes, file.culprits, len(file.authors), tuple(authors), tuple(latest))


def _read(repository: Repository, shas: Sequence[str]) -> Iterator[Earlier]:
    if not shas:
        return
    stdin = "".join(f"{sha}\n" for sha in dict.fromkeys(shas)).encode("ascii")
    pattern = "--format=tformat:%H%x00%an%x00%ct%x00%s"
    out = repository.run("log", "--no-walk=unsorted", "--stdin", "--no-patch", *LOG_OPTIONS, pattern, stdin=stdin)
    for line in out.decode("utf-8", "surrogateescape").split("\n"):
        sha, _, rest = line.partition("\0")
        if rest:
            author, at, title = rest.split("\0", 2)
            yield Earlier(sha, author, int(at) if at.isdigit() else 0, title)
