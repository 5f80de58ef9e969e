"""Where a repository is, found without reading its configuration: a hostile one may include a pipe."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from oversight.errors import RepositoryError

_MEND = "name a git repository, or a folder inside one, with --repo"
_POINTER_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Place:
    """A repository: its git directory, the one it shares with its other work trees, and a name to show."""

    git_dir: Path
    common_dir: Path
    name: str


def find(path: Path) -> Place:
    """Return the repository that `path` is in: a work tree, a linked one, a submodule, or a bare directory.

    Raises `RepositoryError` where there is none.
    """
    try:
        start = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError):
        raise RepositoryError("there is no such folder", mend=_MEND) from None
    for folder in (start, *start.parents):
        inner = folder / ".git"
        git_dir = _pointed(inner) if inner.is_file() else inner
        for candidate in (git_dir, folder):
            if _is_git_dir(candidate):
                common = _common(candidate)
                return Place(candidate, common, _name(common))
        if inner.is_file():
            raise RepositoryError("the .git file here points to no git directory", mend=_MEND)
    raise RepositoryError("this is not a git repository", mend=_MEND)


def _is_git_dir(path: Path) -> bool:
    """Whether git would take `path` for a git directory: HEAD, objects and refs are there.

    Raises `RepositoryError` where HEAD is neither a file nor a link: git would wait for a pipe.
    """
    head = path / "HEAD"
    if not os.path.lexists(head):
        return False
    common = _common(path)
    if not ((common / "objects").is_dir() and (common / "refs").is_dir()):
        return False
    if head.is_symlink() or head.is_file():
        return True
    raise RepositoryError(
        "'HEAD' in the git directory is a pipe or device, not a file", mend="remove it, or clone the repository anew"
    )


def _common(git_dir: Path) -> Path:
    """The git directory that all work trees of a repository share; a linked one names it in `commondir`."""
    pointer = git_dir / "commondir"
    return (git_dir / _text(pointer)).resolve() if pointer.is_file() else git_dir


def _pointed(file: Path) -> Path:
    """The git directory that a `.git` file names, as linked work trees and submodules have it."""
    _, _, target = _text(file).partition("gitdir: ")
    return (file.parent / target).resolve() if target else file


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return os.fsdecode(file.read(_POINTER_BYTES).rstrip(b"\r\n"))


def _name(common: Path) -> str:
    """The folder of the work tree, the submodule, or the bare directory without its `.git`."""
    return (common.parent.name if common.name == ".git" else common.name.removesuffix(".git")) or "repository"
