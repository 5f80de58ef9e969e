"""Labels of a repository's whole history, in one pass over its log that also brings the index up to date."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from oversight.changes.repository import Repository
from oversight.errors import UsageError
from oversight.history.duplicates import later_duplicates
from oversight.history.index import Index
from oversight.history.labels import SOURCES, Mined, Miner
from oversight.history.log import read_log
from oversight.history.merges import MergeTable
from oversight.history.model import Commit


def parse_sources(text: str) -> tuple[str, ...]:
    """Read a list such as "fixes,reverts". UsageError where a source is unknown or there is none."""
    named = [part.strip().lower() for part in text.split(",") if part.strip()]
    if not named or not set(named) <= set(SOURCES):
        raise UsageError("--source names no known source", mend=f"choose among {', '.join(SOURCES)}")
    return tuple(source for source in SOURCES if source in named)


def mine_repository(
    repository: Repository,
    tip: str,
    sources: Collection[str] = ("fixes", "reverts"),
    *,
    index: Index | None = None,
    advance: Callable[[int], None] = lambda _steps: None,
) -> Mined:
    """Labels of every commit reachable from `tip` that one of `sources` names, and who is excluded.

    `index` takes in what it does not know yet on the way; `advance` hears of every commit. Raises
    RepositoryError where the history cannot be read.
    """
    log: Iterable[Commit] = read_log(repository, tip)
    miner = Miner(sources)
    for commit in log if index is None else index.absorb(tip, log):
        miner.add(commit)
        advance(1)
    return miner.finish(later_duplicates(repository, miner.candidates()), MergeTable(repository, tip))
