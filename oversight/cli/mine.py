"""`oversight mine`: what a history already knows about its own changes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oversight.cli.options import HERE, Repo, Since, Until

if TYPE_CHECKING:
    from oversight.history.labels import Mined, Summary
    from oversight.history.model import GoldLabel


def mine(
    output: Annotated[
        Path, typer.Option(help="Write the labels here, as JSON Lines, oldest commit first; - is stdout.")
    ],
    repo: Repo = HERE,
    source: Annotated[
        str, typer.Option(help="Where labels come from: fixes, reverts, szz, separated by commas (szz is slower).")
    ] = "fixes,reverts",
    since: Since = None,
    until: Until = None,
    with_clean: Annotated[
        bool, typer.Option("--with-clean", help="Add the commits that are old enough and that no source names.")
    ] = False,
) -> None:
    """Find out which commits people later repaired or withdrew.

    Reads every non-merge commit reachable from HEAD, whatever --since and --until select for the output: a
    commit of last year may be repaired today. Counts of everything go to stderr.
    """
    from oversight.changes.repository import Repository
    from oversight.cli.options import period
    from oversight.cli.progress import progress
    from oversight.history.index import Index
    from oversight.history.labels import clean
    from oversight.history.mining import mine_repository, parse_sources
    from oversight.reports import write

    sources = parse_sources(source)
    first, last = period(since, until)
    with Repository.open(repo) as repository:
        head = repository.resolve("HEAD")
        with Index.open(repository) as index, progress("reading history") as advance:
            mined = mine_repository(repository, head, sources, index=index, advance=advance)
            note = index.note
    labels = [*mined.labels, *clean(mined)] if with_clean else list(mined.labels)
    write("".join(_lines(mined, labels, first, last)), output)
    for line in _summary(mined.summary, note):
        typer.echo(line, err=True)


def _lines(mined: Mined, labels: list[GoldLabel], first: datetime | None, last: datetime | None) -> list[str]:
    """The lines of the labels whose commits were committed within the dates, in the order of the history."""
    by_commit = {label.change_id: label for label in labels}
    earliest = first.timestamp() if first is not None else float("-inf")
    latest = last.timestamp() if last is not None else float("inf")
    return [
        _line(by_commit[sha], mined.excluded.get(sha))
        for sha, committed in zip(mined.shas, mined.committed, strict=True)
        if sha in by_commit and earliest <= committed <= latest
    ]


def _line(label: GoldLabel, excluded: str | None) -> str:
    record = {
        "commit": label.change_id,
        "risky": label.risky,
        "source": label.source,
        "decided_at": label.decided_at.isoformat(),
        "evidence": list(label.evidence),
        "excluded": excluded,
    }
    return json.dumps(record) + "\n"


def _summary(summary: Summary, note: str | None) -> list[str]:
    """What was seen, resolved and left out, for people; nothing in it comes from the repository's text."""
    risky = sum(count for (_, is_risky), count in summary.labels.items() if is_risky)
    lines = [f"{summary.commits:,} commits: {risky:,} risky, {summary.usable:,} of them in the pool"]
    for (kind, outcome), count in sorted(summary.references.items()):
        lines.append(f"  {kind}: {count:,} {outcome}")
    for (source, is_risky), count in sorted(summary.labels.items()):
        lines.append(f"  labels by {source}, {'risky' if is_risky else 'not risky'}: {count:,}")
    told = {
        "landed again after a revert": summary.relanded,
        "reverted in part": summary.partial,
        "merges reverted": summary.reverted_merges,
        "cherry-picks within the history": summary.picked,
        "compared by patch-id": summary.candidates,
    }
    lines += [f"  {what}: {count:,}" for what, count in told.items() if count]
    lines += [f"  excluded, {reason}: {count:,}" for reason, count in sorted(summary.excluded.items())]
    return [*lines, *summary.notes, *([f"note: {note}"] if note else [])]
