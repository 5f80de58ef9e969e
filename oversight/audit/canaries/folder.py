"""A flock in a folder: diffs that tell nothing, what is said of them, and the answers apart.

0001.diff 0002.diff …      canaries and controls, in an order that tells nothing
changes.jsonl              title, body, author of each
answers.jsonl              which of them are canaries, with the marker
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from oversight.audit.canaries.model import Flock, draw
from oversight.changes import discovery
from oversight.changes.model import Change
from oversight.changes.rendering import render
from oversight.errors import OutputError, RepositoryError, UsageError


def write(flock: Flock, folder: Path) -> int:
    """Write a flock into a new or empty folder, and return how many diffs there are.

    Raises `OutputError` where it cannot be written, or holds something already.
    """
    items: list[tuple[Change, dict[str, Any]]] = []
    for number, pair in enumerate(flock.pairs):
        items.append((pair.canary.change, {**pair.canary.record(), "pair": number}))
        items.append((pair.control, {"marker": None, "change_id": pair.control.id, "pair": number}))
    items.sort(key=lambda item: draw(flock.seed, "item", item[0].id))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError("the folder for canaries is not empty", mend="name a new one")
        changes, answers = [], []
        for number, (change, answer) in enumerate(items, 1):
            name = f"{number:04d}.diff"
            (folder / name).write_bytes(render(change.files))
            changes.append({"file": name, "title": change.title, "body": change.body, "author": change.author})
            answers.append({"file": name, **answer})
        for name, rows in (("changes.jsonl", changes), ("answers.jsonl", answers)):
            (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="ascii")
    except OSError as error:
        raise OutputError(
            f"the canaries cannot be written: {error.strerror}", mend="name another folder, or free some space"
        ) from error
    return len(items)


def keep_out(repo: Path, folder: Path) -> None:
    """Refuse a folder that is in the repository at `repo`, its work tree or its git directory. `UsageError` says so."""
    above = folder.resolve()
    while not above.exists():
        above = above.parent
    ours = discovery.find(repo).common_dir.resolve()
    try:
        around = discovery.find(above).common_dir.resolve()
    except RepositoryError:
        around = None
    if around == ours or ours in (above, *above.parents):
        raise UsageError(
            "canaries are never written into the repository that they are of", mend="name a folder elsewhere"
        )
