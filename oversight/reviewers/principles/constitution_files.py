"""Where principles come from: the shipped constitution, and files that a repository adds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from oversight.errors import ConfigError
from oversight.reviewers.principles.model import Principle
from oversight.reviewers.principles.queries import query_error
from oversight.reviewers.principles.schema import files_below, parse_path_sets, parse_principle

CONSTITUTION = Path(__file__).parent / "constitution"
"""The shipped principles, `<category>/<id>.toml`; `paths.toml` names the sets of globs they share."""

EXTRA_LIMIT = 200
"""How many principles a repository may add."""


@lru_cache(maxsize=1)
def _path_sets() -> dict[str, tuple[str, ...]]:
    return parse_path_sets((CONSTITUTION / "paths.toml").read_bytes())


@lru_cache(maxsize=1)
def builtin() -> tuple[Principle, ...]:
    """Return the shipped principles, by category and id. Read once a process."""
    files = sorted(CONSTITUTION.glob("*/*.toml"))
    return tuple(
        parse_principle(file.read_bytes(), f"{file.parent.name}/{file.name}", _path_sets(), trusted=True)
        for file in files
    )


def load(paths: Iterable[Path]) -> tuple[Principle, ...]:
    """Read a repository's own principles from files, or from directories of them.

    The caller takes them from the base revision, never from the change under review. Raises ConfigError on
    a file that is no valid principle, on an id that is taken, and on more than EXTRA_LIMIT of them.
    """
    return parse_named((file.name, _read(file)) for file in files_below(paths))


def parse_named(files: Iterable[tuple[str, bytes]]) -> tuple[Principle, ...]:
    """Read a repository's own principles from names and contents, as they come out of a revision; see `load`."""
    return unique(_checked(parse_principle(content, name, _path_sets()), name) for name, content in files)


def unique(extra: Iterable[Principle]) -> tuple[Principle, ...]:
    """Return `extra` as a tuple; raise ConfigError where an id is taken, by a shipped principle or among them."""
    taken = {principle.id for principle in builtin()}
    kept: list[Principle] = []
    for principle in extra:
        if principle.id in taken:
            raise ConfigError(
                f"the principle id {principle.id!r} is taken", mend="choose another id; principles only add"
            )
        if len(kept) == EXTRA_LIMIT:
            raise ConfigError(f"there are more than {EXTRA_LIMIT} principle files", mend="keep fewer")
        taken.add(principle.id)
        kept.append(principle)
    return tuple(kept)


def _checked(principle: Principle, source: str) -> Principle:
    for detector in principle.detectors:
        for language, query in detector.queries.items():
            if error := query_error(language, query):
                raise ConfigError(f"the query for {language} in {source!r} is not valid: {error}", mend="correct it")
    return principle


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise ConfigError(
            f"the principle file {file.name!r} cannot be read: {reason}", mend="check its rights"
        ) from None
