"""The same change committed twice: cherry-picks, branches merged after a rebase, re-imports.

Commits that change the same files by the same numbers of lines are only candidates; git's own `patch-id
--stable`, which ignores white space, line numbers and the order of files, decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from oversight.changes.repository import Repository
from oversight.history.log import cores

_BATCH = 1_024
"""Commits that one git reads: each pays anew for looking into the packs."""
_HELD = 16 << 20
"""Bytes of patches beyond which they are handed on, so that memory does not depend on what a batch holds."""
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


def patch_ids(repository: Repository, shas: Sequence[str]) -> dict[str, str]:
    """The stable patch-id of each commit that has one: not of empty patches, binary files alone, or giants."""
    batches = [shas[at : at + _BATCH] for at in range(0, len(shas), _BATCH)]
    found: dict[str, str] = {}
    # Threads suffice: what takes time is done by the gits that they wait for.
    with ThreadPoolExecutor(cores()) as pool:
        for identifiers in pool.map(lambda batch: _patch_ids(repository, batch), batches):
            found.update(identifiers)
    return found


def _patch_ids(repository: Repository, shas: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    stream = bytearray()
    for patch in repository.patches(shas):
        if len(patch.data) <= _MAX_PATCH and not patch.unread:
            stream += b"commit %s\n\n%s\n" % (patch.sha.encode("ascii"), patch.data)
        if len(stream) > _HELD:
            found.update(_identified(repository, stream))
            stream.clear()
    found.update(_identified(repository, stream))
    return found


def _identified(repository: Repository, stream: bytearray) -> Iterator[tuple[str, str]]:
    lines = repository.run("patch-id", "--stable", stdin=bytes(stream)).decode("ascii").splitlines()
    return ((sha, identifier) for identifier, _, sha in (line.partition(" ") for line in lines))
