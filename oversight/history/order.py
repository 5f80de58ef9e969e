"""The total order of a history, which every measure "as known at that moment" rests on.

It is that of `CommitId.key` (`oversight.changes.repository`): the committer date, or the latest one among a
commit's ancestors where that is later, then the length of its longest way to a root, then the sha. Ancestors
always come first, and a commit's place depends on its ancestry alone: commits that are found later, on a branch
that is merged or fetched, fall into place without moving any other.

Here a key is 14 bytes that compare alike (date, generation, the sha's first 48 bits), and a listing may begin
where another one ended, from the keys of the commits at the seam.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

_DATE_BYTES, _GENERATION_BYTES, _SHA_BYTES = 5, 3, 6
_LATEST = (1 << 8 * _DATE_BYTES) - 1
_DEEPEST = (1 << 8 * _GENERATION_BYTES) - 1

FIRST = b""
"""Smaller than every key."""
LAST = b"\xff" * (_DATE_BYTES + _GENERATION_BYTES + _SHA_BYTES + 1)
"""Greater than every key."""


class Runs(Protocol):
    """The part of `Repository` that lists commits."""

    def run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run git and return its output."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """A commit of the graph, and its place in the total order."""

    sha: str
    parents: tuple[str, ...]
    key: bytes

    @property
    def merge(self) -> bool:
        """Whether it has two parents or more."""
        return len(self.parents) > 1


def list_commits(runner: Runs, revisions: Iterable[str], known: Mapping[str, bytes] | None = None) -> Iterator[Listed]:
    """Commits of `revisions` (as `git rev-list` takes them, "^sha" leaves out), parents before children.

    `known` gives the keys of commits left out; a parent that is in neither (cut off) counts for nothing.
    """
    stdin = "".join(f"{revision}\n" for revision in revisions).encode("ascii")
    listed = runner.run("rev-list", "--topo-order", "--reverse", "--parents", "--timestamp", "--stdin", stdin=stdin)
    keys: dict[str, bytes] = {}
    for line in listed.decode("ascii").splitlines():
        date, sha, *parents = line.split()
        effective, generation = min(max(int(date), 0), _LATEST), 0
        for parent in parents:
            key = keys.get(parent)
            if key is None and known is not None:
                key = known.get(parent)
            if key is not None:
                effective = max(effective, int.from_bytes(key[:_DATE_BYTES], "big"))
                generation = max(generation, int.from_bytes(key[_DATE_BYTES:-_SHA_BYTES], "big") + 1)
        keys[sha] = _key(effective, min(generation, _DEEPEST), sha)
        yield Listed(sha, tuple(parents), keys[sha])


def _key(effective: int, generation: int, sha: str) -> bytes:
    return (
        effective.to_bytes(_DATE_BYTES, "big")
        + generation.to_bytes(_GENERATION_BYTES, "big")
        + bytes.fromhex(sha[: 2 * _SHA_BYTES])
    )


def in_order(listed: Iterable[Listed]) -> list[Listed]:
    """The non-merge commits of a listing in the total order."""
    return sorted((commit for commit in listed if not commit.merge), key=lambda commit: (commit.key, commit.sha))
