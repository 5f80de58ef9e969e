"""How judged heads came into the history: labels are of commits, and a squashed pull request's head is none.

A pull request that was merged as one commit with just as many lines added and deleted landed as that commit, whether
it was squashed or rebased. One that was merged by a merge commit is in the history as it is; one that was rebased in
several commits landed as none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from oversight.audit.verdict import Landing, Record, Verdict
from oversight_github.client import Client, NotFound, Unprocessable
from oversight_github.verdicts.answers import at, list_at, moment_at, number_at, sha_at, text_at
from oversight_github.verdicts.pulls import Pulls


def landings(client: Client, pulls: Pulls, record: Record, fresh: Iterable[Verdict], since: datetime) -> list[Landing]:
    """Return how heads landed that were judged since then and are not known to have: a few requests each."""
    recent = [verdict for verdict in (*record.verdicts, *fresh) if verdict.decided_at >= since]
    heads = {
        (verdict.source.number, verdict.change_id)
        for verdict in recent
        if verdict.source.number is not None and (verdict.source.repository or "").lower() == client.repository.lower()
    }
    waiting = sorted((number, head) for number, head in heads if head not in record.commits)
    found = (_landing(client, pulls, number, head) for number, head in waiting)
    return [landing for landing in found if landing is not None]


def _landing(client: Client, pulls: Pulls, number: int, head: str) -> Landing | None:
    pull = pulls.pull(number)
    merged = moment_at(pull, "merged_at")
    if merged is None or sha_at(pull, "head", "sha") != head or not text_at(pull, "merge_commit_sha"):
        return None
    commit = sha_at(pull, "merge_commit_sha")
    try:
        told = client.get(client.here("commits", commit))
    except (NotFound, Unprocessable):  # pushed over since
        return None
    lines = [number_at(pull, name) for name in ("additions", "deletions")]
    whole = [at(told, "stats", name) for name in ("additions", "deletions")] == lines
    if commit == head or len(list_at(told, "parents")) != 1 or not whole:
        return None
    return Landing(head, commit, client.repository, number, merged)
