"""The labels in a file, whichever of the two kinds it is: verdicts as they were recorded (`oversight.audit.lines`), or
labels as `oversight mine` writes them and people do by hand (`oversight.experiment.human`).

Verdicts are of reviewed heads, labels of commits. A head is a commit of the history, or landed there as one, or it is
neither (never merged, merged in several commits, pushed over): then there is no commit that its label is of.
"""

from __future__ import annotations

import json
from pathlib import Path

from oversight.audit import lines
from oversight.audit.verdict import Record, to_gold
from oversight.changes.repository import Repository
from oversight.errors import LabelError
from oversight.experiment import human
from oversight.history.model import GoldLabel

_FIRST = 1 << 16  # characters of the first line that are looked at


def read_labels(path: Path, repo: Path) -> dict[str, GoldLabel]:
    """Return the labels by commit. Of verdicts those on commits in the history of HEAD of the repository `repo`.

    Raises `LabelError` for a file that holds anything amiss, or no label at all.
    """
    if not _holds_verdicts(path):
        return human.read_labels(path)
    return of_record(lines.read(path), repo)


def of_record(record: Record, repo: Path) -> dict[str, GoldLabel]:
    """Return the labels that the verdicts of a record amount to, as `read_labels`."""
    gold = {label.change_id: label for label in to_gold(record.verdicts, record.commits)}
    with Repository.open(repo) as repository:
        found = _in_history(repository, gold)
    if not found:
        raise LabelError(
            f"none of the {len(gold)} labels that {len(record.verdicts)} verdicts amount to is of a commit in this "
            "history",
            mend="a pull request has to be merged as one commit, and the run that gathers verdicts to see it merged",
        )
    return found


def _holds_verdicts(path: Path) -> bool:
    """Whether the first line is one of a record; whatever is wrong with the file, its reader says it better."""
    try:
        with path.open(encoding="utf-8") as file:
            first = next((line for line in iter(lambda: file.readline(_FIRST), "") if line.strip()), "")
        told = json.loads(first)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and "schema_version" in told


def _in_history(repository: Repository, gold: dict[str, GoldLabel]) -> dict[str, GoldLabel]:
    """Return the labels of commits that learning counts with: those that HEAD reaches, merges left out."""
    tip = repository.resolve("HEAD")
    with repository.stream("rev-list", "--no-merges", tip, "--") as out:
        reached = {sha for line in out if (sha := line.decode("ascii").strip()) in gold}
    return {sha: label for sha, label in gold.items() if sha in reached}
