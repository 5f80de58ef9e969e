"""The page of `benchmarks.audit_history`, out of its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_OPENING = """\
# A whole history audited, and killed on the way

Written by `python -m benchmarks.audit_history --table`: all commits of a repository, from an empty cache and an empty
database to the report, by the commands of [docs/AUDIT.md](../docs/AUDIT.md). Once unbroken; and once with every command
killed by SIGKILL at moments that were drawn, the process alone or with all that it had started, then before each step
at a file and before and after each end of a transaction, and started again until it got to its end. After each kill
every file and every table is there as a whole or not at all. At the end labels, scores, the export, all tables, the
queue, the report and the head of the ledger are the same, byte for byte, but for the moments of the clock. A commit
that history names stands for a person's verdict on it; nothing here says how good the reviews are."""
_PARAGRAPH = """\
On {at}, {cores} cores, load {load:.1f}, seed {seed}: {minutes:.1f} minutes unbroken, {memory:.0f} MB at most (all
processes together, shared pages counted once). {killed} kills; the broken run took {broken:.1f} minutes, and no process
outlived its command by more than {lingered:.1f} s. Who read the database meanwhile waited {reader:.0f} ms at most, who
wanted to write to it {writer:.1f} s. The labels have {labels:.1f} MB, the scores {scores:.1f} MB, the database
{database:.1f} MB with {verdicts:,} verdicts (budget {budget})."""


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return the page."""
    told = [_OPENING]
    for one in found:
        total, killed = (sum(stage[key] for stage in one["stages"]) for key in ("seconds", "killed"))
        told += ["", f"## {one['clone']}: {one['changes']:,} changes", ""]
        told.append(
            _PARAGRAPH.format(
                **{**one, "at": one["at"][:10]},
                minutes=total / 60,
                killed=killed,
                broken=sum(stage["broken_seconds"] for stage in one["stages"]) / 60,
                lingered=max(stage["lingered"] for stage in one["stages"]),
                memory=max(stage["memory"] for stage in one["stages"]) / 1e6,
                reader=1e3 * one["waited"]["reader"],
                writer=one["waited"]["writer"],
                labels=one["bytes"]["labels.jsonl"] / 1e6,
                scores=one["bytes"]["scores.jsonl"] / 1e6,
                database=one["bytes"]["audit.db"] / 1e6,
            )
        )
        told += ["", "| stage | seconds | peak MB | killed | seconds of the broken run |", "|---" * 5 + "|"]
        told += [
            f"| {stage['stage']} | {stage['seconds']:.1f} | {stage['memory'] / 1e6:.0f} | {stage['killed']} | "
            f"{stage['broken_seconds']:.1f} |"
            for stage in one["stages"]
        ]
        told += ["", "| the same after all kills | sha256 |", "|---|---|"]
        told += [f"| {name} | `{digest[:16]}` |" for name, digest in one["sha256"].items()]
    return "\n".join(told) + "\n"
