"""What a path tells about a file: documentation, test, build, generated or vendored.

The patterns are data, `paths.toml` beside this file. A path is the author's to choose: kinds decide who is
counted in a training pool and fill measures, and never keep a change from being scored.
"""

from __future__ import annotations

import re
import tomllib
from enum import Flag, auto
from functools import cache, lru_cache
from importlib import resources


class PathKind(Flag):
    """Kinds of files; a file may be of several, or of none: plain source."""

    NONE = 0
    DOCUMENTATION = auto()
    TEST = auto()
    BUILD = auto()
    GENERATED = auto()
    VENDORED = auto()


_ORDER = {
    "documentation": PathKind.DOCUMENTATION,
    "test": PathKind.TEST,
    "build": PathKind.BUILD,
    "generated": PathKind.GENERATED,
    "vendored": PathKind.VENDORED,
}


@lru_cache(maxsize=1 << 16)
def kinds_of(path: str) -> PathKind:
    """The kinds that `path` suggests."""
    folder, _, name = path.lower().rpartition("/")
    kinds = _of_folder(folder) | _of_name(name)
    if PathKind.DOCUMENTATION in kinds and _never_documentation(name):
        kinds &= ~PathKind.DOCUMENTATION
    return kinds


# Folders and names repeat much more than paths do, and matching either is the slow part.
@lru_cache(maxsize=1 << 14)
def _of_folder(folder: str) -> PathKind:
    return _match(folder + "/", 0)


@lru_cache(maxsize=1 << 14)
def _of_name(name: str) -> PathKind:
    return _match(name, 1)


@lru_cache(maxsize=1 << 12)
def _never_documentation(name: str) -> bool:
    return _patterns()["not_documentation"][1].match(name) is not None


def _match(text: str, part: int) -> PathKind:
    patterns = _patterns()
    kinds = PathKind.NONE
    for name, kind in _ORDER.items():
        if patterns[name][part].match(text):
            kinds |= kind
    return kinds


@cache
def _patterns() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    """For each list two expressions: of its folder globs, and of its name globs."""
    text = resources.files("oversight.history").joinpath("paths.toml").read_text(encoding="utf-8")
    return {name: (_folders(globs), _names(globs)) for name, globs in tomllib.loads(text).items()}


def _folders(globs: list[str]) -> re.Pattern[str]:
    inner = [re.escape(glob[3:-3]) for glob in globs if glob.endswith("/**")]
    return re.compile(rf"(?:.*/)?(?:{'|'.join(inner)})/" if inner else r"(?!)", re.DOTALL)


def _names(globs: list[str]) -> re.Pattern[str]:
    inner = [_translate(glob[3:]) for glob in globs if not glob.endswith("/**")]
    return re.compile(rf"(?:{'|'.join(inner)})\Z" if inner else r"(?!)", re.DOTALL)


def _translate(glob: str) -> str:
    atoms = _SPLIT.findall(glob)
    return "".join(_ATOMS.get(atom) or (atom if atom.startswith("[") else re.escape(atom)) for atom in atoms)


_ATOMS = {"*": ".*", "?": "."}
_SPLIT = re.compile(r"\[[^\]]+\]|.", re.DOTALL)
