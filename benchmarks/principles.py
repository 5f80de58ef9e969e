"""How often each principle fires on real histories, and how often rightly.

    oversight mine --repo CLONE --output LABELS
    python -m benchmarks.principles CLONE=LABELS CLONE... [--changes 3000] [--jobs 2] [--output FILE]

A change counts if it is in the pool and mature (`oversight.history.pool`), and labels of its repository were
given; it is risky if people later repaired or withdrew it. Two lifts stand beside each other, since larger
changes both set off more principles and are repaired more often: over the base rate of the repository, and over
the rate of changes of the same repository and size (added and deleted lines, in deciles). Intervals are
Wilson's, 95 %, of the share.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from oversight.measurement.intervals import wilson

FLAGGING = ("high", "critical")
DECILES = 10
FEW = 20


@dataclass
class Reviewed:
    """One change: its size in lines, whether it counts and is risky, and what fired."""

    size: int
    counts: bool
    risky: bool
    fired: list[str]


@dataclass
class History:
    """What was seen in one repository."""

    name: str
    changes: list[Reviewed] = field(default_factory=list)
    seconds: float = 0.0
    rows: int = 0


def read_labels(path: Path | None) -> tuple[set[str], set[str]]:
    """The commits that labels call risky, and those that they keep out of the pool."""
    lines = path.read_text(encoding="utf-8").splitlines() if path is not None else []
    labels = [json.loads(line) for line in lines]
    risky = {label["commit"] for label in labels if label["risky"]}
    return risky, {label["commit"] for label in labels if label["excluded"] is not None}


def review_history(clone: Path, labels: Path | None, changes: int, seed: int) -> History:
    """Review a uniform sample of the non-merge commits of a clone."""
    from oversight.changes.repository import Repository, change_of
    from oversight.changes.syntax import analyse
    from oversight.history.context import commit_of, context_of_diff
    from oversight.history.pool import Maturity, exclusion
    from oversight.reviewers.principles import Principles

    repository = Repository.open(clone)
    commits = repository.commits(repository.resolve("HEAD"))
    mature = Maturity.at([commit.committed_at for commit in commits])
    risky, excluded = read_labels(labels)
    picked = np.random.default_rng(seed).choice(len(commits), min(changes, len(commits)), replace=False)
    committed = {commits[index].sha: commits[index].committed_at for index in sorted(picked.tolist())}
    name = clone.parent.name.replace("+", "/") if clone.name == "repo" else clone.name
    reviewer, history = Principles(), History(name)
    for patch in repository.patches(committed):
        change = change_of(patch, name)
        syntax = tuple(analyse(file) for file in change.files)
        context = context_of_diff(change)
        for hunks in syntax:
            for hunk in hunks:
                _ = [side.code for side in (hunk.old, hunk.new) if side is not None]
        start = time.process_time()
        opinions = reviewer.review(change, context, syntax)
        history.seconds += time.process_time() - start
        # The lines that were read: a file that could not be has none to fire on.
        size = sum(len(hunk.added) + len(hunk.deleted) for file in change.files for hunk in file.hunks)
        history.rows += size
        pooled = patch.sha not in excluded and exclusion(commit_of(change)) is None
        counts = labels is not None and pooled and mature(committed[patch.sha])
        fired = [opinion.principle for opinion in opinions if opinion.principle is not None]
        history.changes.append(Reviewed(size, counts, patch.sha in risky, fired))
    return history


@dataclass
class Row:
    """One principle, or one group of them, over one repository or all."""

    principle: str
    severity: str
    fired: int
    changes: int
    counted: int
    risky: int
    share: float | None
    expected: float | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    lift_at_size: float | None


def expectations(history: History) -> tuple[float, list[float]]:
    """The share of risky changes among those that count, and the same among changes of each change's size."""
    counting = [change for change in history.changes if change.counts]
    base = sum(change.risky for change in counting) / max(len(counting), 1)
    if not counting:
        return base, [base] * len(history.changes)
    edges = np.quantile([change.size for change in counting], np.linspace(0, 1, DECILES + 1)[1:-1])
    totals, hits = np.zeros(DECILES), np.zeros(DECILES)
    for change in counting:
        decile = int(np.searchsorted(edges, change.size))
        totals[decile] += 1
        hits[decile] += change.risky
    rates = np.divide(hits, totals, out=np.full(DECILES, base), where=totals > 0)
    return base, [float(rates[int(np.searchsorted(edges, change.size))]) for change in history.changes]


def rows_of(histories: Sequence[History], severities: dict[str, str]) -> list[Row]:
    """One row for each principle over all of `histories`, and two for all that flag and all that inform."""
    groups: dict[str, list[str]] = {name: [name] for name in severities}
    groups["all high and critical"] = [name for name, severity in severities.items() if severity in FLAGGING]
    groups["all medium"] = [name for name, severity in severities.items() if severity == "medium"]
    known = [(history, *expectations(history)) for history in histories]
    rows = []
    for group, names in groups.items():
        wanted, tally = frozenset(names), defaultdict[str, float](float)
        for history, base, by_size in known:
            for change, rate in zip(history.changes, by_size, strict=True):
                if wanted.isdisjoint(change.fired):
                    continue
                tally["fired"] += 1
                if change.counts and base > 0:
                    tally["counted"] += 1
                    tally["risky"] += change.risky
                    tally["base"] += base
                    tally["by_size"] += rate
        rows.append(_row(group, severities.get(group, "-"), tally, sum(len(history.changes) for history in histories)))
    return sorted(rows, key=lambda row: -row.fired)


def _row(name: str, severity: str, tally: dict[str, float], changes: int) -> Row:
    counted, risky, base, by_size = (tally[key] for key in ("counted", "risky", "base", "by_size"))
    if not counted:
        return Row(name, severity, int(tally["fired"]), changes, 0, 0, None, None, None, None, None, None)
    expected, (low, high) = base / counted, wilson(risky, counted)
    return Row(
        name, severity, int(tally["fired"]), changes, int(counted), int(risky),
        risky / counted, expected, risky / base, low / expected, high / expected, risky / by_size if by_size else None,
    )  # fmt: skip


def _cells(row: Row) -> list[str]:
    cells = [row.principle, row.severity, str(row.fired), f"{row.fired / row.changes:.3%}"]
    cells += [str(row.counted), str(row.risky)]
    if row.counted < FEW or row.share is None or row.lift is None or row.lift_at_size is None:
        return [*cells, "", "", "", ""]
    interval = f"{row.lift_low:.2f} to {row.lift_high:.2f}"
    return [*cells, f"{row.share:.1%}", f"{row.lift:.2f}", interval, f"{row.lift_at_size:.2f}"]


_HEAD = (
    "principle", "severity", "fired", "of changes", "that count", "risky", "share", "lift", "95 %",
    "lift at equal size",
)  # fmt: skip


_REPOSITORY = (
    "repository", "changes", "that count", "risky", "high or critical fires", "medium fires", "any fires",
    "CPU ms a change", "rows a change",
)  # fmt: skip
_CAVEAT = (
    f"Shares and lifts are left out below {FEW} changes that count. Where no labels were given, none counts. "
    '"Rightly" is a narrow word here: a finding such as a forced push or an unpinned action can be right although '
    "nobody ever repaired the change. Severities were set after looking at such tables of DPDK, rdma-core, jax, "
    "tinygrad, ao and ansible (what size explains was lowered to low): on those the lift of the higher ones flatters."
)


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [f"| {' | '.join(_HEAD)} |", "|" + "---|" * len(_HEAD)]
    return lines + [f"| {' | '.join(_cells(row))} |" for row in rows]


def markdown(histories: Sequence[History], severities: dict[str, str], command: str) -> str:
    """The page: one line a repository, all principles over all of them, and what fires most in each."""
    lines = ["# How often each principle fires, and how often rightly", "", f"Generated by `{command}`.", ""]
    lines += [(__doc__ or "").split("\n\n")[2].strip(), "", _CAVEAT, "", f"| {' | '.join(_REPOSITORY)} |"]
    lines += ["|" + "---|" * len(_REPOSITORY)]
    for history in histories:
        total = len(history.changes)
        counting = [change for change in history.changes if change.counts]
        fires = {
            level: sum(any(severities[name] in level for name in change.fired) for change in history.changes) / total
            for level in (FLAGGING, ("medium",), (*FLAGGING, "medium", "low"))
        }
        shares = " | ".join(f"{share:.2%}" for share in fires.values())
        risky = sum(change.risky for change in counting)
        speed = f"{1000 * history.seconds / total:.2f} | {history.rows / total:.0f}"
        lines.append(f"| {history.name} | {total} | {len(counting)} | {risky} | {shares} | {speed} |")
    lines += ["", "## All repositories", "", *_table(rows_of(histories, severities))]
    for history in histories:
        rows = [row for row in rows_of([history], severities) if row.fired]
        lines += ["", f"## {history.name}", "", *_table(rows)]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Review, count, write the page and the figures beside it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", nargs="+", help="CLONE, or CLONE=LABELS with what `oversight mine` wrote")
    parser.add_argument("--changes", type=int, default=3000, help="changes drawn from each history")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/PRINCIPLES.md"))
    options = parser.parse_args(arguments)
    from joblib import Parallel, delayed

    from oversight.reviewers.principles import builtin

    histories: list[History] = Parallel(n_jobs=options.jobs)(
        delayed(review_history)(Path(clone), Path(labels) if labels else None, options.changes, options.seed)
        for clone, _, labels in (given.partition("=") for given in options.clones)
    )
    severities = {principle.id: str(principle.severity) for principle in builtin()}
    command = f"python -m benchmarks.principles CLONE=LABELS... --changes {options.changes} --seed {options.seed}"
    options.output.write_text(markdown(histories, severities, command), encoding="utf-8")
    figures: dict[str, Any] = {"command": command, "all": [asdict(row) for row in rows_of(histories, severities)]}
    figures["repositories"] = {
        history.name: [asdict(row) for row in rows_of([history], severities) if row.fired] for history in histories
    }
    options.output.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {options.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
