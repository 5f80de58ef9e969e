"""The vault's own records, for people: the leaderboard with intervals, and what a search was told and refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oversight.reports.escape import data, terminal
from oversight.research.vault.client import Vault

NAMES = {"default": "the hand-chosen default", "human_only": "human labels alone", "naive": "naive"}
"""What every experiment is compared with, in words."""
_ROWS = 10


def read(study: Path) -> dict[str, Any]:
    """Return the leaderboard of a study (`vault.board`), also beside a run; `VaultError` where there is none.

    It is for people: what it says of labels is more than a search may be told.
    """
    with Vault(study / "vault", people=True) as vault:
        return vault.board()


def lines(study: Path) -> list[str]:
    """Return the leaderboard of a study as lines for a terminal; `VaultError` where there is none."""
    return list(_lines(read(study)))


def as_json(study: Path) -> dict[str, Any]:
    """Return the leaderboard of a study for programs, with how often each answer was given and each detector fired;
    `VaultError` where there is none.
    """
    board = read(study)
    answers, detectors = _counted(board)
    whole: dict[str, Any] = _whole({**board, "answers": dict(answers), "detectors": dict(detectors)})
    return whole


def _whole(told: Any) -> Any:
    """Return JSON whose texts can be encoded: researchers and methods are others' words."""
    if isinstance(told, dict):
        return {data(name): _whole(one) for name, one in told.items()}
    if isinstance(told, list):
        return [_whole(one) for one in told]
    return data(told) if isinstance(told, str) else told


def _lines(board: Mapping[str, Any]) -> Iterator[str]:
    yield "the vault's leaderboard, open half: PGR and AUROC above others, with 95 % intervals; * beat the best so far"
    yield f"  {'':<7} {'PGR':<18} {'above naive':<24} {'above the default':<24} method"
    for row in board["figures"][:_ROWS]:
        best = " *" if row["answer"]["answer"] == "best" else ""
        notes = "".join(f", {terminal(flag, 40)}" for flag in row["answer"]["flags"])
        yield f"  {_row(row, row['experiment'] + best)} {terminal(row['method'], 60)}{notes}"
    for row in board["beside"]:
        yield f"  {_row(row, '')} {NAMES[row['experiment']]}"
    for reason in {row["reason"]: None for row in board["beside"] if row["reason"]}:
        yield f"no PGR: {reason}"
    yield "the best of many is also the luckiest: only the sealed half and confirmation say what it is worth"
    yield ""
    yield from _audit(board)
    for entry in board["sealed"]:
        yield ""
        yield from result(entry)
    for entry in board["confirmed"]:
        yield ""
        yield from result(entry)


def result(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the sealed half or a confirmation showed, as lines: an entry of the ledger."""
    found = entry["result"]
    where = "the sealed half" if entry["kind"] == "sealed" else f"{terminal(entry['ground'], 40)}, never queried"
    counts = f"{found['n']:,} changes, {found['positives']:,} of them risky"
    yield f"{terminal(entry['experiment'], 40)} on {where}: {counts}"
    yield f"  {'PGR':<30} {_pgr(found)}"
    for name in ("weak", "student", "ceiling"):
        yield f"  {'AUROC of the ' + name:<30} {_estimate(found[name], '.3f')}"
    for name, called in NAMES.items():
        yield f"  {'above ' + called:<30} {_estimate(found['differences'][name], '+.4f')}"
    for warning in found["warnings"]:
        yield f"  {warning}"


def verdict(entry: Mapping[str, Any]) -> str:
    """Return in a sentence whether an entry's experiment is above the hand-chosen default."""
    difference = entry["result"]["differences"]["default"]
    interval = difference["interval"]
    if interval is None:
        return f"whether it is above the hand-chosen default cannot be told: {difference['reason']}"
    if interval[0] > 0:
        return "it is above the hand-chosen default: the interval of the difference excludes 0"
    if interval[1] < 0:
        return "it is below the hand-chosen default: the interval of the difference excludes 0"
    return "it cannot be told from the hand-chosen default: the interval of the difference includes 0"


def _audit(board: Mapping[str, Any]) -> Iterator[str]:
    queries = board["queries"]
    said, flags = _counted(board)
    yield (
        f"{len(queries)} queries, {board['left']} left: best {said['best']}, not better {said['not better']}, "
        f"refused {said['refused']}; at most {board['bits']:.0f} bits of the labels were told"
    )
    for flag, count in flags.most_common():
        yield f"  {terminal(flag, 40)}: {count}"
    yield f"ledger: {board['entries']} entries, head {board['head']}"


def _counted(board: Mapping[str, Any]) -> tuple[Counter[str], Counter[str]]:
    """Return how often each answer was given, and how often each detector fired."""
    answers = [query["answer"] for query in board["queries"]]
    return Counter(one["answer"] for one in answers), Counter(flag for one in answers for flag in one["flags"])


def _row(row: Mapping[str, Any], name: str) -> str:
    pgr = "none" if row["pgr"] is None else _pgr(row)
    naive, default = (_estimate(row["differences"][rival], "+.3f") for rival in ("naive", "default"))
    return f"{terminal(name, 20):<7} {pgr:<18} {naive:<24} {default:<24}"


def _pgr(found: Mapping[str, Any]) -> str:
    if found["pgr"] is None:
        return f"none: {found['reason']}"
    low, high = found["interval"]
    return f"{found['pgr']:.2f} [{low:.2f}, {high:.2f}]"


def _estimate(told: Mapping[str, Any], style: str) -> str:
    if told["value"] is None:
        return f"none: {told['reason']}"
    if told["interval"] is None:
        return f"{told['value']:{style}}"
    low, high = told["interval"]
    return f"{told['value']:{style}} [{low:{style}}, {high:{style}}]"
