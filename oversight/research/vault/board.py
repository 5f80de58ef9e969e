"""The leaderboard, out of the vault's own records: for researchers what they were told, for people with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from oversight.measurement.bootstrap import Estimate
from oversight.measurement.pgr import Recovery
from oversight.research.vault.gold import Ground
from oversight.research.vault.ladder import told as bits
from oversight.research.vault.policy import Policy
from oversight.research.vault.record import Record
from oversight.research.vault.scoring import RIVALS, Predictions, mean_auroc, recoveries

RESAMPLES = 500
"""Of the open half, for each row of the board."""

ROWS = 20
"""Experiments with figures; the best ones."""


def coarse(record: Record, policy: Policy, *, best: float) -> dict[str, Any]:
    """Return what every researcher was told anyway: the bests in order with their rounded scores, and what is left."""
    rows = [
        {name: entry[name] for name in ("experiment", "researcher", "method")} | {"score": entry["answer"]["score"]}
        for entry in record.bests
    ]
    return {
        "best": best,
        "bests": rows,
        "asked": len(record.queries),
        "left": max(0, policy.queries - len(record.queries)),
    }


def audit(record: Record, policy: Policy, values: int) -> dict[str, Any]:
    """Return what people judge a search by: every query, what fired, how much was told by scores of so many values."""
    queries = [
        {name: entry[name] for name in ("experiment", "researcher", "configuration", "method", "proxies", "answer")}
        for entry in record.queries
    ]
    return {
        "policy": asdict(policy),
        "queries": queries,
        "bits": bits(len(record.queries), len(record.bests), values),
        "sealed": list(record.sealed.values()),
        "confirmed": list(record.confirmed.values()),
    }


def figures(
    grounds: Sequence[Ground], record: Record, kept: Callable[[str], Predictions]
) -> dict[str, list[dict[str, Any]]]:
    """Return recovery over the open half of the best experiments, best first, and of the series beside them."""
    rows = {ground.name: ground.open for ground in grounds}
    found = {entry["experiment"]: kept(entry["experiment"]) for entry in record.scored}
    scores = {name: mean_auroc(grounds, predictions, rows) for name, predictions in found.items()}
    chosen = sorted(scores, key=lambda name: -scores[name])[:ROWS]

    measured = recoveries(grounds, {name: found[name] for name in chosen}, rows, resamples=RESAMPLES)

    def row(name: str) -> dict[str, Any]:
        entry = record.asked.get(name, {})
        about = {key: value for key, value in entry.items() if key in ("researcher", "method", "answer")}
        return {"experiment": name, **about, **told(measured[name])}

    return {"figures": [row(name) for name in chosen], "beside": [row(name) for name in RIVALS]}


def told(found: Recovery) -> dict[str, Any]:
    """Return a recovery as JSON: PGR with its interval or the reason why there is none, and what it is made of."""
    return {
        "pgr": found.pgr,
        "interval": None if found.interval is None else list(found.interval),
        "reason": found.reason,
        "weak": _told(found.weak),
        "student": _told(found.student),
        "ceiling": _told(found.ceiling),
        "gap": _told(found.gap),
        "differences": {name: _told(found.differences[name]) for name in RIVALS},
        "n": found.n,
        "positives": found.positives,
        "draws": found.seeds,
        "warnings": list(found.warnings),
    }


def _told(estimate: Estimate) -> Mapping[str, Any]:
    interval = None if estimate.low is None or estimate.high is None else [estimate.low, estimate.high]
    return {"value": estimate.value, "interval": interval, "reason": estimate.reason}
