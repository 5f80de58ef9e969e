"""The same change committed twice: cherry-picks, branches merged after a rebase, re-imports.

Commits that change the same files by the same numbers of lines are only candidates; git's own `patch-id
--stable`, which ignores white space, line numbers and the order of files, decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from oversight.changes.repository import Repository

_BATCH = 512
_MAX_PATCH = 4 << 20
"""Bytes of a patch beyond which it is not compared: two equal giants are imports, which are excluded anyway."""


def later_duplicates(repository: Repository, groups: Sequence[Sequence[str]]) -> set[str]:
    """Of `groups` of shas, each oldest first, those that have the patch-id of an earlier member of their group."""
    identifiers = patch_ids(repository, [sha for group in groups for sha in group])
    later: set[str] = set()
    for group in groups:
        seen: set[str] = set()
        for sha in group:
            identifier = identifiers.get(sha)
            if identifier is None:
                continue
            if identifier in seen:
                later.add(sha)
            seen.add(identifier)
    return later


def patch_ids(repository: Repository, shas: Iterable[str]) -> dict[str, str]:
    """The stable patch-id of each commit that has one: not of empty patches, binary files alone, or giants."""
    found: dict[str, str] = {}
    patches = repository.patches(shas)
    while batch := list(islice(patches, _BATCH)):
        stream = b"".join(
            b"commit %s\n\n%s\n" % (patch.sha.encode("ascii"), patch.data)
            for patch in batch
            if len(patch.data) <= _MAX_PATCH and not patch.unread
        )
        for line in repository.run("patch-id", "--stable", stdin=stream).splitlines():
            identifier, _, sha = line.decode("ascii").partition(" ")
            found[sha] = identifier
    return found
