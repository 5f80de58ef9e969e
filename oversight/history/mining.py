"""Labels of a repository's whole history, in one pass over its log that also brings the index up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from time import monotonic

from oversight.changes.repository import Repository
from oversight.errors import UsageError
from oversight.history.duplicates import later_duplicates
from oversight.history.index import Index
from oversight.history.labels import SOURCES, Decision, Mined, Miner
from oversight.history.log import read_log
from oversight.history.merges import MergeTable
from oversight.history.model import Commit
from oversight.history.references import is_fix

_NEVER_BLAMED = ("bulk import", "initial import")


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
    repairs: list[str] = []
    for commit in log if index is None else index.absorb(tip, log):
        miner.add(commit)
        if "szz" in sources and is_fix(commit.message) and miner.reason(commit.sha) is None:
            repairs.append(commit.sha)
        advance(1)
    if repairs:
        _blame(miner, repository, repairs, advance)
    return miner.finish(later_duplicates(repository, miner.candidates()), MergeTable(repository, tip))


def _blame(miner: Miner, repository: Repository, repairs: Sequence[str], advance: Callable[[int], None]) -> None:
    """Let SZZ name commits for each of `repairs`, and say in the summary how that went."""
    from oversight.history.szz import blame_repairs

    counts: Counter[str] = Counter()
    started = monotonic()
    for blamed in blame_repairs(repository, repairs, advance=advance):
        counts[blamed.reason or ("blamed" if blamed.culprits else "nobody to blame")] += 1
        for sha in blamed.culprits:
            if miner.reason(sha) in _NEVER_BLAMED:
                counts["culprits that are imports, passed over"] += 1
            else:
                miner.decide(sha, Decision("szz", True, blamed.committed_at, blamed.fix))
    rate = len(repairs) / max(monotonic() - started, 1e-9)
    told = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    miner.summary.notes.append(f"  szz: {len(repairs):,} repairs, {rate:.1f} a second: {told}")
