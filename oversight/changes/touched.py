"""Which files commits touch, of many commits at once: trees are compared, and no content is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oversight.changes.paths import decode
from oversight.changes.quarantine import Quarantine


def touched(git: Quarantine, shas: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield commits (full ids of such as are here) with the paths that differ from their first parents.

    A renamed file has both of its paths. Merges are left out, and so is where a shallow clone was cut: all of its
    files would seem new. Raises `GitError`.
    """
    wanted = "".join(f"{sha}\n" for sha in shas if sha not in git.boundary).encode("ascii")
    told = git.run("diff-tree", "--stdin", "--root", "-r", "-z", "--raw", "--no-renames", stdin=wanted)
    commit, paths = "", list[str]()
    fields = iter(told.split(b"\0"))
    for field in fields:
        if field.startswith(b":"):  # modes, blobs and status: the path follows, which may look like anything
            paths.append(decode(next(fields)))
            continue
        if commit:
            yield commit, tuple(paths)
        commit, paths = field.decode("ascii"), []
